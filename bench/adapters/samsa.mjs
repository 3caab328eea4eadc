// samsa as users have it: the compiled package (SAMSA_DIST), all options at their defaults (acks all, idempotent, 128 KiB batches).
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const dist = process.env.SAMSA_DIST
const { connect } = await import(pathToFileURL(join(dist, 'index.js')).href)
export const version = process.env.SAMSA_VERSION

const open = ({ zookeeper, brokers, compression, byZooKeeper, inspect, outbox, journal, recorderMaxBytes }) => {
  const options = {
    ...(compression ? { publish: { compression } } : {}),
    ...(outbox ? { outbox: mkdtempSync(join(tmpdir(), 'samsa-bench-')), outboxFsync: outbox === 'fsync' } : {}),
    ...(journal ? { journal: mkdtempSync(join(tmpdir(), 'samsa-bench-')) } : {}),
    ...(recorderMaxBytes === undefined ? {} : { recorderMaxBytes })
  }
  const named = byZooKeeper ? { zookeeper } : { brokers: brokers.join(',') }
  // An observer that does nothing: what the events alone cost.
  return connect({ ...named, ...options }, inspect ? { inspect: () => {} } : {})
}

export async function producer(options) {
  const cluster = await open(options)
  const topic = cluster.topic(options.topic)
  if (!options.cold) await topic.describe()
  return {
    sendList: values => topic.publish(values),
    sendOne: value => topic.publish(value),
    sendTo: (partition, value) => topic.publish({ partition, value }),
    close: () => cluster.close()
  }
}

export async function consumer({ onValue, mode, ...options }) {
  const cluster = await open(options)
  const consumer = cluster.topic(options.topic).subscribe({ group: options.group, from: 'earliest' })
  if (mode === 'message') for await (const message of consumer) onValue(message.value)
  else
    consumer.on('message.batch', batch => {
      for (const message of batch.messages) onValue(message.value)
      batch.ack()
    })
}
