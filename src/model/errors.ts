/**
 * Every error that leaves samsa: one base class, a stable `code`, and what to do next in the message.
 * Kafka's own error numbers live in `kafka-errors.ts`; this file holds the shape.
 */

/** What became of a publish: written and acknowledged, certainly not written, or impossible to tell. */
export type PublishOutcome = 'acked' | 'failed' | 'unknown'

export interface SamsaErrorOptions {
  /** May the same call succeed when it is made again, unchanged? Default false. */
  retriable?: boolean
  /** The error underneath, kept for logs. */
  cause?: unknown
  /** Kafka's error number and name, where a broker answered with one, and to which API. */
  kafka?: { code: number; name: string; api?: string }
  /** Plain, serialisable facts: topic, partition, broker, path, limit … Never payload bytes, never credentials. */
  details?: Readonly<Record<string, string | number | boolean | null>>
}

/** Base of all errors. `code` is stable across versions (upper snake case); the wording is not. */
export class SamsaError extends Error {
  readonly code: string
  readonly retriable: boolean
  readonly kafka: { readonly code: number; readonly name: string; readonly api?: string } | undefined
  readonly details: Readonly<Record<string, string | number | boolean | null>>

  constructor(code: string, message: string, options: SamsaErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.retriable = options.retriable ?? false
    this.kafka = options.kafka
    this.details = options.details ?? {}
  }

  /** The plain form that may travel in events and recordings (an Error object may not). */
  toJSON(): PlainError {
    return {
      name: this.name,
      code: this.code,
      message: this.message,
      retriable: this.retriable,
      ...(this.kafka ? { kafka: { ...this.kafka } } : {}),
      details: { ...this.details }
    }
  }
}

/** A SamsaError as data. */
export interface PlainError {
  name: string
  code: string
  message: string
  retriable: boolean
  kafka?: { code: number; name: string; api?: string }
  details: Record<string, string | number | boolean | null>
}

/** Bytes from a peer (or a file) that are not what the protocol says. The connection they came from is closed. */
export class ProtocolError extends SamsaError {}

/** A limit of ours was about to be passed: nothing was allocated, nothing was written. */
export class LimitError extends SamsaError {}

/** A connection could not be made, or ended while something waited on it. */
export class ConnectionError extends SamsaError {}

/** A deadline passed. */
export class TimeoutError extends SamsaError {}

/** Wrong use: an option, a topic name, a URL, a closed cluster. */
export class UsageError extends SamsaError {}

/** A broker answered with an error code. */
export class BrokerError extends SamsaError {}

/** A publish that did not end as acked. */
export class PublishError extends SamsaError {
  readonly outcome: Exclude<PublishOutcome, 'acked'>
  constructor(code: string, message: string, outcome: Exclude<PublishOutcome, 'acked'>, options: SamsaErrorOptions = {}) {
    super(code, message, { ...options, details: { ...options.details, outcome } })
    this.outcome = outcome
  }
}

/** Data of a znode, or a state of the group in ZooKeeper, that is not what Kafka writes there. */
export class RegistryError extends SamsaError {}

/** Makes an error plain, whatever it is. */
export function plainError(error: unknown): PlainError {
  if (error instanceof SamsaError) return error.toJSON()
  const e = error instanceof Error ? error : new Error(String(error))
  const code = (e as { code?: unknown }).code
  return { name: e.name, code: typeof code === 'string' ? code : 'UNEXPECTED', message: e.message, retriable: false, details: {} }
}
