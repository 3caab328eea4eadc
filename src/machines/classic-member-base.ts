/**
 * Effects, guards, delays and context changes of the classic member; `classic-member.ts` has the states that use them.
 */
import { assign, type EventObject, fromCallback, setup } from 'xstate'
import type { PlainError } from '../model/errors.ts'
import { revokeLimitMs } from '../model/subscription.ts'
import {
  agingMs,
  backoff,
  difference,
  dividedOtherwise,
  held,
  matching,
  nextBeatMs,
  nextLevels,
  noteDivided,
  restBeatMs,
  subscribesOtherwise,
  toRevoke
} from './classic-member-sums.ts'
import type { ClassicMemberContext, ClassicMemberEvent, ClassicMemberInput, TopicLevel, Verdict } from './classic-member-types.ts'
import type { Owned } from './consumer.ts'
import { among, list, sameNames, without } from './group-member-sets.ts'

type Told = Record<string, unknown> & { type: string }
type Attempt = { attempt: number }
type Identity = { memberId: string; generation: number }

/** The coordinator does not take it for what it was: what it owned may be another's. */
const outcast = (verdict: string) => verdict === 'stale' || verdict === 'unknown'

export const base = setup({
  types: {} as { context: ClassicMemberContext; events: ClassicMemberEvent; input: ClassicMemberInput },
  actors: {
    /** What lives: the coordinator's links, the assignors, the offset store. READY. */
    live: fromCallback<EventObject, ClassicMemberContext>(() => {})
  },
  actions: {
    tellConsumer: (_, _params: { event: Told }) => {},
    followTopic: (_, _params: { topic: string }) => {},
    unfollowTopic: (_, _params: { topic: string }) => {},
    followNames: () => {},
    unfollowNames: () => {},
    /** FOUND. */
    find: (_, _params: Attempt) => {},
    /** MEMBER_ID_GIVEN, or JOINED as soon as every member has joined. `held`: what it owned last. */
    join: (_, _params: Attempt & Identity & { offers: string[]; topics: string[]; held: Owned[]; reason: string }) => {},
    /** Has the common assignor divide these topics among the members that JOINED brought (`skip`: leaves it as it is): DIVIDED. */
    divide: (_, _params: Attempt & { protocol: string; levels: TopicLevel[]; skip: boolean }) => {},
    /** Sends what was divided, if something was; SYNCED with what this member gets. */
    sync: (_, _params: Attempt & Identity & { protocol: string; topics: string[] }) => {},
    /** Reads the committed offsets: CLAIMED. */
    claim: (_, _params: Attempt & { partitions: Owned[] }) => {},
    /** Which assignor does the group speak? LOOKED. */
    look: (_, _params: Attempt) => {},
    /** HEARTBEAT. `aside`: the member's own connection is held by what blocks. */
    heartbeat: (_, _params: Identity & { beat: number; aside: boolean }) => {},
    /** LeaveGroup, unless this is a static member: LEFT_GROUP. */
    leave: (_, _params: Attempt & { memberId: string; reason: string }) => {},
    /** Commits go as this from now on, for these. */
    become: (_, _params: Identity & { epoch: number; owned: Owned[] }) => {},
    /** Commits may be refused by generation until it becomes another one. */
    changing: () => {},
    /** Nothing may be committed. */
    lose: () => {},
    releaseOffsets: (_, _params: { partitions: Owned[] }) => {},
    /** The topic was made again: what was processed of it means nothing. */
    forgetPositions: (_, _params: { topic: string }) => {},
    /** SURPLUS, to the consumer; asks the group how many members there are where this one does not know (0). */
    tellSurplus: (_, _params: { partitions: number; members: number }) => {},
    /** For those who listen: a heartbeat that is tried again, a step that is. */
    tellTrouble: (_, _params: { error: PlainError }) => {},

    nextAttempt: assign(({ context }) => ({ attempt: context.attempt + 1 })),
    takeReady: assign(({ event }) => (event.type === 'READY' ? { offers: event.offers, defaultOffers: event.defaultOffers } : {})),
    beginJoin: assign(({ context }) => ({ joinedTopics: context.topics, rejoin: false, dirty: false, added: [], blocked: true })),
    unblock: assign({ blocked: false }),
    takeMemberId: assign(({ event }) => (event.type === 'MEMBER_ID_GIVEN' ? { memberId: event.memberId } : {})),
    takeOffer: assign(({ event }) =>
      event.type === 'LOOKED' && event.offer
        ? { offers: [event.offer], reason: `the group speaks ${event.offer.name}, so this member does too` }
        : {}
    ),
    takeLook: assign(({ context, event }) => {
      if (event.type !== 'LOOKED') return {}
      const said = event.protocol === null ? 'does not say which it has' : `says nevertheless that it has ${event.protocol}`
      const reason = `the group has no assignor of this member's, and ${said} (it is ${event.state})`
      return { delayMs: backoff(context, event.random), tries: context.tries + 1, reason }
    }),
    takeFailure: assign(({ context, event }) => {
      if (event.type !== 'STEP_FAILED') return {}
      const soon = context.tries === 0 && (outcast(event.verdict) || event.verdict === 'rebalance')
      return {
        delayMs: soon ? 0 : backoff(context, event.random),
        tries: context.tries + 1,
        reason: `${event.step}: ${event.error.message}`
      }
    }),
    noteDivided: assign(({ context }) => noteDivided(context)),
    /** It is of no generation any more; its id stands, unless the coordinator does not know it. */
    forgetGeneration: assign(({ context, event }) => {
      const unknown = 'verdict' in event && event.verdict === 'unknown'
      const reason = 'error' in event && event.error ? event.error.message : context.reason
      return { generation: -1, leader: false, divided: [], memberId: unknown ? '' : context.memberId, reason }
    }),
    forgetMember: assign({ memberId: '', generation: -1, leader: false, divided: [] }),
    noteRebalance: assign({ rejoin: true, reason: 'the group rebalances' }),
    noteOverdue: assign(({ context }) => ({ reason: `these were not let go of in time: ${list(context.draining)}` })),
    noteLease: assign(({ context }) => ({ reason: `no heartbeat was answered for ${context.subscription.groupSessionTimeoutMs} ms` })),
    noteStuck: assign(({ context, event }) => {
      if (event.type !== 'STUCK') return {}
      const limitMs = context.subscription.maxPollIntervalMs
      const reason = `${event.topic}/${event.partition} stands still for ${event.sinceMs} ms, longer than maxPollIntervalMs (${limitMs})`
      return { reason }
    }),
    takeReleased: assign(({ context, event }) => {
      if (event.type !== 'RELEASED') return {}
      return { draining: without(context.draining, among(context.draining, event.partitions)) }
    }),
    nextBeat: assign(({ context }) => ({ beat: context.beat + 1 })),
    slower: assign(({ context }) => ({ beatMs: nextBeatMs(context), beatTries: 0 })),
    beatBackoff: assign(({ context: { timing, beatTries }, event }) =>
      event.type === 'HEARTBEAT' ? { beatDelayMs: backoff({ timing, tries: beatTries }, event.random), beatTries: beatTries + 1 } : {}
    ),
    renewLease: assign(({ event }) => ('leaseMs' in event ? { leaseMs: Math.max(0, event.leaseMs) } : {})),
    atRest: assign({ tries: 0 })
  },
  guards: {
    current: ({ context, event }) => 'attempt' in event && event.attempt === context.attempt,
    currentFinal: ({ context, event }) => event.type === 'STEP_FAILED' && event.attempt === context.attempt && event.verdict === 'final',
    currentOutcast: ({ context, event }) => event.type === 'STEP_FAILED' && event.attempt === context.attempt && outcast(event.verdict),
    currentRebalance: ({ context, event }) =>
      event.type === 'STEP_FAILED' && event.attempt === context.attempt && event.verdict === 'rebalance',
    currentInconsistent: ({ context, event }) =>
      event.type === 'STEP_FAILED' && event.attempt === context.attempt && event.verdict === 'inconsistent',
    leads: ({ context, event }) => event.type === 'JOINED' && event.attempt === context.attempt && event.leader,
    /** The group speaks one of ours, and the user leaves the choice to us. */
    offers: ({ context, event }) =>
      event.type === 'LOOKED' && event.attempt === context.attempt && context.defaultOffers && event.offer !== null,
    /** Refused with the very assignor of which the group says that it speaks it: it is about to change. */
    offeredAlready: ({ context, event }) =>
      event.type === 'LOOKED' &&
      event.attempt === context.attempt &&
      event.offer !== null &&
      context.offers.some(({ name }) => name === event.offer?.name),
    /** Nothing can be done about what the group speaks. */
    speaksOtherwise: ({ context, event }) => event.type === 'LOOKED' && event.attempt === context.attempt && event.protocol !== null,
    waitsForNames: ({ context }) => context.subscription.pattern !== null && context.names === null,
    named: ({ context }) => context.subscription.pattern === null || context.names !== null,
    mustRevoke: ({ context }) => toRevoke(context).length + context.draining.length > 0,
    drains: ({ context }) => context.draining.length > 0,
    allDrained: ({ context }) => context.draining.length === 0,
    somethingAdded: ({ context }) => context.added.length > 0,
    mustRejoin: ({ context }) => context.rejoin,
    dirty: ({ context }) => context.dirty,
    clean: ({ context }) => !context.dirty,
    levelsKnown: ({ context }) => context.groupTopics.every(topic => context.levels.some(level => level.topic === topic)),
    surplus: ({ context }) => context.owned.length === 0,
    /** Of a generation, and with something to prove: while a join holds its connection, only what it owns. */
    beats: ({ context }) => context.generation >= 0 && (!context.blocked || held(context).length > 0),
    beatsNot: ({ context }) => context.generation < 0 || (context.blocked && held(context).length === 0),
    currentBeat: ({ context, event }) => event.type === 'HEARTBEAT' && event.beat === context.beat,
    /** The coordinator takes it for a member. */
    alive: ({ context, event }) =>
      event.type === 'HEARTBEAT' && event.beat === context.beat && (event.verdict === 'alive' || event.verdict === 'rebalance'),
    unheard: ({ context, event }) =>
      event.type === 'HEARTBEAT' && event.beat === context.beat && (event.verdict === 'again' || event.verdict === 'elsewhere'),
    beatRebalance: ({ context, event }) => isWordOf(context, event) && event.verdict === 'rebalance',
    beatOutcast: ({ context, event }) => isWordOf(context, event) && outcast(event.verdict),
    beatFinal: ({ context, event }) => isWordOf(context, event) && event.verdict === 'final',
    ungenerated: ({ context }) => context.generation < 0
  },
  delays: {
    settle: ({ context }) => context.timing.settleMs,
    backoff: ({ context }) => context.delayMs,
    beatBackoff: ({ context }) => context.beatDelayMs,
    learn: ({ context }) => context.timing.learnMs,
    revokeLimit: ({ context }) => revokeLimitMs(context.subscription) + context.timing.revokeSlackMs,
    leave: ({ context }) => context.timing.leaveMs,
    beat: ({ context }) => context.beatMs,
    surplus: ({ context }) => context.timing.surplusMs,
    suspend: ({ context }) => context.leaseMs - agingMs(context),
    leaseEnd: ({ context }) => agingMs(context)
  }
})

