/**
 * What each group has read of each partition, over all its members. Finds `lost-write`, `unseen` and `redelivery`.
 */
import type { Findings } from './anomalies.ts'
import type { Incarnations } from './incarnations.ts'
import { type Logs, type PartitionLog, READ, SENT_OK, SENT_UNKNOWN, UNTOLD } from './logs.ts'
import { type Group, type Members, NO_GROUP, topicOf } from './members.ts'
import { Ranges } from './ranges.ts'

/** One group's reading of one key. */
export class Reader {
  readonly group: string
  readonly key: string
  readonly offsets = new Ranges()
  readonly #repeated: (offset: number, process: string, operation: number) => void

  constructor(group: string, key: string, repeated: (offset: number, process: string, operation: number) => void) {
    this.group = group
    this.key = key
    this.#repeated = repeated
  }

  read(offset: number, process: string, operation: number): void {
    if (!this.offsets.add(offset)) this.#repeated(offset, process, operation)
  }
}

const told = (group: string) => (group === NO_GROUP ? 'nobody' : `nobody in ${group}`)

export class Readers {
  redelivered = 0
  readonly #logs: Logs
  readonly #members: Members
  readonly #findings: Findings
  readonly #incarnations: Incarnations
  readonly #readers = new Map<string, Map<string, Reader>>()

  constructor(logs: Logs, members: Members, findings: Findings, incarnations: Incarnations) {
    this.#logs = logs
    this.#members = members
    this.#findings = findings
    this.#incarnations = incarnations
  }

  of(group: string, key: string): Reader {
    const keys = this.#readers.get(group) ?? new Map<string, Reader>()
    this.#readers.set(group, keys)
    let reader = keys.get(key)
    if (!reader) {
      reader = new Reader(group, key, (offset, process, operation) => this.#repeated(group, key, offset, process, operation))
      keys.set(key, reader)
    }
    return reader
  }

  #repeated(group: string, key: string, offset: number, process: string, operation: number): void {
    this.redelivered++
    // Readers without a group read for themselves.
    if (group === NO_GROUP) return
    this.#findings.add('redelivery', {
      what: `${process} was given ${key}@${offset}, which ${group} had been given before`,
      ...{ key, group, process, offsets: [offset], operations: [operation] }
    })
  }

  /** `final`: everybody has read to the end, so what nobody has read by now nobody ever will. */
  finish(final: boolean): void {
    const groups = [...this.#members.groups.values()].filter(({ name }) => name !== NO_GROUP)
    // Those without a group are together one reader of everything, where there are any, or nobody else reads.
    if (groups.length === 0 || this.#readers.has(NO_GROUP)) groups.push(this.#members.group(NO_GROUP))
    for (const group of groups)
      for (const log of this.#logs.all)
        if (this.#concerns(group, log)) this.#missing(group, log, final && !this.#incarnations.isGone(log.key))
    if (final) this.#neverPlaced()
  }

  #concerns({ name, topics }: Group, { key }: PartitionLog): boolean {
    return name === NO_GROUP || topics.has(topicOf(key)) || (this.#readers.get(name)?.has(key) ?? false)
  }

  #missing(group: Group, log: PartitionLog, final: boolean): void {
    const offsets = this.#readers.get(group.name)?.get(log.key)?.offsets
    const [least, most] = [offsets?.least, offsets?.most]
    // A group that begins somewhere and was given nothing may have begun behind everything.
    if (!group.fromEarliest && least === undefined) return
    for (const offset of log.order) {
      if (offsets?.has(offset)) continue
      if (!group.fromEarliest && offset < least!) continue
      const passed = most !== undefined && offset < most
      if (!passed && !final) return
      for (const id of [log.values.get(offset)!, ...(log.conflicts.get(offset) ?? [])]) this.#judge(group, log, offset, id, passed)
    }
  }

  #judge({ name }: Group, { key }: PartitionLog, offset: number, id: number, passed: boolean): void {
    if (!this.#counts(name, id) || this.#readElsewhere(name, id)) return
    // Beyond what was read only an ack is a promise.
    if (!passed && !this.#logs.is(id, SENT_OK)) return
    const value = this.#logs.text(id)
    const found = { key, value, offsets: [offset], ...(name === NO_GROUP ? {} : { group: name }) }
    if (passed)
      this.#findings.add('lost-write', { what: `${told(name)} has read ${value} at ${key}@${offset}, and later ones were read`, ...found })
    else this.#findings.add('unseen', { what: `${told(name)} has read ${value}, acked at ${key}@${offset}`, ...found })
  }

  /** It was certainly written: acked, or seen by somebody, and not aborted. What nobody sent is there all the same, for a group. */
  #counts(group: string, id: number): boolean {
    if (id === UNTOLD || this.#logs.isHidden(id)) return false
    if (this.#logs.is(id, SENT_OK | SENT_UNKNOWN)) return true
    return group !== NO_GROUP && this.#logs.is(id, READ)
  }

  #readElsewhere(group: string, id: number): boolean {
    return this.#logs.placesOf(id).some(place => {
      const at = place.lastIndexOf('@')
      return (
        this.#readers
          .get(group)
          ?.get(place.slice(0, at))
          ?.offsets.has(Number(place.slice(at + 1))) ?? false
      )
    })
  }

  /** Acked without an offset (the rest of a list), and in no poll of anybody. */
  #neverPlaced(): void {
    for (let id = 0; id < this.#logs.size; id++) {
      if (!this.#logs.is(id, SENT_OK) || this.#logs.placesOf(id).length > 0) continue
      const value = this.#logs.text(id)
      if (this.#incarnations.lay(value)) continue
      this.#findings.add('unseen', { what: `nobody has read ${value}, which was acked`, value })
    }
  }
}
