/**
 * Another client as a member of a Kafka group, in a process of its own: what it was assigned, what was taken from it, and every record it was
 * given, as events with times. The process says JSON lines and takes JSON commands; `java-member.ts` and its like start one.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { closeSync, mkdtempSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { tail } from './server-process.ts'
import { discharge, entrust, temporaryFolder } from './watchdog.ts'

export interface ForeignRecord {
  topic: string
  partition: number
  offset: number
  key: string | null
  value: string | null
}

/** `at`: ms of the wall clock, when the member's process said so. Partitions are `topic/3`. */
export type ForeignEvent = { at: number } & (
  | { type: 'started' | 'closed' }
  /** Always the difference: what came, or what went. `generation`: the member epoch of a group of the new protocol. */
  | { type: 'assigned' | 'revoked' | 'lost'; partitions: string[]; memberId?: string; generation?: number }
  /** Records that were handed out together, in their order. */
  | { type: 'polled'; records: ForeignRecord[] }
  /** Next offsets; with an error they were not committed. */
  | { type: 'committed'; offsets: Record<string, number>; error?: string }
  | { type: 'trouble'; message: string }
)

type EventOf<T, E = ForeignEvent> = E extends { type: infer U } ? (T extends U ? E & { type: T } : never) : never

export interface ForeignProgram {
  /** What it is, for messages. */
  name: string
  command: string
  args: string[]
  environment?: Record<string, string>
  /** How what it writes becomes events. Default: each line of stdout is one. */
  read?(line: string): ForeignEvent[]
  /** How it is told to end in order, if not by a command. */
  closeSignal?: NodeJS.Signals
}

export class ForeignMember {
  /** All that happened so far. */
  readonly events: ForeignEvent[] = []
  readonly records: ForeignRecord[] = []
  /** `topic/partition`, sorted. */
  owned: string[] = []
  /** Known from the first assignment on. */
  memberId = ''
  private readonly program: ForeignProgram
  private readonly child: ChildProcess
  private readonly log: string
  private readonly emitter = new EventEmitter()
  private readonly ended: Promise<void>
  private over = false

  /** Runs the program; resolves when it has said that it started. */
  static async run(program: ForeignProgram): Promise<ForeignMember> {
    const member = new ForeignMember(program)
    await member.waitFor('it to start', () => member.of('started').length > 0, 60_000)
    return member
  }

  private constructor(program: ForeignProgram) {
    this.program = program
    this.log = join(mkdtempSync(join(temporaryFolder(), 'member-')), 'member.log')
    const log = openSync(this.log, 'a')
    const { command, args, environment } = program
    this.child = spawn(command, args, {
      detached: true,
      stdio: ['pipe', 'pipe', log],
      env: { ...process.env, ...environment }
    })
    closeSync(log)
    if (this.child.pid) entrust(this.child.pid)
    this.emitter.setMaxListeners(0)
    this.child.stdin!.on('error', () => {})
    const read = program.read ?? ((line: string) => [JSON.parse(line) as ForeignEvent])
    createInterface({ input: this.child.stdout! }).on('line', line => {
      for (const event of read(line)) this.take(event)
    })
    this.hold(false)
    this.ended = new Promise(resolve => {
      this.child.once('error', () => this.end(resolve))
      this.child.once('close', () => this.end(resolve))
    })
  }

  /** The events of one type, in order. */
  of<T extends ForeignEvent['type']>(type: T): EventOf<T>[] {
    return this.events.filter(event => event.type === type) as EventOf<T>[]
  }

  /** Calls with each event, those so far included. */
  listen(listener: (event: ForeignEvent) => void): void {
    for (const event of this.events) listener(event)
    this.emitter.on('event', listener)
  }

