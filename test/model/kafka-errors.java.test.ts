/**
 * Our table of errors against the enum of Kafka's own clients: every code and name, and which of them may be tried again.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KAFKA_ERRORS, kafkaError } from '../../src/model/kafka-errors.ts'
import { CodecOracle, JAR_SETS } from '../wire/codec-oracle.ts'

/** Java leaves these to the consumer's coordinator, or begins anew: not retriable there, and more than a retry here. */
const handledApart = new Set(['rejoin'])
const REBOOTSTRAP_REQUIRED = 129

for (const set of JAR_SETS)
  test(`every error of ${set} is in the table`, async () => {
    const oracle = await CodecOracle.start(set)
    try {
      const theirs = await oracle.errors()
      assert.ok(theirs.length > 120)
      for (const { code, name, retriable } of theirs) {
        const ours = kafkaError(code)
        assert.equal(ours.name, name)
        if (handledApart.has(ours.class) || code === REBOOTSTRAP_REQUIRED) assert.equal(retriable, false, name)
        else assert.equal(ours.class === 'retry' || ours.class === 'refresh', retriable, `${name} is ${ours.class}`)
      }
      if (set === JAR_SETS.at(-1)) assert.equal(theirs.length, KAFKA_ERRORS.length)
    } finally {
      oracle.close()
    }
  })
