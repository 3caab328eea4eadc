/**
 * The writer and the reader by themselves: each type at its edges, buffers that grow between any two values, chunks by reference.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ProtocolError } from '../../src/model/errors.ts'
import { Reader } from '../../src/wire/reader.ts'
import { Writer } from '../../src/wire/writer.ts'
import { Random } from './random-message.ts'

const written = (write: (writer: Writer) => void, initialBytes?: number): Buffer => {
  const writer = new Writer(initialBytes)
  write(writer)
  const { bytes } = writer
  const out = Buffer.concat(writer.finish())
  assert.equal(out.length, bytes, 'it counts other than it writes')
  return out
}

const readerOf = (hex: string) => new Reader(Buffer.from(hex.replaceAll(' ', ''), 'hex'))

describe('values', () => {
  it('are written in the order of the network', () => {
    const out = written(writer => {
      writer.int8(-2)
      writer.bool(true)
      writer.int16(-2)
      writer.uint16(0xfffe)
      writer.int32(0x01020304)
      writer.uint32(0xfffffffe)
      writer.int64(-2n)
      writer.float64(1.5)
      writer.uuid('AQIDBAUGBwgJCgsMDQ4PEA')
    })
    const hex = 'fe 01 fffe fffe 01020304 fffffffe fffffffffffffffe 3ff8000000000000 0102030405060708090a0b0c0d0e0f10'
    assert.equal(out.toString('hex'), hex.replaceAll(' ', ''))
  })

  it('are read back at both ends of their range', () => {
    const cases: [(writer: Writer, value: never) => void, (reader: Reader) => unknown, unknown[]][] = [
      [(w, v) => w.int8(v), r => r.int8(), [-128, -1, 0, 127]],
      [(w, v) => w.int16(v), r => r.int16(), [-32_768, -1, 0, 32_767]],
      [(w, v) => w.uint16(v), r => r.uint16(), [0, 32_768, 65_535]],
      [(w, v) => w.int32(v), r => r.int32(), [-(2 ** 31), -1, 0, 2 ** 31 - 1]],
      [(w, v) => w.uint32(v), r => r.uint32(), [0, 2 ** 31, 2 ** 32 - 1]],
      [(w, v) => w.int64(v), r => r.int64(), [-(2n ** 63n), -1n, 0n, 2n ** 63n - 1n]],
      [(w, v) => w.float64(v), r => r.float64(), [Number.MIN_VALUE, -0, Number.MAX_VALUE, Number.NaN, Number.NEGATIVE_INFINITY]],
      [(w, v) => w.uvarint(v), r => r.uvarint(), [0, 1, 127, 128, 16_383, 16_384, 2 ** 21, 2 ** 28 - 1, 2 ** 28, 2 ** 31, 2 ** 32 - 1]],
      [(w, v) => w.bool(v), r => r.bool(), [true, false]],
      [(w, v) => w.uuid(v), r => r.uuid(), ['AAAAAAAAAAAAAAAAAAAAAA', '_____________________w', 'AQIDBAUGBwgJCgsMDQ4PEA']]
    ]
    for (const [write, read, values] of cases)
      for (const value of values) {
        const reader = new Reader(written(writer => write(writer, value as never)))
        assert.deepEqual(read(reader), value)
        assert.equal(reader.remaining, 0)
      }
  })

  it('that their type cannot hold are refused, not cut to size', () => {
    const refused: [(writer: Writer) => void, string][] = [
      [writer => writer.int8(128), 'int8'],
      [writer => writer.int16(32_768), 'int16'],
      [writer => writer.uint16(-1), 'uint16'],
      [writer => writer.int32(2 ** 31), 'int32'],
      [writer => writer.int32(Number.NaN), 'int32'],
      [writer => writer.int32(undefined as never), 'int32'],
      [writer => writer.uint32(-1), 'uint32'],
      [writer => writer.int64(2n ** 63n), 'int64'],
      [writer => writer.int64(5 as never), 'bigint'],
      [writer => writer.float64('5' as never), 'number'],
      [writer => writer.bool(1 as never), 'boolean'],
      [writer => writer.string(5 as never, true), 'string']
    ]
    for (const [write, type] of refused) assert.throws(() => write(new Writer()), { code: 'INVALID_FIELD', message: new RegExp(type) })
  })
})

describe('a writer', () => {
  it('grows before any value without losing or moving a byte', () => {
    const values: ((writer: Writer) => void)[] = [
      w => w.int8(1),
      w => w.int16(2),
      w => w.int32(3),
      w => w.int64(4n),
      w => w.float64(5),
      w => w.uvarint(300),
      w => w.uuid('AQIDBAUGBwgJCgsMDQ4PEA'),
      w => w.string('seven', false),
      w => w.string('é'.repeat(90), true),
      w => w.raw(Buffer.from('raw'))
    ]
    for (const value of values) {
      const alone = written(value)
      for (let before = 0; before < 40; before++) {
        const fill = Buffer.alloc(before, 0xaa)
        const out = written(writer => {
          for (const byte of fill) writer.int8((byte << 24) >> 24)
          value(writer)
          writer.int8(0x55)
        }, 16)
        assert.ok(out.equals(Buffer.concat([fill, alone, Buffer.from([0x55])])), `after ${before} bytes`)
      }
    }
  })

  it('takes large bytes by reference and copies small ones, in order', () => {
    const random = new Random('chunks')
    for (let run = 0; run < 50; run++) {
      const writer = new Writer(16)
      const expected: Buffer[] = []
      const large: Buffer[] = []
      for (let i = random.between(0, 12); i > 0; i--) {
        const bytes = random.bytes(random.pick([0, 1, 20, 1_023, 1_024, 5_000]))
        if (bytes.length >= 1_024) large.push(bytes)
        writer.raw(bytes)
        writer.int32(i)
        expected.push(bytes, Buffer.from([0, 0, 0, i]))
      }
      const whole = Buffer.concat(expected)
      assert.equal(writer.bytes, whole.length)
      const chunks = writer.finish()
      assert.ok(Buffer.concat(chunks).equals(whole))
      for (const bytes of large) assert.ok(chunks.includes(bytes), 'a large one was copied')
      assert.ok(chunks.length <= 2 * large.length + 1, 'small ones were not put together')
    }
  })
})

describe('a reader', () => {
  const codeOf = (read: () => unknown): string => {
    try {
      read()
      return 'none'
    } catch (error) {
      assert.ok(error instanceof ProtocolError, String(error))
      return error.code
    }
  }

  it('never goes past its end, whatever is asked', () => {
    const asks: ((reader: Reader) => unknown)[] = [
      r => r.int8(),
      r => r.bool(),
      r => r.int16(),
      r => r.uint16(),
      r => r.int32(),
      r => r.uint32(),
      r => r.int64(),
      r => r.float64(),
      r => r.uvarint(),
      r => r.uuid(),
      r => r.string(1),
      r => r.bytes(1)
    ]
    for (const ask of asks)
      assert.equal(
        codeOf(() => ask(new Reader(Buffer.alloc(64), 8, 8))),
        'TRUNCATED',
        String(ask)
      )
    // Its end may lie before the buffer's.
    assert.equal(
      codeOf(() => new Reader(Buffer.alloc(64), 0, 7).int64()),
      'TRUNCATED'
    )
  })

  it('refuses lengths below -1, and varints of more than 32 bits', () => {
    assert.equal(
      codeOf(() => readerOf('fffffffe').length(false, true)),
      'NEGATIVE_LENGTH'
    )
    assert.equal(
      codeOf(() => readerOf('fffe').length(false, false)),
      'NEGATIVE_LENGTH'
    )
    assert.equal(
      codeOf(() => readerOf('fffffffe').count(false, 1)),
      'NEGATIVE_LENGTH'
    )
    assert.equal(
      codeOf(() => readerOf('8080808010').uvarint()),
      'VARINT_TOO_LONG'
    )
    assert.equal(
      codeOf(() => readerOf('8080808080').uvarint()),
      'VARINT_TOO_LONG'
    )
    assert.equal(readerOf('ffffffff0f').uvarint(), 2 ** 32 - 1)
  })

  it('counts by what is left', () => {
    assert.equal(readerOf('00000002 0000000000000000').count(false, 4), 2)
    assert.equal(
      codeOf(() => readerOf('00000003 0000000000000000').count(false, 4)),
      'ARRAY_TOO_LONG'
    )
    assert.equal(readerOf('03 0000000000000000').count(true, 4), 2)
    assert.equal(readerOf('00').count(true, 4), -1)
    assert.equal(
      codeOf(() => readerOf('04 0000000000000000').count(true, 4)),
      'ARRAY_TOO_LONG'
    )
    assert.equal(
      codeOf(() => readerOf('7fffffff').count(false, 0)),
      'ARRAY_TOO_LONG'
    )
  })

  it('adds up what the arrays of a message take in memory, those of tagged fields too', () => {
    // Two tagged fields, each an array of one large element.
    const read = (madeBytes: number) => () =>
      readerOf('02 00 04 00000001 01 04 00000001').tags((_tag, content) => content.count(false, 0, madeBytes) === 1)
    assert.equal(codeOf(read(250 << 20)), 'none')
    assert.equal(codeOf(read(260 << 20)), 'MESSAGE_TOO_LARGE')
  })
})
