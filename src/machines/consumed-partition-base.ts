/**
 * What the machine of a consumed partition is made of: what it knows, what it is told, its effects by name, its guards and delays.
 * The states are in `consumed-partition.ts`.
 */
import { assign, setup } from 'xstate'
import type { PlainError } from '../model/errors.ts'
import type { ResetPolicy } from '../model/subscription.ts'

export type PositionReason = 'committed' | 'reset' | 'carried' | 'given' | 'sought' | 'truncated'

export interface ConsumedPartitionInput {
  instance: string
  path: string
  /** Path of the consumer. */
  consumer: string
  topic: string
  partition: number
  /** The assignment's epoch. */
  epoch: number
  /** Where to begin, decimal; null: the reset policy decides. */
  offset: string | null
  /** Leader epoch of the message before `offset` (KIP-320); null: not known. */
  offsetEpoch: number | null
  why: PositionReason
  /** How a place that was sought for is to be looked up; null: by the reset policy. */
  target: ResetPolicy | null
  /** Id of the topic in which `offset` is a place; null: not known, whatever topic has the name. */
  topicId: string | null
  /** What is committed, decimal, where `offset` is another place; null: nothing, or it is `offset`. */
  committed: string | null
  paused: boolean
  from: ResetPolicy
  retryBackoffMs: number
  retryBackoffMaxMs: number
  /** Refetches of a batch whose bytes are damaged, before the partition is parked. */
  corruptRetries: number
  /** How long it is read from a replica that the leader prefers, before the leader is asked again (`metadata.max.age.ms`). */
  replicaLeaseMs: number
}

export interface ConsumedPartitionContext extends ConsumedPartitionInput {
  leader: number | null
  leaderEpoch: number
  term: number
  /** The plane knows the position. */
  located: boolean
  /** The position is not compared yet with what this leader has. */
  unvalidated: boolean
  /** Of the leader under whose word it was fetched last; null: not yet from this position on. */
  fetchedEpoch: number | null
  /** The follower that it is read from; null: the leader. */
  replica: number | null
  /** The follower that the leader has named and that is being reached. */
  preferred: number | null
  /** Troubles with followers in a row. */
  avoided: number
  /** Troubles in a row. */
  attempt: number
  corrupt: number
  diverged: number
  delayMs: number
  reason: string
  error: PlainError | null
  drainLimitMs: number
}

export type ConsumedPartitionEvent =
  | { type: 'LEADER'; topic: string; partition: number; node: number; leaderEpoch: number; topicId: string | null }
  | { type: 'NO_LEADER'; topic: string; partition: number; leaderEpoch: number }
  | { type: 'LOCATED'; term: number; offset: string; leaderEpoch: number }
  /** `final`: no repetition will better it. */
  | { type: 'LOCATE_FAILED'; term: number; reason: string; seek: boolean; random: number; final?: PlainError }
  /** What was read is what the leader has, or it cannot be told. */
  | { type: 'VALIDATED'; term: number }
  /**
   * The leader's log differs from what was handed out from `divergentOffset` on (null: it knows nothing of that epoch). `position`: the next
   * offset to hand out. `offset`, with `leaderEpoch`: where to go on, so that nothing is skipped.
   */
  | { type: 'TRUNCATED'; term: number; position: string; divergentOffset: string | null; offset: string | null; leaderEpoch: number }
  | { type: 'VALIDATE_FAILED'; term: number; reason: string; seek: boolean; random: number; final?: PlainError }
  /** The fetch loop could not fetch this partition, or could not reach its broker. */
  | { type: 'FETCH_FAILED'; term: number; reason: string; seek: boolean; random: number }
  /** The first good answer after a trouble. */
  | { type: 'FETCHED'; term: number }
  | { type: 'OUT_OF_RANGE'; term: number; offset: string; error: PlainError }
  | { type: 'CORRUPT'; term: number; error: PlainError; random: number }
  /** A fetch was answered with another log's epoch. */
  | { type: 'DIVERGED'; term: number; reason: string; random: number }
  /** The leader wants it read from this follower (KIP-392). */
  | { type: 'PREFERRED'; term: number; node: number }
  | { type: 'REACHED'; term: number; node: number }
  | { type: 'UNREACHED'; term: number; reason: string }
  | { type: 'LEASE_OVER' }
  /** Not worth another try: a limit of ours, missing rights, a handler's policy. */
  | { type: 'PARK'; error: PlainError }
  /** Go on somewhere else: at this offset, or where this policy finds one. */
  | { type: 'SEEK'; offset: string | null; target: ResetPolicy | null }
  | { type: 'PAUSE' }
  | { type: 'RESUME' }
  | { type: 'DRAIN'; limitMs: number }
  | { type: 'DRAINED' }
  | { type: 'LOST'; reason: string }

