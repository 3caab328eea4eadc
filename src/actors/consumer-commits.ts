/**
 * Commits, one at a time and in order, only while it is owned. Nothing to say means nothing is written. Before partitions are given back a
 * commit that may go well at the next try is tried again, within the time that is left.
 */
import type { OffsetStore, OffsetToCommit } from '../flow/offset-store.ts'
import { keyOf, type Owned } from '../machines/consumer.ts'
import { checkTopicName } from '../model/config.ts'
import { meaningOfError } from '../model/error-classes.ts'
import { plainError, SamsaError, UsageError } from '../model/errors.ts'
import type { OffsetCommit } from '../model/positions.ts'
import type { Timer, World } from '../model/world.ts'
import type { Flow } from './consumer-flow.ts'
import type { Listeners } from './consumer-listeners.ts'

export interface CommitsOptions {
  world: World
  listeners: Listeners
  retryBackoffMs: number
  retryBackoffMaxMs: number
  /** What is owned, by `topic/partition`. */
  flows: ReadonlyMap<string, Flow>
}

interface Due {
  flow: Flow
  offset: OffsetToCommit
}

interface Failed {
  due: Due
  error: unknown
}

const OFFSET_MOST = 2n ** 63n - 1n

export class Commits {
  /** The member's; undefined: a consumer without a group commits nothing. */
  store: OffsetStore | undefined
  /** False while the session is suspended or lost: then the owner may be somebody else. */
  allowed = false
  epoch = 0
  readonly #options: CommitsOptions
  #last: Promise<void> = Promise.resolve()
  #pauses = new Map<Timer, () => void>()
  #stopped = false

  constructor(options: CommitsOptions) {
    this.#options = options
  }

  /**
   * Of these partitions (null: of all), what is processed and not committed when it is this commit's turn. `last`: before they are given back;
   * then it is tried again while the time of their drain lasts. Rejects with what the store says when it is one thing, else COMMIT_FAILED;
   * listeners are told of each.
   */
  processed(partitions: readonly Owned[] | null, last = false): Promise<void> {
    const keys = partitions && new Set(partitions.map(keyOf))
    const flows = [...this.#options.flows.values()].filter(flow => !keys || keys.has(keyOf(flow)))
    const untilMs = last ? Math.max(0, ...flows.map(({ drainUntilMs }) => drainUntilMs)) : 0
    return this.#inTurn(() => dueOf(flows.filter(flow => this.#owns(flow))), untilMs)
  }

  /** Exactly these. Rejects with NOT_OWNER, and commits nothing, unless each has been owned without a break when it is its turn. */
  async these(offsets: OffsetCommit | readonly OffsetCommit[]): Promise<void> {
    const list = (Array.isArray(offsets) ? (offsets as readonly OffsetCommit[]) : [offsets as OffsetCommit]).map(readOffset)
    // Of one partition the last one counts.
    const newest = new Map(list.map(offset => [keyOf(offset), offset]))
    const due = [...newest.values()].map(offset => {
      const flow = this.#options.flows.get(keyOf(offset))
      return { offset: flow ? asRead(flow, offset) : offset, flow }
    })
    const owned = () => {
      const stranger = due.find(({ flow }) => !flow || !this.#owns(flow))
      if (stranger) throw notOwner(stranger.offset)
      return due as Due[]
    }
    owned()
    await this.#inTurn(owned, 0)
  }

  /** When each that was asked for until now has ended, well or not. */
  settled(): Promise<void> {
    return this.#last
  }

  /** Nothing is tried again any more. */
  stop(): void {
    this.#stopped = true
    for (const [timer, resolve] of this.#pauses) {
      this.#options.world.clearTimer(timer)
      resolve()
    }
    this.#pauses.clear()
  }

  #inTurn(due: () => Due[], untilMs: number): Promise<void> {
    const run = this.#last.then(() => this.#commit(due(), untilMs))
    this.#last = run.catch(() => {})
    return run
  }

  /** It is still the partition's current one. */
  #owns(flow: Flow): boolean {
    return this.#options.flows.get(keyOf(flow)) === flow
  }

  async #commit(all: readonly Due[], untilMs: number): Promise<void> {
    const { world } = this.#options
    const failed: Failed[] = []
    let left: readonly Due[] = all
    for (let attempt = 1; left.length > 0; attempt++) {
      const now = await this.#once(left)
      const delayMs = this.#delayMs(attempt)
      const again = !this.#stopped && world.monotonicMs() + delayMs < untilMs
      const retried = again ? now.filter(({ error }) => mayGoWell(error)) : []
      failed.push(...now.filter(entry => !retried.includes(entry)))
      if (retried.length === 0) break
      this.#tellRetry(retried, attempt, delayMs)
      await this.#pause(delayMs)
      left = retried.map(({ due }) => due).filter(({ flow }) => this.#owns(flow))
    }
    if (failed.length > 0) this.#fail(failed, all.length)
  }

