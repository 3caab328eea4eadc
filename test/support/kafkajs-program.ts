/**
 * The process of a kafkajs member: `kafkajs-program.ts FOLDER OPTIONS`, with kafkajs in FOLDER/node_modules. It says what `ForeignMember` reads.
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ForeignEvent } from './foreign-member.ts'
import type { KafkajsMemberOptions } from './kafkajs-member.ts'

/** As far as it is used here. */
interface Kafkajs {
  Kafka: new (options: object) => { consumer(options: object): KafkajsConsumer }
  PartitionAssigners: { roundRobin: unknown }
  AssignerProtocol: {
    MemberMetadata: { encode(metadata: { version: number; topics: string[] }): Buffer }
    MemberAssignment: { encode(assignment: { version: number; assignment: Record<string, number[]> }): Buffer }
  }
  logLevel: { INFO: number }
}
interface KafkajsConsumer {
  events: Record<'GROUP_JOIN' | 'REBALANCING' | 'CRASH' | 'STOP' | 'COMMIT_OFFSETS', string>
  on(event: string, listener: (event: { payload: never }) => void): void
  connect(): Promise<void>
  subscribe(options: { topics: string[]; fromBeginning: boolean }): Promise<void>
  run(options: { eachBatch(given: { batch: Batch }): Promise<void> }): Promise<void>
  commitOffsets(offsets: { topic: string; partition: number; offset: string }[]): Promise<void>
  disconnect(): Promise<void>
}
interface Batch {
  topic: string
  partition: number
  messages: { offset: string; key: Buffer | null; value: Buffer | null }[]
}
interface KafkajsCluster {
  findTopicPartitionMetadata(topic: string): { partitionId: number }[]
}
interface Group {
  members: { memberId: string; memberMetadata: Buffer }[]
}

const [folder, settings] = process.argv.slice(2) as [string, string]
const { Kafka, PartitionAssigners, AssignerProtocol, logLevel } = createRequire(join(folder, 'package.json'))('kafkajs') as Kafkajs
const options = JSON.parse(settings) as KafkajsMemberOptions
const ownName = 'RoundRobinAssigner'

type Told = ForeignEvent extends infer E ? (E extends { at: number } ? Omit<E, 'at'> : never) : never
function say(event: Told): void {
  process.stdout.write(`${JSON.stringify({ at: Date.now(), ...event })}\n`)
}

/**
 * An assigner by a name of Java's. Any division is right for an eager group. In a cooperative one a partition that somebody has stays there, or
 * is left out until he has given it back; kafkajs itself never has any when it joins.
 */
const assignerNamed =
  (name: string) =>
  ({ cluster }: { cluster: KafkajsCluster }) => ({
    name,
    version: 0,
    protocol: ({ topics }: { topics: string[] }) => ({ name, metadata: AssignerProtocol.MemberMetadata.encode({ version: 0, topics }) }),
    async assign({ members }: Group) {
      const cooperative = name.startsWith('cooperative')
      const known = members.map(({ memberId, memberMetadata }) => ({ memberId, ...subscriptionOf(memberMetadata) }))
      const given = new Map(members.map(({ memberId }) => [memberId, {} as Record<string, number[]>]))
      const count = (id: string) => Object.values(given.get(id)!).flat().length
      for (const topic of [...new Set(known.flatMap(({ topics }) => topics))].sort()) {
        const readers = known.filter(({ topics }) => topics.includes(topic))
        const partitions = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId)
        const quota = Math.ceil(partitions.length / readers.length)
        const ownerOf = (partition: number) => readers.find(({ owned }) => cooperative && owned.has(`${topic}/${partition}`))?.memberId
        const left = partitions.filter(partition => {
          const owner = ownerOf(partition)
          const mine = owner === undefined ? undefined : (given.get(owner)![topic] ??= [])
          if (!mine || mine.length >= quota) return true
          mine.push(partition)
          return false
        })
        for (const partition of left) {
          const [heir] = readers.map(({ memberId }) => memberId).sort((a, b) => count(a) - count(b) || (a < b ? -1 : 1))
          if (ownerOf(partition) === undefined) (given.get(heir!)![topic] ??= []).push(partition)
        }
      }
      return [...given].map(([memberId, assignment]) => ({
        memberId,
        memberAssignment: AssignerProtocol.MemberAssignment.encode({ version: 0, assignment })
      }))
    }
  })

