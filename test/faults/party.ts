/**
 * Those who work while something breaks: a publisher of numbered messages and two members of a group, each a process of its own; ours, or Java's
 * verifiable tools as the control. Every ack and every delivery is dated.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SubscribeOptions } from '../../src/index.ts'
import type { History } from '../checker/record.ts'
import { MemberProcess, type MemberView, type Where } from '../support/group-member.ts'
import { until } from '../support/until.ts'
import { VerifiableTool } from '../support/verifiable-tool.ts'
import { temporaryFolder } from '../support/watchdog.ts'

export interface Seen {
  atMs: number
  partition: number
}

export interface PartyOptions {
  topic: string
  group: string
  partitions: number
  bootstrap: string
  /** ZooKeeper's connect string: by this ours find the cluster; undefined: by brokers. */
  zookeeper?: string | undefined
  history: History
  membership?: SubscribeOptions['membership'] | undefined
  subscribe?: Partial<SubscribeOptions> | undefined
  /** Publishes have little time. */
  hurried?: boolean | undefined
}

const THROUGHPUT = 100
/** With so many keys every partition has some, for ours and for Java's partitioner alike. */
const KEYS = 200
const MEMBERS = 2
export const SESSION_TIMEOUT_MS = 6_000
const HEARTBEAT_MS = 500
/** Of both clients, so that their times can be compared. */
const COMMON = 'request.timeout.ms=5000\n'
const PRODUCER = 'acks=all\nenable.idempotence=true\nretries=2147483647\n'
const PATIENT = `${COMMON}delivery.timeout.ms=120000\n`
/** With so little time some publishes end before anybody knows what became of them. */
const HURRIED = 'request.timeout.ms=2000\ndelivery.timeout.ms=3000\n'
const CONSUMER = `${COMMON}heartbeat.interval.ms=${HEARTBEAT_MS}\nsession.timeout.ms=${SESSION_TIMEOUT_MS}\n`

export function settingsFile(name: string, text: string): string {
  const file = join(temporaryFolder(), name)
  writeFileSync(file, text)
  return file
}

export abstract class Party {
  readonly acks: Seen[] = []
  readonly reads: Seen[] = []
  /** Values. */
  readonly acked = new Set<string>()
  readonly read = new Set<string>()
  readonly options: PartyOptions
  producer!: VerifiableTool
  #producers = 0
  #gone = new Set<string>()

  constructor(options: PartyOptions) {
    this.options = options
  }

  abstract get whose(): 'samsa' | 'java'
  protected abstract startMembers(): Promise<void>
  protected abstract stopMembers(): Promise<void>
  /** Of each member: when it was given partitions. */
  abstract get assignments(): readonly (readonly number[])[]
  abstract get pids(): number[]
  abstract kill(): void
  /** How many partitions each member owns. */
  abstract get owned(): readonly number[]

  async start(): Promise<void> {
    await Promise.all([this.startMembers(), this.publish()])
  }

  /** Another publisher, whose values are its own. */
  async publish(): Promise<void> {
    const { topic, bootstrap, zookeeper, history, hurried } = this.options
    const number = ++this.#producers
    const where = this.whose === 'samsa' && zookeeper ? ['--cluster', `zookeeper://${zookeeper}`] : ['--bootstrap-server', bootstrap]
    const config = settingsFile('faults-producer.properties', `${PRODUCER}${hurried ? HURRIED : PATIENT}`)
    const watch = this.whose === 'samsa' ? history.watchVerifiable(`publisher-${number}`) : undefined
    const args = ['--topic', topic, '--throughput', String(THROUGHPUT), '--repeating-keys', String(KEYS)]
    const sink = (line: string) => {
      watch?.(line)
      if (line.includes('"producer_send_success"')) this.#acked(JSON.parse(line))
    }
    const all = [...where, ...args, '--value-prefix', String(number), '--command-config', config]
    this.producer = await VerifiableTool.start({ whose: this.whose, tool: 'producer', args: all, sink })
  }

