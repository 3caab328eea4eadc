/**
 * One fault planted into a clean random history, for each kind of anomaly. What comes out differs from a right history in nothing else, though one fault
 * may show in more than one way (who jumps over a message also loses it).
 */
import type { AnomalyType } from './anomalies.ts'
import { GROUP, READER } from './generate.ts'
import type { Entry, Operation, Step } from './operation.ts'

type Pick = <T>(list: readonly T[]) => T | undefined
/** Undefined: this history has no place for it. */
type Mutant = (operations: readonly Operation[], pick: Pick) => Operation[] | undefined

interface Poll {
  at: number
  process: string
  key: string
  entries: readonly Entry[]
}

function pollsOf(operations: readonly Operation[], least = 1): Poll[] {
  return operations.flatMap((operation, at) => {
    if (operation.f !== 'poll' || operation.type !== 'ok') return []
    const step = operation.value[0]!
    if (step[0] !== 'poll') return []
    const [key, entries] = Object.entries(step[1])[0]!
    return entries.length >= least ? [{ at, process: operation.process, key, entries }] : []
  })
}

const readerPolls = (operations: readonly Operation[], least = 1) => pollsOf(operations, least).filter(({ process }) => process === READER)
const memberPolls = (operations: readonly Operation[], least = 1) => pollsOf(operations, least).filter(({ process }) => process !== READER)

const replaced = (operations: readonly Operation[], at: number, ...by: Operation[]) => operations.toSpliced(at, 1, ...by)
const inserted = (operations: readonly Operation[], at: number, ...these: Operation[]) => operations.toSpliced(at, 0, ...these)
const polling = (like: Operation, key: string, entries: readonly Entry[]) =>
  ({ ...like, type: 'ok', f: 'poll', value: [['poll', { [key]: entries }]] }) as Operation
const by = (process: string, f: string, value: unknown, like: Operation) => ({ ...like, process, type: 'ok', f, value }) as Operation

/** Sends with one step and their place, of this outcome. */
function sendsOf(operations: readonly Operation[], type: 'ok' | 'fail') {
  return operations.flatMap((operation, at) => {
    if (operation.f !== 'send' || operation.type !== type || operation.value.length !== 1) return []
    const step = operation.value[0]!
    return step[0] === 'send' ? [{ at, process: operation.process, key: step[1], offset: step[2][0], value: step[2][1]! }] : []
  })
}

/** An entry taken out of every poll that has it. */
function withoutEntry(operations: readonly Operation[], key: string, offset: number): Operation[] {
  return operations.flatMap(operation => {
    if (operation.f !== 'poll' || operation.type !== 'ok') return [operation]
    const step = operation.value[0]!
    const entries = step[0] === 'poll' ? step[1][key] : undefined
    if (!entries?.some(([each]) => each === offset)) return [operation]
    const rest = entries.filter(([each]) => each !== offset)
    return rest.length === 0 ? [] : [polling(operation, key, rest)]
  })
}

/** Times in which a member held a key, by where they begin and end. */
function ownerships(operations: readonly Operation[]) {
  const found: { process: string; key: string; from: number; to: number; how: string }[] = []
  const open = new Map<string, { process: string; key: string; from: number }>()
  const end = (name: string, to: number, how: string) => {
    const ownership = open.get(name)
    if (ownership) found.push({ ...ownership, to, how })
    open.delete(name)
  }
  operations.forEach((operation, at) => {
    const { process, f } = operation
    if (f === 'assigned') for (const key of operation.value.partitions) open.set(`${process} ${key}`, { process, key, from: at })
    else if (f === 'revoked' || f === 'lost') for (const key of operation.value.partitions) end(`${process} ${key}`, at, f)
    else if (f === 'crash' || f === 'close') for (const name of [...open.keys()]) if (name.startsWith(`${process} `)) end(name, at, f)
  })
  for (const name of [...open.keys()]) end(name, operations.length, 'open')
  return found
}

const inside = ({ process, key, from, to }: { process: string; key: string; from: number; to: number }, poll: Poll) =>
  poll.process === process && poll.key === key && poll.at > from && poll.at < to

/** A transaction of so many steps at the end. */
const transaction = (operations: readonly Operation[], process: string, ...value: Step[]) =>
  ({ ...operations.at(-1)!, process, type: 'ok', f: 'txn', value }) as Operation