  /** Those that were not written. */
  async #once(list: readonly Due[]): Promise<Failed[]> {
    const { store, epoch, allowed } = this
    try {
      if (!store) throw noGroup()
      if (!allowed) throw new SamsaError('SUSPENDED', 'Ownership is not certain now; nothing was committed.', { retriable: true })
      const ledgers = list.map(({ flow }) => flow.ledger)
      const results = await store.commit(
        epoch,
        list.map(({ offset }) => offset)
      )
      const written = []
      const failed: Failed[] = []
      for (const { error, ...result } of results) {
        const index = list.findIndex(({ flow }) => keyOf(flow) === keyOf(result))
        const due = list[index]
        if (!due) continue
        if (error) {
          failed.push({ due, error })
          continue
        }
        if (ledgers[index]) ledgers[index].committed = result.offset
        const { topic, partition, offset, metadata } = due.offset
        written.push({ topic, partition, offset: String(offset), ...(metadata === undefined ? {} : { metadata }) })
      }
      if (written.length > 0) this.#options.listeners.emit({ type: 'committed', offsets: written })
      return failed
    } catch (error) {
      return list.map(due => ({ due, error }))
    }
  }

  /** One event for each reason. */
  #fail(failed: readonly Failed[], of: number): never {
    for (const [error, entries] of byError(failed))
      this.#options.listeners.emit({
        type: 'commit.failed',
        error: plainError(error),
        partitions: entries.map(({ due: { offset } }) => ({ topic: offset.topic, partition: offset.partition }))
      })
    const errors = [...byError(failed).keys()]
    if (errors.length === 1 && failed.length === of) throw errors[0]
    const shown = failed.slice(0, 5).map(({ due, error }) => `${keyOf(due.flow)}: ${plainError(error).message}`)
    const more = failed.length > shown.length ? ` (and ${failed.length - shown.length} more)` : ''
    throw new SamsaError('COMMIT_FAILED', `${failed.length} of ${of} offsets were not committed. ${shown.join(' ')}${more}`, {
      retriable: failed.every(({ error }) => plainError(error).retriable),
      cause: errors[0]
    })
  }

  #tellRetry(retried: readonly Failed[], attempt: number, delayMs: number): void {
    const partitions = retried.map(({ due: { flow } }) => ({ topic: flow.topic, partition: flow.partition }))
    const reason = plainError(retried[0]!.error).message
    this.#options.listeners.emit({ type: 'commit.retrying', partitions, reason, attempt, delayMs: Math.round(delayMs) })
  }

  #delayMs(attempt: number): number {
    const { world, retryBackoffMs, retryBackoffMaxMs } = this.#options
    return Math.min(retryBackoffMaxMs, retryBackoffMs * 2 ** Math.min(attempt - 1, 20)) * (0.8 + 0.4 * world.random())
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise(resolve => {
      const timer = this.#options.world.setTimer(() => {
        this.#pauses.delete(timer)
        resolve()
      }, delayMs)
      this.#pauses.set(timer, resolve)
    })
  }
}

export function noGroup(): UsageError {
  return new UsageError('NO_GROUP', 'This consumer has no group, so there is no place to commit to. Subscribe with a group.')
}

/** What is processed and not committed. */
function dueOf(flows: Iterable<Flow>): Due[] {
  const due: Due[] = []
  for (const flow of flows) {
    const offset = flow.ledger?.position
    // Of a topic that is gone there is nothing to say to the one that has its name.
    if (offset === undefined || offset === flow.ledger!.committed || flow.recreated) continue
    due.push({ flow, offset: asRead(flow, { topic: flow.topic, partition: flow.partition, offset }) })
  }
  return due
}

/** With the topic in which it is a place, and the leader epoch of the message before it where that is known and not given. */
function asRead(flow: Flow, offset: OffsetToCommit): OffsetToCommit {
  const leaderEpoch = offset.leaderEpoch ?? flow.epochAt(offset.offset)
  return { ...offset, topicId: flow.topicId, ...(leaderEpoch === undefined ? {} : { leaderEpoch }) }
}

/** A message stands for the offset after it. Throws UsageError. */
function readOffset(given: OffsetCommit): OffsetToCommit {
  const { topic, partition } = given
  checkTopicName(topic)
  if ('timestamp' in given) return { topic, partition, offset: given.offset + 1n }
  const { offset, metadata, leaderEpoch } = given
  const wrong = (what: string) => new UsageError('INVALID_OPTION', `${what} of ${topic}/${partition}.`, { details: { topic, partition } })
  if (typeof offset !== 'bigint' || offset < 0n || offset > OFFSET_MOST) throw wrong(`${String(offset)} is no offset to be committed`)
  if (metadata !== undefined && typeof metadata !== 'string') throw wrong('The metadata is not a string')
  if (leaderEpoch !== undefined && (!Number.isInteger(leaderEpoch) || leaderEpoch < -1)) throw wrong('There is no such leader epoch')
  return {
    topic,
    partition,
    offset,
    ...(metadata === undefined ? {} : { metadata }),
    ...(leaderEpoch === undefined ? {} : { leaderEpoch })
  }
}

function notOwner(offset: OffsetToCommit): SamsaError {
  const message = `${keyOf(offset)} is not owned by this consumer, or not without a break since the commit was asked for; nothing was committed.`
  return new SamsaError('NOT_OWNER', message, { details: { topic: offset.topic, partition: offset.partition } })
}

/** A topic that the coordinator's broker does not know was asked for several times already: it is gone. */
function mayGoWell(error: unknown): boolean {
  const plain = plainError(error)
  return plain.retriable && meaningOfError(plain)?.remedy !== 'few'
}

function byError(failed: readonly Failed[]): Map<unknown, Failed[]> {
  const out = new Map<unknown, Failed[]>()
  for (const entry of failed) {
    const list = out.get(entry.error)
    if (list) list.push(entry)
    else out.set(entry.error, [entry])
  }
  return out
}
