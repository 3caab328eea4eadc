/**
 * Effects, guards, delays and context changes of the KIP-848 member; `consumer-member.ts` has the states that use them.
 */
import { assign, type EventObject, fromCallback, setup } from 'xstate'
import { meaningOfError } from '../model/error-classes.ts'
import type { PlainError } from '../model/errors.ts'
import { revokeLimitMs } from '../model/subscription.ts'
import { keyOf, type Owned } from './consumer.ts'
import {
  byId,
  expireInMs,
  held,
  isUrgent,
  neededNames,
  nextBeatMs,
  pauseMs,
  suspendInMs,
  toRevoke,
  toSay,
  toTake,
  unnamed,
  type Verdict,
  verdictOf,
  withNames,
  withoutPlaces
} from './consumer-member-sets.ts'
import type { ConsumerMemberContext, ConsumerMemberEvent, ConsumerMemberInput, Place, Said } from './consumer-member-types.ts'
import { list } from './group-member-sets.ts'

type Told = Record<string, unknown> & { type: string }
type Attempt = { attempt: number }
type Lookup = { lookup: number }
/** Who the offset store commits as, and what it may commit. */
export type Become = { epoch: number; memberId: string; memberEpoch: number; groupInstanceId: string | null; owned: Owned[] }

const verdict = (context: ConsumerMemberContext, event: ConsumerMemberEvent): Verdict | undefined =>
  event.type === 'ASK_FAILED' && event.attempt === context.attempt ? verdictOf(context, event.error, event.remedy) : undefined

