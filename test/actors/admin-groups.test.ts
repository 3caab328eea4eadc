/**
 * Kafka's groups as the admin asks for them, against brokers that answer as a test says: both protocols, old and new brokers, coordinators that
 * move, and what no client of ours would have written.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { alterGroupOffsets, deleteGroup, deleteGroupOffsets } from '../../src/actors/admin-group-offsets.ts'
import { describeGroup } from '../../src/actors/admin-groups.ts'
import { encodeAssignment, encodeSubscription } from '../../src/flow/assignors/kafka/consumer-protocol.ts'
import { SamsaError } from '../../src/model/errors.ts'
import { type Asked, committedWith, coordinatorAt, ScriptedLinks } from '../support/scripted-links.ts'

const NOT_FOUND = 69
const subscription = { topics: ['u', 't'], userData: null, ownedPartitions: [], generationId: -1, rackId: 'r1' }
const partitions = [
  { topic: 't', partition: 10 },
  { topic: 't', partition: 2 }
]
const none = Buffer.alloc(0)

function bench(answer: (asked: Asked, times: number) => unknown) {
  const times = new Map<string, number>()
  return new ScriptedLinks(asked => {
    if (asked.api === 'FindCoordinator') return coordinatorAt('g', 1)
    times.set(asked.api, (times.get(asked.api) ?? 0) + 1)
    return answer(asked, times.get(asked.api)!)
  })
}
const member = (memberId: string, fields: object = {}) => ({
  memberId,
  groupInstanceId: null,
  clientId: 'c',
  clientHost: '/10.0.0.1',
  memberMetadata: encodeSubscription(subscription),
  memberAssignment: encodeAssignment({ partitions, userData: null }),
  ...fields
})
const classic = (fields: object = {}) => ({
  groups: [
    {
      errorCode: 0,
      errorMessage: null,
      groupId: 'g',
      groupState: 'Stable',
      protocolType: 'consumer',
      protocolData: 'range',
      members: [],
      ...fields
    }
  ]
})
const newer = (fields: object = {}) => ({
  groups: [
    {
      errorCode: 0,
      errorMessage: null,
      groupId: 'g',
      groupState: 'Reconciling',
      groupEpoch: 7,
      assignmentEpoch: 6,
      assignorName: 'uniform',
      members: [],
      ...fields
    }
  ]
})
/** A broker of before KIP-848 leaves it out of its APIs. */
function without848(brokers: ScriptedLinks): ScriptedLinks {
  brokers.versions.ConsumerGroupDescribe = undefined
  return brokers
}
const describeOn = (brokers: ScriptedLinks) => brokers.run(describeGroup(brokers.instance, 'g'))
const refused =
  (code: string, says: RegExp = /./) =>
  (error: unknown) =>
    error instanceof SamsaError && error.code === code && says.test(error.message)

describe('a classic group', () => {
  it('has members with what they subscribe to and own, in order', async () => {
    const members = [member('b', { groupInstanceId: 'static-1' }), member('a', { memberMetadata: none, memberAssignment: none })]
    const found = await describeOn(bench(({ api }) => (api === 'DescribeGroups' ? classic({ members }) : newer({ errorCode: NOT_FOUND }))))
    assert.deepEqual(
      [found?.type, found?.state, found?.assignor, found?.coordinator, found?.groupEpoch],
      ['classic', 'Stable', 'range', 1, null]
    )
    assert.deepEqual(
      found?.members.map(({ memberId, groupInstanceId, host, rackId, subscription: of, assignment, target, problem }) => [
        ...[memberId, groupInstanceId, host, rackId, of, assignment, target, problem]
      ]),
      [
        ['a', null, '10.0.0.1', null, null, [], null, null],
        ['b', 'static-1', '10.0.0.1', 'r1', { topics: ['t', 'u'], regex: null }, [{ topic: 't', partitions: [2, 10] }], null, null]
      ]
    )
  })

  it('shows a member whose bytes cannot be read, with the reason, and the others', async () => {
    const members = [
      member('a', { memberMetadata: Buffer.from('junk!') }),
      member('b', { memberAssignment: Buffer.from([0, 0, 255, 255, 255]) }),
      member('c')
    ]
    const found = await describeOn(bench(({ api }) => (api === 'DescribeGroups' ? classic({ members }) : newer({ errorCode: NOT_FOUND }))))
    assert.deepEqual(
      found?.members.map(({ memberId, problem, assignment }) => [memberId, problem !== null, assignment.length]),
      [
        ['a', true, 0],
        ['b', true, 0],
        ['c', false, 1]
      ]
    )
  })

  it('of another protocol type is not read as one of consumers', async () => {
    const members = [member('w', { memberMetadata: Buffer.from('anything'), memberAssignment: Buffer.from([1, 2, 3]) })]
    const found = await describeOn(without848(bench(() => classic({ protocolType: 'connect', members }))))
    assert.deepEqual([found?.protocolType, found?.members[0]?.subscription, found?.members[0]?.problem], ['connect', null, null])
  })

  it('is asked for alone where the broker has nothing newer; one that is dead is none', async () => {
    const brokers = without848(bench(() => classic({ groupState: 'Dead', protocolType: '' })))
    assert.equal(await describeOn(brokers), undefined)
    assert.deepEqual(
      brokers.asked.map(({ api }) => api),
      ['FindCoordinator', 'DescribeGroups']
    )
    assert.equal(
      await describeOn(
        bench(({ api }) => (api === 'DescribeGroups' ? classic({ errorCode: NOT_FOUND }) : newer({ errorCode: NOT_FOUND })))
      ),
      undefined
    )
    const unsupported = bench(({ api }) => (api === 'DescribeGroups' ? classic() : newer({ errorCode: 35 })))
    assert.equal((await describeOn(unsupported))?.type, 'classic')
  })
})

