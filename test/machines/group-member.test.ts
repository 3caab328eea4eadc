/**
 * The group member: every transition of its graph, and each way in which members of such groups are known to have gone wrong.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type AnyMachineSnapshot, initialTransition, transition } from 'xstate'
import type { Owned } from '../../src/machines/consumer.ts'
import { type GroupMemberContext, type GroupMemberEvent, groupMemberMachine as machine } from '../../src/machines/group-member.ts'
import type { Plan } from '../../src/machines/group-member-types.ts'
import { resolveSubscription } from '../../src/model/subscription.ts'
import { assertEveryTransition } from '../support/graph.ts'
import { assertTable } from '../support/graph-table.ts'

const subscription = resolveSubscription({ topic: 't', group: 'g' }, true)
const input = { instance: 'i', path: 'consumers/1/member', consumer: 'consumers/1', subscription }
const error = { name: 'ZooKeeperError', code: 'ZK_TIMEOUT', message: 'no answer', retriable: true, details: {} }

const owned = (...partitions: number[]): Owned[] => partitions.map(partition => ({ topic: 't', partition }))
function planFor(partitions: number[], more: Partial<Plan> = {}): Plan {
  return {
    registered: true,
    ready: true,
    follow: ['t'],
    names: false,
    mine: owned(...partitions),
    shares: [{ thread: 'me-0', topic: 't', partitions }],
    members: 1,
    partitions: 4,
    quarantined: [],
    ...more
  }
}

type Build = GroupMemberEvent | ((context: GroupMemberContext) => GroupMemberEvent)
const connected: Build = { type: 'SESSION_CONNECTED', session: 1, sessionId: '0x1', negotiatedTimeoutMs: 6000 }
const topic = (count: number, topicId = 'A'): Build => ({ type: 'TOPIC', topic: 't', topicId, partitions: [...Array(count).keys()] })
const registered: Build = ({ attempt }) => ({ type: 'REGISTERED', attempt, memberId: 'me' })
const settled = { type: 'xstate.after.settle.group-member.joined.stabilizing' } as never as GroupMemberEvent
const planned =
  (partitions: number[], more: Partial<Plan> = {}): Build =>
  ({ attempt }) => ({ type: 'PLANNED', attempt, plan: planFor(partitions, more) })
const claimed =
  (...partitions: number[]): Build =>
  ({ attempt }) => ({
    type: 'CLAIMED',
    attempt,
    partitions: owned(...partitions).map(entry => ({ ...entry, offset: '7' }))
  })
const released =
  (...partitions: number[]): Build =>
  ({ epoch }) => ({ type: 'RELEASED', epoch, partitions: owned(...partitions) })
const givenBack: Build = ({ attempt }) => ({ type: 'GIVEN_BACK', attempt })
const groupChanged: Build = { type: 'GROUP_CHANGED', session: 1 }
const suspended: Build = { type: 'SESSION_SUSPENDED', session: 1, reason: 'cut', stallInMs: 4000 }
const reconnected: Build = { type: 'SESSION_RECONNECTED', session: 1 }
const expired: Build = { type: 'SESSION_EXPIRED', session: 1, reason: 'the server says so' }
const verified =
  (...lost: number[]): Build =>
  ({ attempt }) => ({ type: 'VERIFIED', attempt, registered: true, lost: owned(...lost) })
const audited =
  (unowned: number[], lost: number[] = []): Build =>
  ({ attempt }) => ({
    type: 'AUDITED',
    attempt,
    lost: owned(...lost),
    unowned: owned(...unowned).map(entry => ({ ...entry, member: 'other' }))
  })
const moved: Build = { type: 'GROUP_MOVED', session: 1, sign: 'moving' }
const look = { type: 'xstate.after.audit.group-member.joined.owning.resting' } as never as GroupMemberEvent
const failed =
  (step: 'claim' | 'release' | 'read', final = false): Build =>
  ({ attempt }) => ({ type: 'STEP_FAILED', attempt, step, error, final, random: 0.5 })

function run(...events: Build[]) {
  let [snapshot, actions] = initialTransition(machine, input) as [AnyMachineSnapshot, { type: string; params?: unknown }[]]
  const all = [...actions]
  for (const event of events) {
    const given = typeof event === 'function' ? event(snapshot.context) : event
    ;[snapshot, actions] = transition(machine as never, snapshot as never, given as never) as unknown as [
      AnyMachineSnapshot,
      typeof actions
    ]
    all.push(...actions)
  }
  const of = (list: typeof all, type: string) =>
    list.filter(action => action.type === type).map(action => action.params as Record<string, unknown>)
  const told = (list: typeof all) => of(list, 'tellConsumer').map(({ event }) => event as Record<string, unknown> & { type: string })
  return {
    snapshot,
    context: snapshot.context as GroupMemberContext,
    value: JSON.stringify((snapshot.value as { joined?: unknown }).joined ?? snapshot.value).replaceAll('"', ''),
    did: (type: string) => of(all, type),
    lastDid: (type: string) => of(actions, type),
    told: told(all).filter(({ type }) => type !== 'MEMBER_STATE'),
    lastTold: told(actions).filter(({ type }) => type !== 'MEMBER_STATE'),
    states: told(all).filter(({ type }) => type === 'MEMBER_STATE')
  }
}
/** Owns partitions 0 and 1 of four. */
const owning: Build[] = [connected, topic(4), registered, settled, planned([0, 1]), claimed(0, 1)]