type Word = { verdict: 'alive' | Verdict }

/** The coordinator's word on this generation: the answer of the last heartbeat, or of a commit as this generation. */
function isWordOf<E extends ClassicMemberEvent>(context: ClassicMemberContext, event: E): event is E & Word {
  if (event.type === 'HEARTBEAT') return event.beat === context.beat
  return event.type === 'REFUSED' && event.generation === context.generation
}

/** Named topics are followed from the beginning, so that their partitions are known when the members are. */
export const start = base.enqueueActions(({ context, enqueue }) => {
  const { topics, pattern } = context.subscription
  for (const topic of topics) enqueue({ type: 'followTopic', params: { topic } })
  if (pattern !== null) enqueue('followNames')
  enqueue(assign({ topics, followed: topics }))
})

export const unfollowAll = base.enqueueActions(({ context, enqueue }) => {
  for (const topic of context.followed) enqueue({ type: 'unfollowTopic', params: { topic } })
  if (context.subscription.pattern !== null) enqueue('unfollowNames')
  enqueue(assign({ followed: [] }))
})

type Enqueue = Parameters<Parameters<typeof base.enqueueActions>[0]>[0]['enqueue']

/** Goes on with this context: follows its topics, its group's while it leads, and nothing else; and knows whether it must join again. */
function goOnWith(next: ClassicMemberContext, before: ClassicMemberContext, enqueue: Enqueue): void {
  const wanted = [...new Set([...next.topics, ...(next.leader ? next.groupTopics : [])])].sort()
  for (const topic of wanted) if (!before.followed.includes(topic)) enqueue({ type: 'followTopic', params: { topic } })
  for (const topic of before.followed) if (!wanted.includes(topic)) enqueue({ type: 'unfollowTopic', params: { topic } })
  const levels = next.levels.filter(({ topic }) => wanted.includes(topic))
  // Before it has asked to join it has said nothing that could be otherwise.
  const said = next.generation >= 0 || next.blocked
  const change = said ? (subscribesOtherwise(next) ?? (next.leader ? dividedOtherwise({ ...next, levels }) : undefined)) : undefined
  enqueue(assign({ ...next, followed: wanted, levels, dirty: change !== undefined, reason: change ?? next.reason }))
}

