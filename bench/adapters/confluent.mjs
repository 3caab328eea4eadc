// @confluentinc/kafka-javascript by its promises, after kafkajs; librdkafka makes the batches.
import { createRequire } from 'node:module'

const require = createRequire(`${process.env.BENCH_NATIVE}/package.json`)
const { CompressionTypes, Kafka, logLevel } = require('@confluentinc/kafka-javascript').KafkaJS
export const { version } = require('@confluentinc/kafka-javascript/package.json')

const client = ({ brokers }) => new Kafka({ kafkaJS: { clientId: 'bench', brokers, logLevel: logLevel.NOTHING } })

export async function producer({ topic, compression, lingerMs = 5, ...options }) {
  const bulk =
    lingerMs > 0 ? { 'batch.size': 1_048_576, 'queue.buffering.max.messages': 500_000, 'queue.buffering.max.kbytes': 1_048_576 } : {}
  const producer = client(options).producer({
    kafkaJS: {
      acks: -1,
      allowAutoTopicCreation: false,
      ...(compression ? { compression: CompressionTypes[compression.toUpperCase()] } : {})
    },
    'linger.ms': lingerMs,
    ...bulk
  })
  await producer.connect()
  return {
    sendList: values => producer.send({ topic, messages: values.map(value => ({ value })) }),
    sendOne: value => producer.send({ topic, messages: [{ value }] }),
    close: () => producer.disconnect()
  }
}

export async function consumer({ topic, group, mode, onValue, ...options }) {
  const consumer = client(options).consumer({
    kafkaJS: { groupId: group, fromBeginning: true, autoCommit: true },
    ...(mode === 'batch' ? { 'js.consumer.max.batch.size': 1_000 } : {})
  })
  await consumer.connect()
  await consumer.subscribe({ topic })
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
