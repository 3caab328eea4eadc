/**
 * The classic member: every transition of its graph, and each way in which members of Kafka's groups are known to have gone wrong.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type AnyMachineSnapshot, initialTransition, transition } from 'xstate'
import { type ClassicMemberContext, type ClassicMemberEvent, classicMemberMachine as machine } from '../../src/machines/classic-member.ts'
import type { Offer, Step, Verdict } from '../../src/machines/classic-member-types.ts'
import type { Owned } from '../../src/machines/consumer.ts'
import type { SubscribeOptions } from '../../src/model/events.ts'
import { resolveSubscription } from '../../src/model/subscription.ts'
import { assertEveryTransition } from '../support/graph.ts'
import { assertTable } from '../support/graph-table.ts'

const inputFor = (options: SubscribeOptions) => ({
  instance: 'i',
  path: 'consumers/1/member',
  consumer: 'consumers/1',
  subscription: resolveSubscription({ group: 'g', membership: 'classic', ...options }, false)
})
const input = inputFor({ topic: 't' })
const error = { name: 'BrokerError', code: 'REFUSED', message: 'no', retriable: true, details: {} }
const cooperative: Offer[] = [{ name: 'cooperative-sticky', eager: false }]
const eager: Offer[] = [{ name: 'range', eager: true }]
const owned = (...partitions: number[]): Owned[] => partitions.map(partition => ({ topic: 't', partition }))

type Build = ClassicMemberEvent | ((context: ClassicMemberContext) => ClassicMemberEvent)
const ready = (offers = cooperative, defaultOffers = true): Build => ({ type: 'READY', offers, defaultOffers })
const topic = (count: number, name = 't', topicId = 'A'): Build => ({
  type: 'TOPIC',
  topic: name,
  topicId,
  partitions: [...Array(count).keys()]
})
const found: Build = ({ attempt }) => ({ type: 'FOUND', attempt, node: 1 })
const idGiven: Build = ({ attempt }) => ({ type: 'MEMBER_ID_GIVEN', attempt, memberId: 'm' })
type Joined = Extract<ClassicMemberEvent, { type: 'JOINED' }>
const joined =
  (generation: number, more: Partial<Joined> = {}): Build =>
  ({ attempt }) => ({
    type: 'JOINED',
    attempt,
    memberId: 'm',
    generation,
    protocol: 'cooperative-sticky',
    leader: false,
    skipAssignment: false,
    members: more.leader ? 2 : 0,
    groupTopics: more.leader ? ['t'] : [],
    leaseMs: 45_000,
    ...more
  })
const divided: Build = ({ attempt }) => ({ type: 'DIVIDED', attempt })
const synced =
  (...partitions: number[]): Build =>
  ({ attempt }) => ({ type: 'SYNCED', attempt, partitions: owned(...partitions), leaseMs: 45_000 })
const claimed: Build = ({ attempt, added }) => ({
  type: 'CLAIMED',
  attempt,
  partitions: added.map(entry => ({ ...entry, offset: '7', leaderEpoch: 3 }))
})
const released =
  (...partitions: number[]): Build =>
  ({ epoch }) => ({ type: 'RELEASED', epoch, partitions: owned(...partitions) })
const beat =
  (verdict: 'alive' | Verdict, leaseMs = 44_000): Build =>
  context => ({ type: 'HEARTBEAT', beat: context.beat, verdict, error: verdict === 'alive' ? null : error, leaseMs, random: 0.5 })
const failed =
  (step: Step, verdict: Verdict): Build =>
  ({ attempt }) => ({ type: 'STEP_FAILED', attempt, step, verdict, error, random: 0.5 })
const looked =
  (protocol: string | null, offer: Offer | null = null): Build =>
  ({ attempt }) => ({ type: 'LOOKED', attempt, protocol, state: 'Stable', offer, random: 0.5 })
const refused =
  (verdict: Verdict): Build =>
  ({ generation }) => ({ type: 'REFUSED', generation, verdict, error })
const stuck: Build = { type: 'STUCK', topic: 't', partition: 0, sinceMs: 300_001 }
const close: Build = { type: 'CLOSE' }
const after = (delay: string, state: string) =>
  ({ type: `xstate.after.${delay}.classic-member.joined.${state}` }) as never as ClassicMemberEvent
const nextBeat = after('beat', 'pulse.waiting')

function run(given: Build[], from = input) {
  let [snapshot, actions] = initialTransition(machine, from) as [AnyMachineSnapshot, { type: string; params?: unknown }[]]
  const all = [...actions]
  for (const build of given) {
    const event = typeof build === 'function' ? build(snapshot.context) : build
    ;[snapshot, actions] = transition(machine as never, snapshot as never, event as never) as unknown as [
      AnyMachineSnapshot,
      typeof actions
    ]
    all.push(...actions)
  }
  const of = (list: typeof all, type: string) =>
    list.filter(action => action.type === type).map(action => action.params as Record<string, unknown>)
  const told = (list: typeof all) => of(list, 'tellConsumer').map(({ event }) => event as Record<string, unknown> & { type: string })
  const value = snapshot.value as string | { joined: { group: unknown; pulse: string; lease: string } }
  const regions = typeof value === 'string' ? undefined : value.joined
  return {
    context: snapshot.context as ClassicMemberContext,
    /** Of the region `group`, or the state at the top. */
    value: JSON.stringify(regions?.group ?? value).replaceAll('"', ''),
    pulse: regions?.pulse,
    lease: regions?.lease,
    did: (type: string) => of(all, type),
    lastDid: (type: string) => of(actions, type),
    told: told(all).filter(({ type }) => type !== 'MEMBER_STATE'),
    lastTold: told(actions).filter(({ type }) => type !== 'MEMBER_STATE'),
    states: told(all).filter(({ type }) => type === 'MEMBER_STATE')
  }
}
/** Owns partitions 0 and 1 of four, as a follower. */
const steady: Build[] = [ready(), topic(4), found, idGiven, joined(1), synced(0, 1), claimed]
const steadyEager: Build[] = [ready(eager), topic(4), found, idGiven, joined(1), synced(0, 1), claimed]
const leading: Build[] = [ready(), topic(4), found, idGiven, joined(1, { leader: true }), divided, synced(0, 1), claimed]
const rebalance: Build[] = [nextBeat, beat('rebalance')]

