/**
 * A member of ours in a group, for tests: everything that it was given, owns and was told; in this process, or in one of its own that can be killed
 * (`MemberProcess`, which runs this very file).
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import {
  type Cluster,
  type ClusterOptions,
  type ConsumerEmitted,
  type ConsumerHandle,
  connect,
  type SubscribeOptions
} from '../../src/index.ts'
import { Gathered } from './gathered.ts'
import { discharge, entrust } from './watchdog.ts'

export interface MemberRecord {
  topic: string
  partition: number
  offset: number
  value: string
}

/** `atMs`: when it happened (ms since the epoch), where it has come from another process since. */
export type MemberEvent = { atMs?: number } & (
  | { type: 'record'; record: MemberRecord }
  | { type: 'owned'; owned: string[] }
  | { type: 'told'; event: ConsumerEmitted }
)

/** Where a cluster is found: by its ZooKeeper (a string), or by brokers, or by both. */
export type Where = string | { brokers: string; zookeeper?: string }
export const optionsOf = (where: Where) => (typeof where === 'string' ? { zookeeper: where } : where)

/** What a test sees of a member, wherever it runs. */
export class MemberView {
  readonly records: MemberRecord[] = []
  readonly events = new Gathered<MemberEvent>()
  /** `topic/partition`, sorted. */
  owned: string[] = []

  take(event: MemberEvent): void {
    if (event.type === 'record') this.records.push(event.record)
    if (event.type === 'owned') this.owned = event.owned
    this.events.add(event)
  }

  /** Until it owns exactly so many. */
  async waitForOwned(count: number, limitMs = 30_000): Promise<string[]> {
    if (this.owned.length !== count) await this.events.next(() => this.owned.length === count, limitMs)
    return this.owned
  }

  async waitForRecords(count: number, limitMs = 30_000): Promise<MemberRecord[]> {
    if (this.records.length < count) await this.events.next(() => this.records.length >= count, limitMs)
    return this.records
  }

  async waitFor<T extends ConsumerEmitted['type']>(type: T, limitMs = 30_000): Promise<Extract<ConsumerEmitted, { type: T }>> {
    const found = await this.events.first(event => event.type === 'told' && event.event.type === type, limitMs)
    return (found as { event: unknown }).event as Extract<ConsumerEmitted, { type: T }>
  }

  told<T extends ConsumerEmitted['type']>(type: T): Extract<ConsumerEmitted, { type: T }>[] {
    return this.events.all.flatMap(event => (event.type === 'told' && event.event.type === type ? [event.event as never] : []))
  }
}

export class Member extends MemberView {
  readonly client: Cluster
  readonly handle: ConsumerHandle
  #holdMs = 0

  static async start(where: Where, subscribe: SubscribeOptions, options: Partial<ClusterOptions> = {}): Promise<Member> {
    const client = await connect({ ...optionsOf(where), recorderMaxBytes: 32 * 1024 * 1024, ...options })
    return new Member(client, await client.subscribe({ from: 'earliest', autoCommitIntervalMs: 200, ...subscribe }).handle)
  }

  private constructor(client: Cluster, handle: ConsumerHandle) {
    super()
    this.client = client
    this.handle = handle
    const owned = new Set<string>()
    handle.on('message.batch', ({ topic, partition, messages, ack }) => {
      for (const { offset, value } of messages)
        this.take({ type: 'record', record: { topic, partition, offset: Number(offset), value: String(value) } })
      const holdMs = this.#holdMs
      this.#holdMs = 0
      if (holdMs > 0) return delay(holdMs).then(() => ack())
      ack()
      return undefined
    })
    handle.on('*', event => {
      if (event.type === 'message.batch') return
      if (event.type === 'partition.assigned') for (const each of event.partitions) owned.add(`${each.topic}/${each.partition}`)
      if (event.type === 'partition.revoked' || event.type === 'partition.lost')
        for (const each of event.partitions) owned.delete(`${each.topic}/${each.partition}`)
      this.take({ type: 'told', event })
      if (event.type.startsWith('partition.')) this.take({ type: 'owned', owned: [...owned].sort() })
    })
  }

  /** The work on the next batch takes so long. */
  holdNext(ms: number): void {
    this.#holdMs = ms
  }

  /** Leaves the group in order. */
  async close(): Promise<void> {
    await this.handle.close()
    await this.client.close()
  }
}

/** The same in a process of its own. */
export class MemberProcess extends MemberView {
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>

  static start(where: Where, subscribe: SubscribeOptions, options: Partial<ClusterOptions> = {}): MemberProcess {
    return new MemberProcess(JSON.stringify({ where, subscribe, options }))
  }

  private constructor(settings: string) {
    super()
    this.#child = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(import.meta.url), settings], {
      stdio: ['pipe', 'pipe', 'inherit']
    })
    if (this.#child.pid) entrust(this.#child.pid)
    this.#ended = new Promise(resolve => this.#child.once('close', resolve))
    this.#child.stdin!.on('error', () => {})
    createInterface({ input: this.#child.stdout! }).on('line', line => this.take(JSON.parse(line) as MemberEvent))
  }

  get pid(): number {
    return this.#child.pid ?? -1
  }

  /** SIGKILL: its ephemeral nodes stay until the session expires. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#over()
  }

  /** The work on the next batch takes so long. */
  holdNext(ms: number): void {
    this.#child.stdin!.write(`${ms}\n`)
  }

  freeze(): void {
    this.#child.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child.kill('SIGCONT')
  }

  async close(): Promise<void> {
    this.#child.stdin!.end()
    await this.#over()
  }

  async #over(): Promise<void> {
    await this.#ended
    if (this.#child.pid) discharge(this.#child.pid)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { where, subscribe, options } = JSON.parse(process.argv[2]!) as {
    where: Where
    subscribe: SubscribeOptions
    options: ClusterOptions
  }
  const member = await Member.start(where, subscribe, options)
  const say = (event: MemberEvent) => {
    const dated = { ...event, atMs: performance.timeOrigin + performance.now() }
    process.stdout.write(`${JSON.stringify(dated, (_, value) => (typeof value === 'bigint' ? String(value) : value))}\n`)
  }
  for (const event of member.events.all) say(event)
  member.take = event => {
    MemberView.prototype.take.call(member, event)
    say(event)
  }
  const told = createInterface({ input: process.stdin })
  told.on('line', ms => member.holdNext(Number(ms)))
  told.once('close', () => void member.close().then(() => process.exit(0)))
}
