/**
 * Events, effects, guards and context changes of the consumer; `consumer.ts` has the states that use them.
 */
import { assign, type EventObject, fromCallback, setup } from 'xstate'
import type { PlainError } from '../model/errors.ts'
import { type Membership, revokeLimitMs, type Subscription } from '../model/subscription.ts'

export interface Owned {
  topic: string
  partition: number
}

export interface Assigned extends Owned {
  /** Committed next offset, decimal. */
  offset: string | null
  /** The leader epoch that was committed with it (KIP-320); null or absent: not known. */
  leaderEpoch?: number | null
}

interface Revocation {
  id: number
  epoch: number
  partitions: Owned[]
  /** Keys of those that still have work in hand. */
  waiting: string[]
}

export interface ConsumerInput {
  instance: string
  path: string
  subscription: Subscription
  retryBackoffMs: number
  retryBackoffMaxMs: number
}

/** Where a group's members meet: `kafka` stands for both of Kafka's own protocols. */
export type House = 'zookeeper' | 'kafka'

export interface ConsumerContext extends ConsumerInput {
  /** What `subscription.membership` was before the choice. */
  asked: Subscription['membership']
  /** Why the consumer protocol turned out not to fit this group or its coordinator; null: it did not. */
  unfit: string | null
  /** Numbers the choices. */
  choice: number
  attempt: number
  delayMs: number
  /** Where the group goes on after this member has left; null: nowhere, the consumer closes. */
  movingTo: House | null
  /** Why the next choice is made. */
  reason: string
  epoch: number
  owned: Owned[]
  revocations: Revocation[]
  nextId: number
  /** The commit that closing waits for. */
  closingId: number
  closeTimeoutMs: number
  error: PlainError | null
}

export type ConsumerEvent =
  | { type: 'CHOSEN'; choice: number; membership: Membership; reason: string }
  | { type: 'CHOICE_FAILED'; choice: number; error: PlainError; random: number }
  /** The group's members meet somewhere else from now on: drain, commit, leave, and go there. */
  | { type: 'MOVED'; to: House; reason: string }
  | { type: 'ASSIGNED'; epoch: number; partitions: Assigned[] }
  /** `deadlineMs`: how long the work in hand may take from now on. */
  | { type: 'REVOKE'; epoch: number; partitions: Owned[]; deadlineMs: number }
  | { type: 'LOST'; epoch: number; reason: string }
  | { type: 'SUSPENDED'; reason: string }
  | { type: 'STALLED'; reason: string }
  | { type: 'RESUMED'; epoch: number }
  | { type: 'SURPLUS'; group: string; partitions: number; members: number }
  | { type: 'MEMBER_STATE'; state: string; reason: string }
  | { type: 'LEFT' }
  | { type: 'MEMBER_FAILED'; error: PlainError }
  | { type: 'PARTITION_RELEASED'; topic: string; partition: number }
  /** The commit of a revocation, or the last one, is over, well or not (the plane told its listeners which). */
  | { type: 'COMMIT_DONE'; id: number }
  /** A handler threw and the policy is `stop`. */
  | { type: 'HANDLER_STOP'; error: PlainError }
  | { type: 'CLOSE'; timeoutMs?: number }

type Tell = { path: string; event: Record<string, unknown> & { type: string } }
export const keyOf = ({ topic, partition }: Owned) => `${topic}/${partition}`
const child = () => fromCallback<EventObject, Record<string, unknown>>(() => {})

