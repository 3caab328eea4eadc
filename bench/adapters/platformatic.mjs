// @platformatic/kafka: send() for lists; for single messages its producer stream, which batches, and a delivery report for each.
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const folder = `${process.env.BENCH_PEERS}/node_modules/@platformatic/kafka`
const { Consumer, MessagesStreamModes, Producer, ProducerStreamReportModes } = await import(pathToFileURL(`${folder}/dist/index.js`).href)
export const { version } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'))

export async function producer({ topic, brokers, compression, lingerMs = 5 }) {
  const producer = new Producer({ clientId: 'bench', bootstrapBrokers: brokers, acks: -1, ...(compression ? { compression } : {}) })
  await producer.metadata({ topics: [topic] })
  const waiting = []
  let head = 0
  let stream
  const open = () => {
    const made = producer.asStream({
      batchSize: 10_000,
      batchTime: lingerMs,
      highWaterMark: 100_000,
      reportMode: ProducerStreamReportModes.MESSAGE,
      acks: -1
    })
    made.on('delivery-report', () => waiting[head++].resolve())
    made.on('error', error => {
      while (head < waiting.length) waiting[head++].reject(error)
    })
    return made
  }
  return {
    sendList: values => producer.send({ messages: values.map(value => ({ topic, value })), acks: -1 }),
    sendOne(value) {
      if (lingerMs === 0) return producer.send({ messages: [{ topic, value }], acks: -1 })
      stream ??= open()
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject })
        stream.write({ topic, value })
      })
    },
    async close() {
      if (stream) await stream.close()
      await producer.close(true)
    }
  }
}

export async function consumer({ topic, group, brokers, onValue }) {
  const consumer = new Consumer({ clientId: 'bench', groupId: group, bootstrapBrokers: brokers })
  const stream = await consumer.consume({ topics: [topic], mode: MessagesStreamModes.EARLIEST, autocommit: true })
  stream.on('data', message => onValue(message.value))
}
