/**
 * The pure functions under the batches: CRC32C, xxHash32, murmur2, varints; against published vectors and slow references.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { crc32c, crc32cInJs } from '../../../src/wire/records/crc32c.ts'
import { murmur2, partitionForKey } from '../../../src/wire/records/murmur2.ts'
import { VarintCursor, varintBytes, varlongBytes, writeVarint, writeVarlong } from '../../../src/wire/records/varint.ts'
import { xxh32 } from '../../../src/wire/records/xxh32.ts'
import { likeJson } from './plain.ts'

describe('crc32c', () => {
  it('gives the published values (RFC 3720, B.4)', () => {
    const vectors: [Buffer, number][] = [
      [Buffer.alloc(0), 0],
      [Buffer.from('123456789'), 0xe3069283],
      [Buffer.alloc(32), 0x8a9136aa],
      [Buffer.alloc(32, 0xff), 0x62a8ab43],
      [Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
      [Buffer.from(Array.from({ length: 32 }, (_, i) => 31 - i)), 0x113fdb5c]
    ]
    for (const [bytes, expected] of vectors) assert.equal(crc32c(bytes, 0, bytes.length), expected)
  })

  it('is the same in JavaScript and native code, at every length around the change and from any start', () => {
    const bytes = likeJson(5000)
    for (const length of [0, 1, 15, 16, 17, 31, 511, 512, 513, 4000])
      for (const start of [0, 1, 7, 999]) assert.equal(crc32c(bytes, start, start + length), crc32cInJs(bytes, start, start + length))
  })
})

describe('xxh32', () => {
  it('gives the published values (seed 0)', () => {
    const of = (text: string) => xxh32(Buffer.from(text), 0, text.length)
    assert.equal(of(''), 0x02cc5d05)
    assert.equal(of('a'), 0x550d7456)
    assert.equal(of('abc'), 0x32d153ff)
    assert.equal(of('Nobody inspects the spammish repetition'), 0xe2293b2f)
  })
})

describe('murmur2', () => {
  it("gives the values of Kafka's own test (UtilsTest)", () => {
    const vectors: Record<string, number> = {
      '21': -973932308,
      foobar: -790332482,
      'a-little-bit-long-string': -985981536,
      'a-little-bit-longer-string': -1486304829,
      lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8: -58897971,
      abc: 479470107
    }
    for (const [text, expected] of Object.entries(vectors)) assert.equal(murmur2(Buffer.from(text)), expected, text)
  })

  it('always names a partition that exists', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.integer({ min: 1, max: 10_000 }), (key, partitions) => {
        const partition = partitionForKey(key, partitions)
        assert.ok(Number.isInteger(partition) && partition >= 0 && partition < partitions)
      })
    )
  })
})

/** Zigzag by its definition, in bigints. */
function reference(value: bigint): Buffer {
  let z = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  const out: number[] = []
  while (z > 127n) {
    out.push(Number(z & 127n) | 128)
    z >>= 7n
  }
  out.push(Number(z))
  return Buffer.from(out)
}

describe('varints', () => {
  const edges = [0, 1, 63, 64, 8191, 8192, 2 ** 20, 2 ** 27, 2 ** 28, 2 ** 30, 2 ** 31 - 1]

  it('writes, measures and reads 32-bit values as the definition', () => {
    const check = (value: number) => {
      const buffer = Buffer.alloc(12)
      const end = writeVarint(buffer, 0, value)
      assert.deepEqual(buffer.subarray(0, end), reference(BigInt(value)))
      assert.equal(varintBytes(value), end)
      const cursor = new VarintCursor(buffer, 0)
      assert.equal(cursor.varint(), value)
      assert.equal(cursor.at, end)
    }
    for (const edge of edges) for (const value of [edge, 0 - edge, -edge - 1]) check(value)
    fc.assert(fc.property(fc.integer(), check))
  })

  it('writes, measures, reads and skips values up to 2^53 as the definition', () => {
    const check = (value: number) => {
      const buffer = Buffer.alloc(12)
      const end = writeVarlong(buffer, 0, value)
      assert.deepEqual(buffer.subarray(0, end), reference(BigInt(value)), String(value))
      assert.equal(varlongBytes(value), end)
      for (const skip of [true, false]) {
        const cursor = new VarintCursor(buffer, 0)
        if (skip) cursor.skipVarlong()
        else assert.equal(cursor.varlong(), BigInt(value))
        assert.equal(cursor.at, end)
        assert.equal(cursor.overlong, false)
      }
    }
    for (const edge of [...edges, 2 ** 31, 2 ** 32, 2 ** 42, 8.64e15, Number.MAX_SAFE_INTEGER])
      for (const value of [edge, 0 - edge]) check(value)
    fc.assert(fc.property(fc.maxSafeInteger(), check))
  })

  it('reads all 64 bits', () => {
    for (const value of [2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n]) assert.equal(new VarintCursor(reference(value), 0).varlong(), value)
  })

  it('marks a value that is longer than its type and stops', () => {
    const flood = Buffer.alloc(64, 0xff)
    for (const [read, most] of [
      ['varint', 5],
      ['varlong', 10],
      ['skipVarlong', 10]
    ] as const) {
      const cursor = new VarintCursor(flood, 0)
      cursor[read]()
      assert.ok(cursor.overlong, read)
      assert.ok(cursor.at <= most, read)
    }
  })
})
