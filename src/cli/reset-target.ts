/**
 * `samsa groups reset`, its arguments taken apart: to where, and which partitions, in the words of Kafka's own kafka-consumer-groups.sh.
 */
import { CommandLineError, duration, type OptionSpecs, type Parsed } from './arguments.ts'

/** Where the committed offsets are to go. */
export type ResetTarget =
  | { to: 'earliest' | 'latest' | 'current' }
  | { to: 'offset'; offset: bigint }
  | { to: 'shift'; by: bigint }
  /** The first message at or after it. */
  | { to: 'time'; timestampMs: number }
  /** By `topic/partition`. */
  | { to: 'file'; offsets: ReadonlyMap<string, bigint> }

/** Which partitions. `partitions` null: all of the topic. */
export type ResetScope = { all: true } | { topics: { topic: string; partitions: number[] | null }[] }

export const RESET_OPTIONS: OptionSpecs = {
  topic: { value: 'T[:P,…]', short: 't', multiple: true, help: 'this topic, or these partitions of it (orders:0,3)' },
  'all-topics': { help: 'every partition of which something is committed' },
  'to-earliest': { help: 'to where the partition begins' },
  'to-latest': { help: 'to where it ends: what is there is skipped' },
  'to-offset': { value: 'N', help: 'to this offset' },
  'shift-by': { value: 'N', help: 'so many messages on, or back (-N), from what is committed' },
  'to-datetime': { value: 'TIME', help: 'to the first message at or after this time (2026-03-01T12:00:00; UTC unless it says otherwise)' },
  'by-duration': { value: 'TIME', help: 'to the first message of the last so long: PT1H30M, P2D, 90m, 36h' },
  'to-current': { help: 'to what is committed: with --export, to keep it; with --execute, to make both copies agree' },
  'from-file': { value: 'FILE', help: 'to the offsets of a file as --export writes it: lines of topic,partition,offset' },
  'dry-run': { help: 'only show what would be written (the default)' },
  execute: { help: 'write it' },
  export: { help: 'print the new offsets as lines of topic,partition,offset, for --from-file' }
}

const TARGETS = ['to-earliest', 'to-latest', 'to-offset', 'shift-by', 'to-datetime', 'by-duration', 'to-current', 'from-file']
const OFFSET = /^\d{1,19}$/
const MAX_OFFSET = 2n ** 63n - 1n
const MAX_PARTITION = 2 ** 31 - 1
const DAY_MS = 86_400_000

/** `file`: what `--from-file` names, read. Throws CommandLineError. */
export function resetTarget(args: Parsed, nowMs: number, file: string | undefined): ResetTarget {
  const [name, ...others] = TARGETS.filter(each => args.has(each))
  if (name === undefined) throw new CommandLineError(`to where? Give one of ${TARGETS.map(each => `--${each}`).join(', ')}`)
  if (others.length > 0) throw new CommandLineError(`--${name} and --${others[0]} cannot both be; give one of them`)
  const value = args.one(name)!
  switch (name) {
    case 'to-offset':
      return { to: 'offset', offset: offsetOf(name, value) }
    case 'shift-by':
      if (!/^[+-]?\d{1,19}$/.test(value)) throw new CommandLineError(`--shift-by is "${value}"; give a number of messages, such as -100`)
      return { to: 'shift', by: BigInt(value.replace(/^\+/, '')) }
    case 'to-datetime':
      return { to: 'time', timestampMs: dateTime(value) }
    case 'by-duration':
      return { to: 'time', timestampMs: Math.max(0, nowMs - isoDuration(value)) }
    case 'from-file':
      return { to: 'file', offsets: offsetsFile(value, file ?? '') }
    default:
      return { to: name.slice('to-'.length) as 'earliest' | 'latest' | 'current' }
  }
}

/** Throws CommandLineError. */
export function resetScope(args: Parsed, target: ResetTarget): ResetScope {
  const topics = args.all('topic')
  const all = args.has('all-topics')
  if (target.to === 'file') {
    if (all || topics.length > 0) throw new CommandLineError('--from-file names its partitions itself; leave out --topic and --all-topics')
    return { topics: byTopic([...target.offsets.keys()]) }
  }
  if (all && topics.length > 0) throw new CommandLineError('--topic and --all-topics cannot both be; give one of them')
  if (all) return { all: true }
  if (topics.length === 0) throw new CommandLineError('of which topics? Give --topic T, --topic T:0,1 or --all-topics')
  const found = topics.map(topicOf)
  const twice = found.find(({ topic }, index) => found.findIndex(other => other.topic === topic) !== index)
  if (twice) throw new CommandLineError(`--topic names ${twice.topic} twice; give its partitions together: ${twice.topic}:0,1`)
  return { topics: found }
}

