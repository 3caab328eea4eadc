/**
 * The table of Kafka's errors in itself; `kafka-errors.java.test.ts` holds it against Kafka's own.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BrokerError } from '../../src/model/errors.ts'
import { brokerError, KAFKA_ERRORS, kafkaError } from '../../src/model/kafka-errors.ts'

test('each code and name is there once, from -1 on without a hole', () => {
  assert.deepEqual(
    KAFKA_ERRORS.map(({ code }) => code),
    KAFKA_ERRORS.map((_, index) => index - 1)
  )
  assert.equal(new Set(KAFKA_ERRORS.map(({ name }) => name)).size, KAFKA_ERRORS.length)
})

test('each says in words what is wrong, not its name once more', () => {
  for (const { name, message } of KAFKA_ERRORS) {
    if (name === 'NONE') continue
    assert.ok(message.length > 15, `${name}: ${message}`)
    assert.notEqual(message.toLowerCase(), name.toLowerCase().replaceAll('_', ' '))
    assert.doesNotMatch(message, /^[A-Z]|\.$/, name)
  }
})

test('a code that we do not know is unknown, and keeps its number', () => {
  for (const code of [134, 9_999, -2]) {
    const error = kafkaError(code)
    assert.deepEqual([error.code, error.name, error.class], [code, `ERROR_${code}`, 'unknown'])
    assert.match(error.message, new RegExp(String(code)))
  }
})

test('an answer becomes an error with what was asked, name and number', () => {
  const error = brokerError(3, 'ListOffsets orders/3')
  assert.ok(error instanceof BrokerError)
  assert.equal(error.code, 'UNKNOWN_TOPIC_OR_PARTITION')
  assert.equal(error.retriable, true)
  assert.deepEqual(error.kafka, { code: 3, name: 'UNKNOWN_TOPIC_OR_PARTITION' })
  assert.match(error.message, /^ListOffsets orders\/3: .*\(UNKNOWN_TOPIC_OR_PARTITION, 3\)\.$/)
})

test("the broker's own words are preferred, and only what a client can repeat is retriable", () => {
  assert.match(brokerError(44, 'CreateTopics orders', 'no more than 6 partitions').message, /no more than 6 partitions/)
  for (const code of [-1, 10, 29, 90, 9_999]) assert.equal(brokerError(code, 'x').retriable, false, String(code))
  for (const code of [6, 7, 14, 27]) assert.equal(brokerError(code, 'x').retriable, true, String(code))
})
