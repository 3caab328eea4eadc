/**
 * A real Scala consumer (Kafka 1.1.1) as a member of a ZooKeeper group, in a process of its own: what it was assigned, what it
 * released and every record it was given, as events.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { EventEmitter, on } from 'node:events'
import { mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { compileJava, quickStart } from './java.ts'
import { jarsFor } from './maven.ts'
import { tail } from './server-process.ts'
import { discharge, entrust, temporaryFolder } from './watchdog.ts'

export interface ScalaMemberOptions {
  /** The connect string, chroot included. */
  zookeeper: string
  group: string
  /** Streams (threads) by topic: a member with pattern "static". */
  topics?: Record<string, number>
  /** Or a Java regex over topic names: a member with pattern "white_list" or "black_list". */
  whitelist?: string
  blacklist?: string
  /** Streams of a filter. Default 1. */
  streams?: number
  /** Default range. */
  strategy?: 'range' | 'roundrobin'
  /** Default 1000 ms; false: only `commit()` commits. */
  autoCommitIntervalMs?: number | false
  /** Where it starts without a committed offset. Default smallest. */
  reset?: 'smallest' | 'largest'
  /** Default 6000. */
  sessionTimeoutMs?: number
  /** `consumer.id`: the member is `<group>_<consumerId>`. */
  consumerId?: string
  /** Further settings of kafka.consumer.ConsumerConfig. */
  config?: Record<string, string>
}

export interface ScalaRecord {
  topic: string
  partition: number
  offset: number
  key: string | null
  value: string | null
}

export type ScalaEvent =
  | { type: 'started' | 'committed' | 'closed' }
  | { type: 'releasing'; partitions: Record<string, number[]> }
  | { type: 'assigned'; memberId: string; partitions: Record<string, number[]> }
  | ({ type: 'record' } & ScalaRecord)
  | { type: 'error'; message: string }

export class ScalaMember {
  /** All that happened so far. */
  readonly events: ScalaEvent[] = []
  readonly records: ScalaRecord[] = []
  /** Of the last assignment: partitions by topic. */
  assigned: Record<string, number[]> = {}
  /** As it registered itself, known from the first assignment on. */
  memberId = ''
  private readonly child: ChildProcess
  private readonly log: string
  private readonly emitter = new EventEmitter()
  private readonly ended: Promise<void>
  private over = false

  /** Resolves when the consumer has joined and its first rebalance is over. */
  static async start(options: ScalaMemberOptions): Promise<ScalaMember> {
    const jars = await jarsFor('scala-1.1.1')
    const classes = await compileJava(['ScalaMember.java'], jars)
    const member = new ScalaMember(`${classes}:${join(jars, '*')}`, options)
    await member.waitFor('the consumer to start', () => member.events.some(event => event.type === 'started'), 60_000)
    return member
  }

