/**
 * Commits against positions: what is committed must have been given to the member that commits it, and processed where the history tells what
 * was. Finds `commit-beyond-position`.
 */
import type { Findings } from './anomalies.ts'
import type { Logs } from './logs.ts'
import { type Members, NO_GROUP } from './members.ts'
import type { Operation } from './operation.ts'

interface Leap {
  process: string
  group: string
  key: string
  position: number
  committed: number
  operation: number
  processed: boolean
}

export class CommitCheck {
  readonly #logs: Logs
  readonly #members: Members
  readonly #findings: Findings
  /** Next offsets by process and key: after what it was given, and after what it has processed. */
  readonly #given = new Map<string, number>()
  readonly #processed = new Map<string, number>()
  /** By group and key. */
  readonly #committed = new Map<string, number>()
  readonly #leaps: Leap[] = []
  count = 0

  constructor(logs: Logs, members: Members, findings: Findings) {
    this.#logs = logs
    this.#members = members
    this.#findings = findings
  }

  add(operation: Operation): void {
    const { process, f, type } = operation
    if (f === 'commit') {
      if (type !== 'invoke' && type !== 'fail') this.#commit(operation)
    } else if (f === 'ack' || f === 'seek') {
      for (const [key, offset] of Object.entries(operation.value.offsets)) {
        const name = `${process}\u0000${key}`
        // Of a member that does not tell what it has processed, a seek says where it reads on and no more.
        if (f === 'ack' || this.#processed.has(name)) this.#raise(this.#processed, name, offset)
        if (f === 'seek') this.#raise(this.#given, name, offset)
      }
    } else if ((f === 'poll' || f === 'txn') && type === 'ok') this.#delivered(operation)
    else if (f === 'crash') this.#forget(process)
  }

  #raise(positions: Map<string, number>, name: string, offset: number): void {
    if (offset > (positions.get(name) ?? -1)) positions.set(name, offset)
  }

  #delivered({ process, value }: Extract<Operation, { f: 'send' | 'poll' | 'txn' }>): void {
    for (const step of value) {
      if (step[0] !== 'poll') continue
      for (const [key, entries] of Object.entries(step[1]))
        for (const [offset] of entries) this.#raise(this.#given, `${process}\u0000${key}`, offset! + 1)
    }
  }

  /** The next incarnation has read nothing yet. */
  #forget(process: string): void {
    for (const positions of [this.#given, this.#processed])
      for (const name of [...positions.keys()]) if (name.startsWith(`${process}\u0000`)) positions.delete(name)
  }

  #commit({ process, type, index, value }: Extract<Operation, { f: 'commit' | 'ack' | 'seek' }>): void {
    const { group } = this.#members.member(process)
    for (const [key, committed] of Object.entries(value.offsets)) {
      this.count++
      const name = `${process}\u0000${key}`
      const processed = this.#processed.get(name)
      const position = Math.max(processed ?? this.#given.get(name) ?? -1, this.#committed.get(`${group}\u0000${key}`) ?? -1)
      // A group that begins somewhere may commit where that is.
      const known = position >= 0 || (this.#members.groups.get(group)?.fromEarliest ?? group === NO_GROUP)
      if (committed > position && known)
        this.#leaps.push({
          process,
          group,
          key,
          position: Math.max(0, position),
          committed,
          operation: index,
          processed: processed !== undefined
        })
      if (type === 'ok') this.#raise(this.#committed, `${group}\u0000${key}`, committed)
    }
  }

  /** Between position and commit there may be nothing: control records, what was compacted or aborted. */
  finish(): void {
    for (const { process, group, key, position, committed, operation, processed } of this.#leaps) {
      const log = this.#logs.log(key)
      const [first] = log.between(position - 1, committed, 1000).filter(offset => !this.#logs.isHidden(log.values.get(offset)!))
      if (first === undefined) continue
      this.#findings.add('commit-beyond-position', {
        what: `${process} committed ${key}@${committed}, and had ${processed ? 'processed' : 'been given'} nothing from @${first} on`,
        ...{ key, process, offsets: [position, committed], operations: [operation], ...(group === NO_GROUP ? {} : { group }) }
      })
    }
  }
}
