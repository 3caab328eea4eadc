/**
 * Queue semantics: members share a group, each message goes to one of them.
 *
 *   node --import tsx examples/queue.ts zookeeper://127.0.0.1:2181/kafka
 */
import { connect } from '../src/index.ts'

const url = process.argv[2] ?? 'zookeeper://127.0.0.1:2181/kafka'
const name = process.argv[3] ?? 'queue-example'
const count = 60

const publisher = await connect(url, { createTopics: true })
const workers = await Promise.all(['one', 'two'].map(worker => connect(url, { clientId: `worker-${worker}` })))
await publisher.topic(name).publish({ key: 'warm-up', value: 'the topic is made' })

let seen = 0
const done = new AbortController()
const readers = workers.map(async (worker, index) => {
  let own = 0
  for await (const message of worker.topic(name).subscribe({ group: 'workers', from: 'earliest', signal: done.signal })) {
    if (String(message.value).startsWith('job')) {
      own++
      if (++seen === count) done.abort()
    }
  }
  return `worker ${index + 1}: ${own} jobs`
})
for (let i = 0; i < count; i++) await publisher.topic(name).publish({ key: `k${i}`, value: `job ${i}` })
for (const line of await Promise.all(readers)) console.log(line)
console.log(`${seen} jobs done, each by one worker`)
await Promise.all([publisher, ...workers].map(client => client.close()))
