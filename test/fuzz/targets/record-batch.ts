/**
 * The records of a Fetch: batches of format 2, packed or not, one behind the other, with lengths and CRCs made right around the damage. Read as
 * a consumer reads them, and everything of a message looked at.
 */
import { inspect } from 'node:util'
import { type BatchView, BatchWriter, compress, crc32c, readBatches, stamp } from '../../../src/wire/records/index.ts'
import {
  ATTRIBUTES_AT,
  BASE_TIMESTAMP_AT,
  BATCH_HEADER_BYTES,
  CODECS,
  COMPRESSION_MASK,
  CONTROL_BIT,
  COUNT_AT,
  CRC_AT,
  LAST_OFFSET_DELTA_AT,
  LENGTH_AT,
  LOG_OVERHEAD,
  MAGIC_AT,
  TRANSACTIONAL_BIT
} from '../../../src/wire/records/layout.ts'
import { VarintCursor } from '../../../src/wire/records/varint.ts'
import type { Random } from '../../wire/random-message.ts'
import type { Field, Seed } from '../seed.ts'
import type { Target } from '../target.ts'

export const MOST_UNPACKED_BYTES = 64 * 1024
const LIMITS = { maxDecompressedBytes: MOST_UNPACKED_BYTES }
const ORIGIN = { topic: 'example', partition: 3 }

/** Everything that samsa and its users look at in batches. */
export function readAll(records: Buffer, fromOffset: bigint, print: boolean): void {
  for (const batch of readBatches(records)) readOne(batch, fromOffset, print)
}

function readOne(batch: BatchView, fromOffset: bigint, print: boolean): void {
  const { nextOffset, baseOffset, count, producerId, producerEpoch, baseSequence, partitionLeaderEpoch, maxTimestamp, timestampType } =
    batch
  void [nextOffset, baseOffset, count, producerId, producerEpoch, baseSequence, partitionLeaderEpoch, maxTimestamp, timestampType]
  void [batch.compression, batch.isTransactional]
  batch.controlMarker(LIMITS)
  const run = batch.open(ORIGIN, fromOffset, LIMITS)
  while (run.left > 0) {
    const messages = run.take(7)
    if (messages.length === 0) throw new Error(`a run has ${run.left} messages left and gives none`)
    for (const message of messages) {
      if (message.offset < fromOffset || message.offset > batch.lastOffset) throw new Error(`offset ${message.offset} is outside its batch`)
      void [message.timestamp, message.key, message.value, message.headers]
      if (print) void [JSON.stringify(message), inspect(message)]
    }
  }
}

/** Of every batch that the lengths still lead to. */
export function repairBatches(bytes: Buffer): void {
  for (let at = 0; bytes.length - at >= BATCH_HEADER_BYTES; ) {
    const size = LOG_OVERHEAD + bytes.readInt32BE(at + LENGTH_AT)
    if (size < BATCH_HEADER_BYTES || size > bytes.length - at || bytes[at + MAGIC_AT] !== 2) return
    bytes.writeUInt32BE(crc32c(bytes, at + ATTRIBUTES_AT, at + size), at + CRC_AT)
    at += size
  }
}

function plainBatch(random: Random): Buffer {
  const writer = new BatchWriter({ limitBytes: 1 << 20 })
  const kind = random.pick([0, 0, 0, TRANSACTIONAL_BIT, TRANSACTIONAL_BIT | CONTROL_BIT, 8])
  // Of a control batch the first key is the marker.
  if (kind & CONTROL_BIT) writer.append(1_700_000_000_000, Buffer.from([0, 0, 0, random.between(0, 2)]), Buffer.alloc(6), undefined)
  const some = (most: number) => random.pick([null, Buffer.alloc(0), random.bytes(random.between(1, most)), 'text'])
  for (let left = random.pick([1, 2, 5, 70]); left > 0; left--) {
    const headers = random.chance(0.3) ? { trace: random.bytes(4), __proto__: 'x', empty: null } : undefined
    writer.append(1_700_000_000_000 + random.between(0, 1e6), some(20), some(60), headers as never)
  }
  const sealed = writer.seal('none')
  stamp(sealed, { producerId: random.chance(0.5) ? -1n : 7n, producerEpoch: 0, baseSequence: 5 })
  const bytes = Buffer.from(sealed.buffer)
  bytes.writeBigInt64BE(BigInt(random.between(0, 1_000_000)), 0)
  bytes.writeInt16BE(kind, ATTRIBUTES_AT)
  return bytes
}

