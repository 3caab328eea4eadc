/**
 * The classes by API: what the table says beyond Kafka's defaults, and that it says nothing of errors that are none.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asksAgain, brokerError, errorClass, mayBeDone, meaningOf, meaningOfError, SENT_APIS } from '../../src/model/error-classes.ts'
import { BrokerError } from '../../src/model/errors.ts'
import { KAFKA_ERRORS, kafkaError } from '../../src/model/kafka-errors.ts'
import { API_NAMES } from '../../src/wire/apis.ts'

const FUTURE = 9_999
const codeOf = (name: string) => KAFKA_ERRORS.find(error => error.name === name)!.code

test('every API of the table is one of the protocol, and every code has a class in each', () => {
  assert.deepEqual(
    SENT_APIS.filter(api => !(API_NAMES as readonly string[]).includes(api)),
    []
  )
  for (const api of SENT_APIS) {
    for (const { code, name } of KAFKA_ERRORS) {
      const found = errorClass(api, code)
      if (code === 0) assert.equal(found, 'none')
      else if (found === 'none') assert.equal(`${api} ${name}`, 'Produce DUPLICATE_SEQUENCE_NUMBER')
    }
    assert.deepEqual(meaningOf(api, FUTURE), { class: 'unknown', remedy: undefined })
  }
})

test('who is no member is never asked to join again, and without a transaction there is none to abort', () => {
  const members = ['JoinGroup', 'SyncGroup', 'Heartbeat', 'ConsumerGroupHeartbeat', 'OffsetCommit', 'OffsetFetch']
  for (const api of SENT_APIS)
    for (const { code, name } of KAFKA_ERRORS) {
      assert.notEqual(errorClass(api, code), 'abort', `${api} ${name}`)
      if (!members.includes(api)) assert.notEqual(errorClass(api, code), 'rejoin', `${api} ${name}`)
    }
})

/** Each row is a decision that a client has made wrongly once, or that the default would make wrongly. */
const DECIDED = {
  'Produce OUT_OF_ORDER_SEQUENCE_NUMBER': ['retry', 'renumber'],
  'Produce UNKNOWN_PRODUCER_ID': ['retry', 'renumber'],
  'Produce PRODUCER_FENCED': ['retry', 'newIdentity'],
  'Produce MESSAGE_TOO_LARGE': ['fatal', 'split'],
  'Produce NOT_LEADER_OR_FOLLOWER': ['refresh', undefined],
  'Produce TOPIC_AUTHORIZATION_FAILED': ['fatal', undefined],
  'Produce UNKNOWN_MEMBER_ID': ['fatal', undefined],
  'Fetch OFFSET_OUT_OF_RANGE': ['retry', 'reset'],
  'Fetch CORRUPT_MESSAGE': ['retry', 'corrupt'],
  'Fetch FETCH_SESSION_ID_NOT_FOUND': ['retry', 'session'],
  'FindCoordinator COORDINATOR_LOAD_IN_PROGRESS': ['retry', undefined],
  'FindCoordinator GROUP_AUTHORIZATION_FAILED': ['fatal', undefined],
  'JoinGroup MEMBER_ID_REQUIRED': ['rejoin', 'named'],
  'JoinGroup UNKNOWN_MEMBER_ID': ['rejoin', 'outcast'],
  'JoinGroup FENCED_INSTANCE_ID': ['fatal', undefined],
  'Heartbeat UNKNOWN_MEMBER_ID': ['rejoin', 'outcast'],
  'Heartbeat REBALANCE_IN_PROGRESS': ['rejoin', 'rebalance'],
  'Heartbeat NOT_COORDINATOR': ['refresh', undefined],
  'LeaveGroup UNKNOWN_MEMBER_ID': ['fatal', 'absent'],
  'ConsumerGroupHeartbeat FENCED_MEMBER_EPOCH': ['rejoin', 'outcast'],
  'ConsumerGroupHeartbeat UNRELEASED_INSTANCE_ID': ['retry', 'taken'],
  'ConsumerGroupHeartbeat FENCED_INSTANCE_ID': ['fatal', undefined],
  'OffsetCommit UNKNOWN_MEMBER_ID': ['rejoin', 'refused'],
  'OffsetCommit STALE_MEMBER_EPOCH': ['rejoin', 'waits'],
  'OffsetCommit FENCED_INSTANCE_ID': ['fatal', 'refused'],
  'OffsetFetch UNSTABLE_OFFSET_COMMIT': ['retry', undefined],
  'DeleteTopics UNKNOWN_TOPIC_OR_PARTITION': ['fatal', undefined],
  'CreateTopics NOT_CONTROLLER': ['refresh', undefined],
  'InitProducerId COORDINATOR_LOAD_IN_PROGRESS': ['retry', undefined],
  'Metadata LEADER_NOT_AVAILABLE': ['refresh', 'waits']
} as const

