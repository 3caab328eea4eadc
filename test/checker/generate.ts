/**
 * Random histories of a simulated cluster that does everything right, however it is treated: producers with three outcomes, transactions, a group whose
 * members come, go, crash and freeze, a reader of everything, faults. Seeded: the same seed gives the same history.
 */
import type { Entry, Named, Operation, Outcome, Step } from './operation.ts'

/** Uniform in [0, 1) (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

const KEYS = ['orders/0', 'orders/1', 'orders/2', 'users/0', 'users/1']
const MEMBERS = ['m1', 'm2', 'm3', 'm4']
export const READER = 'reader'
export const GROUP = 'g'

interface Stored {
  offset: number
  value: string
  hidden: boolean
}

interface Owner {
  member: string
  position: number
}

class Simulation {
  readonly operations: Operation[] = []
  readonly random: () => number
  readonly logs = new Map<string, { stored: Stored[]; end: number }>(KEYS.map(key => [key, { stored: [], end: 0 }]))
  readonly owners = new Map<string, Owner>()
  readonly committed = new Map<string, number>(KEYS.map(key => [key, 0]))
  readonly alive = new Set<string>()
  /** Members that are away and do not know it: what they will have lost. */
  readonly frozen = new Map<string, string[]>()
  readonly read = new Map<string, number>(KEYS.map(key => [key, 0]))
  values = 0
  epoch = 0
  faulty = false

  constructor(seed: number) {
    this.random = randomOf(seed)
  }

  add(process: string, type: Outcome, f: Named, value?: unknown): void {
    const index = this.operations.length
    this.operations.push({ index, time: index, process, type, f, value } as Operation)
  }

  below(count: number): number {
    return Math.floor(this.random() * count)
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }

  /** Behind the last message, or behind a control record or two that nobody sees. */
  append(key: string, value: string, hidden: boolean): number {
    const log = this.logs.get(key)!
    if (this.random() < 0.05) log.end += 1 + this.below(2)
    log.stored.push({ offset: log.end, value, hidden })
    return log.end++
  }

  send(): void {
    const producer = `p${this.below(3)}`
    const transaction = this.random() < 0.1
    const count = this.random() < 0.2 ? 2 + this.below(3) : 1
    const keys = Array.from({ length: count }, () => this.pick(KEYS))
    const values = keys.map(() => `v${this.values++}`)
    const f = transaction ? 'txn' : 'send'
    const asked = keys.map((key, at): Step => ['send', key.slice(0, key.indexOf('/')), [null, values[at]!]])
    this.add(producer, 'invoke', f, asked)
    const luck = this.random()
    const unknown = luck < 0.1
    const failed = !unknown && luck < 0.15
    // Aborted messages are in the log all the same; those of a failed publish are not.
    const written = unknown ? this.random() < 0.5 : !failed || transaction
    const offsets = keys.map((key, at) => (written ? this.append(key, values[at]!, transaction && failed) : null))
    const told = !unknown && !failed
    const answer = keys.map((key, at): Step => ['send', key, [told ? offsets[at]! : null, values[at]!]])
    this.add(producer, unknown ? 'info' : failed ? 'fail' : 'ok', f, told ? answer : asked)
  }

  /** What a reader of committed messages gets from there on. */
  fetch(key: string, from: number, most: number): Entry[] {
    const found: Entry[] = []
    for (const { offset, value, hidden } of this.logs.get(key)!.stored)
      if (offset >= from && !hidden && found.length < most) found.push([offset, value])
    return found
  }

  join(): void {
    const member = MEMBERS.find(each => !this.alive.has(each) && !this.frozen.has(each))
    if (!member) return
    this.alive.add(member)
    this.add(member, 'ok', 'subscribe', { group: GROUP, topics: ['orders', 'users'] })
    this.rebalance()
  }

  /** Everything gets an owner; what moves is committed first. */
  rebalance(): void {
    const alive = [...this.alive]
    if (alive.length === 0) return
    this.epoch++
    const gains = new Map<string, string[]>()
    KEYS.forEach((key, at) => {
      const member = alive[(at + this.epoch) % alive.length]!
      const owner = this.owners.get(key)
      if (owner?.member === member) return
      if (owner) this.revoke(key, owner)
      gains.set(member, [...(gains.get(member) ?? []), key])
      this.owners.set(key, { member, position: this.committed.get(key)! })
    })
    for (const [member, partitions] of gains) this.add(member, 'ok', 'assigned', { group: GROUP, partitions, epoch: this.epoch })
  }

  revoke(key: string, owner: Owner): void {
    this.commit(key, owner)
    this.add(owner.member, 'ok', 'revoked', { partitions: [key], epoch: this.epoch })
    this.owners.delete(key)
  }

  commit(key: string, { member, position }: Owner): void {
    if (position === this.committed.get(key)) return
    this.committed.set(key, position)
    if (this.random() < 0.5) this.add(member, 'invoke', 'commit', { offsets: { [key]: position } })
    this.add(member, 'ok', 'commit', { offsets: { [key]: position } })
  }

  /** In order, by a crash, or unheard: frozen, and the others go on. */
  part(): void {
    if (this.alive.size < 2) return
    const member = this.pick([...this.alive])
    const held = [...this.owners].filter(([, owner]) => owner.member === member)
    this.alive.delete(member)
    const how = this.pick(['close', 'crash', 'freeze'])
    if (how === 'close') for (const [key, owner] of held) this.revoke(key, owner)
    for (const [key] of held) this.owners.delete(key)
    if (how === 'freeze')
      this.frozen.set(
        member,
        held.map(([key]) => key)
      )
    else this.add(member, how === 'close' ? 'ok' : 'info', how as 'close' | 'crash')
    this.rebalance()
  }

  thaw(): void {
    const [member] = this.frozen.keys()
    if (member === undefined) return
    const partitions = this.frozen.get(member)!
    this.frozen.delete(member)
    if (partitions.length > 0) this.add(member, 'ok', 'lost', { partitions, epoch: this.epoch })
    this.alive.add(member)
    this.rebalance()
  }

  poll(most = 1 + this.below(5)): boolean {
    const [key, owner] = this.pick([...this.owners, [KEYS[0]!, undefined] as const])
    return owner !== undefined && this.pollOf(key, owner, most)
  }

  pollOf(key: string, owner: Owner, most: number): boolean {
    const entries = this.fetch(key, owner.position, most)
    if (entries.length === 0) return false
    this.add(owner.member, 'ok', 'poll', [['poll', { [key]: entries }]])
    owner.position = entries.at(-1)![0]! + 1
    if (this.random() < 0.5) this.commit(key, owner)
    return true
  }

  readAll(key: string, most: number): void {
    const entries = this.fetch(key, this.read.get(key)!, most)
    if (entries.length === 0) return
    this.add(READER, 'ok', 'poll', [['poll', { [key]: entries }]])
    this.read.set(key, entries.at(-1)![0]! + 1)
  }

  fault(): void {
    this.faulty = !this.faulty
    this.add('nemesis', 'info', 'fault', { name: 'leader killed', phase: this.faulty ? 'begin' : 'end' })
  }

  step(): void {
    const luck = this.random()
    if (luck < 0.4) this.send()
    else if (luck < 0.7) this.poll()
    else if (luck < 0.85) this.readAll(this.pick(KEYS), 1 + this.below(6))
    else if (luck < 0.9) this.join()
    else if (luck < 0.94) this.part()
    else if (luck < 0.97) this.thaw()
    else this.fault()
  }

  /** Everybody reads to the end. */
  finish(): void {
    while (this.frozen.size > 0) this.thaw()
    if (this.alive.size === 0) this.join()
    for (const key of KEYS) {
      this.readAll(key, Number.POSITIVE_INFINITY)
      const owner = this.owners.get(key)!
      while (this.pollOf(key, owner, 20));
      this.commit(key, owner)
    }
  }
}

/** A clean history of about so many operations. */
export function cleanHistory(seed: number, steps: number): Operation[] {
  const simulation = new Simulation(seed)
  simulation.add(READER, 'ok', 'assign', KEYS)
  simulation.join()
  for (let at = 0; at < steps; at++) simulation.step()
  simulation.finish()
  return simulation.operations
}