function topicOf(text: string): { topic: string; partitions: number[] | null } {
  const colon = text.indexOf(':')
  if (colon < 0) return { topic: text, partitions: null }
  const list = text.slice(colon + 1).split(',')
  if (list.some(each => !isPartition(each))) throw new CommandLineError(`--topic is "${text}"; give partitions as orders:0,1`)
  return { topic: text.slice(0, colon), partitions: [...new Set(list.map(Number))].sort((a, b) => a - b) }
}

const isPartition = (text: string) => /^\d{1,10}$/.test(text) && Number(text) <= MAX_PARTITION

function byTopic(keys: readonly string[]): { topic: string; partitions: number[] }[] {
  const topics = new Map<string, number[]>()
  for (const key of keys) {
    const slash = key.lastIndexOf('/')
    const topic = key.slice(0, slash)
    topics.set(topic, [...(topics.get(topic) ?? []), Number(key.slice(slash + 1))])
  }
  return [...topics].map(([topic, partitions]) => ({ topic, partitions }))
}

function offsetOf(name: string, text: string): bigint {
  if (OFFSET.test(text) && BigInt(text) <= MAX_OFFSET) return BigInt(text)
  throw new CommandLineError(`--${name} is "${text}"; give an offset of at least 0`)
}

/** ISO 8601; without a zone it is UTC, as Kafka's tool has it. */
/** As ms since 1970. Throws CommandLineError. */
export function dateTime(text: string, option = 'to-datetime'): number {
  const match = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,3})?)?)(Z|[+-]\d{2}(?::?\d{2})?)?)?$/.exec(text)
  const [, date, time = '00:00', zone = 'Z'] = match ?? []
  const offset = zone.replace(/^([+-]\d{2})(\d{2})$/, '$1:$2').replace(/^([+-]\d{2})$/, '$1:00')
  const timestampMs = match ? Date.parse(`${date}T${time.replace(',', '.')}${offset}`) : Number.NaN
  if (timestampMs >= 0) return timestampMs
  throw new CommandLineError(`--${option} is "${text}"; give a time since 1970 such as 2026-03-01T12:00:00 or 2026-03-01T12:00:00+02:00`)
}

/** `PnDTnHnMnS` (ISO 8601, as Java's Duration reads it), or `90m`, `36h`, `2d`. */
function isoDuration(text: string): number {
  const match = /^P(?:(\d{1,6})D)?(?:T(?=\d)(?:(\d{1,8})H)?(?:(\d{1,9})M)?(?:(\d{1,10}(?:\.\d{1,3})?)S)?)?$/i.exec(text)
  if (match && text.length > 1 && !/T$/i.test(text)) {
    const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map(part => Number(part ?? 0))
    return Math.round(days * DAY_MS + hours * 3_600_000 + minutes * 60_000 + seconds * 1_000)
  }
  const inDays = /^(\d{1,6})d$/.exec(text)
  if (inDays) return Number(inDays[1]) * DAY_MS
  const inHours = /^(\d{1,8})h$/.exec(text)
  if (inHours) return Number(inHours[1]) * 3_600_000
  if (/^P/i.test(text)) throw new CommandLineError(`--by-duration is "${text}"; give a time such as PT1H30M, P2D, 90m or 36h`)
  return duration('by-duration', text)
}

/** Lines of `topic,partition,offset`; quotes around a topic, empty lines and a head line are fine. Throws CommandLineError with the line. */
export function offsetsFile(name: string, text: string): Map<string, bigint> {
  const offsets = new Map<string, bigint>()
  for (const [index, raw] of text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = raw.trim()
    if (line === '' || (index === 0 && /^"?topic"?,"?partition"?,"?offset"?$/i.test(line))) continue
    const [topic, partition, offset, ...more] = line.split(',').map(field => field.trim().replace(/^"(.*)"$/, '$1'))
    const where = `line ${index + 1} of ${name} is "${line.slice(0, 100)}"`
    if (!topic || partition === undefined || offset === undefined || more.length > 0 || !isPartition(partition) || !OFFSET.test(offset))
      throw new CommandLineError(`${where}; it must be topic,partition,offset`)
    if (BigInt(offset) > MAX_OFFSET) throw new CommandLineError(`${where}; no offset is so large`)
    const key = `${topic}/${Number(partition)}`
    if (offsets.has(key)) throw new CommandLineError(`${where}; that partition stands there twice`)
    offsets.set(key, BigInt(offset))
  }
  if (offsets.size === 0) throw new CommandLineError(`${name} holds no offsets; it must have lines of topic,partition,offset`)
  return offsets
}
