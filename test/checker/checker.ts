/**
 * The checker: operations go in one by one, in the order of time, and `finish` tells what is wrong with them. It keeps what lies where, not the
 * operations, so a million of them are no burden.
 */
import { type Anomaly, type FindingOptions, Findings } from './anomalies.ts'
import { CommitCheck } from './commits.ts'
import { Dependencies } from './dependencies.ts'
import { FaultCheck } from './faults.ts'
import { Incarnations } from './incarnations.ts'
import { Logs } from './logs.ts'
import { Members } from './members.ts'
import type { Operation } from './operation.ts'
import { OwnershipCheck } from './ownership.ts'
import { Polls } from './polls.ts'
import { Readers } from './readers.ts'
import { Sends } from './sends.ts'

export interface CheckOptions extends FindingOptions {
  /** A run without faults, without operations during them, or without both ok and unknown outcomes proves nothing. Default false. */
  requireFaults?: boolean
  /** Everybody has read to the end, so acked messages that nobody has read are `unseen`. Default true. */
  final?: boolean
  /** By how much clocks of several processes may differ; owners that overlap for less are none. Default 0. */
  skewMs?: number
}

export interface Report {
  /** No: there are anomalies. Unknown: there are none, and the run proves nothing. */
  valid: boolean | 'unknown'
  anomalies: Anomaly[]
  /** Seen, and legal in this mode. */
  legal: Anomaly[]
  summary: {
    mode: string
    operations: number
    processes: number
    keys: number
    groups: number
    acked: number
    failed: number
    unknown: number
    /** Messages handed out, those that came again included. */
    read: number
    /** Handed out to one group more than once. */
    redelivered: number
    commits: number
    faults: number
    overlapped: number
    /** How many of each, beyond the examples too. */
    anomalies: Record<string, number>
    legal: Record<string, number>
    /** With `requireFaults`: why it proves nothing. */
    missing: string[]
  }
}

export class Checker {
  readonly #options: CheckOptions
  readonly #findings: Findings
  readonly #logs = new Logs()
  readonly #members = new Members()
  readonly #incarnations = new Incarnations()
  readonly #dependencies = new Dependencies()
  readonly #readers: Readers
  readonly #sends: Sends
  readonly #polls: Polls
  readonly #ownership: OwnershipCheck
  readonly #commits: CommitCheck
  readonly #faults = new FaultCheck()
  readonly #processes = new Set<string>()
  #count = 0

  constructor(options: CheckOptions = {}) {
    this.#options = options
    const findings = new Findings(options)
    const [logs, members, dependencies] = [this.#logs, this.#members, this.#dependencies]
    this.#findings = findings
    this.#readers = new Readers(logs, members, findings, this.#incarnations)
    this.#sends = new Sends(logs, dependencies)
    this.#polls = new Polls({ logs, members, readers: this.#readers, dependencies, findings })
    this.#ownership = new OwnershipCheck({ members, findings, incarnations: this.#incarnations, skewMs: options.skewMs ?? 0 })
    this.#commits = new CommitCheck(logs, members, findings)
  }

  add(given: Operation): void {
    this.#count++
    this.#faults.add(given)
    const operation = this.#incarnations.add(given)
    if (operation.f === 'fault' || operation.f === 'deleted') return
    this.#processes.add(operation.process)
    this.#members.add(operation)
    this.#sends.add(operation)
    this.#ownership.add(operation)
    this.#polls.add(operation)
    this.#commits.add(operation)
  }

  finish(): Report {
    const findings = this.#findings
    this.#sends.settle()
    this.#logs.finish(findings)
    this.#sends.finish(findings)
    this.#polls.finish()
    this.#readers.finish(this.#options.final ?? true)
    this.#ownership.finish()
    this.#commits.finish()
    this.#dependencies.finish(this.#logs, findings)
    const missing = this.#options.requireFaults ? this.#faults.missing() : []
    const sound = findings.anomalies.length === 0
    return {
      valid: !sound ? false : missing.length > 0 ? 'unknown' : true,
      anomalies: findings.anomalies,
      legal: findings.legal,
      summary: {
        mode: findings.mode,
        operations: this.#count,
        processes: this.#processes.size,
        keys: this.#logs.keys,
        groups: [...this.#members.groups.keys()].filter(name => name !== '').length,
        acked: this.#sends.acked,
        failed: this.#sends.failed,
        unknown: this.#sends.unknown,
        read: this.#polls.messages,
        redelivered: this.#readers.redelivered,
        commits: this.#commits.count,
        faults: this.#faults.fired,
        overlapped: this.#faults.overlapped,
        anomalies: Object.fromEntries(findings.counts),
        legal: Object.fromEntries(findings.legalCounts),
        missing
      }
    }
  }
}

/** A whole history at once. */
export function check(operations: Iterable<Operation>, options: CheckOptions = {}): Report {
  const checker = new Checker(options)
  for (const operation of operations) checker.add(operation)
  return checker.finish()
}
