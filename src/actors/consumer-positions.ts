/**
 * Where a consumer stands in its partitions, as its user asks and orders: positions, what is committed, seek. The plane holds the flows, the
 * machine of a partition goes where it is told; this checks what is asked for and waits until it is so.
 */
import type { CommittedOffset, OffsetStore } from '../flow/offset-store.ts'
import { keyOf, type Owned } from '../machines/consumer.ts'
import { SamsaError, TimeoutError, UsageError } from '../model/errors.ts'
import type { CommittedPosition, Position, SeekPosition, SeekTarget, TopicPartition } from '../model/positions.ts'
import type { ResetPolicy } from '../model/subscription.ts'
import type { Deliveries } from './consumer-delivery.ts'
import type { Flow } from './consumer-flow.ts'
import type { Listeners } from './consumer-listeners.ts'
import { type Instance, tell } from './instance.ts'

export interface PositionsOptions {
  instance: Instance
  listeners: Listeners
  deliveries: Deliveries
  flows: ReadonlyMap<string, Flow>
  /** Throws UsageError NO_GROUP when there is none. */
  store: () => OffsetStore
}

const OFFSET_MOST = 2n ** 63n - 1n
const invalid = (message: string) => new UsageError('INVALID_OPTION', message, { details: { option: 'to' } })

/** One partition of a seek. */
interface Jump {
  flow: Flow
  to: SeekTarget
  /** Of the flow's seeks. */
  number: number
}

export class Positions {
  readonly #options: PositionsOptions

  constructor(options: PositionsOptions) {
    this.#options = options
  }

