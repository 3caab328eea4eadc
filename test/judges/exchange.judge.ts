/**
 * Records exchanged with librdkafka (kcat) and kafka-python, both ways and with each codec: keys, values and headers come through to the byte. On real
 * brokers, and on embedded ones, of which nobody there can tell the difference.
 */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { type Compression, connect } from '../../src/index.ts'
import { startCluster } from '../../src/testing.ts'
import { pythonConsume, pythonProduce } from '../support/kafka-python.ts'
import { type JudgedRecord, kcatConsume, kcatProduce } from '../support/kcat.ts'
import { uniqueName, useCluster } from '../support/use-cluster.ts'

interface Place {
  bootstrap: string[]
  createTopic(name: string, spec: { config: Record<string, string> }): Promise<unknown>
}

const embedded = await startCluster({ brokers: 3 })
after(() => embedded.stop())
const places: Record<string, Place> = {
  'Kafka 4': await useCluster('kraft'),
  'the embedded cluster': { bootstrap: embedded.bootstrap, createTopic: async (name, spec) => embedded.createTopic(name, spec) }
}

const every = (byteCount: number) => Buffer.from(Array.from({ length: byteCount }, (_, index) => index % 256))
/** Header values that kcat can print: it shows a null as a word, ends at a NUL, and sets commas between. */
const headers: JudgedRecord['headers'] = [
  ['trace', Buffer.from('ünïcode')],
  ['twice', Buffer.from('1')],
  ['twice', Buffer.from('2')],
  ['empty', Buffer.alloc(0)],
  ['null', null]
]
/** `big` is far over what the topic takes in one batch, unless it is compressed. */
const big = (codec: string): JudgedRecord[] =>
  codec === 'none' ? [] : [{ key: Buffer.from('big'), value: Buffer.from('compressible '.repeat(20_000)), headers: [] }]
const small = Array.from(
  { length: 300 },
  (_, index): JudgedRecord => ({
    key: Buffer.from(`key-${index}`),
    value: Buffer.from(`value-${index}`),
    headers: []
  })
)
/** Kinds that a client with null and empty apart can write, and those that one without can. */
const plain: JudgedRecord[] = [
  { key: Buffer.from('k'), value: Buffer.from('välue'), headers },
  { key: null, value: Buffer.from('no key'), headers },
  { key: Buffer.from('tombstone'), value: null, headers },
  { key: Buffer.from('plain'), value: Buffer.from('plain'), headers: [] }
]
const odd: JudgedRecord[] = [
  { key: Buffer.alloc(0), value: Buffer.alloc(0), headers: [] },
  { key: null, value: null, headers: [['null', null]] },
  { key: every(256), value: every(1_000), headers: [['bytes', Buffer.from([1, 127, 255])]] }
]

/** kafka-python writes no header without a value, and no record with neither key nor value. */
const forPython = (records: JudgedRecord[]) =>
  records
    .filter(({ key, value }) => key !== null || value !== null)
    .map(record => ({ ...record, headers: record.headers.filter(([, value]) => value !== null) }))

async function freshTopic(place: Place): Promise<string> {
  const topic = uniqueName('judged')
  await place.createTopic(topic, { config: { 'max.message.bytes': '60000' } })
  return topic
}

/** What ours reads from the first offset on. */
async function ourRead({ bootstrap }: Place, topic: string, count: number): Promise<JudgedRecord[]> {
  const client = await connect({ brokers: bootstrap.join(','), recorderMaxBytes: 0 })
  try {
    const records: JudgedRecord[] = []
    for await (const { key, value, headerList } of client.topic(topic).subscribe({ membership: 'manual', from: 'earliest' })) {
      const copy = (bytes: Buffer | null) => (bytes === null ? null : Buffer.from(bytes))
      records.push({ key: copy(key), value: copy(value), headers: headerList.map(([name, each]) => [name, copy(each)]) })
      if (records.length === count) break
    }
    return records
  } finally {
    await client.close()
  }
}

async function ourWrite({ bootstrap }: Place, topic: string, records: readonly JudgedRecord[], compression: Compression): Promise<void> {
  const client = await connect({ brokers: bootstrap.join(','), recorderMaxBytes: 0, publish: { compression } })
  try {
    await Promise.all(records.map(record => client.topic(topic).publish({ ...record, partition: 0 })))
  } finally {
    await client.close()
  }
}

function assertSame(read: readonly JudgedRecord[], written: readonly JudgedRecord[]): void {
  assert.equal(read.length, written.length)
  for (const [index, record] of written.entries()) {
    const [found, wanted] = [toText(read[index]!), toText(record)]
    assert.ok(found === wanted, `record ${index} is ${found.slice(0, 500)} and was ${wanted.slice(0, 500)}`)
  }
}

function toText({ key, value, headers: list }: JudgedRecord): string {
  const latin = (bytes: Buffer | null) => bytes?.toString('latin1')
  return JSON.stringify([latin(key), latin(value), list.map(([name, each]) => [name, latin(each)])])
}

for (const [name, place] of Object.entries(places)) {
  const { bootstrap } = place
  describe(`through ${name}`, () => {
    for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
      test(`${codec}: what ours writes, kcat and kafka-python read`, async () => {
        const topic = await freshTopic(place)
        const records = [...plain, ...odd, ...big(codec), ...small]
        await ourWrite(place, topic, records, codec)
        assertSame(await kcatConsume(bootstrap, topic), records)
        assertSame(await pythonConsume(bootstrap, topic), records)
      })

      test(`${codec}: what kcat writes, ours reads`, async () => {
        const topic = await freshTopic(place)
        // kcat sends records of one set of headers together.
        const records = [...plain.slice(0, 3), ...plain.slice(3), ...big(codec), ...small]
        await kcatProduce(bootstrap, topic, records, { codec })
        assertSame(await ourRead(place, topic, records.length), records)
      })

      test(`${codec}: what kafka-python writes, ours reads`, async () => {
        const topic = await freshTopic(place)
        const records = forPython([...plain, ...odd, ...big(codec), ...small])
        await pythonProduce(bootstrap, topic, records, { codec })
        assertSame(await ourRead(place, topic, records.length), records)
      })
    }
  })
}
