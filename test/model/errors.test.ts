/**
 * Errors: one shape, a plain form that may travel, nothing lost on the way.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as errors from '../../src/model/errors.ts'

const { BrokerError, PublishError, plainError, ProtocolError, SamsaError, TimeoutError } = errors

describe('an error', () => {
  it('of every class is a SamsaError and an Error, named by its class', () => {
    const classes = Object.values(errors).filter(one => one.prototype instanceof SamsaError)
    assert.ok(classes.length >= 8, `${classes.length} classes`)
    for (const each of classes) {
      const error = each === PublishError ? new PublishError('X', 'why', 'failed') : new (each as typeof ProtocolError)('X', 'why')
      assert.ok(error instanceof SamsaError && error instanceof Error)
      assert.deepEqual([error.name, error.code, error.message, error.retriable, error.kafka], [each.name, 'X', 'why', false, undefined])
      assert.match(String(error.stack), /why/)
    }
  })

  it('keeps what it was given', () => {
    const cause = new Error('underneath')
    const error = new BrokerError('NOT_CONTROLLER', 'why', {
      retriable: true,
      cause,
      kafka: { code: 41, name: 'NOT_CONTROLLER' },
      details: { broker: 3, topic: null }
    })
    assert.equal(error.cause, cause)
    assert.equal(error.retriable, true)
    assert.deepEqual(error.kafka, { code: 41, name: 'NOT_CONTROLLER' })
    assert.deepEqual(error.details, { broker: 3, topic: null })
  })

  it('without a cause has no such property', () => {
    assert.equal('cause' in new TimeoutError('X', 'why'), false)
  })

  it('of a publish says what became of it, in its details too', () => {
    for (const outcome of ['failed', 'unknown'] as const) {
      const error = new PublishError('DELIVERY_TIMEOUT', 'why', outcome, { details: { topic: 't' } })
      assert.equal(error.outcome, outcome)
      assert.deepEqual(error.details, { topic: 't', outcome })
    }
  })
})

describe('the plain form', () => {
  it('survives JSON and structuredClone, and shares nothing with the error', () => {
    const error = new BrokerError('X', 'why', { kafka: { code: 1, name: 'X' }, details: { topic: 't' }, cause: new Error('secret') })
    const plain = plainError(error)
    assert.deepEqual(JSON.parse(JSON.stringify(error)), plain)
    assert.deepEqual(structuredClone(plain), plain)
    assert.deepEqual(plain, {
      name: 'BrokerError',
      code: 'X',
      message: 'why',
      retriable: false,
      kafka: { code: 1, name: 'X' },
      details: { topic: 't' }
    })
    plain.details.topic = 'other'
    plain.kafka!.code = 2
    assert.deepEqual([error.details.topic, error.kafka?.code], ['t', 1])
    assert.equal('kafka' in plainError(new ProtocolError('X', 'why')), false)
  })

  it('of anything else is UNEXPECTED, or has the code that Node gave it', () => {
    assert.deepEqual(plainError(new TypeError('odd')), {
      name: 'TypeError',
      code: 'UNEXPECTED',
      message: 'odd',
      retriable: false,
      details: {}
    })
    assert.equal(plainError(Object.assign(new Error('x'), { code: 'ECONNREFUSED' })).code, 'ECONNREFUSED')
    assert.equal(plainError(Object.assign(new Error('x'), { code: 7 })).code, 'UNEXPECTED')
    for (const thrown of ['text', 7, null, undefined, { a: 1 }]) assert.equal(plainError(thrown).message, String(thrown))
  })
})
