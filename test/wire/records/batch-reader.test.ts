/**
 * Reading fetched batches: Java's golden batches of every format, cut-off ends, the offset asked for, control batches,
 * and every header that lies, each refused by a typed error before anything is made of it.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { BatchWriter, crc32c, decodeRecords, readBatches, stamp } from '../../../src/wire/records/index.ts'
import { goldenCases } from './golden-cases.ts'
import { base64, decodeAll, onlyBatch, origin, plainMessage } from './plain.ts'

const golden = JSON.parse(readFileSync(new URL('../../fixtures/records-golden.json', import.meta.url), 'utf8')) as Record<string, string>
const fixture = (name: string) => Buffer.from(golden[name]!, 'hex')

/** Writes the CRC anew after a change to a batch. */
export function signed(batch: Buffer): Buffer {
  batch.writeUInt32BE(crc32c(batch, 21, batch.length), 17)
  return batch
}

function batchOf(values: string[]): Buffer {
  const writer = new BatchWriter({ limitBytes: 65_536 })
  for (const value of values) writer.append(1000, null, value, undefined)
  const batch = writer.seal('none')
  stamp(batch, { producerId: -1n, producerEpoch: -1, baseSequence: -1 })
  return batch.buffer
}

function counts(batch: Buffer, count: number, lastOffsetDelta: number): void {
  batch.writeInt32BE(count, 57)
  batch.writeInt32BE(lastOffsetDelta, 23)
}

function at(offset: bigint, batch: Buffer): Buffer {
  batch.writeBigInt64BE(offset)
  return batch
}

describe('batches that Java wrote', () => {
  for (const { name, records, batch } of goldenCases)
    it(`reads ${name}`, () => {
      const bytes = fixture(name)
      assert.deepEqual(decodeAll(bytes).map(plainMessage), records)
      const first = [...readBatches(bytes)][0]! as unknown as Record<string, unknown>
      // Uncompressed sets of the old formats are a batch per message.
      if (batch.magic === 2 || batch.magic === undefined || batch.compression !== 'none')
        for (const [field, value] of Object.entries(batch)) assert.deepEqual(first[field], value, field)
    })

  it('answers with the messages from the offset asked for, in every format', () => {
    for (const { name, records } of goldenCases)
      for (const from of [0, 100, 101, 104, 108, 109, 1e6])
        assert.deepEqual(
          decodeAll(fixture(name), BigInt(from)).map(plainMessage),
          records.filter(one => one.offset >= from),
          `${name} from ${from}`
        )
  })

  it('tells commit from abort, and hides both from the messages', () => {
    const commit = onlyBatch(fixture('v2 commit marker'))
    const abort = onlyBatch(fixture('v2 abort marker'))
    assert.deepEqual(commit.controlMarker(), { type: 'commit', typeNumber: 1 })
    assert.deepEqual(abort.controlMarker(), { type: 'abort', typeNumber: 0 })
    assert.equal(onlyBatch(fixture('v2 none')).controlMarker(), null)
    assert.deepEqual(decodeRecords(commit, origin, 0n), [])
  })

  it('tells a control record that is none of its business as other, and one without a marker as damaged', () => {
    const leaderChange = Buffer.from(fixture('v2 commit marker'))
    // The marker's key is [version int16][type int16] behind length, attributes, timestamp, offset and key length.
    leaderChange.writeInt16BE(2, 61 + 5 + 2)
    assert.deepEqual(onlyBatch(signed(leaderChange)).controlMarker(), { type: 'other', typeNumber: 2 })
    const data = batchOf(['x'])
    data.writeInt16BE(0x20, 21)
    assert.throws(() => onlyBatch(signed(data)).controlMarker(), { code: 'CORRUPT_BATCH' })
  })
})

