/**
 * The KIP-848 member: every transition of its graph, and each rule of the protocol by name.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type AnyMachineSnapshot, initialTransition, transition } from 'xstate'
import type { Owned } from '../../src/machines/consumer.ts'
import {
  type ConsumerMemberContext,
  type ConsumerMemberEvent,
  consumerMemberMachine as machine
} from '../../src/machines/consumer-member.ts'
import { expireInMs, suspendInMs, takenLimit, toTake, unnamed } from '../../src/machines/consumer-member-sets.ts'
import type { Remedy, Said } from '../../src/machines/consumer-member-types.ts'
import type { PlainError } from '../../src/model/errors.ts'
import { KAFKA_ERRORS } from '../../src/model/kafka-errors.ts'
import { resolveSubscription } from '../../src/model/subscription.ts'
import { explore, type Graph } from '../support/graph.ts'
import { assertTable } from '../support/graph-table.ts'

const inputOf = (more: Parameters<typeof resolveSubscription>[0] = {}) => ({
  instance: 'i',
  path: 'consumers/1/member',
  consumer: 'consumers/1',
  subscription: resolveSubscription(
    { group: 'g', membership: 'consumer', ...(more.pattern === undefined ? { topic: 't' } : {}), ...more },
    false
  ),
  retryBackoffMs: 100,
  retryBackoffMaxMs: 1_000
})

function refusal(name: string): PlainError {
  const kafka = { code: KAFKA_ERRORS.find(error => error.name === name)!.code, name, api: 'ConsumerGroupHeartbeat' }
  return { name: 'BrokerError', code: name, message: `the broker says ${name}`, retriable: false, kafka, details: {} }
}
const cut: PlainError = { name: 'ConnectionError', code: 'CONNECTION_LOST', message: 'cut', retriable: true, details: {} }

const owned = (...partitions: number[]): Owned[] => partitions.map(partition => ({ topic: 't', partition }))
const byId = (...partitions: number[]) => (partitions.length > 0 ? [{ topicId: 'T', partitions }] : [])

type Build = ConsumerMemberEvent | ((context: ConsumerMemberContext) => ConsumerMemberEvent)
const topic: Build = { type: 'TOPIC', topic: 't', topicId: 'T', partitions: [0, 1, 2, 3] }
const found: Build = ({ attempt }) => ({ type: 'FOUND', attempt, node: 1, version: 1, memberId: 'me', sessionTimeoutMs: 45_000 })
const foundOld: Build = ({ attempt }) => ({ type: 'FOUND', attempt, node: 1, version: 0, memberId: 'unused', sessionTimeoutMs: null })
const answered =
  (memberEpoch: number, assignment: { topicId: string; partitions: number[] }[] | null = null): Build =>
  ({ attempt }) => ({
    type: 'ANSWERED',
    attempt,
    sentMs: 1_000,
    tookMs: 10,
    memberId: null,
    memberEpoch,
    heartbeatIntervalMs: 5_000,
    assignment
  })
const failed =
  (error: PlainError, remedy: Remedy = 'none', what: 'find' | 'heartbeat' = 'heartbeat'): Build =>
  ({ attempt }) => ({ type: 'ASK_FAILED', attempt, what, error, remedy, random: 0.5 })
const lookedUp: Build = context => ({
  type: 'LOOKED_UP',
  lookup: context.lookup,
  partitions: toTake(context).map(({ topic: name, partition }) => ({ topic: name, partition, offset: '7' }))
})
const lookupFailed =
  (retriable: boolean): Build =>
  ({ lookup }) => ({ type: 'LOOKUP_FAILED', lookup, what: 'offsets', error: { ...cut, retriable }, random: 0.5 })
const named =
  (topicId?: string, name = 'u'): Build =>
  ({ lookup }) => ({ type: 'NAMED', lookup, names: topicId === undefined ? [] : [{ topicId, topic: name }], random: 0.5 })
const counted =
  (due: number, members = 5, partitions = 4): Build =>
  ({ lookup }) => ({ type: 'COUNTED', lookup, members, partitions, due })
const released =
  (...partitions: number[]): Build =>
  ({ epoch }) => ({ type: 'RELEASED', epoch, partitions: owned(...partitions) })
const departed: Build = ({ attempt }) => ({ type: 'DEPARTED', attempt })
const stuck: Build = { type: 'STUCK', topic: 't', partition: 0, sinceMs: 300_000 }
const free: Build = { type: 'FREE' }
const close: Build = { type: 'CLOSE' }
const after = (delay: string, state: string) => ({ type: `xstate.after.${delay}.consumer-member.${state}` }) as never as ConsumerMemberEvent
const interval = after('beat', 'member.joined.line.resting')
const pause = after('pause', 'member.joined.line.pausing')
const rejoin = after('pause', 'member.rejoining')
const suspend = after('suspend', 'member.joined.proof.fresh')
const expire = after('expire', 'member.joined.proof.suspended')
const surplusLook = after('surplusLook', 'member.joined.share.settled.looking')

type Action = { type: string; params?: unknown }

function runWith(input: ReturnType<typeof inputOf>, ...events: Build[]) {
  let [snapshot, actions] = initialTransition(machine, input) as [AnyMachineSnapshot, Action[]]
  const all = [...actions]
  for (const event of events) {
    const given = typeof event === 'function' ? event(snapshot.context) : event
    ;[snapshot, actions] = transition(machine as never, snapshot as never, given as never) as unknown as [AnyMachineSnapshot, Action[]]
    all.push(...actions)
  }
  const of = (list: Action[], type: string) =>
    list.filter(action => action.type === type).map(action => action.params as Record<string, unknown>)
  const told = (list: Action[]) => of(list, 'tellConsumer').map(({ event }) => event as Record<string, unknown> & { type: string })
  const said = of(all, 'heartbeat').map(params => params as { attempt: number; memberId: string | null; memberEpoch: number; said: Said })
  return {
    snapshot,
    context: snapshot.context as ConsumerMemberContext,
    value: JSON.stringify(snapshot.value).replaceAll('"', ''),
    did: (type: string) => of(all, type),
    lastDid: (type: string) => of(actions, type),
    lastOrder: actions.map(({ type, params }) => (type === 'tellConsumer' ? (params as { event: { type: string } }).event.type : type)),
    said,
    lastSaid: said.at(-1)!,
    told: told(all).filter(({ type }) => type !== 'MEMBER_STATE'),
    lastTold: told(actions).filter(({ type }) => type !== 'MEMBER_STATE'),
    states: told(all).filter(({ type }) => type === 'MEMBER_STATE')
  }
}
const run = (...events: Build[]) => runWith(inputOf(), ...events)

/** Owns partitions 0 and 1, and the broker has heard so. */
const owning: Build[] = [topic, found, answered(3, byId(0, 1)), lookedUp, answered(3)]