function headerFields(size: number): Field[] {
  return [
    { at: 0, bytes: 8, kind: 'int64' },
    { at: LENGTH_AT, bytes: 4, kind: 'int32', covers: [LOG_OVERHEAD, size] },
    { at: MAGIC_AT, bytes: 1, kind: 'int8' },
    { at: ATTRIBUTES_AT, bytes: 2, kind: 'int16' },
    { at: LAST_OFFSET_DELTA_AT, bytes: 4, kind: 'int32' },
    { at: BASE_TIMESTAMP_AT, bytes: 8, kind: 'int64' },
    { at: COUNT_AT, bytes: 4, kind: 'int32' }
  ]
}

/** The varints of the records from `start` on; each length covers its record, key, value or header. */
function recordFields(bytes: Buffer, start: number, count: number): Field[] {
  const fields: Field[] = []
  const walk = new VarintCursor(bytes, start)
  const next = (): number => {
    const { at } = walk
    const value = walk.varint()
    fields.push({ at, bytes: walk.at - at, kind: 'varint' })
    return value
  }
  const cover = (length: number): void => {
    fields[fields.length - 1] = { ...fields.at(-1)!, covers: [walk.at, walk.at + Math.max(0, length)] }
  }
  const piece = (): void => {
    const length = next()
    cover(length)
    walk.at += Math.max(0, length)
  }
  for (; count > 0; count--) {
    cover(next())
    walk.at++
    const { at } = walk
    walk.skipVarlong()
    fields.push({ at, bytes: walk.at - at, kind: 'varint' })
    next()
    piece()
    piece()
    for (let headers = next(); headers > 0; headers--) {
      piece()
      piece()
    }
  }
  return fields
}

/** A batch as it travels without compression. */
export function plainSeed(random: Random): Seed {
  const bytes = plainBatch(random)
  repairBatches(bytes)
  const fields = [...headerFields(bytes.length), ...recordFields(bytes, BATCH_HEADER_BYTES, bytes.readInt32BE(COUNT_AT))]
  return { what: 'a plain batch', bytes, fields, repair: repairBatches }
}

/** Packed by one of the codecs. */
function packedSeed(random: Random): Seed {
  const plain = plainSeed(random)
  const number = random.between(1, 4)
  const bytes = packedAs(plain.bytes, number)
  return { what: `a batch of ${CODECS[number]}`, bytes, fields: headerFields(bytes.length), repair: repairBatches }
}

/** The same batch with its records packed, whatever they are, and lengths and CRC right. */
function packedAs(batch: Buffer, codecNumber: number): Buffer {
  const records = compress(CODECS[codecNumber]!, batch.subarray(BATCH_HEADER_BYTES))
  const bytes = Buffer.concat([batch.subarray(0, BATCH_HEADER_BYTES), records])
  bytes.writeInt32BE(bytes.length - LOG_OVERHEAD, LENGTH_AT)
  bytes[ATTRIBUTES_AT + 1] = (bytes[ATTRIBUTES_AT + 1]! & ~COMPRESSION_MASK) | codecNumber
  repairBatches(bytes)
  return bytes
}

export const recordBatch: Target = {
  name: 'record-batch',
  // A bit of the input, the unpacked batch twice over, and a message object for each record of seven bytes.
  fixedBytes: 1024 * 1024 + MOST_UNPACKED_BYTES * 32,
  pool: random => [...Array.from({ length: 16 }, () => plainSeed(random)), ...Array.from({ length: 8 }, () => packedSeed(random))],
  read(bytes, random) {
    const isPlain = bytes.length >= BATCH_HEADER_BYTES && bytes[MAGIC_AT] === 2 && (bytes[ATTRIBUTES_AT + 1]! & COMPRESSION_MASK) === 0
    // Now and then the same damage inside: it unpacks well, and is not what it says.
    if (isPlain && random.chance(0.2)) readAll(packedAs(bytes, random.between(1, 4)), 0n, false)
    else readAll(bytes, random.pick([0n, 5n, -1n, 1n << 62n]), random.chance(0.02))
  }
}