  /** Resolves as soon as `test` is true, asked after every event. Fails at the deadline or when the process ends. */
  waitFor(what: string, test: () => boolean, limitMs = 30_000): Promise<void> {
    if (test()) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const finish = (error?: Error) => {
        clearTimeout(timer)
        this.emitter.off('change', check)
        if (error) reject(error)
        else resolve()
      }
      const check = () => {
        if (test()) finish()
        else if (this.over) finish(new Error(`${this.program.name} ended while a test waited for ${what}; ${this.summary()}`))
      }
      const timer = setTimeout(() => finish(new Error(`waited ${limitMs / 1000} s in vain for ${what}; ${this.summary()}`)), limitMs)
      this.emitter.on('change', check)
      if (this.over) check()
    })
  }

  /** Until it has been given so many records in all. */
  async waitForRecords(count: number, limitMs?: number): Promise<ForeignRecord[]> {
    await this.waitFor(`${count} records`, () => this.records.length >= count, limitMs)
    return this.records
  }

  /** Until it owns exactly so many partitions. */
  async waitForOwned(count: number, limitMs?: number): Promise<string[]> {
    await this.waitFor(`${count} partitions`, () => this.owned.length === count, limitMs)
    return this.owned
  }

  /** Commits what it was given; answers with the committed next offsets. Rejects with the client's words when it may not. */
  async commit(): Promise<Record<string, number>> {
    const before = this.of('committed').length
    this.command({ do: 'commit' })
    await this.waitFor('the commit', () => this.of('committed').length > before)
    const { offsets, error } = this.of('committed')[before]!
    if (error !== undefined) throw new Error(`${this.program.name}: ${error}`)
    return offsets
  }

  /** It stays busy with what it has and asks for nothing more, for so long. */
  stall(ms: number): void {
    this.command({ do: 'stall', ms })
  }

  /** Leaves the group in order (a static member just goes). */
  async close(): Promise<void> {
    if (this.over) return
    if (this.program.closeSignal) this.child.kill(this.program.closeSignal)
    else this.command({ do: 'close' })
    await this.waitFor('an orderly end', () => this.over)
  }

  /** SIGKILL: the group keeps it until its session times out. */
  async kill(): Promise<void> {
    this.hold(true)
    this.child.kill('SIGKILL')
    await this.ended
  }

  /** SIGSTOP: its connections stay and it does nothing, heartbeats included. */
  freeze(): void {
    this.child.kill('SIGSTOP')
  }

  thaw(): void {
    this.child.kill('SIGCONT')
  }

  /** A member that a failed test left behind does not keep this process alive: it dies with it. */
  private hold(on: boolean): void {
    for (const each of [this.child, this.child.stdin, this.child.stdout] as unknown as { ref(): void; unref(): void }[]) {
      if (on) each.ref()
      else each.unref()
    }
  }

  private command(command: { do: string } & Record<string, unknown>): void {
    this.child.stdin!.write(`${JSON.stringify(command)}\n`)
  }

  private take(event: ForeignEvent): void {
    this.events.push(event)
    if (event.type === 'polled') this.records.push(...event.records)
    else if (event.type === 'assigned') {
      this.owned = [...new Set([...this.owned, ...event.partitions])].sort()
      this.memberId = event.memberId ?? this.memberId
    } else if (event.type === 'revoked' || event.type === 'lost') {
      this.owned = this.owned.filter(each => !event.partitions.includes(each))
    }
    this.emitter.emit('event', event)
    this.emitter.emit('change')
  }

  private end(resolve: () => void): void {
    this.over = true
    this.owned = []
    if (this.child.pid) discharge(this.child.pid)
    this.emitter.emit('change')
    resolve()
  }

  /** What it has and owns, its last troubles and the end of its log, in words. */
  summary(): string {
    const troubles = this.of('trouble').map(({ message }) => message)
    const told = troubles.length > 0 ? `, said ${troubles.slice(-3).join(' | ')}` : ''
    return `${this.program.name} has ${this.records.length} records, owns ${this.owned.join(', ') || 'nothing'}${told}; its log ends:\n${tail(this.log)}`
  }
}
