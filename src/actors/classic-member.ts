/**
 * Binds the machine of a classic member: its steps are requests to the group's coordinator, answered as events that carry the step's number.
 */
import { type AnyActorRef, type EventObject, fromCallback } from 'xstate'
import { type ClassicMemberContext, type ClassicMemberEvent, classicMemberMachine } from '../machines/classic-member.ts'
import type { Step } from '../machines/classic-member-types.ts'
import { plainError, SamsaError } from '../model/errors.ts'
import { bind } from './bind.ts'
import { LiveClassic, liveClassic } from './classic-live.ts'
import { verdictOf } from './classic-requests.ts'
import { findInstance, type Instance, instanceOf, tell } from './instance.ts'
import { followTopic, followTopics, unfollowTopic, unfollowTopics } from './topics.ts'

interface Scope {
  context: ClassicMemberContext
  self: AnyActorRef
}

const liveOf = ({ instance, path }: ClassicMemberContext): LiveClassic | undefined => {
  const found = findInstance(instance)
  return found && liveClassic(found, path)
}

/** Runs a step and sends its answer, or STEP_FAILED. */
function run({ context, self }: Scope, step: Step, attempt: number, work: (live: LiveClassic) => Promise<ClassicMemberEvent>): void {
  const instance = instanceOf(context.instance)
  const live = liveOf(context)
  const answer = live ? work(live) : Promise.reject(new SamsaError('STOPPED', 'The member is stopped.'))
  answer.then(
    event => self.send(event),
    error => self.send(failure(instance, step, attempt, error))
  )
}

function failure(instance: Instance, step: Step, attempt: number, cause: unknown): ClassicMemberEvent {
  return { type: 'STEP_FAILED', attempt, step, verdict: verdictOf(cause), error: plainError(cause), random: instance.world.random() }
}

const live = fromCallback<EventObject, ClassicMemberContext>(({ input, sendBack }) => {
  const instance = instanceOf(input.instance)
  try {
    const member = new LiveClassic(instance, input, sendBack)
    sendBack({ type: 'READY', offers: member.offers, defaultOffers: input.subscription.assignors.length === 0 })
    return () => member.stop()
  } catch (error) {
    sendBack(failure(instance, 'find', input.attempt, error))
    return undefined
  }
})

export const classicMemberActor = bind(classicMemberMachine, {
  actors: { live },
  actions: {
    tellConsumer: ({ context }, { event }) => void tell(instanceOf(context.instance), context.consumer, event),
    followTopic: ({ context }, { topic }) => followTopic(instanceOf(context.instance), topic, context.path),
    unfollowTopic: ({ context }, { topic }) => unfollowTopic(instanceOf(context.instance), topic, context.path),
    followNames: ({ context }) => followTopics(instanceOf(context.instance), context.path),
    unfollowNames: ({ context }) => unfollowTopics(instanceOf(context.instance), context.path),
    find: (scope, { attempt }) => run(scope, 'find', attempt, async member => ({ type: 'FOUND', attempt, node: await member.find() })),
    join: (scope, { attempt, memberId, generation, ...given }) =>
      run(scope, 'join', attempt, member => member.join(attempt, { memberId, generation }, given)),
    divide: (scope, { attempt, protocol, levels, skip }) =>
      run(scope, 'divide', attempt, async member => {
        member.divide(protocol, levels, skip)
        return { type: 'DIVIDED', attempt }
      }),
    sync: (scope, { attempt, memberId, generation, protocol, topics }) =>
      run(scope, 'sync', attempt, member => member.sync(attempt, { memberId, generation }, protocol, topics)),
    claim: (scope, { attempt, partitions }) => run(scope, 'claim', attempt, member => member.claim(attempt, partitions)),
    look: (scope, { attempt }) => run(scope, 'look', attempt, member => member.look(attempt)),
    heartbeat: ({ context, self }, { beat, memberId, generation, aside }) =>
      void liveOf(context)
        ?.heartbeat(beat, { memberId, generation }, aside)
        .then(event => self.send(event)),
    leave: ({ context, self }, { attempt, memberId, reason }) => {
      const left = liveOf(context)?.leave(memberId, reason, context.timing.leaveMs)
      void (left ?? Promise.resolve()).then(() => self.send({ type: 'LEFT_GROUP', attempt }))
    },
    become: ({ context }, { owned, ...as }) =>
      liveOf(context)?.offsets.become({ ...as, groupInstanceId: context.subscription.groupInstanceId }, owned),
    changing: ({ context }) => liveOf(context)?.offsets.changing(),
    lose: ({ context }) => liveOf(context)?.lose(),
    releaseOffsets: ({ context }, { partitions }) => liveOf(context)?.offsets.release(partitions),
    forgetPositions: ({ context }, { topic }) => findInstance(context.instance)?.consumers.get(context.consumer)?.forgetPositions(topic),
    tellSurplus: ({ context }, { partitions, members }) => {
      const instance = instanceOf(context.instance)
      const group = context.subscription.group ?? ''
      const counted = members > 0 ? Promise.resolve(members) : (liveOf(context)?.countMembers() ?? Promise.resolve(0))
      void counted.then(count =>
        tell(instance, context.consumer, { type: 'SURPLUS', group, partitions, members: count } as { type: string })
      )
    },
    tellTrouble: ({ context }, { error }) => liveOf(context)?.trouble(error)
  }
})
