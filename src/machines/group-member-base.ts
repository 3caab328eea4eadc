/**
 * Effects, guards, delays and context changes of the group member; `group-member.ts` has the states that use them.
 */
import { assign, type EventObject, fromCallback, setup } from 'xstate'
import type { PlainError } from '../model/errors.ts'
import { revokeLimitMs } from '../model/subscription.ts'
import type { Owned } from './consumer.ts'
import { among, backoff, held, list, nextLevels, sameNames, stillUnowned, toClaim, toRevoke, without } from './group-member-sets.ts'
import type { GroupMemberContext, GroupMemberEvent, GroupMemberInput, Share, TopicLevel } from './group-member-types.ts'

type Told = Record<string, unknown> & { type: string }
type Attempt = { attempt: number }
/** Looks that must pass between two nudges. */
const nudgeRest = 3

export const base = setup({
  types: {} as { context: GroupMemberContext; events: GroupMemberEvent; input: GroupMemberInput },
  actors: {
    /** Tells of the registry's sessions, one after the other; what the member holds goes when it is stopped. */
    sessions: fromCallback<EventObject, GroupMemberContext>(() => {})
  },
  actions: {
    tellConsumer: (_, _params: { event: Told }) => {},
    followTopic: (_, _params: { topic: string }) => {},
    unfollowTopic: (_, _params: { topic: string }) => {},
    followNames: () => {},
    unfollowNames: () => {},
    /** REGISTERED. */
    register: (_, _params: Attempt) => {},
    /** Reads the members, arms the watch on them, and plans with these levels: PLANNED. */
    read: (_, _params: Attempt & { levels: TopicLevel[]; names: string[] | null }) => {},
    /** Removes the owner nodes, and the committed offsets of topics that were made again: GIVEN_BACK. */
    release: (_, _params: Attempt & { partitions: Owned[]; dropOffsets: string[] }) => {},
    /** All or nothing: CLAIMED with the committed offsets, or CLAIM_BLOCKED. */
    claim: (_, _params: Attempt & { epoch: number; partitions: Owned[] }) => {},
    /** After a suspension: are these still mine, and is nothing else? VERIFIED. */
    verify: (_, _params: Attempt & { partitions: Owned[] }) => {},
    /** Removes every owner node of this member: DROPPED. */
    drop: (_, _params: Attempt) => {},
    /** Has every partition the owner that the assignment gives it? AUDITED. */
    audit: (_, _params: Attempt & { mine: Owned[]; shares: Share[] }) => {},
    /** Writes the own node anew, so that peers that have given up rebalance once more. */
    nudge: (_, _params: { reason: string }) => {},
    /** Commits of this topic are refused from now on: it is another topic. */
    condemn: (_, _params: { topic: string }) => {},
    /** Removes all that is ours, now or as soon as the session answers: UNREGISTERED. */
    leave: (_, _params: Attempt) => {},
    /** For those who listen: a member's node that cannot be used, a look that failed. */
    tellTrouble: (_, _params: { error: PlainError }) => {},

    nextAttempt: assign(({ context }) => ({ attempt: context.attempt + 1 })),
    clean: assign({ dirty: false }),
    atRest: assign({ tries: 0, blockedBy: [] }),
    takeSession: assign(({ event }) => (event.type === 'SESSION_CONNECTED' ? { session: event.session } : {})),
    takeSuspension: assign(({ event }) =>
      event.type === 'SESSION_SUSPENDED' ? { stallMs: Math.max(0, event.stallInMs), reason: event.reason } : {}
    ),
    /** The session is over, and every node of it: nothing is owned, whatever the consumer was doing. */
    forgetSession: assign(({ event }) => ({
      ...nothingHeld,
      session: 0,
      registered: false,
      tries: 0,
      reason: event.type === 'SESSION_EXPIRED' ? `the ZooKeeper session is over: ${event.reason}` : 'another ZooKeeper session has begun'
    })),
    forgetHeld: assign(() => nothingHeld),
    takeRegistered: assign(({ event }) => (event.type === 'REGISTERED' ? { memberId: event.memberId, registered: true, tries: 0 } : {})),
    takeFailure: assign(({ context, event }) => {
      if (event.type !== 'STEP_FAILED') return {}
      const reason = `${event.step}: ${event.error.message}`
      return { delayMs: backoff(context, event.random), tries: context.tries + 1, blockedBy: [], reason }
    }),
    takeBlocked: assign(({ context, event }) => {
      if (event.type !== 'CLAIM_BLOCKED') return {}
      const reason = `it waits for ${list(event.blockedBy, ({ owner }) => ` (held by ${owner})`)}`
      return { delayMs: backoff(context, event.random), tries: context.tries + 1, blockedBy: event.blockedBy, reason }
    }),
    /** Also while it is told for another reason: whoever lets go, lets go. */
    takeReleased: assign(({ context, event }) => {
      if (event.type !== 'RELEASED') return {}
      const done = among(context.draining, event.partitions)
      return { draining: without(context.draining, done), drained: [...context.drained, ...done] }
    }),
    takeGivenBack: assign(({ context }) => ({
      drained: [],
      condemned: context.condemned.filter(topic => context.owned.some(entry => entry.topic === topic))
    })),
    groupChanged: assign({ dirty: true, reason: 'the members have changed' }),
    takeNames: assign(({ context, event }) => {
      if (event.type !== 'TOPICS' || (context.names && sameNames(context.names, event.topics))) return {}
      return { names: event.topics, dirty: true, reason: 'the list of topics has changed' }
    }),
    takeVerified: assign(({ event }) => (event.type === 'VERIFIED' ? { registered: event.registered } : {})),
    noteLost: assign(({ event }) => {
      if (event.type === 'OWNER_CHANGED')
        return { reason: `the owner node of ${event.topic}/${event.partition} is not this member's any more` }
      if (event.type === 'VERIFIED' || event.type === 'AUDITED') return { reason: `owner nodes have gone: ${list(event.lost)}` }
      return {}
    }),
    noteOverdue: assign(({ context }) => ({ reason: `these were not let go of in time: ${list(context.draining)}` })),
    takeAudit: assign(({ context, event }) =>
      event.type === 'AUDITED' ? { unowned: event.unowned, nudgeRest: Math.max(0, context.nudgeRest - 1) } : {}
    ),
    takeNudged: assign({ nudgeRest, unowned: [] })
  },
  guards: {
    current: ({ context, event }) => 'attempt' in event && event.attempt === context.attempt,
    currentFinal: ({ context, event }) => event.type === 'STEP_FAILED' && event.attempt === context.attempt && event.final,
    ofSession: ({ context, event }) => 'session' in event && event.session === context.session,
    hasSession: ({ context }) => context.session !== 0,
    dirty: ({ context }) => context.dirty,
    unregistered: ({ context }) => !context.registered,
    planReady: ({ context, event }) => event.type === 'PLANNED' && event.attempt === context.attempt && event.plan.ready,
    mustRevoke: context => toRevoke(context.context).length + context.context.draining.length + context.context.drained.length > 0,
    allDrained: ({ context }) => context.draining.length === 0,
    mustClaim: ({ context }) => toClaim(context).length > 0,
    surplus: ({ context }) => context.owned.length === 0,
    someLost: ({ context, event }) =>
      (event.type === 'VERIFIED' || event.type === 'AUDITED') && event.attempt === context.attempt && event.lost.length > 0,
    peersGaveUp: ({ context, event }) =>
      event.type === 'AUDITED' &&
      event.attempt === context.attempt &&
      context.nudgeRest <= 1 &&
      stillUnowned(context.unowned, event.unowned).length > 0,
    lostOwner: ({ context, event }) =>
      event.type === 'OWNER_CHANGED' && event.session === context.session && event.mine && among(context.owned, [event]).length > 0
  },
  delays: {
    settle: ({ context }) => context.timing.settleMs,
    backoff: ({ context }) => context.delayMs,
    learn: ({ context }) => context.timing.learnMs,
    revokeLimit: ({ context }) => revokeLimitMs(context.subscription) + context.timing.revokeSlackMs,
    audit: ({ context }) => context.timing.auditMs,
    leave: ({ context }) => context.timing.leaveMs,
    stall: ({ context }) => context.stallMs
  }
})