describe('the group member', () => {
  it('takes every transition of its graph, and context stays plain', () => {
    const graph = assertEveryTransition(machine, {
      input,
      events: [
        connected as GroupMemberEvent,
        suspended as GroupMemberEvent,
        reconnected as GroupMemberEvent,
        expired as GroupMemberEvent,
        topic(4) as GroupMemberEvent,
        moved as GroupMemberEvent,
        { type: 'ZOOKEEPER_GONE' },
        { type: 'TOPIC_MISSING', topic: 't' },
        { type: 'TOPICS', topics: ['t'] },
        groupChanged as GroupMemberEvent,
        { type: 'OWNER_CHANGED', session: 1, topic: 't', partition: 0, mine: true },
        { type: 'OWNER_CHANGED', session: 1, topic: 't', partition: 0, mine: false },
        { type: 'CLOSE' },
        // What is said of an older step changes nothing.
        ({ context: { attempt: now, epoch, draining } }) =>
          [now, now - 1].flatMap((attempt): GroupMemberEvent[] => [
            { type: 'REGISTERED', attempt, memberId: 'me' },
            { type: 'PLANNED', attempt, plan: planFor([0]) },
            { type: 'PLANNED', attempt, plan: planFor([]) },
            { type: 'PLANNED', attempt, plan: planFor([], { ready: false, registered: false }) },
            { type: 'PLANNED', attempt, plan: planFor([0], { registered: false }) },
            { type: 'GIVEN_BACK', attempt },
            { type: 'CLAIM_BLOCKED', attempt, blockedBy: [{ topic: 't', partition: 0, owner: 'x-0' }], random: 0 },
            { type: 'VERIFIED', attempt, registered: true, lost: [] },
            { type: 'VERIFIED', attempt, registered: false, lost: [] },
            { type: 'VERIFIED', attempt, registered: true, lost: owned(0) },
            { type: 'DROPPED', attempt },
            { type: 'AUDITED', attempt, lost: [], unowned: [] },
            { type: 'AUDITED', attempt, lost: owned(0), unowned: [] },
            { type: 'AUDITED', attempt, lost: [], unowned: [{ topic: 't', partition: 3, member: 'x' }] },
            { type: 'STEP_FAILED', attempt, step: 'read', error, final: false, random: 0 },
            { type: 'STEP_FAILED', attempt, step: 'read', error, final: true, random: 0 },
            { type: 'UNREGISTERED', attempt },
            { type: 'RELEASED', epoch, partitions: draining }
          ]),
        ({ context, value }) =>
          JSON.stringify(value).includes('claiming') && {
            type: 'CLAIMED' as const,
            attempt: context.attempt,
            partitions: context.target
              .filter(({ partition }) => !context.owned.some(other => other.partition === partition))
              .map(entry => ({ ...entry, offset: null }))
          }
      ],
      identity: ({ registered: isRegistered, dirty, owned: mine, draining, drained, target, unowned, nudgeRest }) => [
        isRegistered,
        dirty,
        [mine, draining, drained].map(list => list.length),
        target.length,
        unowned.length > 0,
        nudgeRest > 1
      ],
      invariants: [
        ({ context: { owned: mine, draining, drained } }) => {
          const all = [...mine, ...draining, ...drained].map(({ partition }) => partition)
          assert.equal(new Set(all).size, all.length, 'a partition is owned, draining or drained: one of them')
        },
        ({ context, value }) => {
          if (context.session === 0 && JSON.stringify(value).includes('joined'))
            assert.deepEqual(context.owned, [], 'nothing is owned without a session')
        }
      ],
      restsIn: ['left'],
      maxNodes: 20_000
    })
    assert.equal(graph.truncated, false)
    assertTable('group-member', graph)
  })
})