export const policyOf = ({ target, from }: ConsumedPartitionContext): ResetPolicy => target ?? from
export const whyFound = ({ why }: ConsumedPartitionContext): PositionReason => (why === 'sought' ? 'sought' : 'reset')

/** How long nothing is read while a follower is being connected to; then the leader serves until that is done. */
const REACH_GRACE_MS = 250

type Context = ConsumedPartitionContext
type Args = { context: Context; event: ConsumedPartitionEvent }
const current = ({ context, event }: Args) => 'term' in event && event.term === context.term

/** The word of another leader epoch than that under which it was fetched last has to be compared with what was read. */
const mustValidate = ({ unvalidated, located, fetchedEpoch }: Context, leaderEpoch: number) =>
  unvalidated || (located && fetchedEpoch !== null && fetchedEpoch !== leaderEpoch)

const nowhere = { unvalidated: false, fetchedEpoch: null, offsetEpoch: null } as const

export const base = setup({
  types: {} as { context: Context; events: ConsumedPartitionEvent; input: ConsumedPartitionInput; tags: 'active' },
  actions: {
    follow: () => {},
    unfollow: () => {},
    /** Tells the topic that its word on the leader does not hold. */
    seek: (_, _params: { leaderEpoch: number; reason: string }) => {},
    /** Sets the plane's position. What was buffered of another one is dropped. */
    begin: (_, _params: { offset: string; leaderEpoch: number; why: PositionReason }) => {},
    /** Asks the leader for the offset of the reset policy; answers LOCATED or LOCATE_FAILED with this term. */
    locate: (_, _params: { term: number; node: number; from: ResetPolicy }) => {},
    /** Asks the leader whether it has what was read (KIP-320); answers VALIDATED, TRUNCATED or VALIDATE_FAILED with this term. */
    validate: (_, _params: { term: number; node: number; leaderEpoch: number }) => {},
    /** Joins the fetch loop of this broker. `nearby`: the leader may name a follower. */
    fetch: (
      _,
      _params: { term: number; node: number; leaderEpoch: number; topicId: string | null; nearby: boolean; follower: boolean }
    ) => {},
    stopFetching: () => {},
    /** Connects to a follower; answers REACHED or UNREACHED with this term. */
    reach: (_, _params: { term: number; node: number }) => {},
    /** Nothing more is handed out; what is buffered is dropped; DRAINED comes when nothing is in hand any more. */
    drain: () => {},
    /** The limit has passed: aborts the signal of what is in hand; its acks do not count any more. */
    abandon: (_, _params: { reason: string }) => {},
    interrupt: (_, _params: { reason: string }) => {},
    park: (_, _params: { error: PlainError }) => {},
    /** Tells the consumer that nothing is in hand any more. */
    reportReleased: () => {},
    noteTrouble: (_, _params: { error: PlainError }) => {},
    noteRetry: (_, _params: { reason: string; attempt: number; delayMs: number }) => {},
    /** It is read from this broker from now on. */
    noteReplica: (_, _params: { broker: number; leader: number; reason: string }) => {},
    noteTruncated: (_, _params: { position: string; divergentOffset: string | null }) => {},
    /** The topic is another one under the same name: what is known of the old one is worth nothing. */
    noteRecreated: (_, _params: { oldId: string; newId: string }) => {},
    /** Whoever was being reached is not waited for any more. */
    nextTerm: assign({ term: ({ context }) => context.term + 1, preferred: null }),
    rememberLeader: assign(({ context, event }) =>
      event.type === 'LEADER'
        ? {
            leader: event.node,
            leaderEpoch: event.leaderEpoch,
            topicId: event.topicId ?? context.topicId,
            committed: null,
            unvalidated: mustValidate(context, event.leaderEpoch),
            replica: null,
            avoided: 0,
            attempt: 0,
            reason: ''
          }
        : {}
    ),
    rememberTrouble: assign(({ context, event }) => {
      if (!('random' in event)) return {}
      const attempt = context.attempt + 1
      const pause = Math.min(context.retryBackoffMaxMs, context.retryBackoffMs * 2 ** Math.min(attempt - 1, 20))
      const reason = event.type === 'CORRUPT' ? event.error.message : event.reason
      return { attempt, delayMs: Math.round(pause * (0.8 + 0.4 * event.random)), reason }
    }),
    forgetTrouble: assign({ attempt: 0, corrupt: 0, diverged: 0, reason: '' }),
    countCorrupt: assign({ corrupt: ({ context }) => context.corrupt + 1 }),
    countDiverged: assign({ diverged: ({ context }) => context.diverged + 1, unvalidated: true }),
    forgetPosition: assign({ located: false, offset: null, target: null, why: 'reset', ...nowhere }),
    takeSeek: assign(({ event }) =>
      event.type === 'SEEK'
        ? {
            ...{ offset: event.offset, target: event.target, located: event.offset !== null, why: 'sought' as const },
            ...{ attempt: 0, corrupt: 0, error: null, ...nowhere }
          }
        : {}
    ),
    /**
     * Goes on in the new topic: where somebody has committed in it before this partition was assigned, else by the reset policy. Whoever reads from
     * the end on was there before the first message of it.
     */
    restart: assign(({ context: { committed, from } }) => ({
      offset: committed,
      located: committed !== null,
      why: committed === null ? 'reset' : 'committed',
      target: from.at === 'latest' ? { at: 'earliest' } : null,
      ...nowhere
    })),
    takePreferred: assign(({ event }) => (event.type === 'PREFERRED' ? { preferred: event.node } : {})),
    takeReplica: assign(({ context }) => ({ replica: context.preferred, preferred: null })),
    forgetReplica: assign({ replica: null })
  },
  guards: {
    isFinal: ({ context, event }) => 'final' in event && event.final !== undefined && event.term === context.term,
    current,
    sameLeader: ({ context, event }) =>
      event.type === 'LEADER' &&
      event.node === context.leader &&
      event.leaderEpoch === context.leaderEpoch &&
      (event.topicId === null || event.topicId === context.topicId),
    recreated: ({ context, event }) =>
      event.type === 'LEADER' && context.topicId !== null && event.topicId !== null && event.topicId !== context.topicId,
    located: ({ context }) => context.located,
    unvalidated: ({ context }) => context.located && context.unvalidated,
    led: ({ context }) => context.leader !== null,
    paused: ({ context }) => context.paused,
    seeks: args => current(args) && 'seek' in args.event && args.event.seek,
    failsWithoutOffset: ({ context }) => policyOf(context).at === 'fail',
    resetIsForbidden: args => current(args) && args.context.from.at === 'fail',
    goesOn: args => current(args) && args.event.type === 'TRUNCATED' && args.event.offset !== null,
    corruptOnceTooOften: args => current(args) && args.context.corrupt >= args.context.corruptRetries,
    divergedAgain: args => current(args) && args.context.diverged > 0,
    readFromFollower: ({ context }) => context.replica !== null
  },
  delays: {
    grace: REACH_GRACE_MS,
    pause: ({ context }) => context.delayMs,
    drainLimit: ({ context }) => context.drainLimitMs,
    replicaLease: ({ context }) => context.replicaLeaseMs,
    /** How long the leader is not asked for a follower after trouble with one: doubled each time, up to sixteen of the longest pauses. */
    avoidance: ({ context }) => context.retryBackoffMaxMs * 2 ** Math.min(Math.max(context.avoided - 1, 0), 4)
  }
})

