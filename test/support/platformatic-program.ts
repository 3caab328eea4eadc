/**
 * The process of `platformatic.ts`: `FOLDER calls` takes calls on stdin and answers them on stdout; `FOLDER member OPTIONS` is a member of a group, as
 * `ForeignMember` reads it. The package is in FOLDER/node_modules.
 */
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import type { PlatformaticCall, PlatformaticMemberOptions, PlatformaticMessage } from './platformatic.ts'

/** As far as it is used here. */
interface Given {
  topic: string
  partition: number
  offset: bigint
  key: Buffer | null
  value: Buffer | null
  headers: Map<Buffer, Buffer>
}
interface Stream extends AsyncIterable<Given> {
  on(event: 'data', listener: (message: Given) => void): void
  on(event: 'error', listener: (error: Error) => void): void
}
interface Consumer {
  assignments: { topic: string; partitions: number[] }[] | null
  memberId: string | null
  consume(options: object): Promise<Stream>
  on(event: string, listener: (payload: { error: Error }) => void): void
  close(force: boolean): Promise<void>
}
interface Producer {
  send(options: object): Promise<{ offsets: { topic: string; partition: number; offset: bigint }[] }>
  beginTransaction(): Promise<{ send(options: object): Promise<unknown>; commit(): Promise<void>; abort(): Promise<void> }>
  close(): Promise<void>
}
type Admin = Record<string, (options: unknown) => Promise<unknown>>
interface Platformatic {
  Admin: new (options: object) => Admin
  Consumer: new (options: object) => Consumer
  Producer: new (options: object) => Producer
}
interface Produce {
  messages: PlatformaticMessage[]
  compression?: string
}
interface Transact {
  id: string
  transactions: { messages: PlatformaticMessage[]; end: 'commit' | 'abort' }[]
}

const [folder, mode, settings] = process.argv.slice(2) as [string, string, string]
const at = join(folder, 'node_modules', '@platformatic', 'kafka', 'dist', 'index.js')
const { Admin, Consumer, Producer } = (await import(pathToFileURL(at).href)) as Platformatic

if (mode === 'member') await member(JSON.parse(settings))
else {
  const { bootstrap, calls } = JSON.parse(await text(process.stdin), revived) as { bootstrap: string[]; calls: PlatformaticCall[] }
  const common = { clientId: 'platformatic', bootstrapBrokers: bootstrap }
  const admin = new Admin(common)
  const answers: unknown[] = []
  for (const call of calls)
    if (call.do === 'produce') answers.push(await produce(common, call.with as Produce))
    else if (call.do === 'transact') answers.push(await transact(common, call.with as Transact))
    else if (call.do === 'read') answers.push(await read(common, call.with as { topic: string; count: number }))
    else answers.push((await admin[call.do]!.call(admin, call.with)) ?? null)
  await admin.close!.call(admin, undefined)
  process.stdout.write(JSON.stringify(answers, plain))
}

/** What JSON cannot say. */
function plain(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value instanceof Map ? [...value] : value
}

/** `-1n` is a bigint. */
function revived(_: string, value: unknown): unknown {
  return typeof value === 'string' && /^-?\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value
}

function latin(bytes: Buffer | null | undefined): string | null {
  return bytes ? bytes.toString('latin1') : null
}

function bytes(latin1: string | null): Buffer | undefined {
  return latin1 === null ? undefined : Buffer.from(latin1, 'latin1')
}

function listOf(messages: PlatformaticMessage[]): object[] {
  return messages.map(({ topic, partition, key, value, headers }) => ({
    ...{ topic, partition, key: bytes(key), value: bytes(value) },
    headers: new Map(headers.map(([name, each]) => [bytes(name), bytes(each)]))
  }))
}

async function produce(common: object, { messages, compression = 'none' }: Produce): Promise<unknown> {
  const producer = new Producer({ ...common, idempotent: true, acks: -1 })
  const { offsets } = await producer.send({ messages: listOf(messages), compression })
  await producer.close()
  return offsets
}

async function transact(common: object, { id, transactions }: Transact): Promise<unknown> {
  const producer = new Producer({ ...common, transactionalId: id, idempotent: true, acks: -1 })
  for (const { messages, end } of transactions) {
    const transaction = await producer.beginTransaction()
    await transaction.send({ messages: listOf(messages) })
    await transaction[end]()
  }
  await producer.close()
  return null
}

/** So many of a topic, what is committed alone. */
async function read(common: object, { topic, count }: { topic: string; count: number }): Promise<unknown> {
  const consumer = new Consumer({ ...common, groupId: `reader-${topic}`, isolationLevel: 1, autocommit: false, maxWaitTime: 200 })
  const messages: (PlatformaticMessage & { offset: string })[] = []
  for await (const { topic: from, partition, offset, key, value, headers } of await consumer.consume({
    topics: [topic],
    mode: 'earliest'
  })) {
    const list = [...headers].map(([name, each]): [string, string] => [latin(name)!, latin(each)!])
    messages.push({ topic: from, partition, offset: String(offset), key: latin(key), value: latin(value), headers: list })
    if (messages.length === count) break
  }
  await consumer.close(true)
  return messages
}

async function member({ bootstrap, group, topic, protocol }: PlatformaticMemberOptions): Promise<void> {
  const say = (event: object) => process.stdout.write(`${JSON.stringify({ at: Date.now(), ...event })}\n`)
  const trouble = (error: Error) => say({ type: 'trouble', message: String(error) })
  const classic = { sessionTimeout: 6_000, heartbeatInterval: 300, rebalanceTimeout: 10_000 }
  const consumer = new Consumer({
    ...{ clientId: 'platformatic', bootstrapBrokers: bootstrap, groupId: group, groupProtocol: protocol },
    ...(protocol === 'classic' ? classic : {}),
    ...{ autocommit: 100, maxWaitTime: 100, metadataMaxAge: 1_000 }
  })
  consumer.on('consumer:heartbeat:error', ({ error }) => trouble(error))
  let owned: string[] = []
  const look = () => {
    const now = (consumer.assignments ?? []).flatMap(each => each.partitions.map(partition => `${each.topic}/${partition}`))
    const [gone, come] = [owned.filter(each => !now.includes(each)), now.filter(each => !owned.includes(each))]
    if (gone.length > 0) say({ type: 'revoked', partitions: gone })
    if (come.length > 0) say({ type: 'assigned', partitions: come, memberId: consumer.memberId ?? '' })
    owned = now
  }
  // It tells of no assignment of the new protocol.
  const looking = setInterval(look, 20)
  say({ type: 'started' })
  const stream = await consumer.consume({ topics: [topic], mode: 'committed', fallbackMode: 'earliest' })
  stream.on('error', trouble)
  stream.on('data', ({ topic: from, partition, offset, key, value }) => {
    look()
    const record = { topic: from, partition, offset: Number(offset), key: key ? String(key) : null, value: value ? String(value) : null }
    say({ type: 'polled', records: [record] })
  })
  for await (const line of createInterface({ input: process.stdin })) {
    if (JSON.parse(line).do !== 'close') throw new Error(`no such command: ${line}`)
    break
  }
  clearInterval(looking)
  await consumer.close(true)
  say({ type: 'closed' })
  process.stdin.destroy()
}