  #acked({ timestamp, partition, value }: { timestamp: number; partition: number; value: string }): void {
    this.acks.push({ atMs: timestamp, partition })
    this.acked.add(value)
  }

  protected delivered(atMs: number, partition: number, value: string | null): void {
    this.reads.push({ atMs, partition })
    this.read.add(String(value))
  }

  /** What lay in it need not be read any more. */
  topicIsGone(log: Readonly<Record<string, readonly (readonly [number, string])[]>>): void {
    for (const [, value] of Object.values(log).flat()) this.#gone.add(value)
  }

  /** Until every partition has been written and read since then, and every member owns its share. */
  async flowing(sinceMs: number, limitMs = 90_000): Promise<void> {
    const missing = (list: readonly Seen[]) => {
      const seen = new Set(list.filter(({ atMs }) => atMs > sinceMs).map(({ partition }) => partition))
      return Array.from({ length: this.options.partitions }, (_, partition) => partition).filter(partition => !seen.has(partition))
    }
    const whole = () => missing(this.acks).length === 0 && missing(this.reads).length === 0 && this.settled
    await until('the flow', whole, limitMs).catch(error => {
      const state = `no ack of ${missing(this.acks)}, no record of ${missing(this.reads)}; owned ${this.owned}`
      throw new Error(`${this.whose}: ${state}\n${this.producer.notes.slice(-2_000)}`, { cause: error })
    })
  }

  get settled(): boolean {
    const { partitions } = this.options
    return this.owned.reduce((sum, each) => sum + each, 0) === partitions && this.owned.every(each => each > 0)
  }

  /** The publisher ends when all is answered; then until all that is acked was read. */
  async finish(limitMs = 60_000): Promise<void> {
    await this.producer.stop()
    const missing = () => [...this.acked].filter(value => !this.read.has(value) && !this.#gone.has(value))
    await until('every acked message is read', () => missing().length === 0, limitMs).catch(() => {
      // The checker names them; of Java nothing is promised.
      if (this.whose === 'samsa') console.error(`acked and not read after ${limitMs / 1_000} s: ${missing().slice(0, 10)}`)
    })
  }

  async close(): Promise<void> {
    await this.stopMembers()
  }

  /** The most memory that any of its processes has had, in bytes. */
  peakMemory(): number {
    return Math.max(...this.pids.map(pid => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1_024))
  }
}

export class Ours extends Party {
  readonly members: MemberProcess[] = []

  get whose(): 'samsa' {
    return 'samsa'
  }

  get where(): Where {
    const { zookeeper, bootstrap } = this.options
    return zookeeper ?? { brokers: bootstrap }
  }

  get subscription(): SubscribeOptions {
    const { topic, group, membership = 'classic', subscribe } = this.options
    return {
      ...{ topic, group, membership, from: 'earliest', autoCommitIntervalMs: 500 },
      ...(membership === 'classic' ? { groupSessionTimeoutMs: SESSION_TIMEOUT_MS, heartbeatIntervalMs: HEARTBEAT_MS } : {}),
      ...subscribe
    }
  }

  protected async startMembers(): Promise<void> {
    for (let i = 0; i < MEMBERS; i++) this.join()
  }

  join(where: Where = this.where): MemberProcess {
    const { history, group } = this.options
    const member = MemberProcess.start(where, this.subscription, { requestTimeoutMs: 5_000 })
    this.members.push(member)
    history.watchMember(member, `member-${this.members.length}`, { group })
    this.adopt(member)
    return member
  }

  /** What it reads counts as read by the group. */
  adopt(member: MemberView): void {
    const { take } = member
    member.take = event => {
      take.call(member, event)
      if (event.type === 'record') this.delivered(event.atMs!, event.record.partition, event.record.value)
    }
  }

  get assignments(): number[][] {
    return this.members.map(member =>
      member.events.all.flatMap(event => (event.type === 'told' && event.event.type === 'partition.assigned' ? [event.atMs!] : []))
    )
  }

  get owned(): number[] {
    return this.members.map(({ owned }) => owned.length)
  }

  get pids(): number[] {
    return [this.producer.pid, ...this.members.map(({ pid }) => pid)]
  }

  kill(): void {
    this.producer?.kill()
    for (const member of this.members) void member.kill()
  }

  protected async stopMembers(): Promise<void> {
    await Promise.all(this.members.map(member => member.close()))
  }
}

export class Control extends Party {
  readonly members: VerifiableTool[] = []

  get whose(): 'java' {
    return 'java'
  }

  protected async startMembers(): Promise<void> {
    const { topic, group, bootstrap } = this.options
    const config = settingsFile('faults-consumer.properties', CONSUMER)
    const args = ['--bootstrap-server', bootstrap, '--topic', topic, '--group-id', group, '--session-timeout', String(SESSION_TIMEOUT_MS)]
    const sink = (line: string) => {
      if (!line.includes('"record_data"')) return
      const { timestamp, partition, value } = JSON.parse(line) as { timestamp: number; partition: number; value: string }
      this.delivered(timestamp, partition, value)
    }
    const start = () =>
      VerifiableTool.start({ whose: 'java', tool: 'consumer', args: [...args, '--verbose', '--command-config', config], sink })
    this.members.push(...(await Promise.all(Array.from({ length: MEMBERS }, start))))
  }

  get assignments(): number[][] {
    return this.members.map(member => member.named('partitions_assigned').map(({ timestamp }) => timestamp))
  }

  get owned(): number[] {
    return this.members.map(({ owned }) => owned.size)
  }

  get pids(): number[] {
    return [this.producer.pid, ...this.members.map(({ pid }) => pid)]
  }

  kill(): void {
    this.producer?.kill()
    for (const member of this.members) member.kill()
  }

  protected async stopMembers(): Promise<void> {
    await Promise.all(this.members.map(member => member.stop()))
  }
}
