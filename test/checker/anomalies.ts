/**
 * What can be wrong with a history, what of it is legal in which mode, and the list in which findings are gathered.
 */

export const ANOMALIES = {
  'inconsistent-offsets': 'two values at one offset',
  duplicate: 'one value at two offsets',
  'lost-write': 'readers have passed a message that was written, and none of them has seen it',
  unseen: 'a message was acked, and nobody has read it in the end',
  G1a: 'a message was read whose writing had failed, or was aborted',
  'int-poll-skip': 'one poll jumped over a message',
  'int-nonmonotonic-poll': 'one poll went back',
  'poll-skip': 'from one poll to the next a message was jumped over',
  'nonmonotonic-poll': 'from one poll to the next it went back',
  'nonmonotonic-send': 'what a producer sent later lies before what it sent earlier',
  G0: 'writes of transactions lie around each other: a cycle of write-write dependencies',
  G1c: 'transactions have seen each other: a cycle of write-write and write-read dependencies',
  'two-owners': 'two members of a group owned one partition at one time',
  'delivery-outside-ownership': 'a member was given messages of a partition that it did not own',
  'commit-after-loss': 'a member committed for a partition that it did not own any more',
  'commit-beyond-position': 'a message was committed that the member had not been given, or had not processed',
  redelivery: 'a group was given one message more than once'
} as const

export type AnomalyType = keyof typeof ANOMALIES

/** What the system promises. */
export type Mode = 'at-least-once' | 'idempotent' | 'read_committed'
export const MODES: readonly Mode[] = ['at-least-once', 'idempotent', 'read_committed']

/**
 * Legal in each mode. G0: Kafka's transactions never isolate writes. G1c over write-write edges follows from it, so only one of reads alone
 * is a fault of read_committed. Redelivery belongs to every group whose members may die; a test of graceful hand-overs forbids it.
 */
const ALWAYS: readonly AnomalyType[] = ['G0', 'redelivery']
const LEGAL: Readonly<Record<Mode, readonly AnomalyType[]>> = {
  'at-least-once': [...ALWAYS, 'duplicate', 'nonmonotonic-send', 'G1c'],
  idempotent: [...ALWAYS, 'G1c'],
  read_committed: ALWAYS
}

export interface Anomaly {
  anomaly: AnomalyType
  /** In words, with names and offsets. */
  what: string
  key?: string
  group?: string
  process?: string
  value?: string
  /** Offsets that matter, in the order of the words. */
  offsets?: number[]
  /** Indexes of the operations that show it, as far as they are known. */
  operations?: number[]
}

export interface FindingOptions {
  /** Default at-least-once. */
  mode?: Mode
  /** These are faults whatever the mode says. */
  forbid?: readonly AnomalyType[]
  /** These are none. */
  allow?: readonly AnomalyType[]
  /** So many of each anomaly are told whole; all are counted. Default 20. */
  examples?: number
}

/** Gathers what the checks find. */
export class Findings {
  readonly anomalies: Anomaly[] = []
  /** Seen, and legal in this mode. */
  readonly legal: Anomaly[] = []
  readonly counts = new Map<AnomalyType, number>()
  readonly legalCounts = new Map<AnomalyType, number>()
  readonly mode: Mode
  readonly #legal: Set<AnomalyType>
  readonly #forbidden: Set<AnomalyType>
  readonly #examples: number

  constructor(options: FindingOptions = {}) {
    this.mode = options.mode ?? 'at-least-once'
    this.#legal = new Set([...LEGAL[this.mode], ...(options.allow ?? [])])
    for (const type of options.forbid ?? []) this.#legal.delete(type)
    this.#forbidden = new Set(options.forbid ?? [])
    this.#examples = options.examples ?? 20
  }

  /** `legal`: this very finding is, unless its kind is forbidden. */
  add(anomaly: AnomalyType, found: Omit<Anomaly, 'anomaly'>, options: { legal?: boolean } = {}): void {
    const legal = this.#legal.has(anomaly) || (options.legal === true && !this.#forbidden.has(anomaly))
    const [list, counts] = legal ? [this.legal, this.legalCounts] : [this.anomalies, this.counts]
    const count = (counts.get(anomaly) ?? 0) + 1
    counts.set(anomaly, count)
    if (count <= this.#examples) list.push({ anomaly, ...found })
  }
}
