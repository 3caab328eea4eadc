import { over } from './rdkafka.mjs'

export const { version, producer, consumer } = over('@confluentinc/kafka-javascript')
