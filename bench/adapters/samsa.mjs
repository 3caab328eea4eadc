// samsa as users have it: the compiled package (SAMSA_DIST), all options at their defaults (acks all, idempotent, 128 KiB batches).
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const dist = process.env.SAMSA_DIST
const { connect } = await import(pathToFileURL(join(dist, 'index.js')).href)
export const version = JSON.parse(readFileSync(join(dist, '..', 'package.json'), 'utf8')).version

const open = ({ zookeeper, brokers }) => connect(zookeeper ? `zookeeper://${zookeeper}` : `kafka://${brokers.join(',')}`)

export async function producer(options) {
  const cluster = await open(options)
  const topic = cluster.topic(options.topic)
  await topic.describe()
  return {
    sendList: values => topic.publish(values),
    sendOne: value => topic.publish(value),
    close: () => cluster.close()
  }
}

export async function consumer({ onValue, mode, ...options }) {
  const cluster = await open(options)
  const partitions = Array.from({ length: options.partitions }, (_, partition) => ({ topic: options.topic, partition }))
  const assignment = options.assign === 'all' ? { partitions } : { group: options.group }
  const consumer = cluster.topic(options.topic).subscribe({ ...assignment, from: 'earliest' })
  if (mode === 'message') for await (const message of consumer) onValue(message.value)
  else
    consumer.on('message.batch', batch => {
      for (const message of batch.messages) onValue(message.value)
      batch.ack()
    })
}
