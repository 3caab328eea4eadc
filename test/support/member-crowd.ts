/**
 * Several members of one group in one process of its own, each with a client of its own: a crowd that can be killed at once, without a process for
 * every member. (Runs this very file.)
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { ClusterOptions, SubscribeOptions } from '../../src/index.ts'
import { Member, type MemberEvent, MemberView, type Where } from './group-member.ts'
import { discharge, entrust } from './watchdog.ts'

interface Settings {
  where: Where
  subscribe: SubscribeOptions
  options: Partial<ClusterOptions>
  count: number
}

/** What the process says: of which of its members. */
type Said = MemberEvent & { member: number }

export class MemberCrowd {
  readonly members: readonly MemberView[]
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>

  constructor(settings: Settings) {
    this.members = Array.from({ length: settings.count }, () => new MemberView())
    this.#child = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(import.meta.url), JSON.stringify(settings)], {
      stdio: ['pipe', 'pipe', 'inherit']
    })
    if (this.#child.pid) entrust(this.#child.pid)
    this.#ended = new Promise(resolve => this.#child.once('close', resolve))
    this.#child.stdin!.on('error', () => {})
    createInterface({ input: this.#child.stdout! }).on('line', line => this.#take(line))
  }

  #take(line: string): void {
    // The last word of a killed process may be half a line.
    if (!line.endsWith('}')) return
    const { member, ...event } = JSON.parse(line) as Said
    this.members[member]!.take(event)
  }

  /** These of its members leave in order; each says `closed`. */
  leave(...members: number[]): void {
    this.#child.stdin!.write(`${JSON.stringify(members)}\n`)
  }

  /** SIGKILL: all of them are gone without a word. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#over()
  }

  /** Those that are left leave in order. */
  async close(): Promise<void> {
    this.#child.stdin!.end()
    await this.#over()
  }

  async #over(): Promise<void> {
    await this.#ended
    if (this.#child.pid) discharge(this.#child.pid)
  }
}

/** One member of the crowd, in its process: says everything that it is told. */
async function start({ where, subscribe, options }: Settings, index: number): Promise<Member> {
  const member = await Member.start(where, subscribe, options)
  const say = (event: MemberEvent) => {
    const said = { ...event, atMs: performance.timeOrigin + performance.now(), member: index }
    process.stdout.write(`${JSON.stringify(said, (_, value) => (typeof value === 'bigint' ? String(value) : value))}\n`)
  }
  for (const event of member.events.all) say(event)
  member.take = event => {
    MemberView.prototype.take.call(member, event)
    say(event)
  }
  return member
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const settings = JSON.parse(process.argv[2]!) as Settings
  const left = new Map<number, Promise<Member>>()
  for (let index = 0; index < settings.count; index++) left.set(index, start(settings, index))
  const leave = async (index: number) => {
    const member = left.get(index)
    left.delete(index)
    await (await member)?.close()
  }
  const lines = createInterface({ input: process.stdin })
  lines.on('line', line => void Promise.all((JSON.parse(line) as number[]).map(leave)))
  lines.once('close', () => void Promise.all([...left.keys()].map(leave)).then(() => process.exit(0)))
}
