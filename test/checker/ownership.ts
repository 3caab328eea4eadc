/**
 * Who owned what, when, in groups whose partitions are given and taken away. Finds `two-owners`, `delivery-outside-ownership`,
 * `commit-after-loss`.
 *
 * An ownership ends by `revoked` at that moment. One that ends by `lost`, or with a crash, ended earlier, unheard: a member that was cut off or
 * frozen may learn of it after somebody else has the partition. So it counts up to the last thing that it did (a delivery, a commit): acting
 * while another owns is what must never be. Where a topic was deleted and made again, a group that goes by ids gives the new one away while a member still
 * has the old: that member may say what it likes of the old one, and must not touch the new.
 */
import type { Findings } from './anomalies.ts'
import { type Incarnations, incarnationOf, ownedKey } from './incarnations.ts'
import { type Members, NO_GROUP } from './members.ts'
import type { Operation } from './operation.ts'

interface Ownership {
  process: string
  group: string
  key: string
  sinceMs: number
  operation: number
  /** Of which topic of that name. */
  incarnation: number
  /** Another got the partition meanwhile. */
  superseded: { by: string; atMs: number; operation: number; incarnation: number } | undefined
  told: boolean
}

interface Outside {
  process: string
  key: string
  count: number
  operation: number
}

export class OwnershipCheck {
  readonly #members: Members
  readonly #findings: Findings
  readonly #incarnations: Incarnations
  /** Clocks of several processes may differ by this. */
  readonly #skewMs: number
  /** By group and key: owners now, oldest first. */
  readonly #owners = new Map<string, Ownership[]>()
  /** Keys that a process once owned, and how that ended. */
  readonly #ended = new Map<string, string>()
  /** Deliveries without ownership: anomalies if the process turns out to be one that is given its partitions. */
  readonly #outside = new Map<string, Outside>()
  /** Commits under way: owned when they began. */
  readonly #begun = new Map<string, Set<string>>()

  constructor(parts: { members: Members; findings: Findings; incarnations: Incarnations; skewMs: number }) {
    this.#members = parts.members
    this.#findings = parts.findings
    this.#incarnations = parts.incarnations
    this.#skewMs = parts.skewMs
  }

  add(operation: Operation): void {
    const { f, type } = operation
    if (f === 'assigned') for (const key of operation.value.partitions) this.#gain(operation, key)
    else if (f === 'revoked' || f === 'lost') {
      for (const key of operation.value.partitions) this.#end(operation, this.#ownersOf(operation.process, key), key, f)
    } else if (f === 'crash' || f === 'close' || f === 'assign') this.#endAll(operation)
    else if ((f === 'poll' || f === 'txn') && type === 'ok') {
      for (const step of operation.value) {
        if (step[0] !== 'poll') continue
        for (const [key, entries] of Object.entries(step[1]))
          if (entries.length > 0) this.#delivered(operation, ownedKey(key), incarnationOf(key))
      }
    } else if (f === 'commit') this.#commit(operation, Object.keys(operation.value.offsets).map(ownedKey))
  }

  #ownersOf(process: string, key: string): Ownership[] {
    const name = `${this.#members.member(process).group}\u0000${key}`
    const owners = this.#owners.get(name) ?? []
    this.#owners.set(name, owners)
    return owners
  }

  #owns(process: string, key: string): Ownership | undefined {
    return this.#ownersOf(process, key).find(each => each.process === process)
  }

  #gain({ process, time, index }: Operation, key: string): void {
    const owners = this.#ownersOf(process, key)
    const again = owners.findIndex(each => each.process === process)
    // Assigned once more what it owns: nothing has changed.
    if (again >= 0) return
    const { group } = this.#members.member(process)
    // Without a group everybody may read everything.
    const incarnation = this.#incarnations.now(key)
    if (group !== NO_GROUP) for (const older of owners) older.superseded ??= { by: process, atMs: time, operation: index, incarnation }
    owners.push({ process, group, key, sinceMs: time, operation: index, incarnation, superseded: undefined, told: false })
  }

  #end({ process, time, index }: Operation, owners: Ownership[], key: string, how: string): void {
    const at = owners.findIndex(each => each.process === process)
    this.#ended.set(`${process}\u0000${key}`, how)
    if (at < 0) return
    const [ownership] = owners.splice(at, 1)
    // It gave up what another had already.
    if (how !== 'lost' && how !== 'crash') this.#overlap(ownership!, time, index, 'gave it up')
  }

  #endAll(operation: Operation): void {
    for (const owners of this.#owners.values())
      for (const { process, key } of [...owners]) if (process === operation.process) this.#end(operation, owners, key, operation.f)
    for (const name of [...this.#ended.keys()]) if (name.startsWith(`${operation.process}\u0000`)) this.#ended.delete(name)
    this.#begun.delete(operation.process)
  }

  /** `of`: the topic that it acted on, where that is known. */
  #overlap(ownership: Ownership, time: number, operation: number, act: string, of = ownership.incarnation): void {
    const { superseded, process, key, group } = ownership
    if (!superseded || ownership.told || time <= superseded.atMs + this.#skewMs || of < superseded.incarnation) return
    ownership.told = true
    const ms = (time - superseded.atMs).toFixed(1)
    this.#findings.add('two-owners', {
      what: `${process} owned ${key} of ${group}, and ${superseded.by} was given it; ${ms} ms later ${process} ${act}`,
      ...{ key, group, process, operations: [ownership.operation, superseded.operation, operation] }
    })
  }

  #delivered({ process, time, index }: Operation, key: string, incarnation: number): void {
    const ownership = this.#owns(process, key)
    if (ownership) return this.#overlap(ownership, time, index, 'was given messages of it', incarnation)
    if (this.#members.member(process).by === 'assign') return
    const name = `${process}\u0000${key}`
    const outside = this.#outside.get(name)
    if (outside) outside.count++
    else this.#outside.set(name, { process, key, count: 1, operation: index })
  }

  #commit({ process, time, index, type }: Operation, keys: readonly string[]): void {
    const begun = this.#begun.get(process) ?? new Set()
    this.#begun.set(process, begun)
    for (const key of keys) {
      const ownership = this.#owns(process, key)
      if (type === 'invoke') {
        if (ownership && !ownership.superseded) begun.add(key)
        continue
      }
      const inTime = begun.delete(key)
      if (type !== 'ok' || inTime) continue
      if (ownership) this.#overlap(ownership, time, index, 'committed for it')
      else if (this.#members.member(process).by === 'given') this.#committedOutside(process, key, index)
    }
  }

  #committedOutside(process: string, key: string, index: number): void {
    const how = this.#ended.get(`${process}\u0000${key}`)
    const why = how === undefined ? 'had never owned' : `owned no more (${how})`
    this.#findings.add('commit-after-loss', {
      what: `${process} committed for ${key}, which it ${why}`,
      ...{ key, process, group: this.#members.member(process).group, operations: [index] }
    })
  }

  finish(): void {
    for (const owners of this.#owners.values())
      for (const ownership of owners)
        if (ownership.superseded)
          this.#overlap(ownership, Number.POSITIVE_INFINITY, ownership.superseded.operation, 'had it still, at the end')
    for (const { process, key, count, operation } of this.#outside.values()) {
      if (!this.#members.member(process).wasGiven) continue
      this.#findings.add('delivery-outside-ownership', {
        what: `${process} was given messages of ${key} ${count === 1 ? 'once' : `${count} times`} while it did not own it`,
        ...{ key, process, group: this.#members.member(process).group, operations: [operation] }
      })
    }
  }
}