/** Topics, and from version 1 on what is owned (ConsumerProtocolSubscription), which kafkajs does not read. */
function subscriptionOf(bytes: Buffer): { topics: string[]; owned: Set<string> } {
  let at = 0
  const int16 = () => bytes.readInt16BE((at += 2) - 2)
  const int32 = () => bytes.readInt32BE((at += 4) - 4)
  const text = () => {
    const length = int16()
    return bytes.toString('utf8', at, (at += length))
  }
  const version = int16()
  const topics = Array.from({ length: int32() }, text)
  const userData = int32()
  at += Math.max(0, userData)
  const owned = new Set<string>()
  if (version >= 1)
    for (let count = int32(); count > 0; count--) {
      const topic = text()
      for (let left = int32(); left > 0; left--) owned.add(`${topic}/${int32()}`)
    }
  return { topics, owned }
}

const sessionTimeout = options.sessionTimeoutMs ?? 6_000
const consumer = new Kafka({
  clientId: options.clientId ?? 'kafkajs',
  brokers: options.bootstrap,
  logLevel: logLevel.INFO,
  logCreator
}).consumer({
  groupId: options.group,
  sessionTimeout,
  heartbeatInterval: options.heartbeatIntervalMs ?? Math.min(300, Math.floor(sessionTimeout / 3)),
  rebalanceTimeout: options.rebalanceTimeoutMs ?? 10_000,
  maxWaitTimeInMs: 200,
  metadataMaxAge: 1_000,
  partitionAssigners: (options.assignors ?? [ownName]).map(name => (name === ownName ? PartitionAssigners.roundRobin : assignerNamed(name)))
})

/** Stdout is ours. */
function logCreator() {
  return ({ namespace, log }: { namespace: string; log: { message: string } }) =>
    process.stderr.write(`${new Date().toISOString()} ${namespace} ${JSON.stringify(log)}\n`)
}

let owned: string[] = []
/** Next offsets of what was handed out. */
const given = new Map<string, { topic: string; partition: number; offset: string }>()
function gone(type: 'revoked' | 'lost'): void {
  if (owned.length > 0) say({ type, partitions: owned })
  owned = []
}

consumer.on(consumer.events.REBALANCING, () => gone('revoked'))
consumer.on(consumer.events.STOP, () => gone('revoked'))
consumer.on(consumer.events.GROUP_JOIN, ({ payload }: { payload: { memberId: string; memberAssignment: Record<string, number[]> } }) => {
  // It says nothing when the coordinator has forgotten it.
  gone('lost')
  given.clear()
  owned = Object.entries(payload.memberAssignment).flatMap(([topic, list]) => list.map(partition => `${topic}/${partition}`))
  say({ type: 'assigned', partitions: owned, memberId: payload.memberId })
})
consumer.on(consumer.events.CRASH, ({ payload }: { payload: { error: Error } }) => {
  gone('lost')
  say({ type: 'trouble', message: String(payload.error) })
})

await consumer.connect()
await consumer.subscribe({ topics: options.topics, fromBeginning: options.reset !== 'latest' })
await consumer.run({
  eachBatch: async ({ batch: { topic, partition, messages } }) => {
    const records = messages.map(({ offset, key, value }) => ({
      topic,
      partition,
      offset: Number(offset),
      key: key === null ? null : String(key),
      value: value === null ? null : String(value)
    }))
    const last = records.at(-1)
    if (last) given.set(`${topic}/${partition}`, { topic, partition, offset: String(last.offset + 1) })
    say({ type: 'polled', records })
  }
})
say({ type: 'started' })

createInterface({ input: process.stdin })
  .on('line', line => void obey(JSON.parse(line) as { do: string; ms?: number }))
  // Whoever started it is gone.
  .on('close', () => process.exit(1))

async function obey(command: { do: string; ms?: number }): Promise<void> {
  if (command.do === 'close') {
    await consumer.disconnect()
    say({ type: 'closed' })
    process.exit(0)
  } else if (command.do === 'stall') {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, command.ms)
  } else if (command.do === 'commit') {
    const all = [...given.values()]
    const offsets = Object.fromEntries(all.map(({ topic, partition, offset }) => [`${topic}/${partition}`, Number(offset)]))
    const failure = await consumer.commitOffsets(all).then(
      () => ({}),
      error => ({ error: String(error) })
    )
    say({ type: 'committed', offsets, ...failure })
  } else say({ type: 'trouble', message: `no such command: ${command.do}` })
}
