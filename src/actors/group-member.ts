/**
 * Binds the machine of a group member: its steps are operations on ZooKeeper in the present session, answered as events that carry the
 * step's number.
 */
import { type AnyActorRef, type EventObject, fromCallback } from 'xstate'
import { type Assigned, keyOf, type Owned } from '../machines/consumer.ts'
import { type GroupMemberContext, type GroupMemberEvent, groupMemberMachine } from '../machines/group-member.ts'
import type { Step } from '../machines/group-member-types.ts'
import { plainError, SamsaError, TimeoutError } from '../model/errors.ts'
import type { Timer } from '../model/world.ts'
import type { Claimed } from '../registry/group/claims.ts'
import type { GroupSession } from '../registry/group/group-session.ts'
import { bind } from './bind.ts'
import { planOf } from './group-plan.ts'
import { LiveMember, liveMember } from './group-sessions.ts'
import { findInstance, type Instance, instanceOf, tell } from './instance.ts'
import { wasMadeAgain } from './registry-session.ts'
import { followTopic, followTopics, unfollowTopic, unfollowTopics } from './topics.ts'

interface Scope {
  context: GroupMemberContext
  self: AnyActorRef
}

/** ZooKeeper refuses it, and will go on to. */
const finalCodes = ['ZK_NO_AUTH', 'ZK_INVALID_ACL', 'ZK_BAD_ARGUMENTS', 'ZK_CHROOT_MISSING', 'INVALID_OPTION', 'NO_ZOOKEEPER']
/** Kafka's copy of an offset is asked for no longer. */
const kafkaReadMs = 10_000

/** Runs a step and sends its answer, or STEP_FAILED. */
function run(
  { context, self }: Scope,
  step: Step,
  attempt: number,
  work: (group: GroupSession, live: LiveMember) => Promise<GroupMemberEvent>
): void {
  const instance = instanceOf(context.instance)
  const live = liveMember(instance, context.path)
  const group = live?.current
  const answer = group
    ? work(group, live!)
    : Promise.reject(new SamsaError('NO_SESSION', 'There is no ZooKeeper session.', { retriable: true }))
  answer.then(
    event => self.send(event),
    error => self.send(failure(instance, step, attempt, error))
  )
}

function failure(instance: Instance, step: Step, attempt: number, cause: unknown): GroupMemberEvent {
  const error = plainError(cause)
  return { type: 'STEP_FAILED', attempt, step, error, final: finalCodes.includes(error.code), random: instance.world.random() }
}

/** With the offsets that only Kafka has, where ZooKeeper has none. What cannot be known is not guessed: then nothing is claimed. */
async function withKafkasOffsets(live: LiveMember, claimed: readonly Claimed[]): Promise<Assigned[]> {
  // A copy may have been made late, when its topic was another one already.
  const missing = claimed.filter(({ topic, offset, stale }) => offset === null && !stale && !wasMadeAgain(live.instance, topic))
  const found = missing.length > 0 && live.kafka ? await readKafka(live, missing) : new Map<string, bigint>()
  return claimed.map(({ topic, partition, offset }) => {
    const committed = offset ?? found.get(keyOf({ topic, partition }))
    return { topic, partition, offset: committed === undefined ? null : String(committed) }
  })
}

/** Rejects when it may go well later. Refused for good: told, and there is none. */
async function readKafka(live: LiveMember, missing: readonly Claimed[]): Promise<Map<string, bigint>> {
  const { world } = live.instance
  let timer: Timer | undefined
  const deadline = new Promise<never>((_, reject) => {
    const late = new TimeoutError('KAFKA_OFFSETS_TIMEOUT', `Kafka did not tell its committed offsets within ${kafkaReadMs} ms.`, {
      retriable: true
    })
    timer = world.setTimer(() => reject(late), kafkaReadMs)
  })
  try {
    return await Promise.race([live.kafka!.read(missing), deadline])
  } catch (error) {
    const plain = plainError(error)
    if (plain.retriable) throw error
    live.trouble(plain)
    return new Map()
  } finally {
    if (timer) world.clearTimer(timer)
  }
}