describe('a group of the new protocol', () => {
  const topicPartitions = (...numbers: number[]) => ({
    topicPartitions: [{ topicId: 'AAAAAAAAAAAAAAAAAAAAAA', topicName: 't', partitions: numbers }]
  })
  const one = {
    memberId: 'm',
    instanceId: 'static-1',
    rackId: null,
    memberEpoch: 6,
    clientId: 'c',
    clientHost: '/10.0.0.1',
    subscribedTopicNames: ['t'],
    subscribedTopicRegex: 'o.*',
    assignment: topicPartitions(3, 1),
    targetAssignment: topicPartitions(1, 2),
    memberType: 1
  }

  it('has epochs, a target beside what is owned, and patterns', async () => {
    const old = { ...one, memberId: 'z', subscribedTopicRegex: '', memberType: 0 }
    const found = await describeOn(bench(() => newer({ members: [old, one] })))
    assert.deepEqual([found?.type, found?.state, found?.groupEpoch, found?.assignmentEpoch], ['consumer', 'Reconciling', 7, 6])
    const [first, second] = found!.members
    assert.deepEqual(
      [first!.memberId, first!.groupInstanceId, first!.memberEpoch, first!.subscription, first!.assignment, first!.target, first!.protocol],
      [
        'm',
        'static-1',
        6,
        { topics: ['t'], regex: 'o.*' },
        [{ topic: 't', partitions: [1, 3] }],
        [{ topic: 't', partitions: [1, 2] }],
        'consumer'
      ]
    )
    assert.deepEqual([second!.protocol, second!.subscription], ['classic', { topics: ['t'], regex: null }])
  })

  it('is asked for again where it is, and an error of its own is final', async () => {
    const brokers = bench((_, times) => newer({ errorCode: [16, 14, 0][times - 1] }))
    assert.equal((await describeOn(brokers))?.type, 'consumer')
    assert.equal(brokers.asked.filter(({ api }) => api === 'FindCoordinator').length, 2)
    await assert.rejects(describeOn(bench(() => newer({ errorCode: 30 }))), refused('GROUP_AUTHORIZATION_FAILED'))
    await assert.rejects(describeOn(bench(() => ({ groups: [] }))), refused('LEFT_OUT'))
  })
})

describe('offsets written by who is no member', () => {
  const offsets = [0, 1, 2].map(partition => ({ topic: 't', partition, offset: 5n }))
  const alter = (brokers: ScriptedLinks) => brokers.run(alterGroupOffsets(brokers.instance, 'g', offsets))

  it('go without member and generation, again while the coordinator moves', async () => {
    const brokers = bench(({ body }, times) => committedWith(body, times === 1 ? 16 : 0))
    await alter(brokers)
    const [first, second] = brokers.bodies('OffsetCommit')
    assert.deepEqual([first.memberId, first.generationIdOrMemberEpoch], [undefined, undefined])
    assert.deepEqual(second, first)
  })

  it('are refused while there are members, in words that say so', async () => {
    const brokers = bench(({ body }) => committedWith(body, 25))
    await assert.rejects(alter(brokers), refused('NON_EMPTY_GROUP', /t\/0, t\/1, t\/2.*has members.*UNKNOWN_MEMBER_ID, 25/))
    assert.equal(brokers.bodies('OffsetCommit').length, 1)
  })

  it('of a partition that is not there name it, once', async () => {
    const brokers = bench(({ body }) => committedWith(body, { 't/1': 3 }))
    await assert.rejects(alter(brokers), refused('UNKNOWN_TOPIC_OR_PARTITION', /\(t\/1\)/))
    assert.equal(brokers.bodies('OffsetCommit').length, 1)
  })

  it('are deleted by partition; what the group subscribes to is refused', async () => {
    const answer = (errorCode: number, code = 0) => ({
      errorCode,
      topics: [{ name: 't', partitions: [0, 1, 2].map(partitionIndex => ({ partitionIndex, errorCode: partitionIndex === 1 ? code : 0 })) }]
    })
    const remove = (brokers: ScriptedLinks) => brokers.run(deleteGroupOffsets(brokers.instance, 'g', offsets))
    const brokers = bench((_, times) => answer(times === 1 ? 15 : 0))
    await remove(brokers)
    assert.deepEqual(brokers.bodies('OffsetDelete')[1].topics, [
      { name: 't', partitions: [0, 1, 2].map(partitionIndex => ({ partitionIndex })) }
    ])
    await assert.rejects(remove(bench(() => answer(0, 86))), refused('GROUP_SUBSCRIBED_TO_TOPIC', /\(t\/1\)/))
    await assert.rejects(remove(bench(() => answer(NOT_FOUND))), refused('GROUP_ID_NOT_FOUND'))
  })

  it('go with the group, unless it has members', async () => {
    const answer = (errorCode: number) => ({ results: [{ groupId: 'g', errorCode }] })
    const remove = (brokers: ScriptedLinks) => brokers.run(deleteGroup(brokers.instance, 'g'))
    await remove(bench((_, times) => answer(times === 1 ? 16 : 0)))
    await assert.rejects(remove(bench(() => answer(68))), refused('NON_EMPTY_GROUP'))
    await assert.rejects(remove(bench(() => ({ results: [] }))), refused('UNKNOWN_SERVER_ERROR'))
  })
})
