/**
 * The promises of one publish. 50,000 of them may live at once, so it is two objects and the pair of functions that a promise has anyway: no closure
 * is made for it, and messages of one moment share their timestamp.
 */
import type { PublishError } from '../model/errors.ts'
import type { AcceptedPublish, RecordMetadata } from '../model/message.ts'

type Resolve = (metadata: RecordMetadata) => void
type Reject = (error: PublishError) => void

let resolveOfLast: Resolve
let rejectOfLast: Reject
/** `new Promise` calls it at once. */
const take = (resolve: Resolve, reject: Reject) => {
  resolveOfLast = resolve
  rejectOfLast = reject
}

let lastMs = -1
let lastTimestamp = -1n
function timestampOf(ms: number): bigint {
  if (ms !== lastMs) {
    lastMs = ms
    lastTimestamp = BigInt(ms)
  }
  return lastTimestamp
}

/** What a publisher tells (`Delivery` in src/flow/batch.ts). */
export class Promised {
  readonly promise: Promise<RecordMetadata>
  readonly #resolve: Resolve
  readonly #reject: Reject

  constructor() {
    this.promise = new Promise(take)
    this.#resolve = resolveOfLast
    this.#reject = rejectOfLast
  }

  acked(topic: string, partition: number, offset: bigint, timestampMs: number): void {
    this.#resolve({ topic, partition, offset, timestamp: timestampOf(timestampMs) })
  }

  failed(error: PublishError): void {
    this.#reject(error)
  }
}

/** Of a publish that is waited for until it is in the outbox. */
export class PromisedAccepted {
  readonly promise: Promise<AcceptedPublish>
  readonly #acked = new Promised()
  readonly #topic: string
  #resolve: (accepted: AcceptedPublish) => void = () => {}
  #reject: Reject = () => {}

  constructor(topic: string) {
    this.#topic = topic
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Who does not ask for the ack is told by events; a promise that nobody looks at must not end the process.
    this.#acked.promise.catch(() => {})
  }

  accepted(): void {
    this.#resolve({ topic: this.#topic, acked: this.#acked.promise })
  }

  acked(topic: string, partition: number, offset: bigint, timestampMs: number): void {
    this.#acked.acked(topic, partition, offset, timestampMs)
  }

  failed(error: PublishError): void {
    this.#reject(error)
    this.#acked.failed(error)
  }
}