type Sample = (context: ConsumerMemberContext, value: string) => readonly Build[]

/** What holds in every state, on the way through what these events lead to. */
function walk(input: ReturnType<typeof inputOf>, samples: Sample): Graph {
  return explore(machine, {
    input,
    events: [
      // Each answer also as one to an older question, which changes nothing.
      ({ context, value }) => {
        const older = { ...context, attempt: context.attempt - 1, epoch: context.epoch - 1 }
        const given = samples(context, JSON.stringify(value))
        return given.flatMap(event => (typeof event === 'function' ? [event(context), event(older)] : event))
      }
    ],
    identity: context => [
      context.memberId !== null,
      context.memberEpoch > 0,
      context.matchesHere,
      context.allTopics !== null,
      unnamed(context).length > 0,
      context.target,
      context.owned.map(({ partition }) => partition),
      context.draining.length,
      context.nudged,
      context.inside,
      context.stuck,
      context.countedEpoch === context.memberEpoch
    ],
    invariants: [
      ({ context }) => {
        const all = [...context.owned, ...context.draining].map(({ topicId, partition }) => `${topicId}/${partition}`)
        assert.equal(new Set(all).size, all.length, 'a partition is owned or draining: one of them')
      },
      ({ context, value }) => {
        if (context.memberEpoch === 0 && JSON.stringify(value).includes('member'))
          assert.deepEqual([context.owned, context.draining], [[], []], 'nothing is owned outside of the group')
      }
    ],
    maxNodes: 20_000
  })
}

