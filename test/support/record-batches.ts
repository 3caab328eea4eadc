/**
 * Record batches as a broker keeps them, for tests of what reads them: any base offset, gaps, transactions, markers, damage.
 */

import type { Compression } from '../../src/model/config.ts'
import { BatchWriter } from '../../src/wire/records/batch-writer.ts'
import { crc32c } from '../../src/wire/records/crc32c.ts'
import {
  ATTRIBUTES_AT,
  CONTROL_BIT,
  COUNT_AT,
  CRC_AT,
  LAST_OFFSET_DELTA_AT,
  LEADER_EPOCH_AT,
  PRODUCER_ID_AT,
  TRANSACTIONAL_BIT
} from '../../src/wire/records/layout.ts'

export interface BatchSpec {
  base: number
  /** Values. Default: one, the base offset as text. */
  values?: readonly string[]
  /** Offset of the last record, where compaction has removed what was behind the values. */
  last?: number
  compression?: Compression
  /** Makes it a batch of a transaction. */
  producer?: bigint
  marker?: 'abort' | 'commit'
  /** Of the leader that wrote it. Default -1: none. */
  epoch?: number
  /** No records at all: what compaction leaves of a producer's last batch. */
  empty?: boolean
}

export function batch({
  base,
  values = [String(base)],
  last,
  compression = 'none',
  producer,
  marker,
  epoch = -1,
  empty
}: BatchSpec): Buffer {
  const writer = new BatchWriter({ limitBytes: 1 << 30 })
  const markerKey = Buffer.from([0, 0, 0, marker === 'abort' ? 0 : 1])
  for (const value of marker ? [Buffer.alloc(6)] : values) writer.append(0, marker ? markerKey : null, value, undefined)
  const sealed = writer.seal(compression).buffer
  const out = Buffer.from(empty ? sealed.subarray(0, 61) : sealed)
  if (empty) {
    out.writeInt32BE(out.length - 12, 8)
    out.writeInt32BE(0, COUNT_AT)
  }
  out.writeBigInt64BE(BigInt(base), 0)
  out.writeInt32BE(epoch, LEADER_EPOCH_AT)
  if (last !== undefined) out.writeInt32BE(last - base, LAST_OFFSET_DELTA_AT)
  if (producer !== undefined) {
    out.writeBigInt64BE(producer, PRODUCER_ID_AT)
    out.writeInt16BE(out.readInt16BE(ATTRIBUTES_AT) | TRANSACTIONAL_BIT | (marker ? CONTROL_BIT : 0), ATTRIBUTES_AT)
  }
  out.writeUInt32BE(crc32c(out, ATTRIBUTES_AT, out.length), CRC_AT)
  return out
}

export const batches = (...specs: BatchSpec[]): Buffer => Buffer.concat(specs.map(batch))

/** The same with its last byte changed: the CRC does not fit any more. */
export function damaged(spec: BatchSpec): Buffer {
  const out = batch(spec)
  out[out.length - 1]! ^= 0xff
  return out
}