/** What can come in this state, and each kind of answer once. */
function samplesFor(context: ClassicMemberContext, state: string): ClassicMemberEvent[] {
  const { attempt, epoch, draining, generation } = context
  const rests = /steady|settling/.test(state)
  const builds: Build[] = []
  if (state.includes('finding')) builds.push(found)
  if (state.includes('joining')) builds.push(idGiven, joined(generation + 1), joined(generation + 1, { leader: true }))
  if (state.includes('joining')) builds.push(failed('join', 'inconsistent'))
  if (state.includes('dividing')) builds.push(divided)
  if (state.includes('syncing')) builds.push(synced(0), synced(), failed('sync', 'rebalance'))
  if (state.includes('claiming"')) builds.push(claimed)
  if (state.includes('looking')) builds.push(looked('range', eager[0]!), looked('own'), looked(null))
  if (/finding|joining|dividing|syncing|claiming"|looking|beginning/.test(state))
    for (const verdict of ['again', 'unknown', 'final'] as const) builds.push(failed('join', verdict))
  if (draining.length > 0) builds.push({ type: 'RELEASED', epoch, partitions: draining })
  if (state.includes('leaving')) builds.push({ type: 'LEFT_GROUP', attempt })
  if (rests || state.includes('beginning')) builds.push({ type: 'TOPIC_MISSING', topic: 't' })
  if (/steady|joining|stuck/.test(state)) builds.push(stuck)
  if (state.includes('beating')) for (const verdict of ['alive', 'again', 'unknown', 'final'] as const) builds.push(beat(verdict))
  if (state.includes('beating') && /steady|settling|claiming|joining/.test(state)) builds.push(beat('rebalance'), beat('inconsistent'))
  if (generation >= 0 && !state.includes('beating')) builds.push(refused('unknown'))
  if (rests) builds.push(refused('rebalance'), refused('final'))
  // And each once more as the answer to an older question, which changes nothing.
  const older = { ...context, attempt: attempt - 1, epoch: epoch - 1 }
  return builds.flatMap(build => (typeof build === 'function' ? [build(context), build(older)] : build))
}

describe('the classic member', () => {
  it('takes every transition of its graph, and context stays plain', () => {
    const graph = assertEveryTransition(machine, {
      input: inputFor({ pattern: 't|u' }),
      events: [
        ready() as ClassicMemberEvent,
        ready(eager) as ClassicMemberEvent,
        topic(2) as ClassicMemberEvent,
        { type: 'TOPICS', topics: ['t'] },
        { type: 'FREE' },
        { type: 'CLOSE' },
        ({ context, value }) => samplesFor(context, JSON.stringify(value))
      ],
      identity: ({ generation, owned: mine, draining, added, dirty, rejoin, offers, names, leader }) => [
        generation >= 0,
        [mine, draining, added].map(list => list.length > 0),
        [dirty, rejoin, leader],
        offers[0]?.eager ?? null,
        names === null
      ],
      invariants: [
        ({ context: { owned: mine, draining, added } }) => {
          const all = [...mine, ...draining, ...added].map(({ partition }) => partition)
          assert.equal(new Set(all).size, all.length, 'a partition is owned, draining or added: one of them')
        },
        ({ context, value }) => {
          if (JSON.stringify(value).includes('steady')) assert.ok(context.generation >= 0, 'steady without a generation')
        }
      ],
      restsIn: ['left'],
      maxNodes: 40_000
    })
    assert.equal(graph.truncated, false)
    assertTable('classic-member', graph)
  })
})

describe('joining a classic group', () => {
  it('takes the id that the coordinator gives, joins with it, and gets its partitions with their committed offsets', () => {
    const member = run(steady)
    assert.match(member.value, /steady/)
    assert.deepEqual(
      member.did('join').map(({ memberId, generation }) => [memberId, generation]),
      [
        ['', -1],
        ['m', -1]
      ]
    )
    const partitions = owned(0, 1).map(entry => ({ ...entry, offset: '7', leaderEpoch: 3 }))
    assert.deepEqual(member.told, [{ type: 'ASSIGNED', epoch: 1, partitions }])
    assert.deepEqual(member.did('become'), [{ memberId: 'm', generation: 1, epoch: 1, owned: owned(0, 1) }])
    assert.equal(member.context.tries, 0, 'an id that must be asked for is no failure')
  })

  it('says its reasons to the coordinator, and no more than it keeps of them (KIP-800)', () => {
    assert.equal(run([ready(), found]).did('join')[0]!.reason, 'it joins for the first time')
    const long: Build = ({ attempt }) =>
      ({ ...(failed('join', 'again') as (c: object) => object)({ attempt }), error: { ...error, message: 'x'.repeat(999) } }) as never
    const again = run([ready(), found, long, after('backoff', 'group.backingOff'), found])
    assert.equal(String(again.lastDid('join')[0]!.reason).length, 255)
  })

  it('the leader divides, once it knows the partitions of the whole group; a follower does not', () => {
    const waits = run([ready(), found, joined(1, { leader: true, groupTopics: ['t', 'u'] })])
    assert.equal(waits.value, 'assigning')
    assert.deepEqual(waits.lastDid('followTopic'), [{ topic: 'u' }])
    const divides = run([ready(), found, joined(1, { leader: true, groupTopics: ['t', 'u'] }), topic(4), topic(2, 'u')])
    assert.equal(divides.value, 'dividing')
    assert.deepEqual(divides.context.divided, [
      { topic: 't', partitions: 4 },
      { topic: 'u', partitions: 2 }
    ])
    const late = run([ready(), found, joined(1, { leader: true, groupTopics: ['t', 'u'] }), topic(4), after('learn', 'group.assigning')])
    assert.equal(late.value, 'dividing', 'a topic that nobody tells of holds up nobody')
    assert.deepEqual(run([ready(), topic(4), found, joined(1)]).did('divide'), [])
  })

  it('a static leader that comes back leaves the assignment as it is (KIP-814)', () => {
    const { lastDid } = run([ready(), topic(4), found, joined(1, { leader: true, skipAssignment: true })])
    assert.equal(lastDid('divide')[0]!.skip, true)
  })

  it('a static leader that was away while partitions were added joins again, for nobody else will', () => {
    const first = [ready(), topic(4), found, joined(1, { leader: true }), divided, synced(0, 1, 2, 3), claimed]
    const away = [...first, stuck, topic(6), { type: 'FREE' } as Build, found]
    const back = (generation: number) => joined(generation, { leader: true, skipAssignment: true })
    const same = run([...away, back(1)])
    assert.deepEqual(same.context.divided, [{ topic: 't', partitions: 4 }])
    assert.equal(same.context.dirty, true)
    assert.match(same.context.reason, /6 partitions now, not 4/)
    assert.equal(run([...away, back(1), divided, synced(0, 1, 2, 3), claimed]).value, 'settling')
    // What others have divided is theirs to know.
    assert.equal(run([...away, back(2)]).context.dirty, false)
    assert.equal(run([...first, stuck, { type: 'FREE' } as Build, found, back(1)]).context.dirty, false)
  })

  it('an assignor that fails ends the member, which leaves', () => {
    const { value, lastTold, lastDid } = run([ready(), topic(4), found, joined(1, { leader: true }), failed('divide', 'final')])
    assert.equal(value, 'failed')
    assert.deepEqual(lastTold, [{ type: 'MEMBER_FAILED', error }])
    assert.equal(lastDid('leave').length, 1)
  })

  it('waits for the names of topics where it subscribes by pattern, and joins with those that match', () => {
    const from = inputFor({ pattern: 't.*' })
    assert.equal(run([ready()], from).value, 'waiting')
    const named = run([ready(), { type: 'TOPICS', topics: ['x', 'tb', 'ta', 'at'] }, found], from)
    assert.deepEqual(named.lastDid('join')[0]!.topics, ['ta', 'tb'])
    assert.deepEqual(named.did('followTopic'), [{ topic: 'ta' }, { topic: 'tb' }])
  })

  it('joins with topics that do not exist yet, and the leader divides them when they do', () => {
    const before = [ready(), { type: 'TOPIC_MISSING', topic: 't' } as const, found, joined(1, { leader: true }), divided, synced()]
    assert.match(run(before).value, /steady/)
    const come = run([...before, topic(4)])
    assert.equal(come.value, 'settling')
    assert.match(come.context.reason, /topic t has 4 partitions now, not 0/)
    assert.equal(run([...before, topic(4), after('settle', 'group.settling'), found]).value, 'joining')
  })
})

describe('a group without a common assignor', () => {
  const inconsistent = [ready(), topic(4), found, failed('join', 'inconsistent')]
  it('is joined with what it speaks, where the user leaves the choice to us, and that is told', () => {
    const member = run([...inconsistent, looked('range', eager[0]!), found])
    assert.deepEqual(member.lastDid('join')[0]!.offers, ['range'])
    assert.ok(member.states.some(({ reason }) => /the group speaks range/.test(String(reason))))
  })

  it('is a final error that names it, where the user has chosen', () => {
    const { value, lastTold } = run([
      ready(cooperative, false),
      topic(4),
      found,
      failed('join', 'inconsistent'),
      looked('range', eager[0]!)
    ])
    assert.equal(value, 'failed')
    assert.match(JSON.stringify(lastTold), /INCONSISTENT_GROUP_PROTOCOL.*the group speaks range/)
    assert.equal(run([...inconsistent, looked('stream')]).value, 'failed', 'one that is not ours')
  })

  it('is tried again after a pause when it contradicts itself', () => {
    const { value, context } = run([
      ...inconsistent,
      looked('range', eager[0]!),
      found,
      failed('join', 'inconsistent'),
      looked('range', eager[0]!)
    ])
    assert.equal(value, 'backingOff')
    assert.match(context.reason, /says nevertheless that it has range/)
  })

  it('is looked at again while it does not say', () => {
    const { value, context } = run([...inconsistent, looked(null)])
    assert.equal(value, 'backingOff')
    assert.match(context.reason, /does not say which it has/)
  })
})

describe('a rebalance', () => {
  it('an eager member gives everything back before it joins', () => {
    const revoking = run([...steadyEager, ...rebalance])
    assert.equal(revoking.value, 'revoking')
    assert.deepEqual(revoking.lastTold, [{ type: 'REVOKE', epoch: 1, partitions: owned(0, 1), deadlineMs: 297_000 }])
    assert.equal(revoking.lastDid('join').length, 0)
    const half = run([...steadyEager, ...rebalance, released(0)])
    assert.equal(half.value, 'revoking')
    const all = run([...steadyEager, ...rebalance, released(0), released(1), found])
    assert.deepEqual(all.lastDid('join')[0]!.held, [])
    assert.deepEqual(all.did('releaseOffsets').length, 2)
  })

  it('a cooperative one keeps everything while it joins, and what stays is not so much as mentioned', () => {
    const joining = run([...steady, ...rebalance, found])
    assert.equal(joining.value, 'joining')
    assert.deepEqual(joining.lastDid('join')[0]!.held, owned(0, 1))
    const same = run([...steady, ...rebalance, found, joined(2), synced(0, 1)])
    assert.match(same.value, /steady/)
    assert.deepEqual(same.told.slice(1), [{ type: 'ASSIGNED', epoch: 2, partitions: [] }])
  })

  it('gives back only what the new assignment takes away, and joins again when that is done', () => {
    const taken = run([...steady, ...rebalance, found, joined(2), synced(1)])
    assert.equal(taken.value, 'revoking')
    assert.deepEqual(taken.lastTold, [
      { type: 'REVOKE', epoch: 2, partitions: owned(0), deadlineMs: 297_000 },
      { type: 'ASSIGNED', epoch: 2, partitions: [] }
    ])
    assert.deepEqual(taken.lastDid('become')[0]!.owned, owned(1, 0), 'what is drained may still be committed')
    const again = run([...steady, ...rebalance, found, joined(2), synced(1), released(0), found])
    assert.deepEqual(again.lastDid('join')[0]!.held, owned(1))
    assert.match(String(again.lastDid('join')[0]!.reason), /gives back/)
  })

  it('what is added is claimed while what is taken away is drained', () => {
    const both = run([...steady, ...rebalance, found, joined(2), synced(1, 2)])
    assert.equal(both.value, 'claiming')
    assert.deepEqual(both.lastDid('claim')[0]!.partitions, owned(2))
    const claims = run([...steady, ...rebalance, found, joined(2), synced(1, 2), claimed])
    assert.equal(claims.value, 'revoking')
    assert.deepEqual(claims.context.owned, owned(1, 2))
  })

  it('while it gives something back changes nothing: it joins anyway', () => {
    const { value, did } = run([...steady, ...rebalance, found, joined(2), synced(1), nextBeat, beat('rebalance'), released(0), found])
    assert.equal(value, 'joining')
    assert.equal(did('join').length, 4)
  })

  it('while it reads committed offsets, or waits for its assignment, is followed right after', () => {
    const claiming = run([ready(), topic(4), found, joined(1), synced(0, 1), nextBeat, beat('rebalance'), claimed, found])
    assert.equal(claiming.value, 'joining')
    assert.deepEqual(claiming.lastDid('join')[0]!.held, owned(0, 1))
    const syncing = run([...steady, ...rebalance, found, joined(2), failed('sync', 'rebalance'), found])
    assert.deepEqual(syncing.lastDid('join')[0]!.held, owned(0, 1))
    assert.deepEqual(syncing.told.slice(1), [], 'and it keeps what it has')
  })

  it('what is not given back in time is lost, and the group goes on', () => {
    const late = run([...steadyEager, ...rebalance, after('revokeLimit', 'group.revoking')])
    assert.deepEqual(late.lastTold, [{ type: 'LOST', epoch: 1, reason: 'these were not let go of in time: t/0, t/1' }])
    assert.equal(late.value, 'finding')
  })

  it('a burst of changed topics is one, and none when they change back', () => {
    const { value, did } = run([...leading, topic(5), topic(6)])
    assert.equal(value, 'settling')
    assert.equal(did('join').length, 2)
    assert.match(run([...leading, topic(5), topic(4)]).value, /steady/)
  })

  it('the leader begins one when partitions come or go, a follower does not', () => {
    const led = run([...leading, topic(6), after('settle', 'group.settling'), found])
    assert.match(String(led.lastDid('join')[0]!.reason), /topic t has 6 partitions now, not 4/)
    assert.match(run([...steady, topic(6)]).value, /steady/)
    assert.match(run([...leading, topic(4)]).value, /steady/, 'a level that says the same is no change')
  })

  it('every member begins one when the topics that it matches change', () => {
    const from = inputFor({ pattern: 't.*' })
    const start: Build[] = [ready(), { type: 'TOPICS', topics: ['ta'] }, found, joined(1), synced()]
    const more = run([...start, { type: 'TOPICS', topics: ['ta', 'tb', 'x'] }], from)
    assert.equal(more.value, 'settling')
    assert.match(more.context.reason, /tb added/)
    assert.match(run([...start, { type: 'TOPICS', topics: ['ta', 'x'] }], from).value, /steady/)
  })

  it('leadership that moves takes the group topics with it', () => {
    const led = [ready(), found, joined(1, { leader: true, groupTopics: ['t', 'u'] }), topic(4), topic(2, 'u'), divided, synced(0), claimed]
    const follower = run([...led, ...rebalance, found, joined(2), synced(0)])
    assert.deepEqual(follower.did('unfollowTopic'), [{ topic: 'u' }])
    assert.deepEqual(follower.context.divided, [])
    const { value } = run([...led, ...rebalance, found, joined(2), synced(0), topic(9)])
    assert.match(value, /steady/, "the partitions are the new leader's concern")
  })

  it('a topic that was made again tells the plane to forget what was processed of it', () => {
    assert.deepEqual(run([...steady, topic(4, 't', 'B')]).lastDid('forgetPositions'), [{ topic: 't' }])
  })
})

describe('the coordinator says no', () => {
  it('to a heartbeat of an old generation: everything is lost, the id stays', () => {
    const { lastTold, context, value, lastDid } = run([...steady, nextBeat, beat('stale')])
    assert.deepEqual(lastTold, [{ type: 'LOST', epoch: 1, reason: 'no' }])
    assert.equal(lastDid('lose').length, 1)
    assert.equal(value, 'finding')
    assert.deepEqual([context.memberId, context.generation, context.owned], ['m', -1, []])
  })

  it('to a member that it does not know: everything is lost, the id too', () => {
    for (const events of [
      [...steady, nextBeat, beat('unknown')],
      [...steady, refused('unknown')]
    ]) {
      const { context, lastTold } = run(events)
      assert.equal(lastTold[0]!.type, 'LOST')
      assert.equal(context.memberId, '')
    }
    const joining = run([...steady, ...rebalance, found, failed('join', 'unknown')])
    assert.equal(joining.lastTold[0]!.type, 'LOST')
    assert.deepEqual([joining.context.memberId, joining.context.delayMs], ['', 0], 'and it joins anew at once')
  })

  it('to a commit of a generation that is over: not a word, it has moved on', () => {
    const { lastTold, value } = run([...steady, { type: 'REFUSED', generation: 0, verdict: 'stale', error }])
    assert.deepEqual(lastTold, [])
    assert.match(value, /steady/)
  })

  it('to a fenced static member: that is the end', () => {
    for (const events of [
      [...steady, nextBeat, beat('final')],
      [...steady, refused('final')],
      [ready(), found, failed('join', 'final')]
    ]) {
      const { value, lastTold } = run(events)
      assert.equal(value, 'failed')
      assert.equal(lastTold.at(-1)!.type, 'MEMBER_FAILED')
    }
  })

  it('while it joins: the answer of the join tells, the generation of before may be over', () => {
    const { value, told } = run([...steady, ...rebalance, found, nextBeat, beat('stale')])
    assert.equal(value, 'joining')
    assert.equal(told.length, 1)
  })

  it('in SyncGroup: of another generation it owns nothing any more', () => {
    const { lastTold, value } = run([...steady, ...rebalance, found, joined(2), failed('sync', 'stale')])
    assert.equal(lastTold[0]!.type, 'LOST')
    assert.equal(value, 'backingOff')
  })
})

describe('the coordinator is not there', () => {
  it('one that moved is found, and asked with the same generation: nobody joins again', () => {
    const moved = run([...steady, nextBeat, beat('elsewhere')])
    assert.match(moved.value, /steady/)
    assert.equal(moved.pulse, 'pausing')
    assert.equal(moved.lastDid('tellTrouble').length, 1)
    const back = run([...steady, nextBeat, beat('elsewhere'), after('beatBackoff', 'pulse.pausing'), beat('alive')])
    assert.deepEqual(back.did('heartbeat').at(-1), { memberId: 'm', generation: 1, beat: back.context.beat, aside: false })
    assert.equal(back.pulse, 'waiting')
    assert.equal(back.did('join').length, 2)
    assert.deepEqual(back.told.length, 1)
  })

  it('one that moves in the middle of a join is found, and joined with what is still owned', () => {
    const { value, lastDid, told } = run([
      ...steady,
      ...rebalance,
      found,
      failed('join', 'elsewhere'),
      after('backoff', 'group.backingOff'),
      found
    ])
    assert.equal(value, 'joining')
    assert.deepEqual([lastDid('join')[0]!.memberId, lastDid('join')[0]!.held], ['m', owned(0, 1)])
    assert.equal(told.length, 1)
  })

  it('the longer it is not, the longer the pauses', () => {
    const delays = [1, 2, 3, 4, 5, 6].map(times => {
      const round = [failed('find', 'again'), after('backoff', 'group.backingOff')]
      return run([ready(), ...Array.from({ length: times }, () => round).flat()]).context.delayMs
    })
    assert.deepEqual(delays, [75, 150, 300, 600, 750, 750])
  })

  it('silence: commits wait after two thirds of the session, everything is lost after all of it', () => {
    const aging = run([...steady, after('suspend', 'lease.held')])
    assert.deepEqual([aging.lease, aging.lastTold[0]!.type], ['aging', 'SUSPENDED'])
    const resumed = run([...steady, after('suspend', 'lease.held'), nextBeat, beat('alive')])
    assert.deepEqual([resumed.lease, resumed.lastTold], ['held', [{ type: 'RESUMED', epoch: 1 }]])
    const over = run([...steady, after('suspend', 'lease.held'), after('leaseEnd', 'lease.aging')])
    assert.deepEqual(over.lastTold, [{ type: 'LOST', epoch: 1, reason: 'no heartbeat was answered for 45000 ms' }])
    assert.deepEqual([over.value, over.lease, over.context.memberId], ['finding', 'none', 'm'])
  })

  it('silence in the middle of a join loses what was kept, and the join goes on', () => {
    const late = [...steady, ...rebalance, found, after('suspend', 'lease.held'), after('leaseEnd', 'lease.aging')]
    const lost = run(late)
    assert.deepEqual([lost.value, lost.lastTold[0]!.type], ['joining', 'LOST'])
    const { lastDid, value } = run([...late, joined(2), synced(0, 1)])
    assert.equal(value, 'claiming')
    assert.deepEqual(lastDid('claim')[0]!.partitions, owned(0, 1), 'what comes back is claimed anew')
  })

  it('committed offsets that cannot be read are asked for again; a rebalance does not wait for them', () => {
    const start = [ready(), topic(4), found, joined(1), synced(0, 1), failed('claim', 'again')]
    assert.equal(run(start).value, 'claimingLater')
    assert.equal(run([...start, after('backoff', 'group.claimingLater')]).value, 'claiming')
    assert.equal(run([...start, nextBeat, beat('rebalance')]).value, 'finding')
  })
})

describe('heartbeats', () => {
  it('are dense after a join, and thin out to what the size of the group asks for', () => {
    const { context } = run(leading)
    assert.deepEqual([context.beatMs, context.restBeatMs], [50, 300])
    const many = run([ready(), topic(4), found, joined(1, { leader: true, members: 12 }), divided, synced(0)])
    assert.equal(many.context.restBeatMs, 1_200)
    const huge = run([ready(), topic(400), found, joined(1), synced(0)])
    assert.equal(huge.context.restBeatMs, 3_000, 'never rarer than the user said: 1 of 400 partitions is a large group')
    const pauses = [1, 2, 3, 4, 5, 6, 7].map(
      times => run([...leading, ...Array.from({ length: times }, () => [nextBeat, beat('alive')]).flat()]).context.beatMs
    )
    assert.deepEqual(pauses, [75, 113, 170, 255, 300, 300, 300])
  })

  it('go on beside a join that blocks, as long as something is owned', () => {
    const joining = run([...steady, ...rebalance, found, nextBeat])
    assert.deepEqual([joining.pulse, joining.lastDid('heartbeat')[0]!.aside], ['beating', true])
    const nothing = run([...steadyEager, ...rebalance, released(0, 1), found])
    assert.equal(nothing.pulse, 'off')
  })

  it('that answer an older one are dropped', () => {
    const stale: Build = context =>
      ({ ...(beat('unknown') as (c: ClassicMemberContext) => ClassicMemberEvent)(context), beat: context.beat - 1 }) as never
    const { value, pulse, told } = run([...steady, nextBeat, stale])
    assert.match(value, /steady/)
    assert.deepEqual([pulse, told.length], ['beating', 1])
    const over = run([...steady, ...rebalance, found, nextBeat, joined(2), stale])
    assert.equal(over.value, 'syncing')
  })
})

describe('answers that come too late', () => {
  const old =
    (build: Build): Build =>
    context =>
      ({ ...(build as (c: ClassicMemberContext) => object)(context), attempt: context.attempt - 1 }) as never
  it('are dropped, whatever they say', () => {
    const base = [ready(), topic(4), found]
    for (const answer of [joined(9), idGiven, failed('join', 'final')]) assert.equal(run([...base, old(answer)]).value, 'joining')
    for (const answer of [synced(0, 1), failed('sync', 'unknown')]) assert.equal(run([...base, joined(1), old(answer)]).value, 'syncing')
    assert.equal(run([...base, joined(1), synced(0), old(claimed)]).value, 'claiming')
    const { context } = run([...steady, ...rebalance, found, old(synced(3))])
    assert.deepEqual(context.owned, owned(0, 1))
  })
})

describe('work that stands still', () => {
  it('loses the partitions, leaves with the reason, and joins again when it goes on', () => {
    const out = run([...steady, stuck])
    assert.equal(out.value, 'stuck')
    assert.equal(out.lastTold[0]!.type, 'LOST')
    assert.deepEqual(out.lastDid('leave')[0]!.memberId, 'm')
    assert.match(String(out.lastDid('leave')[0]!.reason), /t\/0 stands still for 300001 ms/)
    assert.equal(out.pulse, 'off')
    const free = run([...steady, stuck, { type: 'FREE' }, found])
    assert.deepEqual([free.value, free.lastDid('join')[0]!.memberId], ['joining', ''])
  })

  it('also in the middle of a join', () => {
    const { value, lastTold } = run([...steady, ...rebalance, found, stuck, joined(2)])
    assert.equal(value, 'stuck')
    assert.deepEqual(lastTold, [])
  })
})

describe('surplus', () => {
  const empty = [ready(), topic(1), found, joined(1), synced()]
  it('is told once it stays so: the first generation often gives a new member nothing', () => {
    assert.deepEqual(run(empty).did('tellSurplus'), [])
    const told = run([...empty, after('surplus', 'group.steady.empty')])
    assert.deepEqual(told.did('tellSurplus'), [{ partitions: 1, members: 0 }])
    assert.equal(told.states.at(-2)!.state, 'surplus')
  })
})

describe('closing', () => {
  it('leaves from every state, once, with the reason', () => {
    const ways: Build[][] = [
      [],
      [ready()],
      [ready(), found],
      [ready(), found, joined(1)],
      [ready(), found, joined(1, { leader: true })],
      [ready(), topic(4), found, joined(1, { leader: true })],
      [ready(), topic(4), found, joined(1), synced(0)],
      [ready(), topic(4), found, joined(1), synced(0), failed('claim', 'again')],
      steady,
      [...steadyEager, ...rebalance],
      [...steady, ...rebalance, found, joined(2), synced(1)],
      [...steady, stuck],
      [...leading, topic(6)],
      [ready(), found, failed('join', 'inconsistent')],
      [ready(), found, failed('join', 'again')],
      [ready(), found, failed('join', 'final')]
    ]
    for (const way of ways) {
      const leaving = run([...way, close])
      assert.equal(leaving.value, 'leaving', JSON.stringify(run(way).value))
      assert.equal(leaving.lastDid('leave')[0]!.reason, 'the consumer closes')
      const left = run([...way, close, ({ attempt }) => ({ type: 'LEFT_GROUP', attempt })])
      assert.deepEqual([left.value, left.lastTold], ['left', [{ type: 'LEFT' }]])
      assert.equal(run([...way, close, { type: 'xstate.after.leave.classic-member.leaving' } as never]).value, 'left')
    }
  })
})
