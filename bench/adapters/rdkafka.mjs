// The events of node-rdkafka, which @confluentinc/kafka-javascript has too: one call into librdkafka for each message, a delivery report for each.
import { createRequire } from 'node:module'

const PENDING_MOST = 200_000
const POLL_MS = 5

export function over(packageName) {
  const require = createRequire(`${process.env.BENCH_NATIVE}/package.json`)
  const { KafkaConsumer, Producer } = require(packageName)
  const { version } = require(`${packageName}/package.json`)
  const common = ({ brokers }) => ({ 'metadata.broker.list': brokers.join(','), 'client.id': 'bench' })
  const connected = client =>
    new Promise((resolve, reject) => client.connect({ timeout: 10_000 }, error => (error ? reject(error) : resolve())))

  async function producer({ topic, compression = 'none', lingerMs = 5, ...options }) {
    const bulk =
      lingerMs > 0 ? { 'batch.size': 1_048_576, 'queue.buffering.max.messages': 500_000, 'queue.buffering.max.kbytes': 1_048_576 } : {}
    const producer = new Producer(
      { ...common(options), dr_cb: true, 'linger.ms': lingerMs, 'compression.codec': compression, ...bulk },
      { acks: -1 }
    )
    await connected(producer)
    if (producer.setPollInBackground) producer.setPollInBackground(true)
    else producer.setPollInterval(lingerMs === 0 ? 1 : POLL_MS)
    let pending = 0
    let room = () => {}
    producer.on('delivery-report', (error, { opaque }) => {
      pending--
      room()
      opaque(error)
    })
    const send = (value, done) => {
      pending++
      producer.produce(topic, null, value, null, 0, done)
    }
    const whenRoom = () =>
      new Promise(resolve => {
        room = () => pending < PENDING_MOST / 2 && resolve()
      })
    return {
      async sendList(values) {
        if (pending > PENDING_MOST) await whenRoom()
        await new Promise((resolve, reject) => {
          let left = values.length
          const done = error => {
            if (error) reject(error)
            else if (--left === 0) resolve()
          }
          for (const value of values) send(value, done)
        })
      },
      sendOne: value => new Promise((resolve, reject) => send(value, error => (error ? reject(error) : resolve()))),
      close: () => new Promise(resolve => producer.disconnect(() => resolve()))
    }
  }

  async function consumer({ topic, group, mode, onValue, ...options }) {
    const consumer = new KafkaConsumer(
      { ...common(options), 'group.id': group, 'enable.auto.commit': true },
      { 'auto.offset.reset': 'earliest' }
    )
    await connected(consumer)
    consumer.subscribe([topic])
    if (mode === 'message') {
      consumer.on('data', message => onValue(message.value))
      return consumer.consume()
    }
    consumer.setDefaultConsumeTimeout(50)
    const next = () =>
      consumer.consume(1_000, (error, messages) => {
        if (error) return setTimeout(next, 10)
        for (const message of messages) onValue(message.value)
        setImmediate(next)
      })
    next()
  }

  return { version, producer, consumer }
}