export const MUTANTS: Readonly<Record<AnomalyType, Mutant>> = {
  'inconsistent-offsets': (operations, pick) => {
    const poll = pick(readerPolls(operations))
    if (!poll) return undefined
    const [first, ...rest] = poll.entries
    return replaced(operations, poll.at, polling(operations[poll.at]!, poll.key, [[first![0], 'another'], ...rest]))
  },
  duplicate: (operations, pick) => {
    const poll = pick(readerPolls(operations))
    const last = readerPolls(operations).findLast(({ key }) => key === poll?.key)
    if (!poll || !last) return undefined
    return [...operations, polling(operations[last.at]!, poll.key, [[last.entries.at(-1)![0]! + 1, poll.entries[0]![1]!]])]
  },
  'lost-write': (operations, pick) => {
    const ends = new Map(readerPolls(operations).map(({ key, entries }) => [key, entries.at(-1)![0]!]))
    const send = pick(sendsOf(operations, 'ok').filter(({ key, offset }) => offset! < (ends.get(key) ?? -1)))
    return send && withoutEntry(operations, send.key, send.offset!)
  },
  unseen: (operations, pick) => {
    const ends = new Map(readerPolls(operations).map(({ key, entries }) => [key, entries.at(-1)![0]!]))
    const send = pick(sendsOf(operations, 'ok').filter(({ key, offset }) => offset === ends.get(key)))
    return send && withoutEntry(operations, send.key, send.offset!)
  },
  G1a: (operations, pick) => {
    const failed = pick(sendsOf(operations, 'fail'))
    const poll = pick(readerPolls(operations))
    const last = readerPolls(operations).findLast(({ key }) => key === poll?.key)
    if (!failed || !last) return undefined
    return [...operations, polling(operations[last.at]!, last.key, [[last.entries.at(-1)![0]! + 1, failed.value]])]
  },
  'int-poll-skip': (operations, pick) => {
    const poll = pick(pollsOf(operations, 3))
    return poll && replaced(operations, poll.at, polling(operations[poll.at]!, poll.key, poll.entries.toSpliced(1, 1)))
  },
  'int-nonmonotonic-poll': (operations, pick) => {
    const poll = pick(pollsOf(operations, 2))
    if (!poll) return undefined
    const [first, second, ...rest] = poll.entries
    return replaced(operations, poll.at, polling(operations[poll.at]!, poll.key, [second!, first!, ...rest]))
  },
  'poll-skip': (operations, pick) => {
    const polls = readerPolls(operations)
    const inTheMiddle = polls.filter(
      ({ at, key }) => polls.some(each => each.key === key && each.at < at) && polls.some(each => each.key === key && each.at > at)
    )
    const poll = pick(inTheMiddle)
    return poll && operations.toSpliced(poll.at, 1)
  },
  'nonmonotonic-poll': (operations, pick) => {
    const poll = pick(pollsOf(operations))
    return poll && inserted(operations, poll.at + 1, operations[poll.at]!)
  },
  'nonmonotonic-send': (operations, pick) => {
    const sends = sendsOf(operations, 'ok')
    const earlier = pick(
      sends.filter(({ at, process, key }) => sends.some(each => each.process === process && each.key === key && each.at > at))
    )
    const later = earlier && sends.find(each => each.process === earlier.process && each.key === earlier.key && each.at > earlier.at)
    if (!later) return undefined
    // The later one, with its invocation, happens before the earlier one.
    const pair = operations.slice(later.at - 1, later.at + 1)
    return inserted(operations.toSpliced(later.at - 1, 2), earlier.at - 1, ...pair)
  },
  G0: operations => [
    ...operations,
    transaction(operations, 'pa', ['send', 'pays/0', [0, 'pa0']], ['send', 'pays/1', [1, 'pa1']]),
    transaction(operations, 'pb', ['send', 'pays/0', [1, 'pb1']], ['send', 'pays/1', [0, 'pb0']])
  ],
  G1c: operations => [
    ...operations,
    transaction(operations, 'pa', ['send', 'pays/0', [0, 'pa0']], ['poll', { 'pays/1': [[0, 'pb0']] }]),
    transaction(operations, 'pb', ['send', 'pays/1', [0, 'pb0']], ['poll', { 'pays/0': [[0, 'pa0']] }])
  ],
  'two-owners': (operations, pick) => {
    const ownership = pick(ownerships(operations).filter(each => memberPolls(operations).some(poll => inside(each, poll))))
    const poll = ownership && memberPolls(operations).find(each => inside(ownership, each))
    if (!poll) return undefined
    const value = { group: GROUP, partitions: [poll.key] }
    return inserted(operations, poll.at, by('intruder', 'assigned', value, operations[poll.at]!))
  },
  'delivery-outside-ownership': (operations, pick) => {
    const ended = ownerships(operations).filter(({ how }) => how === 'revoked' || how === 'lost')
    const ownership = pick(ended.filter(each => memberPolls(operations).some(poll => inside(each, poll))))
    const poll = ownership && memberPolls(operations).find(each => inside(ownership, each))
    return poll && inserted(operations, ownership.to + 1, operations[poll.at]!)
  },
  'commit-after-loss': (operations, pick) => {
    const ended = ownerships(operations).filter(({ how }) => how === 'revoked' || how === 'lost')
    const ownership = pick(ended.filter(each => memberPolls(operations).some(poll => inside(each, poll))))
    const poll = ownership && memberPolls(operations).find(each => inside(ownership, each))
    if (!poll) return undefined
    const value = { offsets: { [poll.key]: poll.entries[0]![0]! + 1 } }
    return inserted(operations, ownership.to + 1, by(poll.process, 'commit', value, operations[poll.at]!))
  },
  'commit-beyond-position': (operations, pick) => {
    // Somebody else has read the next message, so it is there.
    const ends = new Map(readerPolls(operations).map(({ key, entries }) => [key, entries.at(-1)![0]!]))
    const seen = new Map<string, number>()
    const firsts = memberPolls(operations).filter(({ key, entries }) => {
      const last = entries.at(-1)![0]!
      const furthest = last > (seen.get(key) ?? -1)
      seen.set(key, Math.max(last, seen.get(key) ?? -1))
      return furthest && last < (ends.get(key) ?? -1)
    })
    const poll = pick(firsts)
    if (!poll) return undefined
    const value = { offsets: { [poll.key]: ends.get(poll.key)! + 1 } }
    return inserted(operations, poll.at + 1, by(poll.process, 'commit', value, operations[poll.at]!))
  },
  redelivery: (operations, pick) => {
    const poll = pick(memberPolls(operations))
    return poll && inserted(operations, poll.at + 1, operations[poll.at]!)
  }
}
