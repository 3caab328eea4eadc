// samsa through its actor: PUBLISH events, answered by `published`, and `message.batch` emissions of a consumer, acked.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const dist = process.env.SAMSA_DIST
const { ClusterActor } = await import(pathToFileURL(join(dist, 'index.js')).href)
const { createActor, waitFor } = createRequire(join(dist, 'index.js'))('xstate')
export const version = process.env.SAMSA_VERSION

async function open({ brokers }) {
  const cluster = createActor(ClusterActor, { input: { brokers: brokers.join(',') } })
  cluster.start()
  await waitFor(cluster, state => state.hasTag('ready'))
  return cluster
}

export async function producer(options) {
  const cluster = await open(options)
  const waiting = new Map()
  let last = 0
  const settle = how => event => {
    const { [how]: done } = waiting.get(event.id)
    waiting.delete(event.id)
    done(how === 'reject' ? new Error(event.error.message) : undefined)
  }
  cluster.on('published', settle('resolve'))
  cluster.on('publish.failed', settle('reject'))
  const send = messages =>
    new Promise((resolve, reject) => {
      const id = ++last
      waiting.set(id, { resolve, reject })
      cluster.send({ type: 'PUBLISH', id, topic: options.topic, messages })
    })
  return {
    sendList: send,
    sendOne: send,
    close: async () => {
      cluster.send({ type: 'CLOSE' })
      await waitFor(cluster, state => state.status !== 'active')
    }
  }
}

export async function consumer({ onValue, topic, group, ...options }) {
  const cluster = await open(options)
  cluster.on('consumer.started', ({ consumer }) =>
    consumer.on('message.batch', batch => {
      for (const message of batch.messages) onValue(message.value)
      batch.ack()
    })
  )
  cluster.send({ type: 'SUBSCRIBE', topic, group, from: 'earliest' })
}
