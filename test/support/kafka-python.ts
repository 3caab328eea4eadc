/**
 * kafka-python: records written and read to the byte, and members of classic groups. The other half is `test/python/judge.py`.
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { ForeignMember } from './foreign-member.ts'
import { pythonTool } from './judge-tools.ts'
import type { JudgedRecord } from './kcat.ts'

export interface PythonMemberOptions {
  bootstrap: string[]
  group: string
  topics: string[]
  /** Of `range`, `roundrobin`, `sticky`, `cooperative-sticky`, in order of preference. Default range. */
  assignors?: string[]
  /** Default 6000. */
  sessionTimeoutMs?: number
  /** Default a third of the session's, at most 1000. */
  heartbeatIntervalMs?: number
}

type Base64Record = { key: string | null; value: string | null; headers: [string, string | null][] }

const program = fileURLToPath(new URL('../python/judge.py', import.meta.url))
const limitMs = 60_000

async function judge<T>(command: string, args: object): Promise<T> {
  const python = await pythonTool()
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, ...python.environment }, timeout: limitMs, maxBuffer: 1 << 28 }
    const child = execFile(python.command, [program, command], options, (error, stdout, stderr) => {
      if (error) reject(new Error(`kafka-python, ${command}: ${error.message}\n${stderr.slice(-4_000)}`))
      else resolve(JSON.parse(stdout) as T)
    })
    child.stdin!.on('error', () => {})
    child.stdin!.end(JSON.stringify(args))
  })
}

const text = (bytes: Buffer | null) => (bytes === null ? null : bytes.toString('base64'))
const bytes = (base64: string | null) => (base64 === null ? null : Buffer.from(base64, 'base64'))

/** Writes to one partition, acks all, idempotent. */
export async function pythonProduce(
  bootstrap: string[],
  topic: string,
  records: readonly JudgedRecord[],
  { partition = 0, codec = 'none' }: { partition?: number; codec?: string } = {}
): Promise<void> {
  const encoded: Base64Record[] = records.map(({ key, value, headers }) => ({
    key: text(key),
    value: text(value),
    headers: headers.map(([name, each]) => [name, text(each)])
  }))
  await judge('produce', { bootstrap, topic, partition, codec, records: encoded })
}

/** Reads one partition from its first offset to its end. */
export async function pythonConsume(bootstrap: string[], topic: string, partition = 0): Promise<JudgedRecord[]> {
  const records = await judge<Base64Record[]>('consume', { bootstrap, topic, partition })
  return records.map(({ key, value, headers }) => ({
    key: bytes(key),
    value: bytes(value),
    headers: headers.map(([name, each]): [string, Buffer | null] => [name, bytes(each)])
  }))
}

/** Joins; commits after each poll, and before it gives partitions up. */
export async function startPythonMember(options: PythonMemberOptions): Promise<ForeignMember> {
  const { command, environment } = await pythonTool()
  const { sessionTimeoutMs = 6_000, heartbeatIntervalMs = Math.min(1_000, Math.floor(sessionTimeoutMs / 3)) } = options
  const settings = { ...options, assignors: options.assignors ?? ['range'], sessionTimeoutMs, heartbeatIntervalMs }
  return ForeignMember.run({
    name: 'the kafka-python member',
    command,
    args: [program, 'member', JSON.stringify(settings)],
    environment
  })
}