describe('joining', () => {
  it('registers, reads, claims and tells the consumer the committed offsets', () => {
    const { value, told, context } = run(...owning)
    assert.match(value, /owning/)
    assert.deepEqual(told, [
      {
        type: 'ASSIGNED',
        epoch: 1,
        partitions: [
          { topic: 't', partition: 0, offset: '7' },
          { topic: 't', partition: 1, offset: '7' }
        ]
      }
    ])
    assert.equal(context.memberId, 'me')
  })

  it('waits for the partitions of its topics, and reads again when they come', () => {
    const waiting = run(connected, registered, settled, planned([], { ready: false, follow: ['t', 'u'] }))
    assert.equal(waiting.value, 'learning')
    assert.deepEqual(waiting.lastDid('followTopic'), [{ topic: 'u' }])
    assert.equal(run(connected, registered, settled, planned([], { ready: false }), topic(4)).value, 'stabilizing')
  })

  it('makes a burst of changes one rebalance', () => {
    const { did } = run(connected, topic(4), registered, groupChanged, groupChanged, topic(5), settled)
    assert.equal(did('read').length, 1)
  })

  it('more members than partitions is no error: surplus members own nothing, and say so once', () => {
    const surplus = run(connected, topic(4), registered, settled, planned([], { members: 5 }))
    assert.match(surplus.value, /owning/)
    assert.deepEqual(surplus.told, [{ type: 'SURPLUS', group: 'g', partitions: 4, members: 5 }])
    const again = run(
      connected,
      topic(4),
      registered,
      settled,
      planned([], { members: 5 }),
      groupChanged,
      settled,
      planned([], { members: 5 })
    )
    assert.equal(again.told.length, 1)
    const fewer = run(
      connected,
      topic(4),
      registered,
      settled,
      planned([], { members: 6 }),
      groupChanged,
      settled,
      planned([], { members: 5 })
    )
    assert.equal(fewer.told.length, 2)
  })

  it('a refusal for good fails the consumer, with the error', () => {
    const { value, told } = run(connected, ({ attempt }) => ({
      type: 'STEP_FAILED',
      attempt,
      step: 'register',
      error,
      final: true,
      random: 0
    }))
    assert.equal(value, 'failed')
    assert.deepEqual(told, [{ type: 'MEMBER_FAILED', error }])
  })

  it('a member node that cannot be used is left out and told once', () => {
    const bad = { quarantined: [{ memberId: 'old', problem: 'it holds a bare topic name' }] }
    const { did } = run(connected, topic(4), registered, settled, planned([0], bad), claimed(0), groupChanged, settled, planned([0], bad))
    assert.equal(did('tellTrouble').length, 1)
  })
})