describe('a message', () => {
  it('is of its topic and partition, and shares the memory of the fetch', () => {
    const bytes = batchOf(['abc'])
    const [message] = decodeAll(bytes)
    assert.equal(message!.topic, 'example')
    assert.equal(message!.partition, 3)
    assert.equal(message!.value!.buffer, bytes.buffer)
  })

  it('shows itself in logs and JSON without the batch behind it', () => {
    for (const name of ['v2 none', 'v1 none']) {
      const [message] = decodeAll(fixture(name))
      const json = JSON.parse(JSON.stringify(message))
      assert.deepEqual(json.key, base64('key-0'))
      assert.equal(json.offset, '100')
      assert.deepEqual(Object.keys(json), ['topic', 'partition', 'offset', 'timestamp', 'key', 'value', 'headers'])
      assert.match(inspect(message), /topic: 'example'[\s\S]*offset: 100n/)
    }
  })

  it('has headers without a prototype, so that no key is special', () => {
    const writer = new BatchWriter({ limitBytes: 1000 })
    writer.append(0, null, null, [
      ['__proto__', 'x'],
      ['constructor', 'y']
    ])
    const batch = writer.seal('none')
    stamp(batch, { producerId: -1n, producerEpoch: -1, baseSequence: -1 })
    const { headers } = decodeAll(batch.buffer)[0]!
    assert.deepEqual(Object.keys(headers), ['__proto__', 'constructor'])
    assert.deepEqual(Object.values(headers).map(String), ['x', 'y'])
    assert.equal(Object.getPrototypeOf(headers), null)
  })
})

describe('a run of batches', () => {
  const two = Buffer.concat([at(0n, batchOf(['a', 'b'])), at(2n, batchOf(['c'])), fixture('v1 none'), fixture('v0 gzip')])

  it('is walked in order, formats mixed', () => {
    assert.deepEqual(
      [...readBatches(two)].map(batch => batch.magic),
      [2, 2, ...Array(9).fill(1), 0]
    )
  })

  it('leaves out an incomplete batch at the end, wherever it is cut', () => {
    const ends: number[] = []
    for (let i = 0, end = 0; i < [...readBatches(two)].length; i++) ends.push((end += [...readBatches(two)][i]!.sizeBytes))
    for (let cut = 0; cut <= two.length; cut++)
      assert.equal([...readBatches(two.subarray(0, cut))].length, ends.filter(end => end <= cut).length, `cut at ${cut}`)
  })

  it('gives the batches before a damaged one, then the error that names its offset', () => {
    const bytes = Buffer.concat([at(0n, batchOf(['a', 'b'])), at(2n, batchOf(['c']))])
    bytes.writeInt32BE(-5, batchOf(['a', 'b']).length + 8)
    const walk = readBatches(bytes)
    assert.equal((walk.next().value as { lastOffset: bigint }).lastOffset, 1n)
    assert.throws(() => walk.next(), { name: 'ProtocolError', code: 'CORRUPT_BATCH', details: { baseOffset: '2' } })
  })

  it('refuses lengths and formats that cannot be', () => {
    for (const [where, value] of [
      [8, -1],
      [8, 0],
      [8, 48],
      [8, -2147483648]
    ] as const) {
      const bytes = batchOf(['a'])
      bytes.writeInt32BE(value, where)
      assert.throws(() => [...readBatches(bytes)], { code: 'CORRUPT_BATCH' }, `length ${value}`)
    }
    for (const magic of [3, 127, 255]) {
      const bytes = batchOf(['a'])
      bytes[16] = magic
      assert.throws(() => [...readBatches(bytes)], { code: 'CORRUPT_BATCH' }, `format ${magic}`)
    }
  })
})

