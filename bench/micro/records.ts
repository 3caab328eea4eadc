/**
 * What a record costs here: append + seal + stamp, and decode + iterate, in µs per record, beside the shortest loop that writes
 * the same bytes (no headers, no keys, no checks). Run: `node --import tsx bench/micro/records.ts [records, default 1000000]`.
 */
import { BatchWriter, crc32c, decodeRecords, readBatches, stamp } from '../../src/wire/records/index.ts'

const records = Number(process.argv[2] ?? 1_000_000)
const batchBytes = 100_000
const identity = { producerId: 7n, producerEpoch: 0, baseSequence: 0 }
const now = 1_700_000_000_000

const json = (i: number) => JSON.stringify({ id: i, user: `user-${i % 97}`, kind: 'clicked', at: now + i, page: `/items/${i % 1013}` })
const bytes = Array.from({ length: 1024 }, (_, i) => Buffer.from(json(i).padEnd(100).slice(0, 100)))
const texts = bytes.map(b => b.toString())
const keys = Array.from({ length: 1024 }, (_, i) => `key-${i}`)

/** The floor: one buffer, one value, varints inline. */
function bareLoop(): number {
  let b = Buffer.allocUnsafe(1 << 17)
  let p = 61
  let n = 0
  let total = 0
  const size = (v: number) => {
    let z = v << 1
    let k = 1
    for (; z > 127; k++) z >>>= 7
    return k
  }
  const varint = (v: number) => {
    let z = v << 1
    for (; z > 127; z >>>= 7) b[p++] = (z & 127) | 128
    b[p++] = z
  }
  const take = () => {
    b.fill(0, 0, 61)
    b.writeInt32BE(p - 12, 8)
    b[16] = 2
    b.writeInt32BE(n - 1, 23)
    b.writeInt32BE(n, 57)
    b.writeUInt32BE(crc32c(b, 21, p), 17)
    total += p
    b = Buffer.allocUnsafe(1 << 17)
    p = 61
    n = 0
  }
  for (let i = 0; i < records; i++) {
    const value = bytes[i & 1023]!
    const length = value.length
    varint(4 + size(n) + size(length) + length)
    b[p++] = 0
    b[p++] = 0
    varint(n++)
    b[p++] = 1
    varint(length)
    value.copy(b, p)
    p += length
    b[p++] = 0
    if (p >= batchBytes) take()
  }
  if (n > 0) take()
  return total
}

function write(key: (i: number) => string | null, value: (i: number) => Buffer | string, keep?: Buffer[]): number {
  const writer = new BatchWriter({ limitBytes: batchBytes })
  let total = 0
  const finish = () => {
    const batch = writer.seal('none')
    stamp(batch, identity)
    total += batch.sizeBytes
    keep?.push(batch.buffer)
  }
  for (let i = 0; i < records; i++) {
    const k = key(i)
    const v = value(i)
    if (writer.wouldExceed(k, v, undefined)) finish()
    writer.append(now + (i >>> 10), k, v, undefined)
  }
  finish()
  return total
}

function read(fetched: Buffer[], use: (value: Buffer | null, offset: bigint | null) => void, offsets: boolean): void {
  for (const buffer of fetched)
    for (const batch of readBatches(buffer))
      for (const message of decodeRecords(batch, { topic: 'bench', partition: 0 }, 0n)) use(message.value, offsets ? message.offset : null)
}

function measure(name: string, run: () => unknown): void {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < 5; round++) {
    const before = process.cpuUsage()
    run()
    const { user, system } = process.cpuUsage(before)
    best = Math.min(best, (user + system) / records)
  }
  console.log(`${name.padEnd(52)} ${best.toFixed(3)} µs CPU per record`)
}

measure('write: bare loop, 100 B buffers', bareLoop)
measure('write: append + seal + stamp, 100 B buffers', () =>
  write(
    () => null,
    i => bytes[i & 1023]!
  )
)
measure('write: the same, 100 B strings', () =>
  write(
    () => null,
    i => texts[i & 1023]!
  )
)
measure('write: the same, key strings and 100 B strings', () =>
  write(
    i => keys[i & 1023]!,
    i => texts[i & 1023]!
  )
)
const fetched: Buffer[] = []
write(
  () => null,
  i => bytes[i & 1023]!,
  fetched
)
let sum = 0
measure('read: verify + decode', () => {
  for (const buffer of fetched)
    for (const batch of readBatches(buffer)) sum += decodeRecords(batch, { topic: 'b', partition: 0 }, 0n).length
})
measure('read: verify + decode + .value', () => read(fetched, value => (sum += value!.length), false))
measure('read: verify + decode + .value + .offset', () => read(fetched, (value, offset) => (sum += value!.length + Number(offset)), true))