describe('the KIP-848 member', () => {
  it('takes every transition of its graph, and context stays plain', () => {
    const line = walk(inputOf({ pattern: 't' }), ({ attempt, memberEpoch }, value) => [
      ...(value.includes('finding') ? [found, foundOld] : []),
      ...(/finding|sending|awaiting/.test(value)
        ? [
            answered(2, byId()),
            failed(cut, 'elsewhere'),
            failed(refusal('FENCED_MEMBER_EPOCH')),
            failed(refusal('INVALID_REGULAR_EXPRESSION')),
            failed(refusal('GROUP_AUTHORIZATION_FAILED'))
          ]
        : []),
      { type: 'TOPICS', topics: ['t'] },
      { type: 'ASK_FAILED', attempt: attempt - 1, what: 'heartbeat', error: cut, remedy: 'elsewhere', random: 0 },
      { type: 'COMMIT_REFUSED', name: 'STALE_MEMBER_EPOCH', memberEpoch },
      departed,
      close
    ])
    const share = walk(inputOf(), ({ draining, epoch }, value) => [
      ...(value.includes('finding') ? [topic, found, { type: 'TOPIC_MISSING', topic: 't' } as const] : []),
      ...(value.includes('sending')
        ? [
            answered(2, byId(0)),
            answered(2, byId(0, 1)),
            answered(3, byId(1)),
            answered(3, byId()),
            answered(3, [...byId(1), { topicId: 'X', partitions: [0] }]),
            answered(3, [...byId(2), { topicId: 'X', partitions: [0] }])
          ]
        : []),
      ...(value.includes('revoking') ? [{ type: 'RELEASED', epoch, partitions: draining } as const] : []),
      ...(value.includes('taking') ? [lookedUp, lookupFailed(true), lookupFailed(false)] : []),
      ...(value.includes('naming') ? [named(), named('T', 't'), lookupFailed(true)] : []),
      ...(value.includes('counting') ? [counted(0), lookupFailed(true)] : []),
      ...(value.includes('stuck') ? [free, departed] : [stuck])
    ])
    const left = line.uncovered.filter(label => share.uncovered.includes(label))
    assert.deepEqual(left, [], `never taken, in ${line.nodes.length} and ${share.nodes.length} states`)
    assert.deepEqual([line.truncated, share.truncated], [false, false])
    assert.deepEqual(line.deadEnds, ['left'])
    assertTable('consumer-member', line, share)
  })
})