export const base = setup({
  types: {} as { context: ConsumerMemberContext; events: ConsumerMemberEvent; input: ConsumerMemberInput },
  actors: {
    /** The live side: the coordinator and the offset store; what they hold goes when it is stopped. */
    live: fromCallback<EventObject, ConsumerMemberContext>(() => {})
  },
  actions: {
    tellConsumer: (_, _params: { event: Told }) => {},
    followTopic: (_, _params: { topic: string }) => {},
    unfollowTopic: (_, _params: { topic: string }) => {},
    /** The names of all topics, for a pattern that is matched here. */
    followNames: () => {},
    unfollowNames: () => {},
    /** Finds the coordinator and opens this member's connection to it: FOUND or ASK_FAILED. */
    find: (_, _params: Attempt) => {},
    /** ANSWERED or ASK_FAILED. */
    heartbeat: (_, _params: Attempt & { memberId: string | null; memberEpoch: number; sessionTimeoutMs: number; said: Said }) => {},
    /** Tells the group that this member goes, for good or (a static one) to come back: DEPARTED. */
    leave: (_, _params: Attempt & { memberId: string | null; stay: boolean }) => {},
    /** NAMED or LOOKUP_FAILED. */
    name: (_, _params: Lookup & { topicIds: string[] }) => {},
    /** Reads the committed offsets: LOOKED_UP or LOOKUP_FAILED. */
    lookUp: (_, _params: Lookup & { partitions: Owned[] }) => {},
    /** How many members share how much: COUNTED or LOOKUP_FAILED. */
    count: (_, _params: Lookup & { memberId: string | null }) => {},
    become: (_, _params: Become) => {},
    /** Given back: not committed any more. */
    release: (_, _params: { partitions: Owned[] }) => {},
    /** No member any more: nothing is committed, nothing is proven. */
    lose: () => {},
    /** Ownership is proven for a session from this time on. */
    prove: (_, _params: { sentMs: number; sessionTimeoutMs: number }) => {},
    /** The topic was made again: what this process has processed of it means nothing. */
    forgetPositions: (_, _params: { topic: string }) => {},
    /** For those who listen. */
    tellTrouble: (_, _params: { error: PlainError }) => {},

    nextAttempt: assign(({ context }) => ({ attempt: context.attempt + 1 })),
    nextLookup: assign(({ context }) => ({ lookup: context.lookup + 1 })),
    takeFound: assign(({ context, event }) => {
      if (event.type !== 'FOUND') return {}
      const { groupSessionTimeoutMs, pattern } = context.subscription
      return {
        version: event.version,
        memberId: context.memberId ?? (event.version >= 1 ? event.memberId : null),
        matchesHere: context.matchesHere || (pattern !== null && event.version < 1),
        sessionTimeoutMs: Math.min(event.sessionTimeoutMs ?? groupSessionTimeoutMs, groupSessionTimeoutMs)
      }
    }),
    beginSaying: assign(({ context }) => ({ saying: toSay(context), nudged: false, inside: true })),
    takeFailure: assign(({ context, event }) => {
      if (event.type !== 'ASK_FAILED') return {}
      const taken = meaningOfError(event.error)?.remedy === 'taken'
      return {
        delayMs: pauseMs(context, event.random, taken),
        tries: context.tries + 1,
        taken: taken ? context.taken + 1 : context.taken,
        full: true,
        reason: `${event.what}: ${event.error.message}`
      }
    }),
    takeLookupFailure: assign(({ context, event }) => {
      if (event.type === 'LOOKUP_FAILED')
        return {
          delayMs: pauseMs(context, event.random),
          reason: `the ${event.what} could not be looked up: ${event.error.message}`
        }
      return {}
    }),
    takeUnnamed: assign(({ context, event }) => {
      const ids = unnamed(context)
      if (event.type !== 'NAMED' || ids.length === 0) return {}
      const topics = `${ids.length} topic${ids.length > 1 ? 's' : ''}`
      const reason = `partitions of ${topics} wait, whose name no broker tells (yet): ${ids.slice(0, 5).join(', ')}`
      return { delayMs: pauseMs(context, event.random, true), reason }
    }),
    takeNames: assign(({ event }) => (event.type === 'TOPICS' ? { allTopics: event.topics } : {})),
    takeId: assign(({ context, event }) =>
      event.type === 'TOPIC' && event.topicId !== null
        ? { names: withNames(context.names, [{ topicId: event.topicId, topic: event.topic }]) }
        : {}
    ),
    takeNamed: assign(({ context, event }) => (event.type === 'NAMED' ? { names: withNames(context.names, event.names) } : {})),
    matchHere: assign({ matchesHere: true }),
    noteCounted: assign(({ context }) => ({ countedEpoch: context.memberEpoch })),
    nudge: assign({ nudged: true }),
    takeFree: assign({ stuck: false }),
    noteExpired: assign(({ context }) => ({
      delayMs: 0,
      reason: `no heartbeat was answered for the session timeout of ${context.sessionTimeoutMs} ms; the last failure: ${context.reason}`
    })),
    noteFenced: assign(({ context, event }) =>
      event.type === 'ASK_FAILED'
        ? {
            delayMs: pauseMs(context, event.random),
            tries: context.tries + 1,
            reason: `the group has let go of this member: ${event.error.message}`
          }
        : {}
    ),
    noteStuck: assign(({ event }) =>
      event.type === 'STUCK'
        ? {
            stuck: true,
            reason:
              `${keyOf(event)} has been in hand for ${Math.round(event.sinceMs)} ms, longer than maxPollIntervalMs; ` +
              'others get its partitions until that ends'
          }
        : {}
    ),
    noteOutside: assign({ inside: false }),
    takeMemberId: assign(({ context, event }) => (event.type === 'ANSWERED' ? { memberId: event.memberId ?? context.memberId } : {}))
  },
  guards: {
    current: ({ context, event }) => 'attempt' in event && event.attempt === context.attempt,
    currentLookup: ({ context, event }) => 'lookup' in event && event.lookup === context.lookup,
    /** A broker that fails without a reason may fail once, as with a heartbeat. */
    finalLookup: ({ context, event }) =>
      event.type === 'LOOKUP_FAILED' &&
      event.lookup === context.lookup &&
      !event.error.retriable &&
      meaningOfError(event.error)?.class !== 'unknown',
    isRetry: ({ context, event }) => verdict(context, event) === 'retry',
    isFenced: ({ context, event }) => verdict(context, event) === 'fenced',
    isPattern: ({ context, event }) => verdict(context, event) === 'pattern',
    isEnd: ({ context, event }) => ['classic', 'final'].includes(verdict(context, event) ?? ''),
    mustLearn: ({ context }) => context.matchesHere && context.allTopics === null,
    urgent: ({ context }) => isUrgent(context),
    isMember: ({ context }) => context.memberEpoch > 0,
    mustRevoke: ({ context }) => toRevoke(context).length > 0,
    mustTake: ({ context }) => toTake(context).length > 0,
    nothingToTake: ({ context }) => toTake(context).length === 0,
    atRest: ({ context }) => toRevoke(context).length === 0 && toTake(context).length === 0 && unnamed(context).length === 0,
    mustName: ({ context }) => unnamed(context).length > 0,
    allNamed: ({ context }) => unnamed(context).length === 0,
    allDrained: ({ context }) => context.draining.length === 0,
    epochMoves: ({ context, event }) =>
      event.type === 'ANSWERED' && event.attempt === context.attempt && event.memberEpoch !== context.memberEpoch,
    hasNothing: ({ context }) => held(context).length === 0 && context.countedEpoch !== context.memberEpoch,
    holds: ({ context }) => held(context).length > 0,
    /** The refused commit was of what this member still is: the coordinator knows something newer. */
    refusedNow: ({ context, event }) => event.type === 'COMMIT_REFUSED' && event.memberEpoch === context.memberEpoch,
    free: ({ context }) => !context.stuck,
    outside: ({ context }) => !context.inside,
    nameless: ({ context }) => context.memberId === null
  },
  delays: {
    beat: ({ context }) => context.beatMs,
    pause: ({ context }) => context.delayMs,
    suspend: ({ context }) => suspendInMs(context),
    expire: ({ context }) => expireInMs(context),
    leaveLimit: ({ context }) => context.timing.leaveMs,
    surplusLook: ({ context }) => context.timing.surplusMs
  }
})