/** The names of all topics: what the pattern matches may be something else now. */
export const takeNames = base.enqueueActions(({ context, event, enqueue }) => {
  const { pattern } = context.subscription
  if (event.type !== 'TOPICS' || pattern === null || (context.names && sameNames(context.names, event.topics))) return
  goOnWith({ ...context, names: event.topics, topics: matching(pattern, event.topics) }, context, enqueue)
})

export const takeTopic = base.enqueueActions(({ context, event, enqueue }) => {
  if ((event.type !== 'TOPIC' && event.type !== 'TOPIC_MISSING') || !context.followed.includes(event.topic)) return
  const { topic } = event
  const level =
    event.type === 'TOPIC' ? { topic, topicId: event.topicId, partitions: event.partitions } : { topic, topicId: null, partitions: [] }
  const next = nextLevels(context, level)
  if (!next) return
  if (next.recreated) enqueue({ type: 'forgetPositions', params: { topic } })
  goOnWith({ ...context, levels: next.levels }, context, enqueue)
})

/** A generation that this member is part of: it leads the group's topics, or only its own concern it. */
export const takeJoined = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'JOINED') return
  const { memberId, generation, protocol, leader, skipAssignment, members, groupTopics, leaseMs } = event
  const told = { memberId, generation, protocol, leader, skipAssignment, members, groupTopics: leader ? groupTopics : [] }
  goOnWith({ ...context, ...told, divided: [], beat: context.beat + 1, leaseMs: Math.max(0, leaseMs) }, context, enqueue)
})

