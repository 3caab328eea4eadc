/**
 * @platformatic/kafka in processes of its own, on the Node that it asks for: calls to its admin, its producer and its consumer, and members of groups.
 */
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ForeignMember } from './foreign-member.ts'
import { nodeOf, npmPackages } from './npm.ts'

const version = '2.12.1'
const program = fileURLToPath(new URL('./platformatic-program.ts', import.meta.url))
const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
const limitMs = 60_000

/** A call to its admin, `produce`, `transact` or `read`. Bytes travel as latin1 text, bigints as text (there: `-1n`), maps as lists of entries. */
export interface PlatformaticCall {
  do: string
  with?: unknown
}

export interface PlatformaticMessage {
  topic: string
  partition: number
  key: string | null
  value: string | null
  headers: [string, string][]
}

export interface PlatformaticMemberOptions {
  bootstrap: string[]
  group: string
  topic: string
  protocol: 'classic' | 'consumer'
}

async function command(): Promise<{ command: string; args: string[] }> {
  const folder = await npmPackages('npm', `platformatic-${version}`, { '@platformatic/kafka': version })
  return { command: await nodeOf('24'), args: ['--import', loader, program, folder] }
}

/** All in one process, one after the other; each has its answer. */
export async function platformatic(bootstrap: string[], calls: readonly PlatformaticCall[]): Promise<unknown[]> {
  const { command: file, args } = await command()
  return new Promise((resolve, reject) => {
    const child = execFile(file, [...args, 'calls'], { timeout: limitMs, maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`@platformatic/kafka: ${error.message}\n${stderr.slice(-4_000)}`))
      else resolve(JSON.parse(stdout))
    })
    child.stdin!.on('error', () => {})
    child.stdin!.end(JSON.stringify({ bootstrap, calls }))
  })
}

/** Joins; commits what it was given every 100 ms. */
export async function startPlatformaticMember(options: PlatformaticMemberOptions): Promise<ForeignMember> {
  const { command: file, args } = await command()
  return ForeignMember.run({ name: 'the platformatic member', command: file, args: [...args, 'member', JSON.stringify(options)] })
}