export const base = setup({
  types: {} as {
    context: ConsumerContext
    events: ConsumerEvent
    input: ConsumerInput
    tags: 'open'
  },
  actors: {
    plane: child(),
    tier: child(),
    manualMember: child(),
    zookeeperMember: child(),
    classicMember: child(),
    consumerMember: child()
  },
  actions: {
    tell: (_, _params: Tell) => {},
    /** Finds out how the members of this group meet; answers CHOSEN or CHOICE_FAILED with this number. */
    choose: (_, _params: { choice: number; unfit: string | null }) => {},
    emitChosen: (_, _params: { membership: Membership; reason: string }) => {},
    /** Takes the last member's place to commit to, and its proof of ownership, out of the plane. */
    forgetMember: () => {},
    /** Starts a machine for each of these; the plane knows what this process itself has processed of them before. */
    claim: (_, _params: { epoch: number; partitions: Assigned[] }) => {},
    /** Stops fetching them; each says PARTITION_RELEASED when nothing of it is in hand any more. */
    drain: (_, _params: { partitions: Owned[]; limitMs: number }) => {},
    /** Aborts what is in hand; nothing of it is committed. */
    interrupt: (_, _params: { epoch: number; partitions: Owned[]; reason: string }) => {},
    /** Commits what was processed of these (null: of all); answers COMMIT_DONE when it has an id. */
    commit: (_, _params: { epoch: number; partitions: Owned[] | null; id: number | null }) => {},
    /** Forgets them in the plane, tells the listeners and the member so (RELEASED). */
    release: (_, _params: { epoch: number; partitions: Owned[] }) => {},
    /** The last ones, before leaving. */
    releaseAll: () => {},
    setDelivery: (_, _params: { handOut: boolean; commits: boolean; epoch: number }) => {},
    emitSurplus: (_, _params: { group: string; partitions: number; members: number }) => {},
    emitState: (_, _params: { state: string; reason: string }) => {},
    emitFailed: (_, _params: { error: PlainError }) => {},
    /** The last word to listeners, to `close()` and to the cluster. */
    emitClosed: (_, _params: { error: PlainError | null }) => {}
  },
  guards: {
    asked: ({ context }) => context.asked !== 'auto',
    currentChoice: ({ context, event }) => 'choice' in event && event.choice === context.choice,
    finalChoice: ({ context, event }) => event.type === 'CHOICE_FAILED' && event.choice === context.choice && !event.error.retriable,
    /** Its members speak the classic protocol and cannot be taken over to the new one, or its coordinator does not offer that. */
    unfit: ({ context, event }) =>
      context.asked === 'auto' &&
      event.type === 'MEMBER_FAILED' &&
      context.unfit === null &&
      ['GROUP_IS_CLASSIC', 'UNSUPPORTED_VERSION'].includes(event.error.code),
    moves: ({ context }) => context.movingTo !== null,
    autoCommits: ({ context }) => context.subscription.autoCommitIntervalMs !== null,
    nothingOwned: ({ context }) => context.owned.length === 0,
    /** An older assignment's word. */
    stale: ({ context, event }) => 'epoch' in event && event.epoch < context.epoch,
    lastCommit: ({ context, event }) => event.type === 'COMMIT_DONE' && event.id === context.closingId
  },
  delays: {
    autoCommitInterval: ({ context }) => context.subscription.autoCommitIntervalMs ?? 0,
    closeLimit: ({ context }) => context.closeTimeoutMs,
    choicePause: ({ context }) => context.delayMs
  }
})

export const takeAssigned = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'ASSIGNED') return
  const owned = new Set(context.owned.map(keyOf))
  // Told twice is claimed once: what runs already goes on from where it is.
  const added = event.partitions.filter(entry => !owned.has(keyOf(entry)))
  enqueue(
    assign({
      epoch: event.epoch,
      owned: [...context.owned, ...added.map(({ topic, partition }) => ({ topic, partition }))]
    })
  )
  enqueue({ type: 'setDelivery', params: { handOut: true, commits: true, epoch: event.epoch } })
  enqueue({ type: 'claim', params: { epoch: event.epoch, partitions: added } })
})

export const startRevocation = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'REVOKE') return
  const owned = new Set(context.owned.map(keyOf))
  const busy = new Set(context.revocations.flatMap(other => other.waiting))
  const partitions = event.partitions.filter(entry => owned.has(keyOf(entry)) && !busy.has(keyOf(entry)))
  const revocation = { id: context.nextId, epoch: event.epoch, partitions: event.partitions, waiting: partitions.map(keyOf) }
  if (partitions.length === 0) {
    enqueue({ type: 'release', params: { epoch: event.epoch, partitions: event.partitions } })
    return
  }
  enqueue(assign({ revocations: [...context.revocations, revocation], nextId: context.nextId + 1 }))
  enqueue({ type: 'drain', params: { partitions, limitMs: event.deadlineMs } })
})

/** One partition has nothing in hand any more: the revocation that waited for it last goes on to its commit. */
export const takeReleased = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'PARTITION_RELEASED') return
  const key = keyOf(event)
  const revocations = context.revocations.map(revocation => {
    if (!revocation.waiting.includes(key)) return revocation
    const waiting = revocation.waiting.filter(other => other !== key)
    if (waiting.length === 0)
      enqueue({ type: 'commit', params: { epoch: revocation.epoch, partitions: revocation.partitions, id: revocation.id } })
    return { ...revocation, waiting }
  })
  enqueue(assign({ revocations }))
})