const plain = (places: readonly Place[]): Owned[] => places.map(({ topic, partition }) => ({ topic, partition }))

const becomeOf = (context: ConsumerMemberContext, epoch: number, memberId: string, memberEpoch: number, places: readonly Place[]) =>
  ({
    type: 'become',
    params: { epoch, memberId, memberEpoch, groupInstanceId: context.subscription.groupInstanceId, owned: plain(places) }
  }) as const

/** Topics by name are followed: their ids are told that way, and those that are missing are created where that is wanted. */
export const start = base.enqueueActions(({ context, enqueue }) => {
  const { topics } = context.subscription
  for (const topic of topics) enqueue({ type: 'followTopic', params: { topic } })
  enqueue(assign({ followed: topics }))
})

/** A heartbeat was answered: who this member is now, and what it is to have. Its share is looked after elsewhere. */
export const takeAnswer = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'ANSWERED') return
  const { saying, heard } = context
  const memberId = event.memberId ?? context.memberId ?? ''
  const target = event.assignment ?? context.target
  enqueue(
    assign({
      memberId,
      memberEpoch: event.memberEpoch,
      heartbeatIntervalMs: event.heartbeatIntervalMs,
      beatMs: nextBeatMs(context, event),
      tookMs: event.tookMs,
      target,
      names: event.assignment ? neededNames(context, event.assignment) : context.names,
      heard: { topics: saying?.topics ?? heard?.topics ?? [], held: saying?.held ?? heard?.held ?? [] },
      saying: null,
      full: false,
      tries: 0,
      taken: 0
    })
  )
  enqueue({ type: 'prove', params: { sentMs: event.sentMs, sessionTimeoutMs: context.sessionTimeoutMs } })
  if (context.tries > 0 && context.memberEpoch > 0) {
    const state = context.draining.length > 0 ? 'revoking' : 'owning'
    const reason = `the coordinator answers again, after: ${context.reason}`
    enqueue({ type: 'tellConsumer', params: { event: { type: 'MEMBER_STATE', state, reason } } })
  }
  if (event.memberEpoch === context.memberEpoch) return
  // The same partitions under a new epoch: commits carry it from now on.
  const epoch = context.epoch + 1
  enqueue(assign({ epoch }))
  enqueue(becomeOf(context, epoch, memberId, event.memberEpoch, held(context)))
  enqueue({ type: 'tellConsumer', params: { event: { type: 'ASSIGNED', epoch, partitions: [] } } })
})

export const revoke = base.enqueueActions(({ context, enqueue }) => {
  const partitions = toRevoke(context)
  const { subscription, epoch } = context
  enqueue(assign({ owned: withoutPlaces(context.owned, partitions), draining: [...context.draining, ...partitions] }))
  // The group waits for `maxPollIntervalMs`, not longer.
  const deadlineMs = Math.min(revokeLimitMs(subscription), subscription.maxPollIntervalMs)
  enqueue({ type: 'tellConsumer', params: { event: { type: 'REVOKE', epoch, partitions: plain(partitions), deadlineMs } } })
})

/** Also while it is told for another reason: whoever lets go, lets go. */
export const takeReleased = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'RELEASED') return
  const keys = new Set(event.partitions.map(keyOf))
  const gone = context.draining.filter(place => keys.has(keyOf(place)))
  if (gone.length === 0) return
  enqueue(assign({ draining: withoutPlaces(context.draining, gone) }))
  enqueue({ type: 'release', params: { partitions: plain(gone) } })
})