describe('a damaged batch', () => {
  it('is refused for any flipped bit from its attributes on, in every codec', () => {
    for (const name of ['v2 none', 'v2 gzip', 'v2 snappy', 'v2 lz4', 'v2 zstd']) {
      const bytes = fixture(name)
      for (let i = 17; i < bytes.length; i++) {
        bytes[i]! ^= 1 << (i % 8)
        assert.throws(() => decodeAll(bytes), { name: 'ProtocolError', code: 'CORRUPT_BATCH' }, `${name} at ${i}`)
        bytes[i]! ^= 1 << (i % 8)
      }
    }
  })

  const lies: [string, (batch: Buffer) => void][] = [
    ['a count of -1', b => b.writeInt32BE(-1, 57)],
    ['a count of 2^31 - 1', b => b.writeInt32BE(0x7fffffff, 57)],
    ['a count of 2^31 - 1 that its offsets allow', b => counts(b, 0x7fffffff, 0x7fffffff)],
    ['one record more', b => counts(b, 4, 3)],
    ['one record less', b => b.writeInt32BE(2, 57)],
    ['no records but bytes', b => b.writeInt32BE(0, 57)],
    ['a last offset before its records', b => b.writeInt32BE(1, 23)],
    ['a negative last offset', b => b.writeInt32BE(-1, 23)],
    ['a negative base offset', b => b.writeBigInt64BE(-7n, 0)],
    ['codec 5', b => b.writeInt16BE(5, 21)],
    ['codec 7', b => b.writeInt16BE(7, 21)],
    ['a record longer than the batch', b => (b[61] = 126)],
    ['a record of length 0', b => (b[61] = 0)],
    ['a record of negative length', b => (b[61] = 1)],
    ['an offset that goes back', b => (b[61 + 12 + 3] = 0)],
    ['a negative relative offset', b => (b[61 + 3] = 1)],
    ['a key over the end', b => (b[61 + 4] = 120)],
    ['a value over the end', b => (b[61 + 5] = 120)],
    ['a header count without headers', b => (b[61 + 11] = 20)],
    ['a negative header count', b => (b[61 + 11] = 1)]
  ]
  for (const [name, lie] of lies)
    it(`is refused with ${name}`, () => {
      // Each record: length 11, attributes, timestamp, offset, key -1, value 5, 'hello', no headers.
      const bytes = batchOf(['hello', 'hello', 'hello'])
      lie(bytes)
      assert.throws(() => decodeAll(signed(bytes)), { name: 'ProtocolError', code: 'CORRUPT_BATCH' })
    })

  it('is refused by its header where that suffices: no record is looked at, nothing is unpacked', () => {
    const few = batchOf(['hello'])
    counts(few, 0x7fffffff, 0x7fffffff)
    assert.throws(() => decodeAll(signed(few)), { message: /it says 2147483647 records, but has only 12 bytes/ })
    const packed = fixture('v2 gzip')
    counts(packed, 9, 7)
    assert.throws(() => decodeAll(signed(packed)), { message: /it says 9 records with 7 as the last relative offset/ })
    const short = batchOf(['hello'])
    short[61] = 10
    assert.throws(() => decodeAll(signed(short)), { message: /record 0 has a length of 5/ })
  })

  it('is refused with a count that cannot be unpacked under the limit, before it is unpacked', () => {
    const bytes = fixture('v2 gzip')
    bytes.writeInt32BE(0x7fffffff, 57)
    bytes.writeInt32BE(0x7fffffff, 23)
    assert.throws(() => decodeAll(signed(bytes)), { name: 'LimitError', code: 'DECOMPRESSION_LIMIT' })
  })
})

describe('a batch emptied by compaction', () => {
  it('has no messages and still moves the position past it', () => {
    for (const attributes of [0, 1, 4]) {
      const bytes = batchOf(['x']).subarray(0, 61)
      bytes.writeInt32BE(49, 8)
      bytes.writeInt16BE(attributes, 21)
      bytes.writeInt32BE(9, 23)
      bytes.writeInt32BE(0, 57)
      const batch = onlyBatch(signed(at(40n, bytes)))
      assert.deepEqual(decodeRecords(batch, origin, 0n), [])
      assert.equal(batch.nextOffset, 50n)
    }
  })
})