const sessions = fromCallback<EventObject, GroupMemberContext>(({ input, sendBack }) => {
  const instance = instanceOf(input.instance)
  try {
    const live = new LiveMember(instance, input, sendBack)
    return () => live.stop()
  } catch (error) {
    sendBack(failure(instance, 'register', input.attempt, error))
    return undefined
  }
})

async function claim(
  scope: Scope,
  live: LiveMember,
  group: GroupSession,
  step: { attempt: number; epoch: number; partitions: Owned[] }
): Promise<GroupMemberEvent> {
  const { attempt, epoch, partitions } = step
  const result = await group.claim(epoch, partitions)
  if ('blockedBy' in result) return { type: 'CLAIM_BLOCKED', attempt, blockedBy: result.blockedBy, random: live.instance.world.random() }
  try {
    return { type: 'CLAIMED', attempt, partitions: await withKafkasOffsets(live, result.claimed) }
  } catch (error) {
    // Undone, unless something newer has taken over: that has looked after it, and may have claimed again.
    if (scope.self.getSnapshot().context.attempt === attempt) await group.release(partitions)
    throw error
  }
}

export const groupMemberActor = bind(groupMemberMachine, {
  actors: { sessions },
  actions: {
    tellConsumer: ({ context }, { event }) => void tell(instanceOf(context.instance), context.consumer, event),
    followTopic: ({ context }, { topic }) => followTopic(instanceOf(context.instance), topic, context.path),
    unfollowTopic: ({ context }, { topic }) => unfollowTopic(instanceOf(context.instance), topic, context.path),
    followNames: ({ context }) => followTopics(instanceOf(context.instance), context.path),
    unfollowNames: ({ context }) => unfollowTopics(instanceOf(context.instance), context.path),
    register: (scope, { attempt }) =>
      run(scope, 'register', attempt, async group => {
        await group.register()
        return { type: 'REGISTERED', attempt, memberId: group.memberId }
      }),
    read: (scope, { attempt, levels, names }) =>
      run(scope, 'read', attempt, async group => {
        const { assignors, roundrobinOrder } = scope.context.subscription
        const assignor = assignors[0] === 'roundrobin' ? 'roundrobin' : 'range'
        const members = await group.members()
        const plan = planOf({ memberId: group.memberId, assignor, roundrobinOrder, members, levels, names })
        return { type: 'PLANNED', attempt, plan }
      }),
    release: (scope, { attempt, partitions, dropOffsets }) =>
      run(scope, 'release', attempt, async group => {
        await group.release(partitions, dropOffsets)
        const plane = instanceOf(scope.context.instance).consumers.get(scope.context.consumer)
        for (const topic of dropOffsets) plane?.forgetPositions(topic)
        return { type: 'GIVEN_BACK', attempt }
      }),
    claim: (scope, step) => run(scope, 'claim', step.attempt, (group, live) => claim(scope, live, group, step)),
    verify: (scope, { attempt, partitions }) =>
      run(scope, 'verify', attempt, async group => ({ type: 'VERIFIED', attempt, ...(await group.verify(partitions)) })),
    drop: (scope, { attempt }) =>
      run(scope, 'drop', attempt, async group => {
        await group.drop()
        return { type: 'DROPPED', attempt }
      }),
    audit: (scope, { attempt, mine, shares }) =>
      run(scope, 'audit', attempt, async group => ({ type: 'AUDITED', attempt, ...(await group.audit(mine, shares)) })),
    nudge: ({ context }, { reason }) => {
      const live = liveMember(instanceOf(context.instance), context.path)
      live?.trouble(new SamsaError('PEER_GAVE_UP', `Members are asked to rebalance once more: ${reason}.`, { retriable: true }).toJSON())
      live?.current?.nudge().catch(error => live.trouble(plainError(error)))
    },
    condemn: ({ context }, { topic }) => liveMember(instanceOf(context.instance), context.path)?.current?.condemn(topic),
    leave: ({ context, self }, { attempt }) => {
      const instance = findInstance(context.instance)
      const left = instance ? liveMember(instance, context.path)?.leave() : undefined
      void (left ?? Promise.resolve()).then(() => self.send({ type: 'UNREGISTERED', attempt }))
    },
    tellTrouble: ({ context }, { error }) => liveMember(instanceOf(context.instance), context.path)?.trouble(error)
  }
})
