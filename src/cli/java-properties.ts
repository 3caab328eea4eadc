/**
 * A `.properties` file as Java's clients are configured with, for the commands that stand in for Java's tools: read, checked, and its settings under
 * our names. What it sets and we have no setting for is told, not swallowed.
 */
import { CommandLineError } from './arguments.ts'

export type Properties = ReadonlyMap<string, string>

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', f: '\f' }
const unescaped = (text: string) =>
  text.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/gs, (_, code: string | undefined, letter: string) =>
    code ? String.fromCharCode(Number.parseInt(code, 16)) : (ESCAPES[letter] ?? letter)
  )

/** `java.util.Properties.load`: comments, continued lines, `=`, `:` or a blank between name and value, escapes. Later ones win. */
export function parseProperties(text: string): Properties {
  const found = new Map<string, string>()
  let whole = ''
  for (const line of text.split(/\r\n|\n|\r/)) {
    const part = line.trimStart()
    if (whole === '' && (part === '' || part.startsWith('#') || part.startsWith('!'))) continue
    whole += part
    // An odd number of backslashes at the end: it goes on.
    if (/(?:^|[^\\])(?:\\\\)*\\$/.test(whole)) {
      whole = whole.slice(0, -1)
      continue
    }
    const [, name, value] = /^((?:\\.|[^\\=:\s])*)\s*[=:]?\s*(.*)$/s.exec(whole)!
    found.set(unescaped(name!), unescaped(value!))
    whole = ''
  }
  return found
}

/** How a setting of Java's becomes one of ours: a number, a word, or what a function makes of it. */
type Rule = readonly [ours: string, as: 'number' | 'text' | 'boolean' | ((text: string) => unknown)]

const COMMON: Readonly<Record<string, Rule>> = {
  'client.id': ['clientId', 'text'],
  'client.rack': ['rack', 'text'],
  'request.timeout.ms': ['requestTimeoutMs', 'number'],
  'metadata.max.age.ms': ['metadataMaxAgeMs', 'number'],
  'reconnect.backoff.ms': ['reconnectBackoffMs', 'number'],
  'reconnect.backoff.max.ms': ['reconnectBackoffMaxMs', 'number'],
  'retry.backoff.ms': ['retryBackoffMs', 'number'],
  'retry.backoff.max.ms': ['retryBackoffMaxMs', 'number']
}

const PRODUCER: Readonly<Record<string, Rule>> = {
  acks: ['acks', text => acksOf('acks', text)],
  'linger.ms': ['lingerMs', 'number'],
  'batch.size': ['batchBytes', 'number'],
  'max.request.size': ['maxRequestBytes', 'number'],
  'buffer.memory': ['bufferMemoryBytes', 'number'],
  'max.block.ms': ['maxBlockMs', 'number'],
  'delivery.timeout.ms': ['deliveryTimeoutMs', 'number'],
  'compression.type': ['compression', 'text'],
  'enable.idempotence': ['idempotent', 'boolean']
}

const CONSUMER: Readonly<Record<string, Rule>> = {
  'group.instance.id': ['groupInstanceId', 'text'],
  'auto.commit.interval.ms': ['autoCommitIntervalMs', 'number'],
  'isolation.level': ['isolation', 'text'],
  'max.poll.records': ['batchMaxMessages', 'number'],
  'max.poll.interval.ms': ['maxPollIntervalMs', 'number'],
  'session.timeout.ms': ['groupSessionTimeoutMs', 'number'],
  'heartbeat.interval.ms': ['heartbeatIntervalMs', 'number'],
  'fetch.min.bytes': ['fetchMinBytes', 'number'],
  'fetch.max.bytes': ['fetchMaxBytes', 'number'],
  'fetch.max.wait.ms': ['fetchMaxWaitMs', 'number'],
  'max.partition.fetch.bytes': ['partitionFetchMaxBytes', 'number']
}

/** Settings that mean the way in; only the plain one is there. */
const SECURITY = 'security.protocol'

export interface JavaSettings {
  cluster: Record<string, unknown>
  publish: Record<string, unknown>
  subscribe: Record<string, unknown>
  /** Set in the file, and of no meaning here. */
  unknown: string[]
}

/** `all`, `-1`, `1` or `0`, as Java writes them. Throws CommandLineError. */
export function acksOf(name: string, text: string): 'all' | 'leader' | 'none' {
  const acks = { all: 'all', '-1': 'all', '1': 'leader', '0': 'none' }[text]
  if (acks === undefined) throw new CommandLineError(`--${name} is "${text}"; it must be one of -1, 1, 0`)
  return acks as 'all' | 'leader' | 'none'
}

function settingOf(name: string, text: string, as: Rule[1]): unknown {
  if (typeof as === 'function') return as(text)
  if (as === 'text') return text
  if (as === 'boolean') {
    if (text === 'true' || text === 'false') return text === 'true'
    throw new CommandLineError(`${name} is "${text}" in the configuration; it must be true or false`)
  }
  if (/^-?\d+$/.test(text)) return Number(text)
  throw new CommandLineError(`${name} is "${text}" in the configuration; it must be a whole number`)
}

/** The settings under our names. Those in `handled` are the caller's own matter. Throws CommandLineError. */
export function javaSettings(properties: Properties, side: 'producer' | 'consumer', handled: readonly string[]): JavaSettings {
  const settings: JavaSettings = { cluster: {}, publish: {}, subscribe: {}, unknown: [] }
  const own = side === 'producer' ? PRODUCER : CONSUMER
  for (const [name, text] of properties) {
    if (handled.includes(name)) continue
    if (name === SECURITY) {
      if (text !== 'PLAINTEXT') throw new CommandLineError(`security.protocol is ${text} in the configuration; only PLAINTEXT is there`)
    } else if (Object.hasOwn(COMMON, name)) {
      const [ours, as] = COMMON[name]!
      settings.cluster[ours] = settingOf(name, text, as)
    } else if (Object.hasOwn(own, name)) {
      const [ours, as] = own[name]!
      settings[side === 'producer' ? 'publish' : 'subscribe'][ours] = settingOf(name, text, as)
    } else settings.unknown.push(name)
  }
  return settings
}
