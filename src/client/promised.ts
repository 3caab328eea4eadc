/**
 * The promise of one publish. 50,000 of them may live at once, so it is two objects and the pair of functions that a promise has anyway: no closure
 * is made for it, and messages of one moment share their timestamp.
 */
import type { PublishError } from '../model/errors.ts'
import type { RecordMetadata } from '../model/message.ts'

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