export function seekAction() {
  return {
    type: 'seek',
    params: ({ context }: { context: Context }) => ({ leaderEpoch: context.leaderEpoch, reason: context.reason })
  } as const
}

export function noteError() {
  return { type: 'noteTrouble', params: ({ event }: { event: { error: PlainError } }) => ({ error: event.error }) } as const
}

/** Of a look-up that no repetition will better. */
export function rememberFinal() {
  return assign<Context, { type: string; final?: PlainError }, undefined, ConsumedPartitionEvent, never>({
    error: ({ event }) => event.final ?? null
  })
}

export function rememberError() {
  return assign<Context, { type: string; error: PlainError }, undefined, ConsumedPartitionEvent, never>({
    error: ({ event }) => event.error
  })
}

export const noteTruncated = {
  type: 'noteTruncated',
  params: ({ event }: { event: Extract<ConsumedPartitionEvent, { type: 'TRUNCATED' }> }) => ({
    position: event.position,
    divergentOffset: event.divergentOffset
  })
} as const

export function noOffset({ topic, partition }: Context): PlainError {
  return {
    name: 'UsageError',
    code: 'NO_COMMITTED_OFFSET',
    message: `Nothing is committed for ${topic}/${partition} and \`from\` is fail. Commit an offset, or choose earliest, latest or a Date.`,
    retriable: false,
    details: { topic, partition }
  }
}

export function logTruncated({ topic, partition }: Context, event: Extract<ConsumedPartitionEvent, { type: 'TRUNCATED' }>): PlainError {
  const { position, divergentOffset } = event
  const where = divergentOffset === null ? 'it cannot be told from where on' : `from offset ${divergentOffset} on`
  return {
    name: 'BrokerError',
    code: 'LOG_TRUNCATED',
    message:
      `The log of ${topic}/${partition} was cut by an unclean leader election, and messages before ${position} that were handed out are not there ` +
      `any more (${where}). \`from\` is fail: seek to where it shall go on, or choose earliest, latest or a Date.`,
    retriable: false,
    details: { topic, partition, position, divergentOffset }
  }
}