describe('joining', () => {
  it('says everything at epoch 0 with an id of its own, and after that only what has changed', () => {
    const { said, context } = run(topic, found, answered(3, byId(0, 1)), lookedUp, answered(3), interval)
    assert.deepEqual(said[0], {
      attempt: said[0]!.attempt,
      memberId: 'me',
      memberEpoch: 0,
      sessionTimeoutMs: 45_000,
      said: { rebalanceTimeoutMs: 300_000, topics: ['t'], regex: null, remoteAssignor: null, held: [] }
    })
    const nothing = { rebalanceTimeoutMs: null, topics: null, regex: null, remoteAssignor: null }
    assert.deepEqual(said[1]!.said, { ...nothing, held: byId(0, 1) }, 'what is taken is acknowledged at once')
    assert.deepEqual(said[2]!.said, { ...nothing, held: null })
    assert.deepEqual([said[2]!.memberId, said[2]!.memberEpoch], ['me', 3])
    assert.equal(context.memberEpoch, 3)
  })

  it('tells the consumer the committed offsets of what it is given, and commits as its epoch', () => {
    const { told, did } = run(...owning)
    const partitions = owned(0, 1).map(entry => ({ ...entry, offset: '7' }))
    assert.deepEqual(told, [
      { type: 'ASSIGNED', epoch: 1, partitions: [] },
      { type: 'ASSIGNED', epoch: 2, partitions }
    ])
    assert.deepEqual(did('become').at(-1), { epoch: 2, memberId: 'me', memberEpoch: 3, groupInstanceId: null, owned: owned(0, 1) })
  })

  it("the assignor of the broker, the name of a static member and the limit of a rebalance are the subscription's", () => {
    const input = inputOf({ remoteAssignor: 'range', groupInstanceId: 'static', maxPollIntervalMs: 60_000 })
    const { said, did } = runWith(input, topic, found, answered(1, byId()))
    assert.deepEqual([said[0]!.said.remoteAssignor, said[0]!.said.rebalanceTimeoutMs], ['range', 60_000])
    assert.equal(did('become')[0]!.groupInstanceId, 'static')
  })

  it('version 0: the broker gives the id, and the pattern is matched here once the names are known', () => {
    const input = inputOf({ pattern: 'a.*' })
    const waiting = runWith(input, foundOld)
    assert.match(waiting.value, /learning/)
    assert.equal(waiting.did('followNames').length, 1)
    const names: Build = { type: 'TOPICS', topics: ['ab', 'b', 'aa'] }
    const joining = runWith(input, foundOld, names)
    assert.deepEqual([joining.lastSaid.memberId, joining.lastSaid.said.topics, joining.lastSaid.said.regex], [null, ['aa', 'ab'], null])
    const given: Build = context =>
      ({ ...(answered(1, byId()) as (c: ConsumerMemberContext) => object)(context), memberId: 'given' }) as never
    const more = runWith(input, foundOld, names, given, { type: 'TOPICS', topics: ['ab', 'b', 'aa', 'ac'] })
    assert.deepEqual([more.lastSaid.memberId, more.lastSaid.said.topics], ['given', ['aa', 'ab', 'ac']], 'a new one is told at once')
  })

  it('version 1: the broker matches the pattern; one that it cannot compile is matched here, and that is told', () => {
    const input = inputOf({ pattern: 'a.*' })
    assert.deepEqual([runWith(input, found).lastSaid.said.topics, runWith(input, found).lastSaid.said.regex], [[], 'a.*'])
    const refused = runWith(input, found, failed(refusal('INVALID_REGULAR_EXPRESSION')))
    assert.match(refused.value, /learning/)
    assert.equal(refused.did('tellTrouble').length, 1)
    const here = runWith(input, found, failed(refusal('INVALID_REGULAR_EXPRESSION')), { type: 'TOPICS', topics: ['ab', 'b'] })
    assert.deepEqual([here.lastSaid.said.topics, here.lastSaid.said.regex], [['ab'], null])
  })

  it("the session is the shorter one of the group's and the subscription's, counted from when the heartbeat was sent", () => {
    const short: Build = context =>
      ({ ...(found as (c: ConsumerMemberContext) => object)(context), sessionTimeoutMs: 6_000 }) as ConsumerMemberEvent
    assert.deepEqual(run(short, answered(1, byId())).lastDid('prove'), [{ sentMs: 1_000, sessionTimeoutMs: 6_000 }])
    const own = runWith(inputOf({ groupSessionTimeoutMs: 9_000 }), found, answered(1, byId()))
    assert.deepEqual(own.lastDid('prove'), [{ sentMs: 1_000, sessionTimeoutMs: 9_000 }])
    assert.deepEqual([suspendInMs(own.context), expireInMs(own.context)], [5_990, 3_000])
  })
})

