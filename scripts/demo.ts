/**
 * The main job, shown: a real cluster of three brokers and their ZooKeeper is started, two consumers of one group share a topic, a publisher
 * publishes, and on the way a broker is killed. What happens is told; the exit code is the verdict (nothing lost).
 *
 *   npm run demo:kafka [-- --messages 20000]
 */
import { parseArgs } from 'node:util'
import { type Cluster as Client, connect, type Message } from '../src/index.ts'
import { startCluster } from '../test/support/cluster.ts'

const { values } = parseArgs({ options: { messages: { type: 'string', default: '20000' } } })
const total = Number(values.messages)
const startedAt = Date.now()
const say = (what: string) => console.log(`${((Date.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${what}`)

const seen = new Map<string, number>()
let consumed = 0
let wake: (() => void) | undefined

/** Reads its share of the topic until it is told to stop; what it owns and what it sees is told. */
async function consume(client: Client, name: string, signal: AbortSignal): Promise<void> {
  const consumer = client.topic('example').subscribe({ group: 'workers', from: 'earliest', signal })
  const places = (partitions: { partition: number }[]) =>
    partitions
      .map(({ partition }) => partition)
      .sort()
      .join(', ')
  consumer.on('partition.assigned', ({ partitions }) => say(`${name} owns partitions ${places(partitions)}`))
  consumer.on('partition.revoked', ({ partitions }) => say(`${name} gives up partitions ${places(partitions)}`))
  let own = 0
  for await (const message of consumer) {
    if (own++ === 0) say(`${name} reads its first message: ${show(message)}`)
    const value = String(message.value)
    seen.set(value, (seen.get(value) ?? 0) + 1)
    consumed++
    if (seen.size === total) wake?.()
  }
  say(`${name} has read ${own} messages and leaves`)
}

const show = ({ partition, offset, value }: Message) => `"${String(value)}" at partition ${partition}, offset ${offset}`

function tell(client: Client): void {
  client.on('brokers', ({ appeared, disappeared }) => {
    for (const id of appeared) say(`ZooKeeper: broker ${id} is there`)
    for (const id of disappeared) say(`ZooKeeper: broker ${id} is gone`)
  })
  client.on('leader.changed', ({ partition, leader, leaderEpoch }) =>
    say(`partition ${partition} is led by ${leader === null ? 'nobody' : `broker ${leader}`} (epoch ${leaderEpoch})`)
  )
  client.on('publish.retrying', ({ partition, reason, attempt }) => {
    if (attempt === 1) say(`publishes to partition ${partition} wait: ${reason}`)
  })
}

say('starting three Kafka brokers and a ZooKeeper (the first time their jars are fetched: a minute or two)')
const kafka = await startCluster({ brokers: 3 })
const abort = new AbortController()
try {
  await kafka.createTopic('example', { partitions: 6, replicationFactor: 3, config: { 'min.insync.replicas': '2' } })
  say(`the cluster is up; the application knows one address: zookeeper://${kafka.zookeeper}`)
  const client = await connect(`zookeeper://${kafka.zookeeper}`)
  const other = await connect(`zookeeper://${kafka.zookeeper}`, { clientId: 'second' })
  tell(client)
  say(`connected: brokers ${[...client.brokers.keys()].join(', ')}`)
  const readers = [consume(client, 'consumer A', abort.signal), consume(other, 'consumer B', abort.signal)]

  const all = new Promise<void>((resolve, reject) => {
    wake = resolve
    setTimeout(() => reject(new Error(`only ${seen.size} of ${total} messages arrived`)), 120_000).unref()
  })
  const topic = client.topic('example')
  let acked = 0
  const half = Math.floor(total / 2)
  const publishSome = async (from: number, to: number) => {
    await Promise.all(Array.from({ length: to - from }, (_, i) => topic.publish(`message ${from + i}`).then(() => acked++)))
  }
  await publishSome(0, half)
  say(`${acked} messages acked by every in-sync replica, ${consumed} consumed so far`)
  const victim = topic.partitions[0]?.leader ?? 1
  say(`killing broker ${victim} (kill -9) while publishing goes on`)
  await Promise.all([kafka.broker(victim).kill(), publishSome(half, total)])
  say(`${acked} messages acked`)
  await all
  const doubled = [...seen.values()].filter(count => count > 1).length
  abort.abort()
  await Promise.all(readers)
  await Promise.all([client.close(), other.close()])
  say(`published ${acked}, consumed ${consumed}: lost ${total - seen.size}, delivered twice ${doubled}`)
  if (seen.size !== total) process.exitCode = 1
} finally {
  await kafka.dispose()
}
