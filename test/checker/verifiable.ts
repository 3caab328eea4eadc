/**
 * The lines that Kafka's VerifiableProducer and VerifiableConsumer print (and ours, `samsa verifiable-…`), as operations of one process.
 * Their words for a loss and for a revocation are the same, so a Java member that was evicted counts as one that gave up late.
 */
import { type Entry, HistoryError, type Operation, type Step } from './operation.ts'

type Line = Record<string, unknown> & { name: string; timestamp: number }
type Place = { topic: string; partition: number }

/** More in one line is no summary of one poll. */
const MAX_RANGE = 10_000_000

const keyOf = ({ topic, partition }: Place) => `${topic}/${partition}`

export interface VerifiableOptions {
  /** The consumer's group. */
  group?: string
  /** Its reset policy, where it is not `earliest`. */
  from?: 'latest'
}

export class Verifiable {
  readonly #process: string
  readonly #options: VerifiableOptions
  /** Of `record_data`, until the summary comes. */
  #records = new Map<string, Entry[]>()
  #number = 0
  #lastMs = 0

  constructor(process: string, options: VerifiableOptions = {}) {
    this.#process = process
    this.#options = options
  }

  /** What one line says. Lines that are no JSON are log output, as Kafka's own readers of these tools take them. */
  line(text: string): Operation[] {
    let line: Line
    try {
      line = JSON.parse(text) as Line
    } catch {
      return []
    }
    if (typeof line !== 'object' || line === null || typeof line.name !== 'string') return []
    if (typeof line.timestamp !== 'number') throw new HistoryError(`${line.name} has no timestamp`)
    this.#lastMs = line.timestamp
    return this.#operations(line)
  }

  /** The output has ended. Records whose summary never came were consumed all the same. */
  end(): Operation[] {
    return this.#records.size > 0 ? [this.#poll([])] : []
  }

  #operations(line: Line): Operation[] {
    const partitions = (line.partitions ?? []) as (Place & { count: number; minOffset: number; maxOffset: number })[]
    switch (line.name) {
      case 'producer_send_success':
        return [this.#sent(line, line.offset as number)]
      case 'producer_send_error':
        return [this.#sent(line, -1, line.outcome === 'failed' ? 'fail' : 'info')]
      case 'startup_complete':
        return this.#options.group === undefined ? [] : [this.#of('subscribe', { ...this.#options })]
      case 'partitions_assigned':
        return [this.#of('assigned', this.#owned(partitions))]
      case 'partitions_revoked':
        return [this.#of('revoked', this.#owned(partitions))]
      case 'record_data':
        this.#record(line as never)
        return []
      case 'records_consumed':
        return partitions.length > 0 || this.#records.size > 0 ? [this.#poll(partitions)] : []
      case 'offsets_committed': {
        const offsets = Object.fromEntries((line.offsets as (Place & { offset: number })[]).map(each => [keyOf(each), each.offset]))
        return [this.#of('commit', { offsets }, line.success === true ? 'ok' : 'info')]
      }
      case 'shutdown_complete':
        return [this.#of('close', undefined)]
      default:
        return []
    }
  }

  #of(f: Operation['f'], value: unknown, type: Operation['type'] = 'ok'): Operation {
    const index = this.#number++
    return { index, time: this.#lastMs, process: this.#process, type, f, value } as Operation
  }

  #owned(partitions: readonly Place[]): unknown {
    const { group } = this.#options
    return { ...(group === undefined ? {} : { group }), partitions: partitions.map(keyOf) }
  }

  /** Offset -1: the broker did not tell (acks 0), so nothing is promised. */
  #sent({ topic, partition, value }: Line, offset: number, type?: 'fail' | 'info'): Operation {
    const key = type === undefined ? keyOf({ topic, partition } as Place) : String(topic)
    const step: Step = ['send', key, [offset >= 0 ? offset : null, String(value)]]
    return this.#of('send', [step], type ?? (offset >= 0 ? 'ok' : 'info'))
  }

  #record(record: Place & { offset: number; value: string | null }): void {
    const entries = this.#records.get(keyOf(record)) ?? []
    entries.push([record.offset, record.value])
    this.#records.set(keyOf(record), entries)
  }

  #poll(partitions: readonly (Place & { count: number; minOffset: number; maxOffset: number })[]): Operation {
    const reads: Record<string, readonly Entry[]> = Object.fromEntries(this.#records)
    this.#records = new Map()
    for (const summary of partitions) reads[keyOf(summary)] ??= entriesOf(summary)
    return this.#of('poll', [['poll', reads]])
  }
}

/** All between, where the count says that it is all; else what is certain: the first and the last. */
function entriesOf({ count, minOffset, maxOffset }: { count: number; minOffset: number; maxOffset: number }): Entry[] {
  if (maxOffset - minOffset >= MAX_RANGE) throw new HistoryError(`one poll of the offsets ${minOffset} to ${maxOffset}`)
  if (count === maxOffset - minOffset + 1) return Array.from({ length: count }, (_, at): Entry => [minOffset + at])
  return minOffset === maxOffset ? [[minOffset]] : [[minOffset], [maxOffset]]
}