  /** Of every partition that is owned and located. */
  list(): Position[] {
    const out = []
    for (const { topic, partition, ledger, seeking } of this.#options.flows.values())
      if (ledger && !seeking) out.push({ topic, partition, offset: ledger.position })
    return out
  }

  assignment(): TopicPartition[] {
    return [...this.#options.flows.values()].map(({ topic, partition }) => ({ topic, partition }))
  }

  async committed(partitions: readonly TopicPartition[] = this.assignment()): Promise<CommittedPosition[]> {
    const found: ReadonlyMap<string, CommittedOffset> = await this.#options.store().fetch(partitions)
    return partitions.flatMap(({ topic, partition }) => {
      const committed = found.get(keyOf({ topic, partition }))
      return committed ? [{ topic, partition, ...committed }] : []
    })
  }

  /** It is owned, and not on its way out. */
  keeps(entry: Owned): boolean {
    return this.#options.flows.get(keyOf(entry))?.draining === false
  }

  /** The flow of a partition that is owned and not on its way out. Throws UsageError NOT_ASSIGNED. */
  owned(wanted: Owned): Flow {
    const { flows } = this.#options
    const flow = flows.get(keyOf(wanted))
    if (flow && !flow.draining) return flow
    const keys = [...flows.keys()]
    const owns = keys.length > 20 ? `${keys.slice(0, 20).join(', ')} and ${keys.length - 20} more` : keys.join(', ') || 'none'
    const why = flow ? 'is being given back' : 'is not assigned to this consumer'
    throw new UsageError('NOT_ASSIGNED', `Partition ${keyOf(wanted)} ${why}; its partitions are: ${owns}.`, {
      details: { topic: wanted.topic, partition: wanted.partition }
    })
  }

  /** See ConsumerHandle. Everything is checked before anything is done; what is done has begun when this returns. */
  async seek(wanted: SeekPosition | readonly SeekPosition[]): Promise<void> {
    const list = Array.isArray(wanted) ? (wanted as readonly SeekPosition[]) : [wanted as SeekPosition]
    const targets = new Map<Flow, SeekTarget>()
    for (const entry of list) for (const flow of this.#flowsOf(entry)) targets.set(flow, checkTarget(entry.to))
    if ([...targets.values()].includes('committed')) this.#options.store()
    const jumps = [...targets].map(([flow, to]) => this.#sever(flow, to))
    const lookUps = jumps.map(jump => this.#go(jump))
    const results = await Promise.allSettled(lookUps)
    await this.until('A sought position', () => jumps.every(jump => this.#arrived(jump)))
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  /** Resolves when `done`; it is looked at after each event of the consumer. Rejects with what it throws, or TimeoutError. */
  async until(what: string, done: () => boolean): Promise<void> {
    if (done()) return
    const { listeners, instance } = this.#options
    const { world, options } = instance
    await new Promise<void>((resolve, reject) => {
      const end = (finish: () => void) => {
        remove()
        world.clearTimer(timer)
        finish()
      }
      const remove = listeners.add('*', () => {
        try {
          if (done()) end(resolve)
        } catch (error) {
          end(() => reject(error))
        }
      })
      const late = new TimeoutError('NOT_YET', `${what} is not there after ${options.requestTimeoutMs} ms; it is still tried.`, {
        retriable: true
      })
      const timer = world.setTimer(() => end(() => reject(late)), options.requestTimeoutMs)
    })
  }

  // ── inside ──

  #flowsOf(entry: SeekPosition): Flow[] {
    if ('partition' in entry) return [this.owned(entry)]
    if (entry.partitions) return entry.partitions.map(each => this.owned(each))
    return [...this.#options.flows.values()].filter(({ draining }) => !draining)
  }

  /** From now on nothing of the old place is handed out. */
  #sever(flow: Flow, to: SeekTarget): Jump {
    this.#options.deliveries.interruptions++
    const where = to instanceof Date ? to.toISOString() : String(to)
    flow.sever(new SamsaError('SOUGHT', `${keyOf(flow)} was sought to ${where}; what was in hand does not count any more.`))
    return { flow, to, number: flow.seeks }
  }

  async #go({ flow, to, number }: Jump): Promise<void> {
    if (typeof to === 'bigint') this.#tell(flow, String(to), null)
    else if (to === 'committed') await this.#toCommitted(flow, number)
    else this.#tell(flow, null, policyOf(to))
  }

  /** What cannot be read leaves the partition where it was. */
  async #toCommitted(flow: Flow, number: number): Promise<void> {
    const current = () => flow.seeks === number && this.#options.flows.get(keyOf(flow)) === flow
    try {
      const offset = (await this.#options.store().fetch([flow])).get(keyOf(flow))?.offset
      if (current()) this.#tell(flow, offset === undefined ? null : String(offset), null)
    } catch (error) {
      if (current()) this.#tell(flow, flow.ledger ? String(flow.ledger.position) : null, null)
      throw error
    }
  }

  /** Its machine goes there; one that is not born yet begins there. */
  #tell(flow: Flow, offset: string | null, target: ResetPolicy | null): void {
    const told = tell(this.#options.instance, flow.path, { type: 'SEEK', offset, target } as { type: string })
    if (!told && flow.claim) Object.assign(flow.claim, { offset, target, why: 'sought', topicId: null, committed: null })
  }

  #arrived({ flow, number }: Jump): boolean {
    const key = keyOf(flow)
    if (this.#options.flows.get(key) !== flow)
      throw new SamsaError('REVOKED', `${key} was taken away before the position that was sought for was known.`)
    // Somebody has sought once more: that counts.
    if (flow.seeks !== number) return true
    if (flow.parked) throw new SamsaError(flow.parked.code, flow.parked.message, { details: flow.parked.details })
    return !flow.seeking
  }
}

function policyOf(to: 'beginning' | 'end' | Date): ResetPolicy {
  if (to instanceof Date) return { at: 'timestamp', timestampMs: to.getTime() }
  return { at: to === 'beginning' ? 'earliest' : 'latest' }
}

function checkTarget(to: SeekTarget): SeekTarget {
  if (typeof to === 'bigint') {
    if (to >= 0n && to <= OFFSET_MOST) return to
    throw invalid(`An offset is ${to}; offsets begin at 0n. Seek 'beginning' for the first message that is left.`)
  }
  if (to instanceof Date) {
    if (!Number.isNaN(to.getTime())) return to
    throw invalid('A Date to seek to is invalid.')
  }
  if (to === 'beginning' || to === 'end' || to === 'committed') return to
  throw invalid(`A position is ${String(to)}; it must be a bigint, beginning, end, committed or a Date.`)
}
