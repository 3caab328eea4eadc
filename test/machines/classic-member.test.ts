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

describe('the classic member', () => {
  it('takes every transition of its graph, and context stays plain', () => {
    const graph = assertEveryTransition(machine, {
      input: inputFor({ pattern: 't|u' }),
      events: [
        ready() as ClassicMemberEvent,
        ready(eager) as ClassicMemberEvent,
        topic(2) as ClassicMemberEvent,
        { type: 'TOPIC_MISSING', topic: 't' },
        { type: 'TOPICS', topics: ['t'] },
        stuck as ClassicMemberEvent,
        { type: 'FREE' },
        { type: 'CLOSE' },
        ({ context, value }): ClassicMemberEvent[] => {
          const { attempt, epoch, draining, generation } = context
          const state = JSON.stringify(value)
          const answers: Build[] = []
          if (state.includes('finding')) answers.push(found)
          if (state.includes('joining')) answers.push(idGiven, joined(generation + 1), joined(generation + 1, { leader: true }))
          if (state.includes('dividing')) answers.push(divided)
          if (state.includes('syncing')) answers.push(synced(0), synced())
          if (state.includes('claiming')) answers.push(claimed)
          if (state.includes('looking')) answers.push(looked('range', eager[0]!), looked('own'), looked(null))
          if (/finding|joining|dividing|syncing|claiming|looking|beginning/.test(state))
            for (const verdict of ['again', 'unknown', 'final'] as const) answers.push(failed('join', verdict))
          if (state.includes('joining')) answers.push(failed('join', 'inconsistent'))
          if (state.includes('syncing')) answers.push(failed('sync', 'rebalance'))
          if (draining.length > 0) answers.push({ type: 'RELEASED', epoch, partitions: draining })
          answers.push({ type: 'LEFT_GROUP', attempt }, { type: 'LEFT_GROUP', attempt: attempt - 1 })
          return answers.map(build => (typeof build === 'function' ? build(context) : build))
        },
        ({ context, value }) =>
          JSON.stringify(value).includes('beating') &&
          (['alive', 'again', 'rebalance', 'unknown', 'inconsistent', 'final'] as const).map(verdict =>
            (beat(verdict) as (context: ClassicMemberContext) => ClassicMemberEvent)(context)
          ),
        ({ context }) =>
          context.generation >= 0 &&
          (['rebalance', 'unknown', 'final'] as const).map(verdict => (refused(verdict) as (context: ClassicMemberContext) => ClassicMemberEvent)(context))
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
    console.log(graph.nodes.length, graph.edges.length)
  })
})