const nothingHeld = { owned: [], draining: [], drained: [], target: [], condemned: [], unowned: [], blockedBy: [], surplusTold: '' }

/** Topics by name are followed from the beginning, so that their partitions are known when the members are. */
export const start = base.enqueueActions(({ context, enqueue }) => {
  const { topics, pattern } = context.subscription
  for (const topic of topics) enqueue({ type: 'followTopic', params: { topic } })
  if (pattern !== null) enqueue('followNames')
  enqueue(assign({ followed: topics, namesFollowed: pattern !== null }))
})

export const takeTopic = base.enqueueActions(({ context, event, enqueue }) => {
  if ((event.type !== 'TOPIC' && event.type !== 'TOPIC_MISSING') || !context.followed.includes(event.topic)) return
  const { topic } = event
  const level = event.type === 'TOPIC' ? event : { topic, topicId: null, partitions: [] }
  const next = nextLevels(context, { topic, topicId: level.topicId, partitions: level.partitions })
  if (!next) return
  const what = next.recreated
    ? 'was made again'
    : level.partitions.length === 0
      ? 'does not exist'
      : `has ${level.partitions.length} partitions`
  enqueue(assign({ levels: next.levels, dirty: true, reason: `topic ${topic} ${what}` }))
  if (!next.recreated || !held(context).some(entry => entry.topic === topic)) return
  enqueue(assign({ condemned: [...new Set([...context.condemned, topic])] }))
  enqueue({ type: 'condemn', params: { topic } })
})

