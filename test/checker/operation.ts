/**
 * A history is a list of operations, one JSON object a line: what processes asked of a cluster and what came of it. Here are their shape and
 * the check of a line; README.md explains each. A key is a partition as `topic/3`; values of messages are unique texts.
 */

/** invoke: it begins. ok, fail: it has, or certainly has not, happened. info: nobody knows. */
export type Outcome = 'invoke' | 'ok' | 'fail' | 'info'

/** `[offset, value]`; offset null: not told. Of a poll also `[offset]`: something was read there. */
export type Entry = readonly [offset: number | null, value?: string | null]

/** A step of a send, poll or txn. Of an invoke, or a send that failed, the key may be the topic alone, and the entry has no offset. */
export type Step =
  | readonly ['send', key: string, entry: Entry]
  /** Entries of each key in the order in which they were handed out. */
  | readonly ['poll', Readonly<Record<string, readonly Entry[]>>]

interface Common {
  /** Place in the history. Default: the number of the line. */
  index: number
  /** Milliseconds of a clock that all processes share. Default: the index. */
  time: number
  /** Who: a producer, a consumer. Its operations are in order. */
  process: string
  type: Outcome
}

/** Next offsets by key. */
export type Offsets = Readonly<Record<string, number>>

export type Operation = Common &
  (
    | { f: 'send' | 'poll' | 'txn'; value: readonly Step[] }
    /** From now on the process reads exactly these keys; nobody takes them away. */
    | { f: 'assign'; value: readonly string[] }
    /** From now on it reads what its group gives it. `from: 'earliest'`: the group reads everything there is. */
    | { f: 'subscribe'; value: { group?: string; topics?: readonly string[]; from?: 'earliest' | 'latest' } }
    | { f: 'assigned' | 'revoked' | 'lost'; value: { group?: string; partitions: readonly string[]; epoch?: number } }
    /** `ack`: processed so far. `seek`: it reads on from there, or somewhere behind it; `exact`: just there. */
    | { f: 'commit' | 'ack' | 'seek'; value: { offsets: Offsets; exact?: boolean } }
    /** A topic was deleted: what lay in it, by partition. Another may be made under its name. */
    | { f: 'deleted'; value: { topic: string; log: Readonly<Record<string, readonly Entry[]>> } }
    /** The process died, or it ended in order. The next operation of that name is another incarnation's. */
    | { f: 'crash' | 'close'; value?: undefined }
    /** Something was done to the system, from `begin` to `end`; without a phase: in a moment. */
    | { f: 'fault'; value: { name: string; phase?: 'begin' | 'end' } }
  )

export type Named = Operation['f']

/** A line that is no operation. */
export class HistoryError extends Error {}

const OUTCOMES = ['invoke', 'ok', 'fail', 'info']
const MAX_STEPS = 1_000_000

type Json = Record<string, unknown>
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: unknown): value is string => typeof value === 'string'
const isOffset = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

function must(right: boolean, what: string): asserts right {
  if (!right) throw new HistoryError(what)
}

function entryOf(given: unknown): Entry {
  must(Array.isArray(given) && given.length >= 1 && given.length <= 2, 'an entry is [offset, value] or [offset]')
  const [offset, value] = given as [unknown, unknown]
  must(offset === null || isOffset(offset), `${JSON.stringify(offset)} is no offset`)
  must(value === undefined || value === null || isText(value) || typeof value === 'number', 'the value of a message is a text or a number')
  return value === undefined ? [offset] : [offset, value === null ? null : String(value)]
}

function stepOf(given: unknown): Step {
  must(Array.isArray(given), 'a step is ["send", key, [offset, value]] or ["poll", {key: [[offset, value], …]}]')
  const [name, first, second] = given as [unknown, unknown, unknown]
  if (name === 'send') {
    must(isText(first), 'a send needs a key')
    // As Jepsen writes an invocation: ["send", key, value].
    return ['send', first, Array.isArray(second) ? entryOf(second) : entryOf([null, second])]
  }
  must(name === 'poll' && isObject(first), 'a step is ["send", key, [offset, value]] or ["poll", {key: [[offset, value], …]}]')
  const reads = Object.entries(first).map(([key, entries]): [string, Entry[]] => {
    must(Array.isArray(entries), `the entries of ${key} are no list`)
    return [key, entries.map(entryOf)]
  })
  for (const [key, entries] of reads) for (const [offset] of entries) must(offset !== null, `a poll of ${key} needs offsets`)
  return ['poll', Object.fromEntries(reads)]
}

