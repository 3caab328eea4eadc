/**
 * Topic semantics: each consumer is a group of its own, every one gets every message.
 *
 *   node --import tsx examples/topic.ts zookeeper://127.0.0.1:2181/kafka
 */
import { connect } from '../src/index.ts'

const url = process.argv[2] ?? 'zookeeper://127.0.0.1:2181/kafka'
const name = process.argv[3] ?? 'topic-example'
const count = 20

const cluster = await connect(url, { createTopics: true })
const topic = cluster.topic(name)
for (let i = 0; i < count; i++) await topic.publish(`news ${i}`)

const readers = ['left', 'right'].map(async reader => {
  let own = 0
  for await (const _ of topic.subscribe({ from: 'earliest' })) if (++own === count) break
  return `${reader}: ${own} messages`
})
for (const line of await Promise.all(readers)) console.log(line)
await cluster.close()