describe('reconciling', () => {
  it('lets go only of what moves, and acknowledges when it is released, not before', () => {
    const moving = run(...owning, interval, answered(3, byId(1)))
    assert.deepEqual(moving.lastTold, [{ type: 'REVOKE', epoch: 2, partitions: owned(0), deadlineMs: 297_000 }])
    assert.match(moving.value, /resting.*revoking/)
    const meanwhile = run(...owning, interval, answered(3, byId(1)), interval)
    assert.equal(meanwhile.lastSaid.said.held, null, 'a heartbeat while it drains says nothing of it')
    const after = run(...owning, interval, answered(3, byId(1)), released(0))
    assert.deepEqual(after.lastSaid.said.held, byId(1))
    assert.deepEqual(after.lastDid('release'), [{ partitions: owned(0) }])
    assert.match(after.value, /sending.*settled/)
  })

  it('takes what is added only after what goes is released', () => {
    const draining = run(...owning, interval, answered(4, byId(1, 2)))
    assert.deepEqual(draining.lastDid('lookUp'), [])
    const done = run(...owning, interval, answered(4, byId(1, 2)), released(0))
    assert.deepEqual(
      done.lastDid('lookUp').map(({ partitions }) => partitions),
      [owned(2)]
    )
    assert.deepEqual(done.lastSaid.said.held, byId(1), 'the others need not wait for the look-up')
  })

  it('nothing is interrupted when only the epoch moves: commits carry the new one', () => {
    const { lastTold, lastDid, context } = run(...owning, interval, answered(4))
    assert.deepEqual(lastTold, [{ type: 'ASSIGNED', epoch: 3, partitions: [] }])
    assert.deepEqual(lastDid('become'), [{ epoch: 3, memberId: 'me', memberEpoch: 4, groupInstanceId: null, owned: owned(0, 1) }])
    assert.deepEqual(lastDid('heartbeat'), [])
    assert.equal(context.owned.length, 2)
  })

  it('commits of what drains carry the newest epoch too', () => {
    const { lastDid } = run(...owning, interval, answered(3, byId(1)), interval, answered(4))
    assert.deepEqual(lastDid('become')[0]!.owned, owned(1, 0))
  })

  it('what is revoked while its offset is looked up is never claimed, and the late answer is dropped', () => {
    const taking = [...owning, interval, answered(4, byId(0, 1, 2)), interval] as const
    const lookup: Build = ({ lookup: number }) => ({
      type: 'LOOKED_UP',
      lookup: number,
      partitions: [{ topic: 't', partition: 2, offset: '7' }]
    })
    const gone = run(...taking, answered(4, byId(0, 1)))
    assert.match(gone.value, /settled/)
    assert.deepEqual(run(...taking, answered(4, byId(0, 1)), lookup).lastTold, [])
    const also = run(...taking, answered(4, byId(1, 2)))
    assert.match(also.value, /revoking/, 'a revocation does not wait for a look-up')
  })

  it('asks again soon while the group is on the move, then less and less, up to what the broker wants', () => {
    const beats = (...events: Build[]) => run(...owning, ...events).context.beatMs
    assert.equal(run(topic, found, answered(3, byId(0, 1))).context.beatMs, 100)
    assert.equal(beats(), 200)
    assert.equal(beats(interval, answered(3), interval, answered(3)), 800)
    assert.equal(beats(...Array.from({ length: 9 }, () => [interval, answered(3)]).flat()), 5_000)
    assert.equal(beats(interval, answered(3), interval, answered(4)), 100)
    assert.equal(beats(interval, answered(3), interval, answered(3, byId(0))), 100)
    const waits = run(topic, found, answered(3, byId()), ...Array.from({ length: 9 }, () => [interval, answered(3)]).flat())
    assert.ok(waits.context.beatMs < 1_000, 'a member that has nothing waits for others to let go')
  })

  it('the deadline of a revocation is never later than the group waits', () => {
    const input = inputOf({ revokeTimeoutMs: 400_000, maxPollIntervalMs: 60_000 })
    assert.equal(runWith(input, ...owning, interval, answered(3, byId(1))).lastTold[0]!.deadlineMs, 60_000)
    const own = inputOf({ revokeTimeoutMs: 4_000 })
    assert.equal(runWith(own, ...owning, interval, answered(3, byId(1))).lastTold[0]!.deadlineMs, 4_000)
  })

  it('a topic that was made again is another one: its old partition goes, and its position is forgotten', () => {
    const again: Build[] = [...owning, interval, answered(4, [{ topicId: 'T2', partitions: [0] }])]
    const old = run(...again)
    assert.deepEqual(
      old.lastTold.map(({ type }) => type),
      ['ASSIGNED', 'REVOKE']
    )
    assert.deepEqual(old.lastTold[1]!.partitions, owned(0, 1))
    const name: Build = { type: 'TOPIC', topic: 't', topicId: 'T2', partitions: [0] }
    const done = run(...again, released(0, 1), name, lookedUp)
    assert.deepEqual(done.lastDid('forgetPositions'), [{ topic: 't' }])
    assert.ok(done.lastOrder.indexOf('forgetPositions') < done.lastOrder.indexOf('ASSIGNED'))
    assert.deepEqual(done.context.owned, [{ topicId: 'T2', topic: 't', partition: 0 }])
  })

  it('ids without a name are asked for, told, and asked for again; what has a name does not wait', () => {
    const both: Build[] = [topic, found, answered(3, [...byId(0), { topicId: 'U', partitions: [5] }])]
    assert.match(run(...both).value, /taking/)
    const asking = run(...both, lookedUp)
    assert.deepEqual(
      asking.lastDid('name').map(({ topicIds }) => topicIds),
      [['U']]
    )
    const unknown = run(...both, lookedUp, named())
    assert.match(unknown.value, /namingLater/)
    assert.match(String(unknown.states.at(-1)!.reason), /1 topic wait.*U/)
    const known = run(...both, lookedUp, named('U', 'u'))
    assert.deepEqual(
      known.lastDid('lookUp').map(({ partitions }) => partitions),
      [[{ topic: 'u', partition: 5 }]]
    )
    const level = run(...both, lookedUp, named(), { type: 'TOPIC', topic: 'u', topicId: 'U', partitions: [5] })
    assert.match(level.value, /taking/, 'a level that comes meanwhile is as good')
  })

  it('offsets that cannot be read are read again; a refusal for good fails the consumer and leaves the group', () => {
    const taking: Build[] = [topic, found, answered(3, byId(0, 1))]
    const later = run(...taking, lookupFailed(true))
    assert.match(later.value, /takingLater/)
    assert.match(String(later.states.at(-1)!.reason), /offsets could not be looked up: cut/)
    const error = { ...cut, retriable: false, kafka: { code: -1, name: 'UNKNOWN_SERVER_ERROR', api: 'OffsetFetch' } }
    const unexplained: Build = ({ lookup }) => ({ type: 'LOOKUP_FAILED', lookup, what: 'offsets', error, random: 0.5 })
    assert.equal(run(...taking, unexplained).value, later.value, 'a broker that fails without a reason may fail once')
    const over = run(...taking, lookupFailed(false))
    assert.equal(over.value, 'failed')
    assert.deepEqual([over.lastDid('leave').length, over.lastTold.map(({ type }) => type)], [1, ['MEMBER_FAILED']])
  })

  it('surplus members say so once, with the numbers; one that waits for others to let go does not', () => {
    const empty: Build[] = [topic, found, answered(3, byId()), surplusLook]
    assert.deepEqual(run(...empty, counted(2)).lastTold, [])
    assert.deepEqual(run(...empty, counted(0)).lastTold, [{ type: 'SURPLUS', group: 'g', partitions: 4, members: 5 }])
    assert.deepEqual(run(...empty, counted(0), interval, answered(4), surplusLook, counted(0)).lastTold, [])
    assert.equal(run(...empty, counted(0), interval, answered(4), surplusLook, counted(0, 6)).lastTold.length, 1)
  })
})