/** Those whose offsets were looked up and that are still wanted; what stays is not named again. */
export const takeAdded = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'LOOKED_UP') return
  const offsets = new Map(event.partitions.map(entry => [keyOf(entry), entry]))
  const added = toTake(context).filter(place => offsets.has(keyOf(place)))
  const epoch = context.epoch + 1
  const owned = [...context.owned, ...added]
  const ids = byId(added).map(({ topicId }) => ({ topicId, topic: added.find(place => place.topicId === topicId)!.topic }))
  for (const { topicId, topic } of ids)
    if (context.lastIds.some(last => last.topic === topic && last.topicId !== topicId))
      enqueue({ type: 'forgetPositions', params: { topic } })
  const names = new Set(ids.map(({ topic }) => topic))
  enqueue(assign({ epoch, owned, lastIds: [...context.lastIds.filter(({ topic }) => !names.has(topic)), ...ids], surplusTold: '' }))
  enqueue(becomeOf(context, epoch, context.memberId ?? '', context.memberEpoch, [...owned, ...context.draining]))
  const partitions = added.map(place => offsets.get(keyOf(place))!)
  enqueue({ type: 'tellConsumer', params: { event: { type: 'ASSIGNED', epoch, partitions } } })
})

/** Out of the group: nothing of it is ours any more, and nothing is committed. */
export const dropAll = base.enqueueActions(({ context, enqueue }) => {
  const { epoch, reason, memberEpoch } = context
  enqueue(
    assign({ memberEpoch: 0, target: null, owned: [], draining: [], full: true, heard: null, saying: null, nudged: false, countedEpoch: 0 })
  )
  enqueue('lose')
  if (memberEpoch > 0) enqueue({ type: 'tellConsumer', params: { event: { type: 'LOST', epoch, reason } } })
})

/** Nothing is left behind where there was something. */
export const leaveBehind = base.enqueueActions(({ context, enqueue }) => {
  const attempt = context.attempt + 1
  enqueue(assign({ attempt, inside: false }))
  if (context.memberEpoch > 0) enqueue({ type: 'leave', params: { attempt, memberId: context.memberId, stay: false } })
})

export const tellRest = base.enqueueActions(({ context, enqueue }) => {
  const { owned, memberEpoch } = context
  const reason =
    owned.length > 0
      ? `${owned.length} partition${owned.length > 1 ? 's' : ''} in member epoch ${memberEpoch}: ${list(owned)}`
      : `the broker has given it nothing (yet) in member epoch ${memberEpoch}`
  enqueue({ type: 'tellConsumer', params: { event: { type: 'MEMBER_STATE', state: 'owning', reason } } })
})

/** Says once that there is nothing for this member, and when how many share has changed. */
export const tellSurplus = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'COUNTED' || event.due > 0) return
  const { members, partitions } = event
  const told = `${partitions}/${members}`
  if (told === context.surplusTold) return
  enqueue(assign({ surplusTold: told }))
  const reason = partitions === 0 ? 'its topics have no partitions' : `${members} members share ${partitions} partitions`
  const group = context.subscription.group ?? ''
  enqueue({ type: 'tellConsumer', params: { event: { type: 'SURPLUS', group, partitions, members } } })
  enqueue({ type: 'tellConsumer', params: { event: { type: 'MEMBER_STATE', state: 'surplus', reason } } })
})

export const unfollowAll = base.enqueueActions(({ context, enqueue }) => {
  for (const topic of context.followed) enqueue({ type: 'unfollowTopic', params: { topic } })
  if (context.matchesHere) enqueue('unfollowNames')
  enqueue(assign({ followed: [] }))
})

/** Why the member cannot go on; a group of another kind has a code of its own, so that another membership can be chosen. */
export function failureOf(context: ConsumerMemberContext, event: ConsumerMemberEvent): PlainError | null {
  if (event.type === 'LOOKUP_FAILED') return event.error
  if (event.type !== 'ASK_FAILED') return null
  if (verdictOf(context, event.error, event.remedy) !== 'classic') return event.error
  const group = context.subscription.group ?? ''
  const message =
    `Group ${group} is not one of the consumer protocol (KIP-848), and the brokers do not take it over: ${event.error.message} ` +
    'Join it with membership classic, or let its members leave first.'
  return { ...event.error, code: 'GROUP_IS_CLASSIC', message, retriable: false, details: { ...event.error.details, group } }
}
