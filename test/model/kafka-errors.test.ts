/**
 * The table of Kafka's errors in itself; `kafka-errors.java.test.ts` holds it against Kafka's own.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KAFKA_ERRORS, kafkaError } from '../../src/model/kafka-errors.ts'

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