describe('trouble', () => {
  it('after a failure everything is said again, in the same epoch: the answer that was lost may have moved it', () => {
    const again = run(...owning, interval, failed(cut, 'elsewhere'), pause, found)
    assert.deepEqual(again.lastSaid.said, {
      rebalanceTimeoutMs: 300_000,
      topics: ['t'],
      regex: null,
      remoteAssignor: null,
      held: byId(0, 1)
    })
    assert.deepEqual([again.lastSaid.memberId, again.lastSaid.memberEpoch], ['me', 3])
    assert.deepEqual(again.lastTold, [])
    assert.match(String(again.states.at(-1)!.reason), /heartbeat: cut/)
  })

  it('says so when the coordinator answers again', () => {
    const back = run(...owning, interval, failed(cut, 'elsewhere'), pause, found, answered(3))
    assert.deepEqual(
      [back.states.at(-1)!.state, back.states.at(-1)!.reason],
      ['owning', 'the coordinator answers again, after: heartbeat: cut']
    )
  })

  for (const name of ['COORDINATOR_LOAD_IN_PROGRESS', 'COORDINATOR_NOT_AVAILABLE', 'NOT_COORDINATOR'])
    it(`${name}: asked again after a pause, with the reason; nothing moves`, () => {
      const waiting = run(...owning, interval, failed(refusal(name), name === 'COORDINATOR_LOAD_IN_PROGRESS' ? 'again' : 'elsewhere'))
      assert.match(waiting.value, /pausing.*settled.*fresh/)
      assert.match(String(waiting.states.at(-1)!.reason), new RegExp(name))
      assert.deepEqual(waiting.lastTold, [])
    })

  it('TOPIC_AUTHORIZATION_FAILED is waited out, as Java does: an ACL may come', () => {
    assert.match(run(...owning, interval, failed(refusal('TOPIC_AUTHORIZATION_FAILED'))).value, /pausing/)
  })

  for (const name of ['FENCED_MEMBER_EPOCH', 'UNKNOWN_MEMBER_ID', 'GROUP_ID_NOT_FOUND'])
    it(`${name}: lost, and joined anew at epoch 0 under the same id`, () => {
      const lost = run(...owning, interval, failed(refusal(name)))
      assert.deepEqual(
        lost.lastTold.map(({ type, epoch }) => [type, epoch]),
        [['LOST', 2]]
      )
      assert.ok(lost.lastOrder.indexOf('lose') < lost.lastOrder.indexOf('LOST'), 'nothing is committed once it is told')
      assert.deepEqual(lost.context.owned, [])
      const again = run(...owning, interval, failed(refusal(name)), rejoin, found)
      assert.deepEqual([again.lastSaid.memberId, again.lastSaid.memberEpoch, again.lastSaid.said.held], ['me', 0, []])
      const back = run(...owning, interval, failed(refusal(name)), rejoin, found, answered(9, byId(0)), lookedUp)
      assert.deepEqual(
        back.lastTold.map(({ epoch }) => epoch),
        [4],
        "the contract's epoch goes on"
      )
    })

  it('a fence while it drains ends the drain: what is released later changes nothing', () => {
    const lost = run(...owning, interval, answered(3, byId(1)), interval, failed(refusal('FENCED_MEMBER_EPOCH')), released(0))
    assert.deepEqual([lost.context.owned, lost.context.draining, lost.lastDid('release')], [[], [], []])
  })

  for (const name of ['GROUP_ID_NOT_FOUND', 'INCONSISTENT_GROUP_PROTOCOL'])
    it(`${name} at epoch 0: the group is of another kind, by a code of its own`, () => {
      const { value, lastTold, lastDid } = run(topic, found, failed(refusal(name)))
      assert.equal(value, 'failed')
      const { error } = lastTold[0] as unknown as { error: PlainError }
      assert.deepEqual([error.code, error.retriable, error.details.group], ['GROUP_IS_CLASSIC', false, 'g'])
      assert.match(error.message, /membership classic/)
      assert.deepEqual(lastDid('leave'), [], 'it is no member')
    })

  for (const name of [
    'UNSUPPORTED_ASSIGNOR',
    'GROUP_MAX_SIZE_REACHED',
    'UNSUPPORTED_VERSION',
    'FENCED_INSTANCE_ID',
    'GROUP_AUTHORIZATION_FAILED'
  ])
    it(`${name} ends the consumer, with that error`, () => {
      const { value, lastTold } = run(topic, found, failed(refusal(name)))
      assert.equal(value, 'failed')
      assert.deepEqual(lastTold, [{ type: 'MEMBER_FAILED', error: refusal(name) }])
    })

  it('UNRELEASED_INSTANCE_ID: a predecessor that died is waited for until its session is over, one that lives is an error', () => {
    const input = inputOf({ groupInstanceId: 'static', groupSessionTimeoutMs: 1_000 })
    const taken = failed(refusal('UNRELEASED_INSTANCE_ID'))
    const once = runWith(input, topic, found, taken)
    assert.match(once.value, /pausing/)
    const times = takenLimit(once.context)
    const rounds = (count: number) => Array.from({ length: count }, () => [pause, found, taken]).flat()
    assert.match(runWith(input, topic, found, taken, ...rounds(times - 1)).value, /pausing/)
    assert.equal(runWith(input, topic, found, taken, ...rounds(times)).value, 'failed')
    assert.ok(times * input.retryBackoffMaxMs * 0.8 >= 1_000, 'as long as its session')
  })

  it('a commit that the group refuses is followed by a heartbeat at once, unless the member has moved on already', () => {
    const refused = (memberEpoch: number): Build => ({ type: 'COMMIT_REFUSED', name: 'STALE_MEMBER_EPOCH', memberEpoch })
    assert.equal(run(...owning, refused(3)).lastDid('heartbeat').length, 1)
    assert.equal(run(...owning, refused(2)).lastDid('heartbeat').length, 0)
  })

  it('no answer for two thirds of the session: suspended; for all of it: lost, and joined anew', () => {
    const dark: Build[] = [...owning, interval, failed(cut, 'elsewhere')]
    const suspended = run(...dark, suspend)
    assert.deepEqual(suspended.lastTold, [{ type: 'SUSPENDED', reason: 'heartbeat: cut' }])
    assert.deepEqual(run(...dark, suspend, pause, found, answered(3)).lastTold, [{ type: 'RESUMED', epoch: 2 }])
    const lost = run(...dark, suspend, expire)
    assert.deepEqual(
      lost.lastTold.map(({ type }) => type),
      ['LOST']
    )
    assert.match(String(lost.lastTold[0]!.reason), /session timeout of 45000 ms.*cut/)
    assert.match(lost.value, /rejoining/)
    assert.deepEqual(lost.lastDid('lose').length, 1)
  })

  it('answers to what is over are dropped', () => {
    const late: Build = context =>
      ({ ...(answered(9, byId()) as (c: ConsumerMemberContext) => object)(context), attempt: context.attempt - 1 }) as never
    assert.deepEqual(run(...owning, interval, late).context.memberEpoch, 3)
    assert.match(run(...owning, interval, failed(cut, 'elsewhere'), pause, late).value, /finding/)
  })
})