for (const [key, [errorClass, remedy]] of Object.entries(DECIDED))
  test(`${key} is ${errorClass}${remedy ? `, ${remedy}` : ''}`, () => {
    const [api, name] = key.split(' ') as [(typeof SENT_APIS)[number], string]
    assert.deepEqual(meaningOf(api, codeOf(name)), { class: errorClass, remedy })
  })

test('a batch may be written after errors that leave it open, and after those that we do not know; not after a plain refusal', () => {
  for (const name of [
    'UNKNOWN_SERVER_ERROR',
    'REQUEST_TIMED_OUT',
    'NOT_LEADER_OR_FOLLOWER',
    'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
    'KAFKA_STORAGE_ERROR'
  ])
    assert.ok(mayBeDone('Produce', codeOf(name)), name)
  for (const name of ['NOT_ENOUGH_REPLICAS', 'MESSAGE_TOO_LARGE', 'TOPIC_AUTHORIZATION_FAILED', 'OUT_OF_ORDER_SEQUENCE_NUMBER'])
    assert.ok(!mayBeDone('Produce', codeOf(name)), name)
  assert.ok(mayBeDone('Produce', FUTURE))
  assert.ok(mayBeDone('OffsetCommit', FUTURE))
  assert.ok(!mayBeDone('Fetch', FUTURE))
})

test('what we do not know is tried again where that does no harm', () => {
  for (const code of [-1, FUTURE]) {
    assert.ok(asksAgain('Produce', code) && asksAgain('Fetch', code) && asksAgain('Heartbeat', code))
    assert.ok(!asksAgain('CreateTopics', code) && !asksAgain('OffsetCommit', code))
  }
})

test('an answer becomes an error with what was asked, name, number and API', () => {
  const error = brokerError('ListOffsets', 3, 'of orders/3')
  assert.ok(error instanceof BrokerError)
  assert.equal(error.code, 'UNKNOWN_TOPIC_OR_PARTITION')
  assert.equal(error.retriable, true)
  assert.deepEqual(error.kafka, { code: 3, name: 'UNKNOWN_TOPIC_OR_PARTITION', api: 'ListOffsets' })
  assert.match(error.message, /^ListOffsets of orders\/3: .*\(UNKNOWN_TOPIC_OR_PARTITION, 3\)\.$/)
  assert.deepEqual(meaningOfError(error.toJSON()), meaningOf('ListOffsets', 3))
})

test('where it may have been carried out, the error says so', () => {
  const error = brokerError('CreateTopics', -1, 'orders')
  assert.match(error.message, /Whether it was carried out is not known\.$/)
  assert.equal(error.details.outcome, 'unknown')
  assert.equal(brokerError('DescribeGroups', -1, 'of group g').details.outcome, undefined)
  assert.equal(kafkaError(FUTURE).name, `ERROR_${FUTURE}`)
})

test("the broker's own words are preferred, and only what a client can repeat is retriable", () => {
  assert.match(brokerError('CreateTopics', 44, 'orders', 'no more than 6 partitions').message, /no more than 6 partitions/)
  for (const code of [-1, 10, 29, 90, FUTURE]) assert.equal(brokerError('JoinGroup', code, '').retriable, false, String(code))
  for (const code of [6, 7, 14, 27]) assert.equal(brokerError('JoinGroup', code, '').retriable, true, String(code))
  assert.equal(brokerError('ListGroups', 27, '').retriable, false)
})