/**
 * The assignment: what stays goes on without a break, what is gone is given back, what is new waits for its committed offset. A member that has
 * given something back joins again, so that those who wait for it get it (KIP-429).
 */
export const takeSynced = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'SYNCED') return
  const { memberId, generation, draining, timing } = context
  const { added, gone } = difference(context.owned, without(event.partitions, draining))
  const owned = without(context.owned, gone)
  const epoch = context.epoch + 1
  const beat = { beat: context.beat + 1, beatMs: timing.firstBeatMs, restBeatMs: restBeatMs(context, owned.length + added.length) }
  const rejoin = gone.length > 0 || draining.length > 0
  const reason = rejoin ? 'it gives back what others wait for' : context.reason
  enqueue(assign({ epoch, owned, added, draining: [...draining, ...gone], rejoin, reason, ...beat, leaseMs: Math.max(0, event.leaseMs) }))
  enqueue({ type: 'become', params: { memberId, generation, epoch, owned: [...owned, ...draining, ...gone, ...added] } })
  if (gone.length > 0) enqueue(revocation(context, epoch, gone))
  // Nothing to read: the new epoch counts at once.
  if (added.length === 0) enqueue({ type: 'tellConsumer', params: { event: { type: 'ASSIGNED', epoch, partitions: [] } } })
})

const revocation = ({ subscription }: ClassicMemberContext, epoch: number, partitions: Owned[]) =>
  ({
    type: 'tellConsumer',
    params: { event: { type: 'REVOKE', epoch, partitions, deadlineMs: revokeLimitMs(subscription) } }
  }) as const

export const takeClaimed = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'CLAIMED') return
  const { epoch } = context
  const added = event.partitions.map(({ topic, partition }) => ({ topic, partition }))
  enqueue(assign({ owned: [...context.owned, ...added], added: [], surplusTold: '', tries: 0 }))
  enqueue({ type: 'tellConsumer', params: { event: { type: 'ASSIGNED', epoch, partitions: event.partitions } } })
})

/** What must be let go of before it joins. */
export const revoke = base.enqueueActions(({ context, enqueue }) => {
  const partitions = toRevoke(context)
  if (partitions.length === 0) return
  enqueue(assign({ owned: without(context.owned, partitions), draining: [...context.draining, ...partitions] }))
  enqueue(revocation(context, context.epoch, partitions))
})

/** Somebody else may own all of it by now: the consumer stops at once, and commits nothing. */
export const loseAll = base.enqueueActions(({ context, enqueue }) => {
  enqueue('lose')
  if (held(context).length > 0)
    enqueue({ type: 'tellConsumer', params: { event: { type: 'LOST', epoch: context.epoch, reason: context.reason } } })
  enqueue(assign({ owned: [], draining: [], added: [], surplusTold: '' }))
})

/** Says once that there is nothing for this member, and again when how many share has changed. */
export const tellSurplus = base.enqueueActions(({ context, enqueue }) => {
  const { leader, members, topics, levels } = context
  const partitions = levels.filter(({ topic }) => topics.includes(topic)).reduce((sum, level) => sum + level.partitions.length, 0)
  const told = `${partitions}/${context.generation}`
  if (told === context.surplusTold) return
  enqueue(assign({ surplusTold: told }))
  const reason = partitions === 0 ? 'its topics have no partitions' : `other members own all ${partitions} partitions`
  enqueue({ type: 'tellSurplus', params: { partitions, members: leader ? members : 0 } })
  enqueue({ type: 'tellConsumer', params: { event: { type: 'MEMBER_STATE', state: 'surplus', reason } } })
})