/** Remembers the plan, and follows what it is made of. */
export const takePlan = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'PLANNED') return
  const { plan } = event
  for (const topic of plan.follow) if (!context.followed.includes(topic)) enqueue({ type: 'followTopic', params: { topic } })
  for (const topic of context.followed) if (!plan.follow.includes(topic)) enqueue({ type: 'unfollowTopic', params: { topic } })
  if (plan.names && !context.namesFollowed) enqueue('followNames')
  if (!plan.names && context.namesFollowed) enqueue('unfollowNames')
  const { registered, members, quarantined } = plan
  const levels = context.levels.filter(({ topic }) => plan.follow.includes(topic))
  const names = plan.names ? context.names : null
  enqueue(assign({ followed: plan.follow, namesFollowed: plan.names, levels, names, registered, members, quarantined }))
  for (const { memberId, problem } of quarantined)
    if (!context.quarantined.some(known => known.memberId === memberId && known.problem === problem))
      enqueue({ type: 'tellTrouble', params: { error: quarantineError(memberId, problem) } })
  if (plan.ready) enqueue(assign({ target: plan.mine, shares: plan.shares, partitions: plan.partitions, unowned: [] }))
})

function quarantineError(memberId: string, problem: string): PlainError {
  const message = `Member ${memberId} is left out of the group: ${problem}. Scala members of the group fail on such a node until it is removed.`
  return { name: 'RegistryError', code: 'MEMBER_QUARANTINED', message, retriable: false, details: { memberId } }
}

export const revoke = base.enqueueActions(({ context, enqueue }) => {
  const partitions = toRevoke(context)
  if (partitions.length === 0) return
  enqueue(assign({ owned: without(context.owned, partitions), draining: [...context.draining, ...partitions] }))
  const deadlineMs = revokeLimitMs(context.subscription)
  enqueue({ type: 'tellConsumer', params: { event: { type: 'REVOKE', epoch: context.epoch, partitions, deadlineMs } } })
})

/** A new epoch for what was added; what stays is not named again. */
export const takeClaimed = base.enqueueActions(({ context, event, enqueue }) => {
  const partitions = event.type === 'CLAIMED' ? event.partitions : []
  const epoch = context.epoch + 1
  const added = partitions.map(({ topic, partition }) => ({ topic, partition }))
  const surplusTold = added.length > 0 ? '' : context.surplusTold
  enqueue(assign({ epoch, owned: [...context.owned, ...added], blockedBy: [], tries: 0, surplusTold }))
  enqueue({ type: 'tellConsumer', params: { event: { type: 'ASSIGNED', epoch, partitions } } })
})

/** The consumer drains, commits and closes this member: until then it owns what it owns, and claims nothing. */
export const sayMoved = base.enqueueActions(({ context, event, enqueue }) => {
  const group = context.subscription.group ?? ''
  let reason = 'ZooKeeper is gone and the brokers run without it'
  if (event.type === 'GROUP_MOVED')
    reason = event.sign === 'moved' ? `group ${group} has moved to Kafka` : `group ${group} is being moved to Kafka`
  enqueue({ type: 'tellConsumer', params: { event: { type: 'MOVED', to: 'kafka', reason } } })
})

/** Says once that there is nothing for this member, and when how many share has changed. */
export const tellSurplus = base.enqueueActions(({ context, enqueue }) => {
  const { members, partitions } = context
  const group = context.subscription.group ?? ''
  const told = `${partitions}/${members}`
  if (told === context.surplusTold) return
  enqueue(assign({ surplusTold: told }))
  const reason = partitions === 0 ? 'its topics have no partitions' : `${members} members share ${partitions} partitions`
  enqueue({ type: 'tellConsumer', params: { event: { type: 'SURPLUS', group, partitions, members } } })
  enqueue({ type: 'tellConsumer', params: { event: { type: 'MEMBER_STATE', state: 'surplus', reason } } })
})

export const tellUnowned = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'AUDITED' || event.unowned.length === 0) return
  const known = new Set(context.unowned.map(({ topic, partition }) => `${topic}/${partition}`))
  if (event.unowned.every(({ topic, partition }) => known.has(`${topic}/${partition}`))) return
  const reason = `owned by nobody: ${list(event.unowned, ({ member }) => ` (due to ${member})`)}`
  enqueue({ type: 'tellConsumer', params: { event: { type: 'MEMBER_STATE', state: 'owning', reason } } })
})

export const unfollowAll = base.enqueueActions(({ context, enqueue }) => {
  for (const topic of context.followed) enqueue({ type: 'unfollowTopic', params: { topic } })
  if (context.namesFollowed) enqueue('unfollowNames')
  enqueue(assign({ followed: [], namesFollowed: false }))
})