function keysOf(given: unknown): string[] {
  must(Array.isArray(given) && given.every(isText), 'partitions are a list of keys')
  return given as string[]
}

function offsetsOf(given: unknown): Record<string, number> {
  must(isObject(given) && Object.values(given).every(isOffset), 'offsets are {key: next offset}')
  return given as Record<string, number>
}

function optional<T>(given: Json, name: string, right: (value: unknown) => boolean): T | undefined {
  const value = given[name]
  must(value === undefined || value === null || right(value), `${name} is ${JSON.stringify(value)}`)
  return (value ?? undefined) as T | undefined
}

const defined = <T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never

const READERS: Readonly<Record<Named, (value: unknown) => unknown>> = {
  send: steps,
  poll: steps,
  txn: steps,
  assign: keysOf,
  subscribe: given => {
    must(isObject(given), 'the value of subscribe is {group, topics, from}')
    const topics = given.topics === undefined ? undefined : keysOf(given.topics)
    const from = optional<string>(given, 'from', value => value === 'earliest' || value === 'latest')
    return defined({ group: optional<string>(given, 'group', isText), topics, from })
  },
  assigned: owned,
  revoked: owned,
  lost: owned,
  commit: moved,
  ack: moved,
  seek: moved,
  deleted: given => {
    must(isObject(given) && isText(given.topic) && isObject(given.log), 'the value of deleted is {topic, log: {key: [[offset, value], …]}}')
    const log = Object.entries(given.log).map(([key, entries]): [string, Entry[]] => {
      must(Array.isArray(entries), `the entries of ${key} are no list`)
      return [key, entries.map(entryOf)]
    })
    return { topic: given.topic, log: Object.fromEntries(log) }
  },
  crash: () => undefined,
  close: () => undefined,
  fault: given => {
    must(isObject(given) && isText(given.name), 'the value of fault is {name, phase}')
    return defined({ name: given.name, phase: optional<string>(given, 'phase', value => value === 'begin' || value === 'end') })
  }
}

function steps(given: unknown): Step[] {
  must(Array.isArray(given) && given.length <= MAX_STEPS, 'the value is a list of steps')
  return given.map(stepOf)
}

function owned(given: unknown): unknown {
  must(isObject(given), 'the value is {group, partitions, epoch}')
  const epoch = optional<number>(given, 'epoch', Number.isSafeInteger)
  return defined({ group: optional<string>(given, 'group', isText), partitions: keysOf(given.partitions), epoch })
}

function moved(given: unknown): unknown {
  must(isObject(given), 'the value is {offsets: {key: next offset}}')
  const exact = optional<boolean>(given, 'exact', value => typeof value === 'boolean')
  return defined({ offsets: offsetsOf(given.offsets), exact })
}

/** Checks one operation. Throws HistoryError. */
export function operationOf(given: unknown, number: number): Operation {
  must(isObject(given), 'an operation is a JSON object')
  const { process, type, f, index = number, time = index } = given
  must(isText(process) || typeof process === 'number', `process is ${JSON.stringify(process)}`)
  must(OUTCOMES.includes(type as string), `type is ${JSON.stringify(type)}; it is one of ${OUTCOMES.join(', ')}`)
  must(isText(f) && Object.hasOwn(READERS, f), `f is ${JSON.stringify(f)}; it is one of ${Object.keys(READERS).join(', ')}`)
  must(typeof index === 'number' && typeof time === 'number' && Number.isFinite(time), 'index and time are numbers')
  return { index, time, process: String(process), type, f, value: READERS[f as Named](given.value) } as Operation
}

/** One line of a file. Throws HistoryError, which names the line. */
export function parseOperation(line: string, number: number): Operation {
  try {
    return operationOf(JSON.parse(line), number)
  } catch (error) {
    throw new HistoryError(`line ${number}: ${(error as Error).message}`)
  }
}
