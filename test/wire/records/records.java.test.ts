/**
 * Record batches exchanged with Kafka's own classes, both ways: what Java writes we read, what we write Java validates and reads,
 * in every codec and from 100 bytes to 1.5 MB; and murmur2 against `Utils.murmur2`.
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import type { Compression } from '../../../src/model/config.ts'
import { BatchWriter, compress, decompress, murmur2, stamp } from '../../../src/wire/records/index.ts'
import { goldenCases } from './golden-cases.ts'
import { RecordsOracle } from './oracle.ts'
import { base64, decodeAll, likeJson, onlyBatch, type PlainRecord, plainMessage } from './plain.ts'

const codecs: Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const sizes = { '100 B': 100, '64 KB': 65_536, '1.5 MB': 1_500_000 }
const T = 1_700_000_000_000
const fixtures = new URL('../../fixtures/records-golden.json', import.meta.url)

interface JavaBatch {
  codec: string
  nextOffset: number
  producerId: number
  producerEpoch: number
  baseSequence: number
  maxTimestamp: number
  records: PlainRecord[]
}

describe('records exchanged with Java', () => {
  let oracle: RecordsOracle
  before(async () => {
    oracle = await RecordsOracle.start()
  })
  after(() => oracle.close())

  it('reads what Java writes, in every format and codec', async () => {
    const golden: Record<string, string> = {}
    for (const { name, command, records } of goldenCases) {
      const written = await oracle.bytes({ op: 'write', ...command })
      assert.deepEqual(decodeAll(written).map(plainMessage), records, name)
      golden[name] = written.toString('hex')
    }
    if (process.env.SAMSA_UPDATE_FIXTURES) writeFileSync(fixtures, `${JSON.stringify(golden, null, 1)}\n`)
  })

  it('keeps golden fixtures that are Java batches of the cases they name', async () => {
    const golden = JSON.parse(readFileSync(fixtures, 'utf8')) as Record<string, string>
    assert.deepEqual(
      Object.keys(golden),
      goldenCases.map(one => one.name)
    )
    for (const { name, records, batch } of goldenCases) {
      if (batch.isControl) continue
      const read = (await oracle.ask({ op: 'read', records: Buffer.from(golden[name]!, 'hex').toString('base64') })) as JavaBatch[]
      assert.deepEqual(
        read.flatMap(one => one.records),
        records,
        name
      )
    }
  })

  for (const codec of codecs)
    for (const [name, bytes] of Object.entries(sizes)) {
      it(`reads ${name} of ${codec} by Java`, async () => {
        const records = recordsOf(bytes)
        const written = await oracle.bytes({ op: 'write', magic: 2, codec, baseOffset: 0, records })
        assert.equal(onlyBatch(written).compression, codec)
        assert.deepEqual(decodeAll(written).map(plainMessage), records)
      })

      it(`writes ${name} of ${codec} for Java`, async () => {
        const records = recordsOf(bytes)
        const writer = new BatchWriter({ limitBytes: 2 ** 30 })
        for (const one of records) {
          const headers = one.headers.map(([key, value]) => [key, bytesOf(value)] as const)
          writer.append(one.timestamp, bytesOf(one.key), bytesOf(one.value), headers)
        }
        const batch = writer.seal(codec)
        stamp(batch, { producerId: 2n ** 40n, producerEpoch: 3, baseSequence: 2 ** 31 - 1 })
        assert.equal(batch.compression, codec)
        const [read] = (await oracle.ask({ op: 'read', records: batch.buffer.toString('base64') })) as JavaBatch[]
        assert.deepEqual(read!.records, records)
        assert.equal(read!.codec, codec)
        assert.equal(read!.producerId, 2 ** 40)
        assert.equal(read!.producerEpoch, 3)
        assert.equal(read!.baseSequence, 2 ** 31 - 1)
        assert.equal(read!.nextOffset, records.length)
        assert.equal(read!.maxTimestamp, Math.max(...records.map(one => one.timestamp)))
      })
    }

  it('writes timestamps of any distance for Java', async () => {
    const times = [0, 1, 2 ** 31, 2 ** 31 - 1, 2 ** 30, T, 2 ** 52, 8.64e15, 3]
    for (const order of [times, times.toReversed()]) {
      const writer = new BatchWriter({ limitBytes: 65_536 })
      for (const time of order) writer.append(time, null, 'x', undefined)
      const batch = writer.seal('none')
      stamp(batch, { producerId: -1n, producerEpoch: -1, baseSequence: -1 })
      const [read] = (await oracle.ask({ op: 'read', records: batch.buffer.toString('base64') })) as JavaBatch[]
      assert.deepEqual(
        read!.records.map(one => one.timestamp),
        order
      )
    }
  })

  it('reads LZ4 frames with every flag that Java can set', async () => {
    for (const bytes of [100, 65_536, 65_537, 700_000])
      for (const flags of [
        {},
        { blockChecksums: true },
        { blockSize: 7 },
        { brokenHeader: true },
        { library: true },
        { library: true, blockChecksums: true }
      ]) {
        const plain = likeJson(bytes)
        const frame = await oracle.bytes({ op: 'lz4', plain: plain.toString('base64'), ...flags })
        const name = `${bytes} bytes, ${JSON.stringify(flags)}`
        assert.ok(decompress('lz4', frame, { limitBytes: bytes }).equals(plain), name)
        assert.throws(() => decompress('lz4', frame, { limitBytes: bytes - 1 }), { code: 'DECOMPRESSION_LIMIT' }, name)
      }
  })

  it('stores what LZ4 and Snappy cannot shrink so that Java reads it', async () => {
    const noise = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (Math.imul(i + 7, 2654435761) >>> 13) & 255))
    for (const codec of ['lz4', 'snappy'] as const) {
      const batch = await oracle.bytes({ op: 'write', magic: 2, codec, baseOffset: 0, records: [one(0, noise)] })
      const payload = decompress(codec, batch.subarray(61), { limitBytes: 300_000 })
      const ours = Buffer.concat([batch.subarray(0, 61), compress(codec, payload)])
      ours.writeInt32BE(ours.length - 12, 8)
      stamp({ buffer: ours } as never, { producerId: -1n, producerEpoch: -1, baseSequence: -1 })
      const [read] = (await oracle.ask({ op: 'read', records: ours.toString('base64') })) as JavaBatch[]
      assert.equal(read!.records[0]!.value, noise.toString('base64'), codec)
    }
  })

  it('hashes keys as Java does', async () => {
    const keys = Array.from({ length: 1000 }, (_, i) => likeJson(100 + i, i + 1).subarray(i % 50, (i % 50) + (i % 67)))
    const hashes = await oracle.ask({ op: 'murmur2', keys: keys.map(key => key.toString('base64')) })
    assert.deepEqual(keys.map(murmur2), hashes)
  })
})

function one(offset: number, value: Uint8Array): PlainRecord {
  return { offset, timestamp: T, key: null, value: base64(value), headers: [] }
}

/** About so many bytes: one record of half of it, the rest in small ones. */
function recordsOf(bytes: number): PlainRecord[] {
  // A hundred bytes shrink in every codec only where they repeat; what does not shrink is sent as it is.
  const plain = bytes < 1000 ? Buffer.alloc(bytes, 'na') : likeJson(bytes)
  const out: PlainRecord[] = [one(0, plain.subarray(0, bytes / 2))]
  const step = Math.max(50, Math.floor(bytes / 500))
  for (let at = bytes / 2; at < bytes; at += step) {
    const i = out.length
    out.push({
      offset: i,
      timestamp: T + i * 7 * (i % 11 === 0 ? 1_000_000_000 : 1),
      key: i % 4 === 0 ? null : base64(`k\u00e9y-${i}`),
      value: i % 9 === 0 ? null : base64(plain.subarray(at, at + step)),
      headers:
        i % 3 === 0
          ? [
              ['trace', base64(`t${i}`)],
              ['trace', null]
            ]
          : []
    })
  }
  return out
}

function bytesOf(text: string | null): Buffer | null {
  return text === null ? null : Buffer.from(text, 'base64')
}
