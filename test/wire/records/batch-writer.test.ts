/**
 * Writing batches: what goes in comes out, sizes are told truly, identity lies under the CRC, and a bad record changes nothing.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Compression } from '../../../src/model/config.ts'
import type { Headers, HeaderValue } from '../../../src/model/message.ts'
import { BatchWriter, readBatches, recordSizeUpperBound, stamp } from '../../../src/wire/records/index.ts'
import { decodeAll, likeJson, onlyBatch } from './plain.ts'

const none = { producerId: -1n, producerEpoch: -1, baseSequence: -1 }
const T = 1_700_000_000_000

type Content = string | Uint8Array | null
interface Given {
  timestamp: number
  key: Content
  value: Content
  headers: [string, HeaderValue][] | undefined
}

const content = fc.oneof(
  fc.constant(null),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', minLength: 20, maxLength: 2000 }),
  fc.uint8Array({ maxLength: 300 })
)
const given: fc.Arbitrary<Given> = fc.record({
  timestamp: fc.oneof(
    fc.constant(T),
    fc.integer({ min: T, max: T + 10 }),
    fc.maxSafeNat().filter(n => n <= 8.64e15)
  ),
  key: content,
  value: content,
  headers: fc.option(fc.array(fc.tuple(fc.string({ unit: 'grapheme', maxLength: 100 }), content), { maxLength: 5 }), { nil: undefined })
})

const asBytes = (value: Content) => (value === null ? null : Buffer.from(value as string))

function appendAll(writer: BatchWriter, records: Given[]): void {
  for (const { timestamp, key, value, headers } of records) writer.append(timestamp, key, value, headers)
}

describe('BatchWriter', () => {
  it('writes what a reader gets, in every codec', () => {
    const codec = fc.constantFrom<Compression>('none', 'gzip', 'snappy', 'lz4', 'zstd')
    fc.assert(
      fc.property(fc.array(given, { minLength: 1, maxLength: 20 }), codec, (records, compression) => {
        const writer = new BatchWriter({ limitBytes: 1e6, initialBytes: 1 })
        appendAll(writer, records)
        const batch = writer.seal(compression)
        stamp(batch, none)
        assert.equal(onlyBatch(batch.buffer).compression, batch.compression)
        const messages = decodeAll(batch.buffer)
        assert.deepEqual(
          messages.map(({ offset, timestamp, key, value, headerList }) => ({ offset, timestamp, key, value, headerList })),
          records.map((record, i) => ({
            offset: BigInt(i),
            timestamp: BigInt(record.timestamp),
            key: asBytes(record.key),
            value: asBytes(record.value),
            headerList: (record.headers ?? []).map(([key, value]) => [Buffer.from(key).toString(), asBytes(value)])
          }))
        )
        assert.equal(batch.maxTimestamp, Math.max(...records.map(one => one.timestamp)))
        assert.equal(batch.baseTimestamp, records[0]!.timestamp)
      }),
      { numRuns: 150, seed: 1 }
    )
  })

  it('answers with the bytes that a record took, never above the estimate and at most 30 under it', () => {
    fc.assert(
      fc.property(fc.array(given, { minLength: 1, maxLength: 10 }), records => {
        const writer = new BatchWriter({ limitBytes: 1e6 })
        for (const { timestamp, key, value, headers } of records) {
          const before = writer.sizeBytes
          const bound = recordSizeUpperBound(key, value, headers)
          const added = writer.append(timestamp, key, value, headers)
          assert.equal(writer.sizeBytes - before, added)
          assert.ok(added <= bound && bound - added <= 30, `${added} of ${bound}`)
        }
        const batch = writer.seal('none')
        assert.equal(batch.sizeBytes, batch.uncompressedBytes)
        assert.equal(batch.sizeBytes, batch.buffer.length)
      })
    )
  })

  it('never passes its limit where wouldExceed is asked, and takes one larger record alone', () => {
    fc.assert(
      fc.property(fc.array(given, { minLength: 1, maxLength: 30 }), fc.integer({ min: 100, max: 3000 }), (records, limitBytes) => {
        const writer = new BatchWriter({ limitBytes })
        for (const { timestamp, key, value, headers } of records) {
          if (writer.wouldExceed(key, value, headers)) writer.seal('none')
          writer.append(timestamp, key, value, headers)
          assert.ok(writer.count === 1 || writer.sizeBytes <= limitBytes)
        }
      })
    )
  })

  it('fills a batch of ASCII close to its limit although it does not measure each text', () => {
    const writer = new BatchWriter({ limitBytes: 10_000 })
    while (!writer.wouldExceed(null, 'x'.repeat(100), undefined)) writer.append(T, null, 'x'.repeat(100), undefined)
    assert.ok(writer.sizeBytes > 9_800, String(writer.sizeBytes))
  })

  it('takes headers as an object, with lists for a key that is there twice, or as pairs', () => {
    const ways: Headers[] = [
      { a: '1', b: ['2', null, Buffer.from('3')], c: null },
      [
        ['a', '1'],
        ['b', '2'],
        ['b', null],
        ['b', Buffer.from('3')],
        ['c', null]
      ]
    ]
    for (const headers of ways) {
      const writer = new BatchWriter({ limitBytes: 1000 })
      writer.append(T, 'k', 'v', headers)
      const batch = writer.seal('none')
      stamp(batch, none)
      const [message] = decodeAll(batch.buffer)
      assert.deepEqual(
        message!.headerList.map(([key, value]) => [key, value?.toString() ?? null]),
        [
          ['a', '1'],
          ['b', '2'],
          ['b', null],
          ['b', '3'],
          ['c', null]
        ]
      )
      assert.deepEqual({ ...message!.headers }, { a: Buffer.from('1'), b: Buffer.from('3'), c: null })
    }
  })

  it('refuses what is not a record and leaves the batch as it was', () => {
    const writer = new BatchWriter({ limitBytes: 1000 })
    writer.append(T, 'k', 'v', undefined)
    const size = writer.sizeBytes
    const bad: [unknown, unknown, unknown, unknown][] = [
      [T, 'k', 7, undefined],
      [T, {}, 'v', undefined],
      [T, undefined, 'v', undefined],
      [T, 'k', ['v'], undefined],
      [T, 'k', new Float64Array(2), undefined],
      [T, 'k', 'v', { a: 1 }],
      [T, 'k', 'v', { a: undefined }],
      [T, 'k', 'v', { a: ['x', {}] }],
      [T, 'k', 'v', 'a=1'],
      [T, 'k', 'v', Buffer.from('x')],
      [T, 'k', 'v', [['a']]],
      [T, 'k', 'v', [[1, 'a']]],
      [-1, 'k', 'v', undefined],
      [1.5, 'k', 'v', undefined],
      [Number.NaN, 'k', 'v', undefined],
      [1e16, 'k', 'v', undefined],
      ['now', 'k', 'v', undefined]
    ]
    for (const record of bad) {
      assert.throws(() => writer.append(...(record as Parameters<BatchWriter['append']>)), { name: 'UsageError' }, String(record))
      assert.equal(writer.sizeBytes, size)
      assert.equal(writer.count, 1)
    }
    const batch = writer.seal('none')
    stamp(batch, none)
    assert.equal(String(decodeAll(batch.buffer)[0]!.value), 'v')
  })

  it('refuses headers that change while they are written', () => {
    const writer = new BatchWriter({ limitBytes: 1000 })
    let reads = 0
    const headers = {
      get trick() {
        return 'x'.repeat(++reads)
      }
    }
    assert.throws(() => writer.append(T, null, 'v', headers), { code: 'INVALID_MESSAGE' })
    assert.equal(writer.count, 0)
  })

  it('hands its memory over when it seals: the next batch does not touch the last', () => {
    const writer = new BatchWriter({ limitBytes: 1000 })
    writer.append(T, null, 'first', undefined)
    const first = writer.seal('none')
    stamp(first, none)
    writer.append(T, null, 'second batch', undefined)
    const second = writer.seal('none')
    stamp(second, none)
    assert.equal(String(decodeAll(first.buffer)[0]!.value), 'first')
    assert.equal(String(decodeAll(second.buffer)[0]!.value), 'second batch')
  })

  it('copies what it is given', () => {
    const writer = new BatchWriter({ limitBytes: 1000 })
    const value = Buffer.from('before')
    writer.append(T, null, value, undefined)
    value.fill('x')
    const batch = writer.seal('none')
    stamp(batch, none)
    assert.equal(String(decodeAll(batch.buffer)[0]!.value), 'before')
  })

  it('sends a batch as it is where compressing would make it larger', () => {
    const writer = new BatchWriter({ limitBytes: 1000 })
    writer.append(T, null, 'x', undefined)
    const batch = writer.seal('gzip')
    assert.equal(batch.compression, 'none')
    assert.equal(batch.sizeBytes, batch.uncompressedBytes)
  })

  it('tells both sizes of a compressed batch and goes on with its memory', () => {
    const writer = new BatchWriter({ limitBytes: 1e6 })
    for (const round of [1, 2]) {
      writer.append(T, null, likeJson(50_000, round), undefined)
      const batch = writer.seal('lz4')
      stamp(batch, none)
      assert.equal(batch.compression, 'lz4')
      assert.ok(batch.sizeBytes < batch.uncompressedBytes / 2)
      assert.ok(decodeAll(batch.buffer)[0]!.value!.equals(likeJson(50_000, round)))
    }
  })

  it('does not seal an empty batch', () => {
    assert.throws(() => new BatchWriter({ limitBytes: 1000 }).seal('none'), { code: 'EMPTY_BATCH' })
  })
})

describe('stamp', () => {
  it('writes the identity under the CRC, and again where a batch was renumbered', () => {
    const writer = new BatchWriter({ limitBytes: 1000 })
    writer.append(T, null, 'x', undefined)
    const batch = writer.seal('none')
    assert.throws(() => onlyBatch(batch.buffer).verify(), { code: 'CORRUPT_BATCH' })
    for (const identity of [
      { producerId: 2n ** 62n, producerEpoch: 32_767, baseSequence: 2 ** 31 - 1 },
      { producerId: 5n, producerEpoch: 0, baseSequence: 0 }
    ]) {
      stamp(batch, identity)
      const [view] = readBatches(batch.buffer)
      view!.verify()
      const { producerId, producerEpoch, baseSequence } = view!
      assert.deepEqual({ producerId, producerEpoch, baseSequence }, identity)
    }
  })
})
