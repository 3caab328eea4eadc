/**
 * Message sets of the old formats 0 and 1, alone and as wrappers of a packed set, with lengths and CRCs made right around the damage, outside
 * and inside.
 */
import { crc32 } from 'node:zlib'
import { compress } from '../../../src/wire/records/index.ts'
import type { Random } from '../../wire/random-message.ts'
import type { Field, Seed } from '../seed.ts'
import type { Target } from '../target.ts'
import { MOST_UNPACKED_BYTES, readAll } from './record-batch.ts'

const LENGTH_AT = 8
const OVERHEAD = 12
const CRC_AT = 12
const MAGIC_AT = 16
const ATTRIBUTES_AT = 17
const TIMESTAMP_AT = 18
const CODECS = ['none', 'gzip', 'snappy', 'lz4'] as const

interface Message {
  offset: number
  magic: 0 | 1
  attributes: number
  key: Buffer | null
  value: Buffer | null
}

function messageOf({ offset, magic, attributes, key, value }: Message): Buffer {
  const sized = (bytes: Buffer | null) => {
    const length = Buffer.alloc(4)
    length.writeInt32BE(bytes ? bytes.length : -1)
    return bytes ? Buffer.concat([length, bytes]) : length
  }
  const head = Buffer.alloc(magic === 0 ? TIMESTAMP_AT : TIMESTAMP_AT + 8)
  head.writeBigInt64BE(BigInt(offset))
  head[MAGIC_AT] = magic
  head[ATTRIBUTES_AT] = attributes
  if (magic === 1) head.writeBigInt64BE(1_400_000_000_000n, TIMESTAMP_AT)
  const bytes = Buffer.concat([head, sized(key), sized(value)])
  bytes.writeInt32BE(bytes.length - OVERHEAD, LENGTH_AT)
  repair(bytes)
  return bytes
}

/** Of every message that the lengths still lead to. */
function repair(bytes: Buffer): void {
  for (let at = 0; bytes.length - at > MAGIC_AT; ) {
    const size = OVERHEAD + bytes.readInt32BE(at + LENGTH_AT)
    if (size < MAGIC_AT || size > bytes.length - at) return
    bytes.writeUInt32BE(crc32(bytes.subarray(at + MAGIC_AT, at + size)), at + CRC_AT)
    at += size
  }
}

function fieldsOf(bytes: Buffer, magic: 0 | 1, start = 0): Field[] {
  const keyAt = start + (magic === 0 ? TIMESTAMP_AT : TIMESTAMP_AT + 8)
  const end = start + OVERHEAD + bytes.readInt32BE(start + LENGTH_AT)
  const keyEnd = keyAt + 4 + Math.max(0, bytes.readInt32BE(keyAt))
  return [
    { at: start, bytes: 8, kind: 'int64' },
    { at: start + LENGTH_AT, bytes: 4, kind: 'int32', covers: [start + OVERHEAD, end] },
    { at: start + MAGIC_AT, bytes: 1, kind: 'int8' },
    { at: start + ATTRIBUTES_AT, bytes: 1, kind: 'int8' },
    ...(magic === 1 ? [{ at: start + TIMESTAMP_AT, bytes: 8, kind: 'int64' } as const] : []),
    { at: keyAt, bytes: 4, kind: 'int32', covers: [keyAt + 4, keyEnd] },
    { at: keyEnd, bytes: 4, kind: 'int32', covers: [keyEnd + 4, end] }
  ]
}

function setOf(random: Random, magic: 0 | 1, relative: boolean): Seed {
  const parts: Buffer[] = []
  const fields: Field[] = []
  const some = () => random.pick([null, Buffer.alloc(0), random.bytes(random.between(1, 40))])
  for (let i = 0, at = 0; i < random.between(1, 5) || i === 0; i++) {
    const message = messageOf({ offset: relative ? i : 100 + i, magic, attributes: 0, key: some(), value: some() })
    parts.push(message)
    at += message.length
    fields.push(...fieldsOf(Buffer.concat(parts), magic, at - message.length))
  }
  return { what: `a set of format ${magic}`, bytes: Buffer.concat(parts), fields, repair }
}

/** A wrapper around the bytes of a set, whatever they are. */
function wrapped(random: Random, magic: 0 | 1, plain: Buffer): Seed {
  const codec = random.between(1, CODECS.length - 1)
  const value = Buffer.from(compress(CODECS[codec]!, plain))
  const bytes = messageOf({ offset: 110, magic, attributes: codec, key: null, value })
  return { what: `a packed set of format ${magic}`, bytes, fields: fieldsOf(bytes, magic), repair }
}

function wrappedSet(random: Random): Seed {
  const magic = random.pick([0, 1] as const)
  return wrapped(random, magic, setOf(random, magic, magic === 1).bytes)
}

export const messageSet: Target = {
  name: 'message-set',
  fixedBytes: 1024 * 1024 + MOST_UNPACKED_BYTES * 32,
  pool: random => [
    ...Array.from({ length: 8 }, () => setOf(random, random.pick([0, 1]), false)),
    ...Array.from({ length: 8 }, () => wrappedSet(random))
  ],
  read(bytes, random) {
    const magic = bytes[MAGIC_AT]
    // Now and then the same damage inside a wrapper that is right.
    if ((magic === 0 || magic === 1) && bytes[ATTRIBUTES_AT] === 0 && random.chance(0.3))
      readAll(wrapped(random, magic, bytes).bytes, 0n, false)
    else readAll(bytes, random.pick([0n, 3n, 105n, 1n << 62n]), random.chance(0.02))
  }
}
