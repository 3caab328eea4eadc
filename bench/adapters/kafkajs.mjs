// kafkajs: one send() is one Produce request per leader, so lists are what makes it fast. acks all.
import { createRequire } from 'node:module'

process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1'
const require = createRequire(`${process.env.BENCH_PEERS}/package.json`)
const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = require('kafkajs')
export const { version } = require('kafkajs/package.json')

// Its own lz4 package, with the native part of it.
function lz4() {
  CompressionCodecs[CompressionTypes.LZ4] = new (require('kafkajs-lz4'))().codec
  return CompressionTypes.LZ4
}

const client = ({ brokers }) => new Kafka({ clientId: 'bench', brokers, logLevel: logLevel.NOTHING })

export async function producer({ topic, ...options }) {
  const compression = options.compression ? lz4() : CompressionTypes.None
  const producer = client(options).producer({ allowAutoTopicCreation: false })
  await producer.connect()
  return {
    sendList: values => producer.send({ topic, acks: -1, compression, messages: values.map(value => ({ value })) }),
    sendOne: value => producer.send({ topic, acks: -1, compression, messages: [{ value }] }),
    close: () => producer.disconnect()
  }
}

export async function consumer({ topic, group, mode, onValue, ...options }) {
  if (options.compression) lz4()
  const consumer = client(options).consumer({ groupId: group })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run(
    mode === 'batch'
      ? {
          eachBatch: async ({ batch }) => {
            for (const message of batch.messages) onValue(message.value)
          }
        }
      : { eachMessage: async ({ message }) => onValue(message.value) }
  )
}