describe('going', () => {
  it('stuck work: it leaves for good, others get its partitions, and it comes back when nobody works on them any more', () => {
    const gone = run(...owning, stuck)
    assert.deepEqual(
      gone.lastTold.map(({ type }) => type),
      ['LOST']
    )
    assert.match(String(gone.lastTold[0]!.reason), /t\/0 has been in hand for 300000 ms/)
    assert.deepEqual(
      gone.lastDid('leave').map(({ stay }) => stay),
      [false]
    )
    assert.match(run(...owning, stuck, departed).value, /waiting/)
    assert.match(run(...owning, stuck, departed, free).value, /joined/)
    assert.match(run(...owning, stuck, free).value, /departing/, 'it says goodbye first')
    assert.match(run(...owning, stuck, free, departed).value, /joined/)
    assert.equal(run(...owning, stuck, departed, free, found).lastSaid.memberEpoch, 0)
  })

  it('stuck work of a static member is given to others too', () => {
    const input = inputOf({ groupInstanceId: 'static' })
    assert.deepEqual(
      runWith(input, ...owning, stuck)
        .lastDid('leave')
        .map(({ stay }) => stay),
      [false]
    )
  })

  it('closing: a dynamic member leaves for good, a static one to come back', () => {
    for (const [groupInstanceId, stay] of [
      [undefined, false],
      ['static', true]
    ] as const) {
      const input = inputOf(groupInstanceId === undefined ? {} : { groupInstanceId })
      const leaving = runWith(input, ...owning, close)
      assert.deepEqual(
        leaving.lastDid('leave').map(params => [params.memberId, params.stay]),
        [['me', stay]]
      )
      assert.deepEqual(runWith(input, ...owning, close, departed).lastTold, [{ type: 'LEFT' }])
    }
  })

  it('closing before it has joined, or while it is away, leaves nothing to say', () => {
    assert.deepEqual(run(topic, close).lastTold, [{ type: 'LEFT' }])
    assert.deepEqual(run(...owning, stuck, departed, close).lastTold, [{ type: 'LEFT' }])
  })

  it('closing while the broker is about to give the id: it is awaited, and then told', () => {
    const waiting = run(topic, foundOld, close)
    assert.match(waiting.value, /awaiting/)
    const given: Build = context =>
      ({ ...(answered(1, byId()) as (c: ConsumerMemberContext) => object)(context), memberId: 'given' }) as never
    assert.deepEqual(
      run(topic, foundOld, close, given)
        .lastDid('leave')
        .map(({ memberId }) => memberId),
      ['given']
    )
  })

  it('a group that cannot be told is left all the same', () => {
    assert.deepEqual(run(...owning, close, after('leaveLimit', 'leaving')).lastTold, [{ type: 'LEFT' }])
  })
})
