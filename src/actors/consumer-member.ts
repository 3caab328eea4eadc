/**
 * Binds the machine of a KIP-848 member: its questions go to the coordinator and to the brokers, and are answered as events that carry
 * the question's number.
 */
import { type AnyActorRef, type EventObject, fromCallback } from 'xstate'
import { keyOf } from '../machines/consumer.ts'
import { type ConsumerMemberContext, type ConsumerMemberEvent, consumerMemberMachine } from '../machines/consumer-member.ts'
import { plainError } from '../model/errors.ts'
import type { World } from '../model/world.ts'
import { bind } from './bind.ts'
import { LiveConsumerMember } from './consumer-member-live.ts'
import { findInstance, instanceOf, tell } from './instance.ts'
import { followTopic, followTopics, unfollowTopic, unfollowTopics } from './topics.ts'

interface Scope {
  context: ConsumerMemberContext
  self: AnyActorRef
}

function liveOf({ context, self }: Scope): LiveConsumerMember | undefined {
  return LiveConsumerMember.of(context, ({ code }, { generation }) =>
    self.send({ type: 'COMMIT_REFUSED', name: code, memberEpoch: generation })
  )
}

/** 128 random bits as Java's Uuid writes them: version 4, base64url, never with a dash in front. */
export function newMemberId(world: Pick<World, 'randomBytes'>): string {
  const bytes = Buffer.from(world.randomBytes(16))
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  // A dash is 62 of base64url's 64: the first six bits, 111110.
  if (bytes[0]! >> 2 === 62) bytes[0] = bytes[0]! & 0x7f
  return bytes.toString('base64url')
}

/** Asks, and sends what the answer makes, or the failure. Nothing once the cluster is gone. */
function ask(
  scope: Scope,
  work: (live: LiveConsumerMember) => Promise<ConsumerMemberEvent>,
  failed: (error: unknown, live: LiveConsumerMember) => ConsumerMemberEvent
): void {
  const live = liveOf(scope)
  if (!live) return
  // Synchronous failures are answers too.
  Promise.resolve()
    .then(() => work(live))
    .then(
      event => scope.self.send(event),
      error => scope.self.send(failed(error, live))
    )
}

const askFailed = (attempt: number, what: 'find' | 'heartbeat') => (error: unknown, live: LiveConsumerMember) => {
  const remedy = live.remedy(error)
  return { type: 'ASK_FAILED', attempt, what, error: plainError(error), remedy, random: live.instance.world.random() } as const
}

const lookupFailed = (lookup: number, what: 'names' | 'offsets' | 'members') => (error: unknown, live: LiveConsumerMember) =>
  ({ type: 'LOOKUP_FAILED', lookup, what, error: plainError(error), random: live.instance.world.random() }) as const

/** Its end is the live side's end. */
const liveLeaf = fromCallback<EventObject, ConsumerMemberContext>(({ input, self }) => {
  const live = liveOf({ context: input, self: self._parent! })
  return () => live?.stop()
})

export const consumerMemberActor = bind(consumerMemberMachine, {
  actors: { live: liveLeaf },
  actions: {
    tellConsumer: ({ context }, { event }) => void tell(instanceOf(context.instance), context.consumer, event),
    followTopic: ({ context }, { topic }) => followTopic(instanceOf(context.instance), topic, context.path),
    unfollowTopic: ({ context }, { topic }) => unfollowTopic(instanceOf(context.instance), topic, context.path),
    followNames: ({ context }) => followTopics(instanceOf(context.instance), context.path),
    unfollowNames: ({ context }) => unfollowTopics(instanceOf(context.instance), context.path),
    find: (scope, { attempt }) =>
      ask(
        scope,
        async live => ({ type: 'FOUND', attempt, memberId: newMemberId(live.instance.world), ...(await live.find()) }),
        askFailed(attempt, 'find')
      ),
    heartbeat: (scope, { attempt, memberId, memberEpoch, sessionTimeoutMs, said }) =>
      ask(
        scope,
        async live => {
          const { world } = live.instance
          const sentMs = world.monotonicMs()
          const answer = await live.heartbeat(memberId, memberEpoch, said, sessionTimeoutMs)
          return { type: 'ANSWERED', attempt, sentMs, tookMs: world.monotonicMs() - sentMs, ...answer }
        },
        askFailed(attempt, 'heartbeat')
      ),
    leave: (scope, { attempt, memberId, stay }) => {
      const left = liveOf(scope)?.leave(memberId, stay) ?? Promise.resolve()
      void left.then(() => scope.self.send({ type: 'DEPARTED', attempt }))
    },
    name: (scope, { lookup, topicIds }) =>
      ask(
        scope,
        async live => ({ type: 'NAMED', lookup, names: await live.names(topicIds), random: live.instance.world.random() }),
        lookupFailed(lookup, 'names')
      ),
    lookUp: (scope, { lookup, partitions }) =>
      ask(
        scope,
        async live => {
          const found = await live.offsets.fetch(partitions)
          return {
            type: 'LOOKED_UP',
            lookup,
            partitions: partitions.map(entry => {
              const committed = found.get(keyOf(entry))
              const leaderEpoch = committed && committed.leaderEpoch >= 0 ? committed.leaderEpoch : null
              return { ...entry, offset: committed ? String(committed.offset) : null, leaderEpoch }
            })
          }
        },
        lookupFailed(lookup, 'offsets')
      ),
    count: (scope, { lookup, memberId }) =>
      ask(scope, async live => ({ type: 'COUNTED', lookup, ...(await live.count(memberId)) }), lookupFailed(lookup, 'members')),
    become: (scope, { epoch, memberId, memberEpoch, groupInstanceId, owned }) =>
      liveOf(scope)?.offsets.become({ epoch, memberId, generation: memberEpoch, groupInstanceId }, owned),
    release: (scope, { partitions }) => liveOf(scope)?.offsets.release(partitions),
    lose: scope => liveOf(scope)?.lose(),
    prove: (scope, { sentMs, sessionTimeoutMs }) => liveOf(scope)?.prove(sentMs + sessionTimeoutMs),
    forgetPositions: ({ context }, { topic }) => findInstance(context.instance)?.consumers.get(context.consumer)?.forgetPositions(topic),
    tellTrouble: (scope, { error }) => liveOf(scope)?.trouble(error)
  }
})
