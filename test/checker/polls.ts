/**
 * Polls: what each process was handed out, in order. Finds jumps and steps back, inside one poll (`int-…`) and from one to the next. Between polls
 * they count as long as the process reads a key by right: from an assignment to the next, or inside one ownership of its group.
 */
import type { Findings } from './anomalies.ts'
import type { Dependencies } from './dependencies.ts'
import { ownedKey } from './incarnations.ts'
import { type Logs, READ, UNTOLD } from './logs.ts'
import type { Members } from './members.ts'
import type { Entry, Operation } from './operation.ts'
import type { Readers } from './readers.ts'

/** Read up to `low`, then from `high`: a jump, if something lies between. Known at the end. */
interface Gap {
  inside: boolean
  process: string
  key: string
  low: number
  high: number
  operations: number[]
}

interface Position {
  offset: number
  operation: number
}

export class Polls {
  messages = 0
  readonly #logs: Logs
  readonly #members: Members
  readonly #readers: Readers
  readonly #dependencies: Dependencies
  readonly #findings: Findings
  readonly #gaps: Gap[] = []
  /** By process and key: where the last ok poll ended. */
  readonly #positions = new Map<string, Map<string, Position>>()
  /** Keys that a process owns, where its group gives them. */
  readonly #owned = new Map<string, Set<string>>()

  constructor(parts: { logs: Logs; members: Members; readers: Readers; dependencies: Dependencies; findings: Findings }) {
    this.#logs = parts.logs
    this.#members = parts.members
    this.#readers = parts.readers
    this.#dependencies = parts.dependencies
    this.#findings = parts.findings
  }

  add(operation: Operation): void {
    const { process, f } = operation
    if (f === 'poll' || f === 'txn') this.#polled(operation)
    else if (f === 'assign') this.#positions.delete(process)
    else if (f === 'crash' || f === 'close') {
      this.#positions.delete(process)
      this.#owned.delete(process)
    } else if (f === 'seek') this.#sought(operation)
    else if (f === 'assigned' || f === 'revoked' || f === 'lost') this.#ownership(process, operation.value.partitions, f === 'assigned')
  }

  #sought({ process, index, value }: Extract<Operation, { f: 'commit' | 'ack' | 'seek' }>): void {
    for (const [key, offset] of Object.entries(value.offsets)) {
      this.#forget(process, ownedKey(key))
      // The next message is that one, or the first behind it.
      if (value.exact && this.#counts(process, key)) this.#moveTo(process, key, { offset: offset - 1, operation: index })
    }
  }

  #moveTo(process: string, key: string, position: Position): void {
    const positions = this.#positions.get(process) ?? new Map<string, Position>()
    this.#positions.set(process, positions)
    positions.set(key, position)
  }

  /** Of all topics of that name. */
  #forget(process: string, key: string): void {
    const positions = this.#positions.get(process)
    for (const each of [...(positions?.keys() ?? [])]) if (ownedKey(each) === key) positions!.delete(each)
  }

  #ownership(process: string, keys: readonly string[], gained: boolean): void {
    const owned = this.#owned.get(process) ?? new Set()
    this.#owned.set(process, owned)
    for (const key of keys) {
      this.#forget(process, key)
      if (gained) owned.add(key)
      else owned.delete(key)
    }
  }

  #polled(operation: Extract<Operation, { f: 'send' | 'poll' | 'txn' }>): void {
    if (operation.type === 'invoke') return
    const ok = operation.type === 'ok'
    for (const step of operation.value) {
      if (step[0] !== 'poll') continue
      for (const [key, entries] of Object.entries(step[1])) {
        // Whatever became of the operation: what was read lies there.
        const ids = entries.map(([offset, value]) => this.#place(key, offset!, value))
        if (ok && entries.length > 0) this.#read(operation, key, entries, ids)
      }
    }
  }

  #place(key: string, offset: number, value: string | null | undefined): number {
    const id = value === undefined || value === null ? UNTOLD : this.#logs.id(value)
    this.#logs.place(key, offset, id)
    return id
  }

  #read(operation: Operation, key: string, entries: readonly Entry[], ids: readonly number[]): void {
    const { process, index } = operation
    const reader = this.#readers.of(this.#members.member(process).group, key)
    const inside = this.#positionOf(process, key)
    let before = inside
    for (const [at, [entryOffset]] of entries.entries()) {
      const offset = entryOffset!
      const id = ids[at]!
      this.messages++
      if (id !== UNTOLD) {
        this.#logs.mark(id, READ)
        if (operation.f === 'txn') this.#dependencies.reads(id, index)
      }
      reader.read(offset, process, index)
      if (before) this.#step(process, key, before, { offset, operation: index }, at > 0)
      before = { offset, operation: index }
    }
    if (this.#counts(process, key)) this.#moveTo(process, key, before!)
  }

  #positionOf(process: string, key: string): Position | undefined {
    return this.#counts(process, key) ? this.#positions.get(process)?.get(key) : undefined
  }

  /** Nobody takes the key away between polls without saying so. */
  #counts(process: string, key: string): boolean {
    const { by } = this.#members.member(process)
    return by === 'assign' || by === 'unsaid' || (by === 'given' && (this.#owned.get(process)?.has(ownedKey(key)) ?? false))
  }

  #step(process: string, key: string, before: Position, after: Position, inside: boolean): void {
    const operations = inside ? [after.operation] : [before.operation, after.operation]
    if (after.offset > before.offset + 1) this.#gaps.push({ inside, process, key, low: before.offset, high: after.offset, operations })
    else if (after.offset <= before.offset)
      this.#findings.add(inside ? 'int-nonmonotonic-poll' : 'nonmonotonic-poll', {
        what: `${process} read ${key}@${after.offset} after ${key}@${before.offset}`,
        key,
        process,
        offsets: [before.offset, after.offset],
        operations
      })
  }

  finish(): void {
    for (const { inside, process, key, low, high, operations } of this.#gaps) {
      const log = this.#logs.log(key)
      // What a reader of committed messages rightly does not see is no message for it.
      const missed = log.between(low, high, 1000).filter(offset => !this.#logs.isHidden(log.values.get(offset)!))
      if (missed.length === 0) continue
      const which = `${missed.length >= 1000 ? 'at least ' : ''}${missed.length} message${missed.length > 1 ? 's' : ''} from @${missed[0]}`
      this.#findings.add(inside ? 'int-poll-skip' : 'poll-skip', {
        what: `${process} read ${key}@${high} next after ${key}@${low}: over ${which}`,
        key,
        process,
        offsets: [low, high],
        operations
      })
    }
  }
}