describe('rebalancing', () => {
  it('lets go only of the partitions that move', () => {
    const moving = run(...owning, groupChanged, settled, planned([1, 2]))
    assert.deepEqual(moving.lastTold, [{ type: 'REVOKE', epoch: 1, partitions: owned(0), deadlineMs: 4000 }])
    assert.deepEqual(moving.context.owned, owned(1))
    const after = run(...owning, groupChanged, settled, planned([1, 2]), released(0), givenBack, claimed(2))
    assert.deepEqual(after.lastTold, [{ type: 'ASSIGNED', epoch: 2, partitions: [{ topic: 't', partition: 2, offset: '7' }] }])
    assert.deepEqual(after.context.owned, owned(1, 2))
  })

  it('claims nothing before what moves away is drained, committed and let go of in ZooKeeper', () => {
    const draining = run(...owning, groupChanged, settled, planned([2, 3]))
    assert.deepEqual(draining.lastDid('release'), [])
    const half = run(...owning, groupChanged, settled, planned([2, 3]), released(0))
    assert.deepEqual(half.lastDid('release'), [])
    const all = run(...owning, groupChanged, settled, planned([2, 3]), released(0), released(1))
    assert.deepEqual(all.lastDid('release')[0]!.partitions, owned(0, 1))
    assert.deepEqual(all.lastDid('claim'), [])
    const given = run(...owning, groupChanged, settled, planned([2, 3]), released(0), released(1), givenBack)
    assert.deepEqual(given.lastDid('claim')[0]!.partitions, owned(2, 3))
  })

  it('does nothing at all when nothing of it moves: no broker, and no other member, makes it stop', () => {
    const same = run(...owning, groupChanged, settled, planned([0, 1], { members: 2 }))
    assert.match(same.value, /owning/)
    assert.deepEqual(same.lastTold, [])
    assert.equal(same.context.epoch, 1)
    assert.equal(run(...owning, topic(4)).value, run(...owning).value, 'a level that says the same is no change')
  })

  it('tells the consumer the new epoch also when it only lost partitions', () => {
    const { lastTold, context } = run(...owning, groupChanged, settled, planned([1]), released(0), givenBack)
    assert.deepEqual(lastTold, [{ type: 'ASSIGNED', epoch: 2, partitions: [] }])
    assert.deepEqual(context.owned, owned(1))
  })

  it('what changes while it claims or drains is looked at right after', () => {
    assert.equal(run(connected, topic(4), registered, settled, planned([0, 1]), groupChanged, claimed(0, 1)).value, 'stabilizing')
    assert.equal(run(...owning, groupChanged, settled, planned([1]), groupChanged, released(0), givenBack).value, 'stabilizing')
  })

  it('added partitions are picked up', () => {
    assert.equal(run(...owning, topic(6)).value, 'stabilizing')
  })

  it('a drain that never ends is cut: everything is lost and begun anew', () => {
    const late = { type: 'xstate.after.revokeLimit.group-member.joined.revoking' } as never as GroupMemberEvent
    const cut = run(...owning, groupChanged, settled, planned([1]), late)
    assert.equal(cut.value, 'dropping')
    assert.equal(cut.lastTold[0]!.type, 'LOST')
    assert.deepEqual(cut.context.owned, [])
    assert.equal(cut.lastDid('drop').length, 1)
    assert.equal(
      run(...owning, groupChanged, settled, planned([1]), late, ({ attempt }) => ({ type: 'DROPPED', attempt })).value,
      'stabilizing'
    )
  })

  it('a blocked claim waits for the owner node that is in the way, says whose it is, and goes on trying', () => {
    const blocked: Build = ({ attempt }) => ({
      type: 'CLAIM_BLOCKED',
      attempt,
      blockedBy: [{ topic: 't', partition: 0, owner: 'g_h-1-ab-0' }],
      random: 1
    })
    const waiting = run(connected, topic(4), registered, settled, planned([0, 1]), blocked)
    assert.equal(waiting.value, 'backingOff')
    assert.match(String(waiting.states.at(-1)!.reason), /t\/0 \(held by g_h-1-ab-0\)/)
    assert.deepEqual(waiting.context.owned, [], 'nothing is half claimed')
    const freed: Build = { type: 'OWNER_CHANGED', session: 1, topic: 't', partition: 0, mine: false }
    assert.equal(run(connected, topic(4), registered, settled, planned([0, 1]), blocked, freed).value, 'stabilizing')
    const again = { type: 'xstate.after.backoff.group-member.joined.backingOff' } as never as GroupMemberEvent
    const many = Array.from({ length: 20 }, () => [again, settled, planned([0, 1]), blocked]).flat()
    const still = run(connected, topic(4), registered, settled, planned([0, 1]), blocked, ...many)
    assert.equal(still.value, 'backingOff', 'it never ends as a silent zombie')
    assert.equal(still.context.delayMs, still.context.timing.backoffMaxMs)
  })

  it('what could not be let go of is let go of before anything is claimed', () => {
    const again = { type: 'xstate.after.backoff.group-member.joined.backingOff' } as never as GroupMemberEvent
    const { value, lastDid } = run(
      ...owning,
      groupChanged,
      settled,
      planned([1, 2]),
      released(0),
      failed('release'),
      again,
      settled,
      planned([1, 2])
    )
    assert.equal(value, 'releasing')
    assert.deepEqual(lastDid('release')[0]!.partitions, owned(0))
  })

  it('answers of older steps are dropped', () => {
    const old: Build = ({ attempt }) => ({ type: 'CLAIMED', attempt: attempt - 1, partitions: [{ topic: 't', partition: 3, offset: '1' }] })
    assert.deepEqual(run(...owning, old).context.owned, owned(0, 1))
  })
})

