/**
 * Topics that are deleted and made again under the same name: what lies at an offset of the one has nothing to do with the other. A `deleted` operation
 * tells what lay in the topic; whatever was sent to it or read from it, also later, belongs to its old partitions, everything else to the new ones, whose
 * keys are `topic~2/3`, `topic~3/3`, … from here on. Who owns a partition owns it by its name, whichever topic it is of.
 */
import type { Entry, Operation, Step } from './operation.ts'

type Log = ReadonlyMap<string, ReadonlyMap<number, string>>

/** The key by which a partition is owned. */
export function ownedKey(key: string): string {
  return key.replace(/~\d+(?=\/\d+$)/, '')
}

/** Of a key, or a place in it: how many topics of that name were deleted before. */
export function incarnationOf(key: string): number {
  const number = /~(\d+)\/\d+(?:@\d+)?$/.exec(key)?.[1]
  return number === undefined ? 0 : Number(number) - 1
}

const topicOf = (key: string) => key.slice(0, key.lastIndexOf('/'))

export class Incarnations {
  /** By topic: what lay in each of those that are gone. */
  readonly #gone = new Map<string, Log[]>()
  readonly #values = new Set<string>()
  /** By process and key: of which topic it was told last. */
  readonly #at = new Map<string, number>()

  /** Its topic was deleted: nobody can be asked to have read what is in it. */
  isGone(key: string): boolean {
    const base = ownedKey(key)
    return incarnationOf(key) < this.now(base)
  }

  /** A value lay in a topic that was deleted. */
  lay(value: string): boolean {
    return this.#values.has(value)
  }

  /** The same operation with keys of the right topics. */
  add(operation: Operation): Operation {
    if (operation.f === 'deleted') this.#deleted(operation.value)
    if (this.#gone.size === 0) return operation
    switch (operation.f) {
      case 'send':
      case 'poll':
      case 'txn':
        return { ...operation, value: operation.value.flatMap(step => this.#step(operation.process, step)) }
      case 'assigned':
      case 'assign':
        for (const key of operation.f === 'assign' ? operation.value : operation.value.partitions)
          this.#at.set(`${operation.process}\u0000${key}`, this.now(key))
        return operation
      case 'seek':
        for (const key of Object.keys(operation.value.offsets)) this.#at.set(`${operation.process}\u0000${key}`, this.now(key))
        return this.#moved(operation)
      case 'commit':
      case 'ack':
        return this.#moved(operation)
      default:
        return operation
    }
  }

  #deleted({ topic, log }: { topic: string; log: Readonly<Record<string, readonly Entry[]>> }): void {
    const gone = this.#gone.get(topic) ?? []
    this.#gone.set(topic, gone)
    for (const entries of Object.values(log)) for (const [, value] of entries) this.#values.add(value!)
    gone.push(new Map(Object.entries(log).map(([key, entries]) => [key, new Map(entries.map(([offset, value]) => [offset!, value!]))])))
  }

  #step(process: string, step: Step): Step[] {
    if (step[0] === 'send') return [['send', this.#keyOf(step[1], step[2]), step[2]]]
    const reads: Record<string, Entry[]> = {}
    for (const [key, entries] of Object.entries(step[1]))
      for (const entry of entries) {
        const own = this.#keyOf(key, entry)
        this.#at.set(`${process}\u0000${key}`, Math.max(incarnationOf(own), this.#at.get(`${process}\u0000${key}`) ?? 0))
        reads[own] ??= []
        reads[own].push(entry)
      }
    return [['poll', reads]]
  }

  #keyOf(key: string, [offset, value]: Entry): string {
    const gone = this.#gone.get(topicOf(key)) ?? []
    // A key that is a topic alone tells no place.
    if (gone.length === 0 || offset === null) return key
    const at = gone.findIndex(log => value !== undefined && log.get(key)?.get(offset) === value)
    return this.#named(key, at < 0 ? gone.length : at)
  }

  #moved(operation: Extract<Operation, { f: 'commit' | 'ack' | 'seek' }>): Operation {
    const named = Object.entries(operation.value.offsets).map(([key, offset]): [string, number] => {
      const at = this.#at.get(`${operation.process}\u0000${key}`) ?? 0
      return [this.#named(key, at), offset]
    })
    return { ...operation, value: { ...operation.value, offsets: Object.fromEntries(named) } }
  }

  #named(key: string, number: number): string {
    const at = key.lastIndexOf('/')
    return number === 0 ? key : `${key.slice(0, at)}~${number + 1}${key.slice(at)}`
  }

  /** How many topics of that name are gone by now. */
  now(key: string): number {
    return this.#gone.get(topicOf(key))?.length ?? 0
  }
}
