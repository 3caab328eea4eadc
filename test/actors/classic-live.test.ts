/**
 * The live side of a classic member: what it says to the coordinator, what it makes of each answer, and up to when it counts as an owner. Brokers
 * answer as told, the clock moves when told.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LiveClassic, liveClassic } from '../../src/actors/classic-live.ts'
import { verdictOf } from '../../src/actors/classic-requests.ts'
import type { ConsumerPlane } from '../../src/actors/consumer-plane.ts'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription
} from '../../src/flow/assignors/kafka/consumer-protocol.ts'
import type { ClassicMemberEvent } from '../../src/machines/classic-member.ts'
import type { Assignor } from '../../src/model/assignor.ts'
import { brokerError } from '../../src/model/error-classes.ts'
import { ProtocolError, SamsaError } from '../../src/model/errors.ts'
import type { ConsumerEmitted, SubscribeOptions } from '../../src/model/events.ts'
import { resolveSubscription } from '../../src/model/subscription.ts'
import { type Asked, committedWith, connectionLost, coordinatorAt, ScriptedLinks } from '../support/scripted-links.ts'

const owned = (...partitions: number[]) => partitions.map(partition => ({ topic: 't', partition }))
const joinAnswer = (more: object = {}) => ({
  errorCode: 0,
  generationId: 3,
  protocolType: 'consumer',
  protocolName: 'cooperative-sticky',
  leader: 'm',
  skipAssignment: false,
  memberId: 'm',
  members: [],
  ...more
})
const subscriptionOf = (...topics: string[]) =>
  encodeSubscription({ topics, userData: null, ownedPartitions: [], generationId: -1, rackId: null })
const joining = { offers: ['cooperative-sticky'], topics: ['t'], held: [], reason: 'because' }
const me = { memberId: 'm', generation: 3 }

function bench(answer: (asked: Asked) => unknown, options: Partial<SubscribeOptions> = {}, assignors: Assignor[] = []) {
  const brokers = new ScriptedLinks(asked => (asked.api === 'FindCoordinator' ? coordinatorAt('g', 1) : answer(asked)))
  const emitted: ConsumerEmitted[] = []
  const plane = {
    emit: (event: ConsumerEmitted) => emitted.push(event),
    assignors: new Map(assignors.map(each => [each.name, each]))
  } as unknown as ConsumerPlane
  brokers.instance.consumers.set('consumers/1', plane)
  const sent: ClassicMemberEvent[] = []
  const subscription = resolveSubscription({ topic: 't', group: 'g', membership: 'classic', ...options }, false)
  const live = new LiveClassic(brokers.instance, { path: 'consumers/1/member', consumer: 'consumers/1', subscription }, event =>
    sent.push(event)
  )
  const troubles = () => emitted.flatMap(event => (event.type === 'trouble' ? [event.error.code] : []))
  return { brokers, live, plane, sent, troubles }
}

describe('JoinGroup', () => {
  it('says who it is, what it owns and why it comes, on a connection of its own', async () => {
    const { brokers, live } = bench(() => joinAnswer({ leader: 'other' }), { groupInstanceId: 'one', maxPollIntervalMs: 60_000 })
    const event = await live.join(1, { memberId: 'm', generation: 2 }, { ...joining, held: owned(1) })
    assert.deepEqual(event, {
      type: 'JOINED',
      attempt: 1,
      memberId: 'm',
      generation: 3,
      protocol: 'cooperative-sticky',
      leader: false,
      skipAssignment: false,
      members: 0,
      groupTopics: [],
      leaseMs: 45_000
    })
    const { protocols, ...body } = brokers.bodies('JoinGroup')[0]
    assert.deepEqual(body, {
      groupId: 'g',
      sessionTimeoutMs: 45_000,
      rebalanceTimeoutMs: 60_000,
      memberId: 'm',
      groupInstanceId: 'one',
      protocolType: 'consumer',
      reason: 'because'
    })
    const { topics, ownedPartitions, generationId } = decodeSubscription(protocols[0].metadata, 'm')
    assert.deepEqual([topics, ownedPartitions, generationId], [['t'], owned(1), 2])
    assert.ok(brokers.acquired.includes('1/group:consumers/1'))
  })

  it('takes an id that it must come back with', async () => {
    const { live } = bench(() => ({ errorCode: 79, memberId: 'given' }))
    assert.deepEqual(await live.join(4, { memberId: '', generation: -1 }, joining), {
      type: 'MEMBER_ID_GIVEN',
      attempt: 4,
      memberId: 'given'
    })
  })

  it('hears of the topics of all members; one that cannot be understood has none, and is told', async () => {
    const members = [
      { memberId: 'm', groupInstanceId: null, metadata: subscriptionOf('t') },
      { memberId: 'n', groupInstanceId: null, metadata: subscriptionOf('u', 't') },
      { memberId: 'x', groupInstanceId: null, metadata: Buffer.from([0, 1, 255, 255, 255, 255]) }
    ]
    const { live, troubles } = bench(() => joinAnswer({ members }))
    const event = (await live.join(1, me, joining)) as Extract<ClassicMemberEvent, { type: 'JOINED' }>
    assert.deepEqual([event.leader, event.members, event.groupTopics], [true, 3, ['t', 'u']])
    assert.deepEqual(troubles(), ['INVALID_SUBSCRIPTION'])
  })

  it('a group of another kind is no group of consumers', async () => {
    const { live } = bench(() => joinAnswer({ protocolType: 'connect' }))
    await assert.rejects(live.join(1, me, joining), { code: 'INCONSISTENT_GROUP_PROTOCOL' })
  })

  it('a coordinator that is another one is looked for again', async () => {
    const { brokers, live } = bench(() => ({ errorCode: 16, memberId: '' }))
    await assert.rejects(live.join(1, me, joining), { code: 'NOT_COORDINATOR' })
    await live.find()
    assert.equal(brokers.bodies('FindCoordinator').length, 2)
  })
})

describe('dividing and SyncGroup', () => {
  const members = ['m', 'n'].map(memberId => ({ memberId, groupInstanceId: null, metadata: subscriptionOf('t') }))
  const levels = [{ topic: 't', topicId: null, partitions: [1, 0, 3, 2] }]
  const synced = (bytes: Uint8Array) => (asked: Asked) =>
    asked.api === 'JoinGroup'
      ? joinAnswer({ members })
      : { errorCode: 0, protocolType: 'consumer', protocolName: 'cooperative-sticky', assignment: bytes }

  it('the leader sends each member its share, and takes its own from the answer', async () => {
    const mine = encodeAssignment({ partitions: owned(0, 2), userData: null })
    const { brokers, live } = bench(synced(mine))
    await live.join(1, me, joining)
    live.divide('cooperative-sticky', levels, false)
    const event = await live.sync(2, me, 'cooperative-sticky', ['t'])
    assert.deepEqual(event, { type: 'SYNCED', attempt: 2, partitions: owned(0, 2), leaseMs: 45_000 })
    const { assignments, protocolName, generationId } = brokers.bodies('SyncGroup')[0]
    assert.deepEqual([protocolName, generationId], ['cooperative-sticky', 3])
    const shares = assignments.map(
      (each: { memberId: string; assignment: Buffer }) => decodeAssignment(each.assignment, each.memberId).partitions.length
    )
    assert.deepEqual(shares, [2, 2])
  })

  it('leaves the assignment as it is where the coordinator says so, and as a follower', async () => {
    const { brokers, live } = bench(synced(Buffer.alloc(0)))
    await live.join(1, me, joining)
    live.divide('cooperative-sticky', levels, true)
    assert.deepEqual(
      ((await live.sync(2, me, 'cooperative-sticky', ['t'])) as { partitions: unknown }).partitions,
      [],
      'a leader may leave one out'
    )
    assert.deepEqual(brokers.bodies('SyncGroup')[0].assignments, [])
  })

  it('takes nothing that it did not ask for', async () => {
    const { live, troubles } = bench(
      synced(encodeAssignment({ partitions: [...owned(0), { topic: 'other', partition: 1 }], userData: null }))
    )
    const event = await live.sync(2, me, 'cooperative-sticky', ['t'])
    assert.deepEqual((event as { partitions: unknown }).partitions, owned(0))
    assert.deepEqual(troubles(), ['UNASKED_ASSIGNMENT'])
  })

  it('an assignment that cannot be read, or is of another protocol, is an error', async () => {
    await assert.rejects(bench(synced(Buffer.from([0]))).live.sync(2, me, 'cooperative-sticky', ['t']), { code: 'INVALID_ASSIGNMENT' })
    const other = bench(synced(Buffer.alloc(0))).live
    await assert.rejects(other.sync(2, me, 'range', ['t']), { code: 'INCONSISTENT_GROUP_PROTOCOL' })
  })

  it('an assignor of the user is asked for its data, told what it got, and may fail', async () => {
    const seen: unknown[] = []
    const own: Assignor = {
      name: 'own',
      rebalanceProtocol: 'eager',
      userData: (topics, last, generation) => {
        seen.push([topics, last, generation])
        return Buffer.from('mine')
      },
      assign: () => {
        throw new Error('broken')
      },
      onAssignment: (partitions, _, generation) => {
        seen.push([partitions, generation])
        throw new Error('also broken')
      }
    }
    const mine = encodeAssignment({ partitions: owned(0), userData: null })
    const { brokers, live, troubles } = bench(
      ({ api }) =>
        api === 'JoinGroup'
          ? joinAnswer({ members, protocolName: 'own' })
          : { errorCode: 0, protocolType: null, protocolName: null, assignment: mine },
      { assignor: own },
      [own]
    )
    assert.deepEqual(live.offers, [{ name: 'own', eager: true }])
    await live.join(1, me, { ...joining, offers: ['own'] })
    assert.throws(() => live.divide('own', levels, false), { code: 'ASSIGNOR_FAILED' })
    await live.sync(2, me, 'own', ['t'])
    await live.join(3, me, { ...joining, offers: ['own'] })
    assert.deepEqual(seen, [
      [['t'], [], -1],
      [owned(0), 3],
      [['t'], owned(0), 3]
    ])
    assert.equal(String(decodeSubscription(brokers.bodies('JoinGroup')[0].protocols[0].metadata, 'm').userData), 'mine')
    assert.deepEqual(troubles(), ['ASSIGNOR_FAILED'])
  })
})

describe('heartbeats', () => {
  const beat = (code: number) => bench(() => ({ errorCode: code }))
  it('prove ownership for a session from when they were sent, also while the group rebalances', async () => {
    for (const [code, verdict] of [
      [0, 'alive'],
      [27, 'rebalance']
    ] as const) {
      let answerIt = (_: unknown) => {}
      const { brokers, live, plane } = bench(() => new Promise(resolve => (answerIt = resolve)))
      assert.equal(plane.provenUntilMs(), 0, 'nothing is proven before')
      const sentMs = brokers.virtual.nowMs
      const pending = live.heartbeat(7, me, false)
      await brokers.virtual.advance(1_000)
      answerIt({ errorCode: code })
      const event = await pending
      assert.ok(event.type === 'HEARTBEAT')
      assert.deepEqual([event.beat, event.verdict, event.leaseMs], [7, verdict, 44_000])
      assert.equal(plane.provenUntilMs(), sentMs + 45_000)
      live.lose()
      assert.equal(plane.provenUntilMs(), 0)
    }
  })

  it('that are refused, or not heard, prove nothing', async () => {
    for (const [code, verdict] of [
      [22, 'stale'],
      [25, 'unknown'],
      [82, 'final'],
      [16, 'elsewhere'],
      [14, 'again']
    ] as const) {
      const { live, plane } = beat(code)
      const event = await live.heartbeat(1, me, false)
      assert.ok(event.type === 'HEARTBEAT')
      assert.deepEqual([event.verdict, event.leaseMs, plane.provenUntilMs()], [verdict, 0, 0])
    }
  })

  it('go over the shared connection while their own is held', async () => {
    const { brokers, live } = beat(0)
    await live.heartbeat(1, me, true)
    assert.deepEqual(
      brokers.asked.filter(({ api }) => api === 'Heartbeat').map(({ purpose }) => purpose),
      ['data']
    )
  })
})

describe('committed offsets of what was given', () => {
  it('are read with their leader epochs, and those that have none begin anew', async () => {
    const row = { partitionIndex: 0, committedOffset: 7n, committedLeaderEpoch: 4, metadata: '', errorCode: 0 }
    const { live } = bench(() => ({ groups: [{ groupId: 'g', errorCode: 0, topics: [{ name: 't', partitions: [row] }] }] }))
    assert.deepEqual(await live.claim(5, owned(0, 1)), {
      type: 'CLAIMED',
      attempt: 5,
      partitions: [
        { topic: 't', partition: 0, offset: '7', leaderEpoch: 4 },
        { topic: 't', partition: 1, offset: null, leaderEpoch: null }
      ]
    })
  })

  it('a commit that the group refuses is told to the machine, as that generation', async () => {
    const { live, sent } = bench(({ body }) => committedWith(body, 25))
    live.offsets.become({ epoch: 1, memberId: 'm', generation: 3, groupInstanceId: null }, owned(0))
    await assert.rejects(live.offsets.commit(1, [{ topic: 't', partition: 0, offset: 1n }]), { code: 'UNKNOWN_MEMBER_ID' })
    assert.deepEqual(
      sent.map(event => event.type === 'REFUSED' && [event.generation, event.verdict]),
      [[3, 'unknown']]
    )
  })
})

describe('leaving', () => {
  it('names the member and the reason; older coordinators know the id alone', async () => {
    const { brokers, live } = bench(() => ({ errorCode: 0, members: [{ memberId: 'm', groupInstanceId: null, errorCode: 0 }] }))
    await live.leave('m', 'the consumer closes', 3_000)
    assert.deepEqual(brokers.bodies('LeaveGroup'), [
      { groupId: 'g', members: [{ memberId: 'm', groupInstanceId: null, reason: 'the consumer closes' }] }
    ])
    brokers.versions.LeaveGroup = 2
    await live.leave('m', 'the consumer closes', 3_000)
    assert.deepEqual(brokers.bodies('LeaveGroup')[1], { groupId: 'g', memberId: 'm' })
    assert.equal(brokers.virtual.timers, 0)
  })

  it('a static member does not', async () => {
    const { brokers, live } = bench(() => ({}), { groupInstanceId: 'one' })
    await live.leave('m', 'the consumer closes', 3_000)
    live.stop()
    assert.deepEqual(brokers.bodies('LeaveGroup'), [])
  })

  it('a member whose id an old coordinator has not told yet waits for it, and then leaves', async () => {
    let answerIt = (_: unknown) => {}
    const { brokers, live } = bench(({ api }) =>
      api === 'JoinGroup' ? new Promise(resolve => (answerIt = resolve)) : { errorCode: 0, members: [] }
    )
    const join = live.join(1, { memberId: '', generation: -1 }, joining)
    await brokers.virtual.advance(10)
    const left = live.leave('', 'the consumer closes', 3_000)
    await brokers.virtual.advance(10)
    answerIt(joinAnswer({ memberId: 'late' }))
    await Promise.all([join, left])
    assert.equal(brokers.bodies('LeaveGroup')[0].members[0].memberId, 'late')
  })

  it('that is not confirmed in time is told; that it was no member any more is not', async () => {
    const silent = bench(() => new Promise(() => {}))
    await silent.brokers.run(silent.live.leave('m', 'x', 3_000))
    assert.deepEqual(silent.troubles(), ['LEFT_UNHEARD'])
    const unknown = bench(() => ({ errorCode: 0, members: [{ memberId: 'm', groupInstanceId: null, errorCode: 25 }] }))
    await unknown.live.leave('m', 'x', 3_000)
    assert.deepEqual(unknown.troubles(), [])
  })

  it('one that is stopped says so without waiting, and is found no more', async () => {
    const { brokers, live } = bench(({ api }) => (api === 'JoinGroup' ? joinAnswer() : { errorCode: 0, members: [] }))
    await live.join(1, me, joining)
    live.stop()
    assert.equal(brokers.bodies('LeaveGroup').length, 1)
    assert.deepEqual(brokers.released, ['1/group:consumers/1'])
    assert.equal(liveClassic(brokers.instance, 'consumers/1/member'), undefined)
  })
})

describe('what a group speaks', () => {
  const described = (more: object) => () => ({
    groups: [
      {
        groupId: 'g',
        errorCode: 0,
        errorMessage: null,
        groupState: 'Stable',
        protocolType: 'consumer',
        protocolData: 'range',
        members: [{}, {}],
        ...more
      }
    ]
  })
  const lookAt = async (more: object) => {
    const event = await bench(described(more)).live.look(1)
    return event.type === 'LOOKED' ? [event.protocol, event.offer] : undefined
  }
  it('is one of ours, another, another kind of group, or not to be seen now', async () => {
    assert.deepEqual(await lookAt({}), ['range', { name: 'range', eager: true }])
    assert.deepEqual(await lookAt({ protocolData: 'theirs' }), ['theirs', null])
    assert.deepEqual(await lookAt({ protocolType: 'connect', protocolData: 'compatible' }), ['connect (compatible)', null])
    assert.deepEqual(await lookAt({ groupState: 'PreparingRebalance', protocolData: '' }), [null, null])
    assert.deepEqual(await lookAt({ errorCode: 69, protocolType: '', protocolData: '' }), [null, null])
    assert.equal(await bench(described({})).live.countMembers(), 2)
  })
})

describe('what an error asks of the member', () => {
  it('follows its kind', () => {
    assert.equal(verdictOf(brokerError('JoinGroup', 23, 'x')), 'inconsistent')
    assert.equal(verdictOf(brokerError('Heartbeat', -1, 'x')), 'again', 'a broker that fails for reasons of its own may not the next time')
    assert.equal(verdictOf(brokerError('Heartbeat', 30, 'x')), 'final')
    assert.equal(verdictOf(connectionLost()), 'elsewhere')
    assert.equal(verdictOf(new ProtocolError('BAD_FRAME', 'x')), 'elsewhere')
    assert.equal(verdictOf(new ProtocolError('INVALID_ASSIGNMENT', 'x')), 'final')
    assert.equal(verdictOf(new SamsaError('UNSUPPORTED_VERSION', 'x')), 'final')
    assert.equal(verdictOf(new TypeError('a mistake of ours')), 'final')
  })
})