  private constructor(classPath: string, options: ScalaMemberOptions) {
    const folder = mkdtempSync(join(temporaryFolder(), 'scala-'))
    this.log = join(folder, 'member.log')
    writeFileSync(join(folder, 'log4j.properties'), logging)
    const { topics, whitelist, blacklist, streams } = options
    const settings = JSON.stringify({ topics, whitelist, blacklist, streams, config: configOf(options) })
    const flags = [...quickStart, '-Xmx128m', `-Dlog4j.configuration=file:${join(folder, 'log4j.properties')}`]
    this.child = spawn('java', [...flags, '-cp', classPath, 'ScalaMember', settings], {
      detached: true,
      stdio: ['pipe', 'pipe', openSync(this.log, 'a')]
    })
    if (this.child.pid) entrust(this.child.pid)
    this.emitter.setMaxListeners(0)
    this.child.stdin!.on('error', () => {})
    createInterface({ input: this.child.stdout! }).on('line', line => this.take(JSON.parse(line)))
    this.ended = new Promise(resolve => {
      this.child.once('error', () => this.end(resolve))
      this.child.once('close', () => this.end(resolve))
    })
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
        else if (this.over) finish(new Error(`the Scala member ended while a test waited for ${what}:\n${tail(this.log)}`))
      }
      const timer = setTimeout(() => finish(new Error(`waited ${limitMs / 1000} s in vain for ${what}; ${this.summary()}`)), limitMs)
      this.emitter.on('change', check)
      if (this.over) check()
    })
  }

  /** Until it has been given so many records in all. */
  async waitForRecords(count: number, limitMs?: number): Promise<ScalaRecord[]> {
    await this.waitFor(`${count} records`, () => this.records.length >= count, limitMs)
    return this.records
  }

  /** Until its last assignment is of so many partitions (of one topic, or of all). */
  async waitForAssigned(count: number, topic?: string, limitMs?: number): Promise<Record<string, number[]>> {
    const owned = () => (topic === undefined ? Object.values(this.assigned).flat() : (this.assigned[topic] ?? []))
    await this.waitFor(`${count} partitions`, () => owned().length === count, limitMs)
    return this.assigned
  }

  /** Every record from now on, until the member ends. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ScalaRecord> {
    let next = 0
    const changes = on(this.emitter, 'change')
    try {
      for (;;) {
        while (next < this.records.length) yield this.records[next++]!
        if (this.over) return
        await changes.next()
      }
    } finally {
      await changes.return!()
    }
  }

  /** Commits what it was given (`commitOffsets`). */
  async commit(): Promise<void> {
    const before = this.count('committed')
    this.child.stdin!.write('commit\n')
    await this.waitFor('the commit', () => this.count('committed') > before)
  }

  /** Leaves the group in order. */
  async close(): Promise<void> {
    if (this.over) return
    this.child.stdin!.write('close\n')
    await this.waitFor('an orderly end', () => this.over)
  }

  /** SIGKILL: its ephemeral nodes stay until the session expires. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.ended
  }

  freeze(): void {
    this.child.kill('SIGSTOP')
  }

  thaw(): void {
    this.child.kill('SIGCONT')
  }

  private take(event: ScalaEvent): void {
    this.events.push(event)
    if (event.type === 'record') {
      const { type: _, ...record } = event
      this.records.push(record)
    } else if (event.type === 'assigned') {
      this.assigned = event.partitions
      this.memberId = event.memberId
    } else if (event.type === 'releasing') {
      this.assigned = {}
    }
    this.emitter.emit('change')
  }

  private end(resolve: () => void): void {
    this.over = true
    if (this.child.pid) discharge(this.child.pid)
    this.emitter.emit('change')
    resolve()
  }

  /** How often it has lost heart: all its attempts of one rebalance failed, and it waits for the next change. */
  get timesGivenUp(): number {
    return readFileSync(this.log, 'utf8').split("can't rebalance after").length - 1
  }

  private count(type: ScalaEvent['type']): number {
    return this.events.filter(event => event.type === type).length
  }

  private summary(): string {
    return `it has ${this.records.length} records and owns ${JSON.stringify(this.assigned)}; its log ends:\n${tail(this.log)}`
  }
}

const logging = `log4j.rootLogger=INFO, err
log4j.appender.err=org.apache.log4j.ConsoleAppender
log4j.appender.err.target=System.err
log4j.appender.err.layout=org.apache.log4j.PatternLayout
log4j.appender.err.layout.ConversionPattern=%d{HH:mm:ss.SSS} %p %c{1} %m%n
`

function configOf(options: ScalaMemberOptions): Record<string, string> {
  const interval = options.autoCommitIntervalMs ?? 1000
  return {
    'zookeeper.connect': options.zookeeper,
    'group.id': options.group,
    'partition.assignment.strategy': options.strategy ?? 'range',
    'auto.commit.enable': String(interval !== false),
    ...(interval === false ? {} : { 'auto.commit.interval.ms': String(interval) }),
    'auto.offset.reset': options.reset ?? 'smallest',
    'zookeeper.session.timeout.ms': String(options.sessionTimeoutMs ?? 6000),
    ...(options.consumerId === undefined ? {} : { 'consumer.id': options.consumerId }),
    ...options.config
  }
}
