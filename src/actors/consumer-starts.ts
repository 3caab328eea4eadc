/**
 * Where a partition begins that is assigned to this consumer: where its user says, where this process itself has been before, or at what is
 * committed. Offsets are places in one topic: with another topic of the same name they mean nothing, so each goes with its topic's id.
 */
import { type Assigned, keyOf, type Owned } from '../machines/consumer.ts'
import type { Subscription } from '../model/subscription.ts'
import type { Claim, Flow } from './consumer-flow.ts'

interface Left {
  /** The next offset to process; undefined: nothing that counts. */
  offset: bigint | undefined
  /** Leader epoch of the message before it. */
  epoch: number | undefined
  topicId: string | null
}

export class Starts {
  /** Numbers the manual assignments. */
  assigns = 0
  /** Of partitions that are gone: one that comes back goes on there, if nobody went further. */
  readonly #left = new Map<string, Left>()
  /** The user's, decimal, for partitions that are assigned next. */
  readonly #given = new Map<string, string>()

  constructor({ partitions }: Subscription) {
    for (const entry of partitions ?? []) if (entry.offset !== null) this.#given.set(keyOf(entry), entry.offset)
  }

  give(partition: Owned, offset: bigint): void {
    this.#given.set(keyOf(partition), String(offset))
  }

  /** It is not owned any more. Whoever was sent elsewhere does not come back to where it was. */
  leave(flow: Flow): void {
    const { ledger, seeking, topicId } = flow
    const offset = seeking ? undefined : ledger?.position
    const epoch = offset === undefined ? undefined : flow.epochAt(offset)
    if (ledger) this.#left.set(keyOf(flow), { offset, epoch, topicId })
  }

  /** The topic was made again: positions in the old one mean nothing. */
  forget(topic: string): void {
    for (const [key, { topicId }] of this.#left)
      if (key.slice(0, key.lastIndexOf('/')) === topic) this.#left.set(key, { offset: undefined, epoch: undefined, topicId })
  }

  of(assigned: Assigned): Omit<Claim, 'topic' | 'partition' | 'paused'> {
    const key = keyOf(assigned)
    const given = this.#given.get(key)
    this.#given.delete(key)
    const plain = { target: null, topicId: null, committed: null, offsetEpoch: null }
    if (given !== undefined) return { ...plain, offset: given, why: 'given' }
    const left = this.#left.get(key)
    const committed = assigned.offset === null ? undefined : BigInt(assigned.offset)
    if (left?.offset !== undefined && (committed === undefined || left.offset > committed))
      return {
        ...plain,
        offset: String(left.offset),
        offsetEpoch: left.epoch ?? null,
        why: 'carried',
        topicId: left.topicId,
        committed: assigned.offset
      }
    // What is committed is a place in the topic as it is now. With nothing committed it counts which topic this process knew.
    if (committed === undefined) return { ...plain, offset: null, why: 'committed', topicId: left?.topicId ?? null }
    const epoch = assigned.leaderEpoch ?? -1
    // Committed by this process itself, so in the topic that it knew: one that was deleted and made again before anybody claimed has the same node.
    const topicId = left?.offset === committed ? left.topicId : null
    return { ...plain, offset: assigned.offset, offsetEpoch: epoch < 0 ? null : epoch, why: 'committed', topicId }
  }
}