export const finishRevocation = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'COMMIT_DONE') return
  const revocation = context.revocations.find(other => other.id === event.id)
  if (!revocation) return
  const gone = new Set(revocation.partitions.map(keyOf))
  enqueue(
    assign({
      revocations: context.revocations.filter(other => other !== revocation),
      owned: context.owned.filter(entry => !gone.has(keyOf(entry)))
    })
  )
  enqueue({ type: 'release', params: { epoch: revocation.epoch, partitions: revocation.partitions } })
})

export const loseAll = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'LOST') return
  enqueue({ type: 'interrupt', params: { epoch: event.epoch, partitions: context.owned, reason: event.reason } })
  enqueue({ type: 'setDelivery', params: { handOut: true, commits: false, epoch: event.epoch } })
  enqueue(assign({ owned: [], revocations: [], epoch: event.epoch }))
})

/** Everything at once; partitions that a revocation drains already are waited for with it. */
export const drainAll = base.enqueueActions(({ context, enqueue }) => {
  const busy = new Set(context.revocations.flatMap(revocation => revocation.waiting))
  const partitions = context.owned.filter(entry => !busy.has(keyOf(entry)))
  const limitMs = Math.min(revokeLimitMs(context.subscription), context.closeTimeoutMs)
  enqueue({ type: 'drain', params: { partitions, limitMs } })
})

export const dropDrained = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'PARTITION_RELEASED') return
  const key = keyOf(event)
  const left = context.owned.filter(entry => keyOf(entry) !== key)
  enqueue(assign({ owned: left }))
})

/** The member of the kind that was chosen. */
export const spawnMember = base.enqueueActions(({ context, enqueue }) => {
  const { instance, path, subscription, retryBackoffMs, retryBackoffMaxMs } = context
  const input = { instance, path: `${path}/member`, consumer: path, subscription, retryBackoffMs, retryBackoffMaxMs }
  const movable = context.asked === 'auto'
  const { membership } = subscription
  if (membership === 'zookeeper') enqueue.spawnChild('zookeeperMember', { id: 'member', input: { ...input, movable } })
  else if (membership === 'classic') enqueue.spawnChild('classicMember', { id: 'member', input })
  else if (membership === 'consumer') enqueue.spawnChild('consumerMember', { id: 'member', input })
  else enqueue.spawnChild('manualMember', { id: 'member', input })
})

/** What a member before left in the plane is forgotten; what it could not let go of in time is taken away. */
export const beginChoice = base.enqueueActions(({ context, enqueue }) => {
  const { epoch, owned, asked, unfit } = context
  const choice = context.choice + 1
  if (owned.length > 0) enqueue({ type: 'interrupt', params: { epoch, partitions: owned, reason: 'the time to leave is over' } })
  // Not at the birth: a child that is spawned there starts before any effect of it is carried out.
  if (context.choice > 0) enqueue('forgetMember')
  enqueue(assign({ choice, movingTo: null, owned: [], revocations: [] }))
  if (asked === 'auto') enqueue({ type: 'choose', params: { choice, unfit } })
})

/** Says so, and from now on the subscription names it. */
export const takeChoice = base.enqueueActions(({ context, event, enqueue }) => {
  const membership = event.type === 'CHOSEN' ? event.membership : (context.asked as Membership)
  const reason = event.type === 'CHOSEN' ? event.reason : 'asked for'
  enqueue(assign({ subscription: { ...context.subscription, membership }, attempt: 0, epoch: 0 }))
  enqueue({ type: 'emitChosen', params: { membership, reason } })
})

export const rememberChoiceFailure = base.assign(({ context, event }) => {
  if (event.type !== 'CHOICE_FAILED') return {}
  const attempt = context.attempt + 1
  const pause = Math.min(context.retryBackoffMaxMs, context.retryBackoffMs * 2 ** Math.min(attempt - 1, 20))
  return { attempt, delayMs: Math.round(pause * (0.8 + 0.4 * event.random)), reason: event.error.message }
})

/** For whoever asked for one place and no other. */
export function groupMoved(reason: string): PlainError {
  const message = `This consumer asked for membership zookeeper, but ${reason}. Subscribe with membership auto (the default), classic or consumer.`
  return { name: 'SamsaError', code: 'GROUP_MOVED', message, retriable: false, details: {} }
}
