/**
 * Moves a group from ZooKeeper to Kafka: what `samsa groups move` does. The group's members see to the rest (`registry/group/moved.ts`).
 */
import { keyOf } from '../machines/consumer.ts'
import { SamsaError, UsageError } from '../model/errors.ts'
import { checkGroupName } from '../model/subscription.ts'
import { type CommittedInZooKeeper, committedOffsets, moveOut } from '../registry/group/move.ts'
import { readMovable, readSigns } from '../registry/group/moved.ts'
import type { ZooKeeperSession } from '../registry/zookeeper/session.ts'
import type { Instance } from './instance.ts'
import { KafkaOffsets } from './kafka-offsets.ts'

export interface MoveGroupOptions {
  /** Say what would be done, and change nothing. Default false. */
  dryRun?: boolean
  /** For the members to finish what they have in hand, commit and leave. Default 60,000. */
  timeoutMs?: number
  /** Aborted before the group has arrived: it stays in ZooKeeper. */
  signal?: AbortSignal
  /** What happens, in words. */
  onProgress?: (text: string) => void
}

export interface MovedGroup {
  group: string
  /** False after a dry run. */
  moved: boolean
  members: { memberId: string; movable: boolean }[]
  /** `kafka`: what Kafka had before; null: nothing. */
  offsets: (CommittedInZooKeeper & { kafka: bigint | null })[]
}

/** Rejects with what `moveOut` rejects with, NO_ZOOKEEPER, NO_SESSION, and OFFSETS_NOT_CARRIED when Kafka refused one of them. */
export async function moveGroup(instance: Instance, group: string, options: MoveGroupOptions = {}): Promise<MovedGroup> {
  const { dryRun = false, timeoutMs = 60_000, signal, onProgress = () => {} } = options
  checkGroupName(group)
  const session = sessionOf(instance)
  const kafka = new KafkaOffsets(instance, group)
  const members = await readMovable(session, group)
  const before = await kafka.read(null)
  const known = (offsets: readonly CommittedInZooKeeper[]) => offsets.map(entry => ({ ...entry, kafka: before.get(keyOf(entry)) ?? null }))
  if (dryRun) {
    if ((await readSigns(session, group)) === 'moved') throw new SamsaError('GROUP_MOVED', `Group ${group} has moved to Kafka already.`)
    return { group, moved: false, members, offsets: known(await committedOffsets(session, group, onProgress)) }
  }
  const carry = (offsets: readonly CommittedInZooKeeper[]) => carryOver(kafka, group, offsets, onProgress)
  const offsets = await moveOut({ session, world: instance.world, group, timeoutMs, carry, onProgress, signal })
  return { group, moved: true, members, offsets: known(offsets) }
}

/** Written and read back: what arrives is what was there. A topic that is gone has nothing to be read on. */
async function carryOver(
  kafka: KafkaOffsets,
  group: string,
  offsets: readonly CommittedInZooKeeper[],
  onProgress: (text: string) => void
): Promise<void> {
  if (offsets.length === 0) return
  const results = await kafka.commit(-1, offsets)
  const gone = results.filter(({ error }) => codeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION')
  if (gone.length > 0) onProgress(`${gone.map(keyOf).join(', ')}: the topic does not exist any more; its offsets are left behind`)
  const refused = results.find(entry => entry.error && !gone.includes(entry))
  if (refused) throw notCarried(group, `${keyOf(refused)}: ${refused.error?.message}`, refused.error)
  const arrived = await kafka.read(null)
  const lost = results.find(entry => !gone.includes(entry) && arrived.get(keyOf(entry)) !== entry.offset)
  if (lost) throw notCarried(group, `${keyOf(lost)} is ${arrived.get(keyOf(lost)) ?? 'missing'} in Kafka, not ${lost.offset}`)
}

const codeOf = (error: Error | undefined) => (error instanceof SamsaError ? error.code : undefined)

function notCarried(group: string, what: string, cause?: unknown): SamsaError {
  const message =
    `The offsets of group ${group} could not be carried over to Kafka (${what}). It stays in ZooKeeper, and its members come back. ` +
    'If a group of that name has members in Kafka, stop them first.'
  return new SamsaError('OFFSETS_NOT_CARRIED', message, { cause, details: { group } })
}

function sessionOf(instance: Instance): ZooKeeperSession {
  if (instance.options.zookeeper === null)
    throw new UsageError('NO_ZOOKEEPER', 'Only a cluster that is named by its ZooKeeper has groups that can be moved from there.')
  const session = instance.registry?.currentSession?.()
  if (session) return session
  throw new SamsaError('NO_SESSION', 'There is no ZooKeeper session at the moment.', { retriable: true })
}
