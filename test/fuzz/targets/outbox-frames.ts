/**
 * Segments of an outbox: it never throws, what it tells of lies one behind the other, and frames in front of the damage are as they were.
 */
import assert from 'node:assert/strict'
import { crc32c } from '../../../src/journal/crc32c.ts'
import { bytesOf, encodeFrame, FRAME_HEAD_BYTES, type OutboxFrame, readFrames } from '../../../src/journal/outbox-frames.ts'
import { ProtocolError } from '../../../src/model/errors.ts'
import type { Random } from '../../wire/random-message.ts'
import type { Field, Seed } from '../seed.ts'
import type { Target } from '../target.ts'
import { msgpackFields } from './msgpack-fields.ts'

/** Of the segment. */
const MARK = 0x534f5801
const META_LENGTH_AT = 4
const DATA_LENGTH_AT = 8
const META_CRC_AT = 12
const DATA_CRC_AT = 16

function frameOf(random: Random, id: number): OutboxFrame {
  const batch = (of: number) => ({
    ...{ id: of, topic: random.pick(['orders', '__proto__', 'a'.repeat(249)]), partition: random.between(0, 9), free: random.chance(0.5) },
    ...{ list: random.between(0, 2), count: 3, uncompressedBytes: 100, compression: 'none', baseTimestamp: 1e12, maxTimestamp: 1e12 }
  })
  const identity = {
    partition: 1,
    producerId: String(random.between(0, 1e9)),
    producerEpoch: 0,
    sequence: random.between(0, 1e6),
    order: id
  }
  const bytes = [random.bytes(random.between(0, 40)), random.bytes(random.between(0, 200))]
  return random.pick<OutboxFrame>([
    { type: 'accepted', batch: batch(id), bytes },
    { type: 'assigned', id, identity },
    { type: 'done', ids: Array.from({ length: random.between(1, 40) }, (_, i) => i + 1) },
    { type: 'split', id, parts: [id + 1, id + 2].map(of => ({ batch: batch(of), identity: random.pick([null, identity]), bytes })) }
  ])
}

function valid(random: Random): Seed {
  const parts = Array.from({ length: random.between(1, 6) }, (_, i) => Buffer.concat(encodeFrame(frameOf(random, i + 1), MARK)))
  const bytes = Buffer.concat(parts)
  return { what: 'a segment', bytes, fields: fieldsOf(bytes), repair }
}

function* frames(bytes: Buffer): Generator<[at: number, meta: number, data: number, end: number]> {
  for (let at = 0; bytes.length - at >= FRAME_HEAD_BYTES; ) {
    const meta = at + FRAME_HEAD_BYTES
    const data = meta + bytes.readUInt32BE(at + META_LENGTH_AT)
    const end = data + bytes.readUInt32BE(at + DATA_LENGTH_AT)
    if (end > bytes.length) return
    yield [at, meta, data, end]
    at = end
  }
}

function fieldsOf(bytes: Buffer): Field[] {
  return [...frames(bytes)].flatMap(([at, meta, data, end]) => [
    { at, bytes: 4, kind: 'int32' } as const,
    { at: at + META_LENGTH_AT, bytes: 4, kind: 'int32', covers: [meta, data] } as const,
    { at: at + DATA_LENGTH_AT, bytes: 4, kind: 'int32', covers: [data, end] } as const,
    ...msgpackFields(bytes, meta, data)
  ])
}

function repair(bytes: Buffer): void {
  for (const [at, meta, data, end] of frames(bytes)) {
    const lengths = crc32c(bytes, at + META_LENGTH_AT, at + META_CRC_AT)
    bytes.writeUInt32BE(crc32c(bytes, meta, data, lengths), at + META_CRC_AT)
    bytes.writeUInt32BE(crc32c(bytes, data, end), at + DATA_CRC_AT)
  }
}

export const outboxFrames: Target = {
  name: 'outbox-frames',
  timesInput: 200,
  pool: random => Array.from({ length: 10 }, () => valid(random)),
  read(bytes) {
    let damaged = 0
    let whole = 0
    for (const one of readFrames(bytes, MARK)) {
      if ('frame' in one) {
        whole++
        if (one.frame.type === 'accepted') assert.ok(bytesOf(one.frame.bytes) <= bytes.length)
      } else {
        const { at, bytes: size } = one.damage
        assert.ok(at >= damaged && size > 0 && at + size <= bytes.length, 'damage lies outside the segment, or was told twice')
        damaged = at + size
      }
    }
    assert.ok(whole * FRAME_HEAD_BYTES <= bytes.length)
    if (damaged > 0) throw new ProtocolError('DAMAGED', 'It is told as damaged.')
  }
}
