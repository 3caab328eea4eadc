/**
 * The batches of `test/fixtures/records-golden.json`: what Java is asked to write, and so what reading them must give.
 * The fixtures are made by `SAMSA_UPDATE_FIXTURES=1 node --import tsx --test test/wire/records/records.java.test.ts`.
 */
import { base64, type PlainRecord } from './plain.ts'

export interface GoldenCase {
  name: string
  command: Record<string, unknown>
  /** What a reader gets; empty for control batches. */
  records: PlainRecord[]
  batch: Record<string, unknown>
}

const T = 1_700_000_000_000

/** Keys, nulls, empty values, headers twice and null, and a timestamp more than 2^31 ms away on both sides. */
function sample(offsets: number[]): PlainRecord[] {
  return offsets.map((offset, i) => ({
    offset,
    timestamp: [T, T + 5, T + 5_000_000_000, T - 5_000_000_000][i % 4]!,
    key: i % 3 === 0 ? base64(`key-${i}`) : i % 3 === 1 ? null : '',
    value: i % 5 === 4 ? null : base64(`value ${i} `.repeat(12)),
    headers:
      i % 2 === 0
        ? []
        : [
            ['trace', base64(`t-${i}`)],
            ['tag', base64('a')],
            ['tag', null],
            ['\u00fcber', '']
          ]
  }))
}

function withoutHeaders(records: PlainRecord[], timestamps: boolean): PlainRecord[] {
  return records.map(record => ({ ...record, headers: [], timestamp: timestamps ? record.timestamp : -1 }))
}

const dense = Array.from({ length: 9 }, (_, i) => 100 + i)

function version2(): GoldenCase[] {
  const out: GoldenCase[] = []
  for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'])
    out.push({
      name: `v2 ${codec}`,
      command: { magic: 2, codec, baseOffset: 100, records: sample(dense) },
      records: sample(dense),
      batch: {
        magic: 2,
        compression: codec,
        baseOffset: 100n,
        lastOffset: 108n,
        count: 9,
        producerId: -1n,
        isControl: false,
        timestampType: 'create'
      }
    })
  const sparse = [100, 103, 104, 190]
  out.push({
    name: 'v2 with gaps, idempotent, of leader epoch 7',
    command: {
      magic: 2,
      codec: 'none',
      baseOffset: 100,
      producerId: 4001,
      producerEpoch: 2,
      baseSequence: 17,
      leaderEpoch: 7,
      records: sample(sparse)
    },
    records: sample(sparse),
    batch: { lastOffset: 190n, nextOffset: 191n, count: 4, producerId: 4001n, producerEpoch: 2, baseSequence: 17, partitionLeaderEpoch: 7 }
  })
  const appended = sample([5, 6]).map(record => ({ ...record, timestamp: T + 77 }))
  out.push({
    name: 'v2 log append time',
    command: { magic: 2, codec: 'gzip', baseOffset: 5, appendTimestamp: T + 77, records: sample([5, 6]) },
    records: appended,
    batch: { timestampType: 'append', maxTimestamp: BigInt(T + 77) }
  })
  out.push({
    name: 'v2 transactional',
    command: {
      magic: 2,
      codec: 'none',
      baseOffset: 0,
      producerId: 9,
      producerEpoch: 1,
      baseSequence: 0,
      transactional: true,
      records: sample([0, 1])
    },
    records: sample([0, 1]),
    batch: { isTransactional: true, isControl: false, producerId: 9n }
  })
  for (const marker of ['commit', 'abort'])
    out.push({
      name: `v2 ${marker} marker`,
      command: { marker, baseOffset: 2, timestamp: T, producerId: 9, producerEpoch: 1 },
      records: [],
      batch: { isControl: true, isTransactional: true, baseOffset: 2n, count: 1, producerId: 9n }
    })
  return out
}

function legacy(magic: 0 | 1): GoldenCase[] {
  return ['none', 'gzip', 'snappy', 'lz4'].map(codec => ({
    name: `v${magic} ${codec}`,
    command: { magic, codec, baseOffset: 100, records: withoutHeaders(sample(dense), magic === 1) },
    records: withoutHeaders(sample(dense), magic === 1),
    batch: { magic, compression: codec, producerId: -1n, isControl: false, timestampType: magic === 0 ? 'none' : 'create' }
  }))
}

export const goldenCases: GoldenCase[] = [
  ...version2(),
  ...legacy(0),
  ...legacy(1),
  {
    name: 'v1 gzip with gaps',
    command: { magic: 1, codec: 'gzip', baseOffset: 100, records: withoutHeaders(sample([100, 107, 108]), true) },
    records: withoutHeaders(sample([100, 107, 108]), true),
    batch: { magic: 1, lastOffset: 108n, nextOffset: 109n, count: -1 }
  },
  {
    name: 'v1 gzip log append time',
    command: { magic: 1, codec: 'gzip', baseOffset: 0, appendTimestamp: T + 9, records: withoutHeaders(sample([0, 1, 2]), true) },
    records: withoutHeaders(sample([0, 1, 2]), true).map(record => ({ ...record, timestamp: T + 9 })),
    batch: { magic: 1, timestampType: 'append' }
  }
]
