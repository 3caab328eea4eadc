/**
 * An internal topic as its coordinators use it: records in, in Kafka's form, and all of them back when a process begins with logs that are there
 * already. What is overwritten is thrown away when there is much of it.
 */

import { crc32c } from '../../../wire/records/crc32c.ts'
import { BatchWriter, decodeRecords, RecordBatch, stamp } from '../../../wire/records/index.ts'
import { ATTRIBUTES_AT, BATCH_HEADER_BYTES, CRC_AT, TRANSACTIONAL_BIT } from '../../../wire/records/layout.ts'
import { ERROR } from '../errors.ts'
import type { ClusterState } from '../state.ts'
import type { LogRecord } from './records.ts'

export interface Writing {
  producerId: bigint
  producerEpoch: number
}

export interface ReadBatch {
  records: LogRecord[]
  /** -1n: of no transaction. */
  producerId: bigint
  /** It ends this producer's transaction. */
  marker: { commit: boolean } | null
}

const BATCH_LIMIT_BYTES = 1 << 20
/** Batches in one partition, from which on it is written anew. */
const COMPACTED_FROM = 1_000
const NO_PRODUCER = { producerId: -1n, producerEpoch: -1 }

export class InternalLog {
  #state: ClusterState
  #topic: string

  constructor(state: ClusterState, topic: string) {
    this.#state = state
    this.#topic = topic
  }

  /** An error code. `transaction`: they count when it is committed. */
  append(partition: number, records: readonly LogRecord[], transaction?: Writing): number {
    const log = this.#state.partition(this.#topic, partition)
    if (!log) return ERROR.UNKNOWN_TOPIC_OR_PARTITION
    let writer = new BatchWriter({ limitBytes: BATCH_LIMIT_BYTES })
    for (const { key, value } of records) {
      if (writer.count > 0 && writer.wouldExceed(key, value)) {
        const errorCode = this.#write(partition, writer, transaction)
        if (errorCode !== ERROR.NONE) return errorCode
        writer = new BatchWriter({ limitBytes: BATCH_LIMIT_BYTES })
      }
      writer.append(this.#state.world.now(), key, value, undefined)
    }
    return writer.count > 0 ? this.#write(partition, writer, transaction) : ERROR.NONE
  }

  /** Everything that is there, in order. */
  *read(partition: number): Generator<ReadBatch, void, void> {
    for (const { bytes, producerId, isTransactional, marker } of this.#state.partition(this.#topic, partition)?.log?.batches ?? []) {
      const batch = new RecordBatch(bytes)
      const found = marker ? [] : decodeRecords(batch, { topic: this.#topic, partition }, batch.baseOffset)
      const records = found.flatMap(({ key, value }) => (key ? [{ key: Buffer.from(key), value: value && Buffer.from(value) }] : []))
      yield { records, producerId: isTransactional ? producerId : -1n, marker }
    }
  }

  /** Is it time to write it anew? */
  isLong(partition: number): boolean {
    return (this.#state.partition(this.#topic, partition)?.log?.batches.length ?? 0) >= COMPACTED_FROM
  }

  /** `all`: every record that counts; undefined: not now. */
  compact(partition: number, all: readonly LogRecord[] | undefined): void {
    const log = this.#state.partition(this.#topic, partition)
    const from = log?.log?.endOffset
    if (all && from !== undefined && this.append(partition, all) === ERROR.NONE) log!.deleteBefore(from)
  }

  get partitions(): number {
    return this.#state.topicPartitions(this.#topic) ?? 0
  }

  #write(index: number, writer: BatchWriter, transaction: Writing | undefined): number {
    const partition = this.#state.partition(this.#topic, index)!
    const sealed = writer.seal('none')
    stamp(sealed, { ...(transaction ?? NO_PRODUCER), baseSequence: -1 })
    const bytes = Buffer.from(sealed.buffer)
    if (transaction) {
      bytes.writeInt16BE(bytes.readInt16BE(ATTRIBUTES_AT) | TRANSACTIONAL_BIT, ATTRIBUTES_AT)
      bytes.writeUInt32BE(crc32c(bytes, ATTRIBUTES_AT, bytes.length), CRC_AT)
    }
    if (partition.isUnderMinIsr) return ERROR.NOT_ENOUGH_REPLICAS
    const none = { firstSequence: -1, lastSequence: -1, isTransactional: transaction !== undefined }
    return bytes.length > BATCH_HEADER_BYTES ? partition.append(bytes, { ...(transaction ?? NO_PRODUCER), ...none }).errorCode : ERROR.NONE
  }
}
