/**
 * How a member of a KIP-848 group gets from what it owns to what it is to own (Kafka's `CurrentAssignmentBuilder`): it first gives up what is not its
 * own any more, then enters the new epoch, then is given what others have released.
 */
import { KafkaFault } from '../errors.ts'
import { both, count, filter, has, NO_PARTS, type Parts, together, without } from './parts.ts'

export type MemberState = 'STABLE' | 'UNREVOKED_PARTITIONS' | 'UNRELEASED_PARTITIONS'

export interface Standing {
  state: MemberState
  epoch: number
  previousEpoch: number
  assigned: Parts
  /** To be given up before anything else happens. */
  revoking: Parts
}

export interface Aim {
  /** Epoch of the target assignment. */
  epoch: number
  target: Parts
  /** What the member says it owns; null: it did not say. */
  owned: Parts | null
  /** Does anybody own this partition, or has not given it up yet? */
  isTaken(topicId: string, partition: number): boolean
}

/** Where the member stands after this heartbeat. The same object: nothing has changed. */
export function reconcile(member: Standing, aim: Aim): Standing {
  if (member.state === 'STABLE') return member.epoch === aim.epoch ? member : next(member, member.epoch, aim)
  if (member.state === 'UNRELEASED_PARTITIONS') return next(member, member.epoch, aim)
  if (ownsAny(aim.owned, member.revoking)) return member
  return next(member, member.epoch + 1, aim)
}

/** `epoch`: that the member has, or has earned, before it is given anything. */
function next(member: Standing, epoch: number, { epoch: targetEpoch, target, owned, isTaken }: Aim): Standing {
  const kept = both(member.assigned, target)
  const revoking = without(member.assigned, kept)
  const wanted = without(target, kept)
  const free = filter(wanted, (topicId, partition) => !isTaken(topicId, partition))
  if (count(revoking) > 0 && ownsAny(owned, revoking))
    return moved(member, { state: 'UNREVOKED_PARTITIONS', epoch, assigned: kept, revoking })
  const state = count(free) < count(wanted) ? 'UNRELEASED_PARTITIONS' : 'STABLE'
  return moved(member, { state, epoch: targetEpoch, assigned: together(kept, free), revoking: NO_PARTS })
}

function moved(member: Standing, to: Omit<Standing, 'previousEpoch'>): Standing {
  return { ...to, previousEpoch: to.epoch === member.epoch ? member.previousEpoch : member.epoch }
}

function ownsAny(owned: Parts | null, of: Parts): boolean {
  if (owned === null) return true
  for (const [topicId, partitions] of owned) for (const partition of partitions) if (has(of, topicId, partition)) return true
  return false
}

/**
 * A heartbeat of another epoch is only taken when it is a repetition of the last one, whose answer was lost, or when the member begins anew (0: as
 * from Kafka 4.1 on; before, it had to wait until its session was over).
 */
export function checkEpoch(member: Standing, epoch: number, isRepetition: boolean): void {
  if (epoch === 0) return
  const rejoin = 'The member must abandon all its partitions and rejoin.'
  const known = `epoch (${epoch}) than the one known by the group coordinator (${member.epoch}). ${rejoin}`
  if (epoch > member.epoch) throw new KafkaFault('FENCED_MEMBER_EPOCH', `The consumer group member has a greater member ${known}`)
  if (epoch < member.epoch && (epoch !== member.previousEpoch || !isRepetition))
    throw new KafkaFault('FENCED_MEMBER_EPOCH', `The consumer group member has a smaller member ${known}`)
}
