/**
 * Commits what was processed, one commit at a time, only while it is owned. Nothing to say means nothing is written.
 */
import type { OffsetStore } from '../flow/offset-store.ts'
import { plainError, SamsaError, UsageError } from '../model/errors.ts'
import type { TopicPartition } from '../model/events.ts'
import type { Flow } from './consumer-flow.ts'
import type { Listeners } from './consumer-listeners.ts'

export class Commits {
  /** The member's; undefined: a consumer without a group commits nothing. */
  store: OffsetStore | undefined
  /** False while the session is suspended or lost: then the owner may be somebody else. */
  allowed = false
  epoch = 0
  #listeners: Listeners
  #last: Promise<void> = Promise.resolve()

  constructor(listeners: Listeners) {
    this.#listeners = listeners
  }

  /** Of these flows, what is processed and not committed. Rejects as the store does, and when nothing may be committed now. */
  commit(flows: () => Iterable<Flow>): Promise<void> {
    const run = this.#last.then(() => this.#commit(flows()))
    this.#last = run.catch(() => {})
    return run
  }

  async #commit(flows: Iterable<Flow>): Promise<void> {
    const { store, epoch } = this
    if (!store) throw new UsageError('NO_GROUP', 'This consumer has no group, so there is no place to commit to. Subscribe with a group.')
    const due: { flow: Flow; offset: bigint }[] = []
    for (const flow of flows) {
      const offset = flow.ledger?.position
      if (offset !== undefined && offset !== flow.ledger!.committed) due.push({ flow, offset })
    }
    if (due.length === 0) return
    const partitions = due.map(({ flow }) => ({ topic: flow.topic, partition: flow.partition }))
    if (!this.allowed)
      return this.#fail(
        partitions,
        new SamsaError('SUSPENDED', 'Ownership is not certain now; nothing was committed.', { retriable: true })
      )
    const ledgers = due.map(({ flow }) => flow.ledger!)
    const results = await store
      .commit(
        epoch,
        due.map(({ offset }, index) => ({ ...partitions[index]!, offset }))
      )
      .catch((error: unknown) => this.#fail(partitions, error))
    const written = []
    for (const { topic, partition, offset, error } of results) {
      const index = due.findIndex(({ flow }) => flow.topic === topic && flow.partition === partition)
      if (error) this.#listeners.emit({ type: 'commit.failed', error: plainError(error), partitions: [{ topic, partition }] })
      else if (index >= 0) {
        ledgers[index]!.committed = offset
        written.push({ topic, partition, offset: String(offset) })
      }
    }
    if (written.length > 0) this.#listeners.emit({ type: 'committed', offsets: written })
  }

  #fail(partitions: TopicPartition[], error: unknown): never {
    this.#listeners.emit({ type: 'commit.failed', error: plainError(error), partitions })
    throw error
  }
}