describe('the session', () => {
  it('suspended: no commits at once, no delivery after 2/3 of its timeout', () => {
    const stall = { type: 'xstate.after.stall.group-member.joined.suspended' } as never as GroupMemberEvent
    const { lastTold, context } = run(...owning, suspended)
    assert.deepEqual(lastTold, [{ type: 'SUSPENDED', reason: 'cut' }])
    assert.equal(context.stallMs, 4000)
    const stalled = run(...owning, suspended, stall)
    assert.deepEqual(stalled.lastTold, [{ type: 'STALLED', reason: 'cut' }])
    assert.deepEqual(stalled.states.at(-1), { type: 'MEMBER_STATE', state: 'stalled', reason: 'cut' })
    assert.deepEqual(context.owned, owned(0, 1))
  })

  it('the same one again: owners are verified before anything goes on, and nothing is rebalanced', () => {
    const verifying = run(...owning, suspended, reconnected)
    assert.deepEqual(verifying.lastTold, [])
    assert.deepEqual(verifying.lastDid('verify')[0]!.partitions, owned(0, 1))
    const resumed = run(...owning, suspended, reconnected, verified())
    assert.deepEqual(resumed.lastTold, [{ type: 'RESUMED', epoch: 1 }])
    assert.deepEqual(run(...owning, suspended, reconnected, verified(), settled, planned([0, 1])).lastTold, [])
  })

  it('the same one again, but an owner node is gone: all is lost, nothing is committed', () => {
    const { value, lastTold } = run(...owning, suspended, reconnected, verified(1))
    assert.equal(value, 'dropping')
    assert.equal(lastTold[0]!.type, 'LOST')
  })

  it('expired: it stops fetching at once, unregistered or not, and joins anew with the same id', () => {
    const lost = run(...owning, expired)
    assert.deepEqual(lost.lastTold, [{ type: 'LOST', epoch: 1, reason: 'the ZooKeeper session is over: the server says so' }])
    assert.deepEqual(lost.context.owned, [])
    assert.equal(lost.value, 'waiting')
    const next: Build = { type: 'SESSION_CONNECTED', session: 2, sessionId: '0x2', negotiatedTimeoutMs: 6000 }
    const anew = run(...owning, expired, next, registered, settled, planned([0, 1]), claimed(0, 1))
    assert.equal(anew.lastTold[0]!.epoch, 2, 'commits of the old ownership are of an older epoch')
    assert.equal(anew.did('register').length, 2)
  })

  it('what an older session still says is dropped', () => {
    const next: Build = { type: 'SESSION_CONNECTED', session: 2, sessionId: '0x2', negotiatedTimeoutMs: 6000 }
    const base = [...owning, expired, next, registered]
    assert.equal(run(...base, expired, suspended, groupChanged).value, run(...base).value)
  })

  it('a claim that the suspension cut off does not count, whenever its answer comes', () => {
    const claiming: Build[] = [connected, topic(4), registered, settled, planned([0, 1])]
    const late: Build = ({ attempt }) => ({
      type: 'CLAIMED',
      attempt: attempt - 1,
      partitions: [{ topic: 't', partition: 0, offset: '1' }]
    })
    const { context, lastDid } = run(...claiming, suspended, late, reconnected)
    assert.deepEqual(context.owned, [])
    assert.deepEqual(lastDid('verify')[0]!.partitions, [], 'verify removes what is ours beside these')
  })

  it('a drain that a suspension interrupts is finished after it', () => {
    const { value, lastDid } = run(
      ...owning,
      groupChanged,
      settled,
      planned([1]),
      suspended,
      released(0),
      reconnected,
      verified(),
      settled,
      planned([1])
    )
    assert.equal(value, 'releasing')
    assert.deepEqual(lastDid('release')[0]!.partitions, owned(0))
  })
})

