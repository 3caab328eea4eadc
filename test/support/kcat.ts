/**
 * kcat, that is librdkafka: records written and read to the byte, and members of classic groups.
 */
import { execFile } from 'node:child_process'
import { type ForeignEvent, ForeignMember } from './foreign-member.ts'
import { kcatTool } from './judge-tools.ts'

/** A record as the judges and ours tell it to each other. */
export interface JudgedRecord {
  key: Buffer | null
  value: Buffer | null
  headers: [string, Buffer | null][]
}

export interface KcatMemberOptions {
  bootstrap: string[]
  group: string
  topics: string[]
  /** `range`, `roundrobin` or `cooperative-sticky`, in order of preference: librdkafka has no other. */
  assignors?: string[]
  /** Default 6000. */
  sessionTimeoutMs?: number
  /** Default a third of the session's, at most 1000. */
  heartbeatIntervalMs?: number
}

const limitMs = 60_000

async function kcat(args: string[], input = Buffer.alloc(0)): Promise<Buffer> {
  const { command, environment } = await kcatTool()
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, ...environment }, encoding: 'buffer', timeout: limitMs, maxBuffer: 1 << 28 } as const
    const child = execFile(command, args, options, (error, stdout, stderr) => {
      if (error) reject(new Error(`kcat ${args.join(' ')}: ${error.message}\n${stderr}`))
      else resolve(stdout)
    })
    child.stdin!.on('error', () => {})
    child.stdin!.end(input)
  })
}

const [keyEnd, recordEnd] = ['\u0001', '\u0002']

/** Writes to one partition, acks all, idempotent. What is empty is null. Records of one set of headers go together. */
export async function kcatProduce(
  bootstrap: string[],
  topic: string,
  records: readonly JudgedRecord[],
  options: { partition?: number; codec?: string } = {}
): Promise<void> {
  const sets = new Map<string, JudgedRecord[]>()
  for (const record of records) {
    const name = JSON.stringify(record.headers)
    sets.set(name, [...(sets.get(name) ?? []), record])
  }
  const common = ['-P', '-b', bootstrap.join(','), '-t', topic, '-p', String(options.partition ?? 0), '-K', keyEnd, '-D', recordEnd, '-Z']
  const compression = options.codec === undefined || options.codec === 'none' ? [] : ['-z', options.codec]
  for (const list of sets.values()) {
    const headers = list[0]!.headers.flatMap(([name, value]) => ['-H', value === null ? name : `${name}=${value}`])
    const input = list.flatMap(({ key, value }) => [key ?? '', keyEnd, value ?? '', recordEnd].map(part => Buffer.from(part)))
    await kcat([...common, ...compression, ...headers, '-X', 'enable.idempotence=true', '-X', 'acks=all'], Buffer.concat(input))
  }
}

/** Reads one partition from its first offset to its end. */
export async function kcatConsume(bootstrap: string[], topic: string, partition = 0): Promise<JudgedRecord[]> {
  const place = ['-t', topic, '-p', String(partition), '-o', 'beginning', '-e', '-q']
  const bytes = await kcat(['-C', '-b', bootstrap.join(','), ...place, '-X', 'check.crcs=true', '-f', '%K %S %h\\n%k%s\\n'])
  const records: JudgedRecord[] = []
  for (let at = 0; at < bytes.length; ) {
    const lineEnd = bytes.indexOf('\n', at)
    const [, keyLength, valueLength, headers] = /^(-?\d+) (-?\d+) (.*)$/.exec(bytes.toString('latin1', at, lineEnd))!
    at = lineEnd + 1
    const take = (length: number) => (length < 0 ? null : Buffer.from(bytes.subarray(at, (at += length))))
    records.push({ key: take(Number(keyLength)), value: take(Number(valueLength)), headers: headersOf(headers!) })
    at++
  }
  return records
}

/** `a=1,b=,c=NULL`, each character a byte. */
function headersOf(text: string): JudgedRecord['headers'] {
  return text.split(',').flatMap(each => {
    if (each === '') return []
    const equals = each.indexOf('=')
    const value = each.slice(equals + 1)
    return [[each.slice(0, equals), value === 'NULL' ? null : Buffer.from(value, 'latin1')] as [string, Buffer | null]]
  })
}

/** Joins, commits what it was given every 200 ms and when it must give it up. Its clock is ours, when we read what it says. */
export async function startKcatMember(options: KcatMemberOptions): Promise<ForeignMember> {
  const { command, environment } = await kcatTool()
  const { sessionTimeoutMs = 6_000, heartbeatIntervalMs = Math.min(1_000, Math.floor(sessionTimeoutMs / 3)) } = options
  const settings = {
    'partition.assignment.strategy': (options.assignors ?? ['range']).join(','),
    'session.timeout.ms': sessionTimeoutMs,
    'heartbeat.interval.ms': heartbeatIntervalMs,
    'auto.offset.reset': 'earliest',
    'auto.commit.interval.ms': 200,
    'topic.metadata.refresh.interval.ms': 1_000
  }
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-X', `${name}=${value}`])
  const args = ['-G', options.group, '-b', options.bootstrap.join(','), ...flags, '-u', '-J', ...options.topics]
  return ForeignMember.run({
    name: 'the kcat member',
    // In one stream, in the order in which it says it.
    command: '/bin/sh',
    args: ['-c', 'exec "$@" 2>&1', 'sh', command, ...args],
    environment,
    read: kcatEvents,
    closeSignal: 'SIGTERM'
  })
}

/** What a line of kcat's means: a record as JSON, a rebalance, or a word about itself. */
export function kcatEvents(line: string): ForeignEvent[] {
  const at = Date.now()
  if (line.startsWith('{')) {
    const { topic, partition, offset, key, payload } = JSON.parse(line) as Record<'topic' | 'key' | 'payload', string> &
      Record<'partition' | 'offset', number>
    return [{ at, type: 'polled', records: [{ topic, partition, offset, key, value: payload }] }]
  }
  if (line.startsWith('% Waiting for group rebalance')) return [{ at, type: 'started' }]
  const rebalance = /rebalanced.*\(memberid ([^,)]*)[^)]*\): (?:(assigned|revoked): )?(.*)$/.exec(line)
  if (!rebalance) return line.startsWith('% Reached end') ? [] : [{ at, type: 'trouble', message: line }]
  const [, memberId = '', eager, list = ''] = rebalance
  const partitions = [...list.matchAll(/(\S+) \[(\d+)\]/g)].map(([, topic, partition]) => `${topic}/${partition}`)
  const type = (eager ?? (line.includes('incremental revoke') ? 'revoked' : 'assigned')) as 'assigned' | 'revoked'
  return [{ at, type, partitions, memberId }]
}
