/**
 * Message sets of the formats 0 and 1 that lie: every field, every byte cut, sets within sets. (What is right in them is read
 * from Java's golden fixtures in batch-reader.test.ts.)
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { crc32, gunzipSync, gzipSync } from 'node:zlib'
import { decodeAll } from './plain.ts'

const golden = JSON.parse(readFileSync(new URL('../../fixtures/records-golden.json', import.meta.url), 'utf8')) as Record<string, string>
const fixture = (name: string) => Buffer.from(golden[name]!, 'hex')

function signed(message: Buffer): Buffer {
  message.writeUInt32BE(crc32(message.subarray(16)), 12)
  return message
}

/** A message of format 1 (or 0). */
function message(offset: number, value: Buffer | null, attributes = 0, magic = 1): Buffer {
  const head = Buffer.alloc(magic === 0 ? 18 : 26)
  head.writeBigInt64BE(BigInt(offset))
  head[16] = magic
  head[17] = attributes
  const lengths = Buffer.alloc(8)
  lengths.writeInt32BE(-1)
  lengths.writeInt32BE(value?.length ?? -1, 4)
  const out = Buffer.concat([head, lengths, value ?? Buffer.alloc(0)])
  out.writeInt32BE(out.length - 12, 8)
  return signed(out)
}

function wrap(inner: Buffer, magic = 1, offset = 9): Buffer {
  return message(offset, gzipSync(inner), 1, magic)
}

describe('message sets of formats 0 and 1', () => {
  it('count relative offsets back from the wrapper in format 1, and take absolute ones in format 0', () => {
    const inner = (magic: number, first: number) => Buffer.concat([0, 1, 3].map(i => message(first + i, Buffer.from('x'), 0, magic)))
    assert.deepEqual(
      decodeAll(wrap(inner(1, 0))).map(one => one.offset),
      [6n, 7n, 9n]
    )
    assert.deepEqual(
      decodeAll(wrap(inner(0, 6), 0)).map(one => one.offset),
      [6n, 7n, 9n]
    )
  })

  it('are refused for any flipped bit that their CRC covers', () => {
    for (const name of ['v0 none', 'v1 none', 'v0 gzip', 'v1 lz4']) {
      const bytes = fixture(name)
      const size = 12 + bytes.readInt32BE(8)
      for (let i = 12; i < size; i++) {
        if (i === 16) continue
        bytes[i]! ^= 1 << (i % 8)
        assert.throws(() => decodeAll(bytes), { name: 'ProtocolError', code: 'CORRUPT_BATCH' }, `${name} at ${i}`)
        bytes[i]! ^= 1 << (i % 8)
      }
    }
  })

  it('are refused where key or value leave the message', () => {
    for (const [at, value] of [
      [26, 5],
      [26, 0x7fffffff],
      [30, 2],
      [30, 0],
      [30, -1],
      [30, 0x7fffffff]
    ] as const) {
      const bytes = message(0, Buffer.from('x'))
      bytes.writeInt32BE(value, at)
      assert.throws(() => decodeAll(signed(bytes)), { code: 'CORRUPT_BATCH' }, `${value} at ${at}`)
    }
  })

  it('are refused with zstd or an unknown codec', () => {
    for (const codec of [4, 5, 7])
      assert.throws(() => decodeAll(message(0, Buffer.from('x'), codec)), { code: 'CORRUPT_BATCH' }, String(codec))
  })

  const inner = Buffer.concat([message(0, Buffer.from('a')), message(1, Buffer.from('b'))])
  const refused: [string, Buffer][] = [
    ['a set within a set', wrap(wrap(inner))],
    ['no messages', wrap(Buffer.alloc(0))],
    ['no content', message(0, null, 1)],
    ['another format inside', wrap(Buffer.concat([message(0, null, 0, 0), message(1, null, 0, 0)]))],
    ['a format 2 batch inside', wrap(Buffer.from(golden['v2 none']!, 'hex'))],
    ['offsets that go back', wrap(Buffer.concat([message(1, null), message(0, null)]))],
    ['an offset twice', wrap(Buffer.concat([message(1, null), message(1, null)]))],
    ['more offsets than lie before the wrapper', wrap(Buffer.concat([message(0, null), message(50, null)]))],
    ['absolute offsets behind the wrapper', wrap(message(10, null, 0, 0), 0)],
    ['a negative offset', message(-1, null)]
  ]
  for (const [name, bytes] of refused)
    it(`are refused with ${name}`, () => {
      assert.throws(() => decodeAll(bytes), { name: 'ProtocolError', code: 'CORRUPT_BATCH' })
    })

  it('are refused when the set inside is cut at any byte, or damaged', () => {
    const whole = decodeAll(wrap(inner)).length
    assert.equal(whole, 2)
    for (let cut = 0; cut < inner.length; cut++) {
      if (cut === inner.length / 2) continue
      assert.throws(() => decodeAll(wrap(inner.subarray(0, cut))), { code: 'CORRUPT_BATCH' }, `cut at ${cut}`)
    }
    for (let i = 8; i < inner.length; i++) {
      const bad = Buffer.from(inner)
      bad[i]! ^= 4
      // The second message's offset is the wrapper's affair: checked above.
      if (i >= inner.length / 2 && i < inner.length / 2 + 8) continue
      assert.throws(() => decodeAll(wrap(bad)), { code: 'CORRUPT_BATCH' }, `flipped at ${i}`)
    }
  })

  it('are bombs no further than the limit', () => {
    const bomb = message(0, gzipSync(Buffer.alloc(64 * 1024 * 1024)), 1)
    assert.throws(() => decodeAll(bomb, 0n, { maxDecompressedBytes: 65_536 }), { name: 'LimitError', code: 'DECOMPRESSION_LIMIT' })
  })

  it('have no headers', () => {
    const [first] = decodeAll(fixture('v1 gzip'))
    assert.deepEqual(first!.headerList, [])
    assert.deepEqual(Object.keys(first!.headers), [])
    assert.ok(gunzipSync(gzipSync('')).length === 0)
  })
})