describe('owners', () => {
  it('one of ours that somebody removes is noticed at once', () => {
    const gone: Build = { type: 'OWNER_CHANGED', session: 1, topic: 't', partition: 1, mine: true }
    const { value, lastTold } = run(...owning, gone)
    assert.equal(value, 'dropping')
    assert.match(String(lastTold[0]!.reason), /t\/1/)
  })

  it('or at the next look, if no watch said so', () => {
    assert.equal(run(...owning, look, audited([], [1])).value, 'dropping')
  })

  it('that a peer never takes up are told at once, and the peer is nudged at the second look, not more often', () => {
    const once = run(...owning, look, audited([3]))
    assert.match(String(once.states.at(-1)!.reason), /owned by nobody: t\/3 \(due to other\)/)
    assert.deepEqual(once.did('nudge'), [])
    const twice = run(...owning, look, audited([3]), look, audited([3]))
    assert.deepEqual(twice.lastDid('nudge'), [{ reason: 't/3 is due to other and owned by nobody' }])
    const thrice = run(...owning, look, audited([3]), look, audited([3]), look, audited([3]), look, audited([3]))
    assert.equal(thrice.did('nudge').length, 1)
    const later = run(...owning, ...Array.from({ length: 6 }, () => [look, audited([3])]).flat())
    assert.equal(later.did('nudge').length, 2)
    assert.deepEqual(run(...owning, look, audited([3]), look, audited([2])).did('nudge'), [], 'another partition is another matter')
  })
})

describe('topics', () => {
  it('a topic that was made again: its partitions are let go of with their offsets, and claimed anew', () => {
    const again = run(...owning, topic(4, 'B'))
    assert.deepEqual(again.lastDid('condemn'), [{ topic: 't' }])
    const through = run(...owning, topic(4, 'B'), settled, planned([0, 1]), released(0, 1))
    assert.deepEqual(through.lastDid('release')[0], { attempt: through.context.attempt, partitions: owned(0, 1), dropOffsets: ['t'] })
    const anew = run(...owning, topic(4, 'B'), settled, planned([0, 1]), released(0, 1), givenBack)
    assert.deepEqual(anew.lastDid('claim')[0]!.partitions, owned(0, 1))
    assert.deepEqual(anew.context.condemned, [])
  })

  it('also when it was away for a time', () => {
    const { did } = run(...owning, { type: 'TOPIC_MISSING', topic: 't' }, topic(4, 'B'))
    assert.deepEqual(did('condemn'), [{ topic: 't' }])
  })

  it('a broker that does not tell ids re-creates nothing', () => {
    const { did, value } = run(...owning, { type: 'TOPIC', topic: 't', topicId: null, partitions: [0, 1, 2, 3] })
    assert.deepEqual(did('condemn'), [])
    assert.match(value, /owning/)
  })
})

describe('a group that moves', () => {
  it('is told to the consumer, who drains, commits and closes; until then nothing is let go of', () => {
    const { lastTold, context, value } = run(...owning, moved)
    assert.deepEqual(lastTold, [{ type: 'MOVED', to: 'kafka', reason: 'group g is being moved to Kafka' }])
    assert.equal(context.owned.length, 2)
    assert.match(value, /owning/)
  })

  it('by the word of a session that is over is not told', () => {
    assert.deepEqual(run(...owning, { type: 'GROUP_MOVED', session: 0, sign: 'moved' }).lastTold, [])
  })
})

describe('leaving', () => {
  it('lets go of everything, from any state, and says so', () => {
    const unregistered: Build = ({ attempt }) => ({ type: 'UNREGISTERED', attempt })
    for (const events of [[], [connected], owning, [...owning, groupChanged, settled, planned([1])], [...owning, suspended]] as Build[][]) {
      const leaving = run(...events, { type: 'CLOSE' })
      assert.equal(leaving.lastDid('leave').length, 1)
      const left = run(...events, { type: 'CLOSE' }, unregistered)
      assert.equal(left.value, 'left')
      assert.deepEqual(left.lastTold, [{ type: 'LEFT' }])
      assert.deepEqual(left.lastDid('unfollowTopic'), [{ topic: 't' }])
    }
  })

  it('is bounded: a ZooKeeper that does not answer holds nobody up', () => {
    const limit = { type: 'xstate.after.leave.group-member.leaving' } as never as GroupMemberEvent
    assert.equal(run(...owning, suspended, { type: 'CLOSE' }, limit).value, 'left')
  })
})
