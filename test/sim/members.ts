/**
 * Those who read: the members of the group, who join, leave, die, dawdle and stumble as the plan says, and a reader beside it.
 */
import type { PlaneHandle } from '../../src/actors/consumer-handle.ts'
import type { OffsetStore, OffsetToCommit } from '../../src/flow/offset-store.ts'
import type { Cluster, Consumer, Message, SubscribeOptions } from '../../src/index.ts'
import type { History } from '../checker/record.ts'
import { GROUP, PATTERN, type Plan } from './plan.ts'
import type { SimWorld } from './sim-world.ts'

const MOST = 5
/** Longer than a poll may take, where the plan says that members are slow. */
const MAX_POLL_MS = 2_000
const DAWDLE_MS = 5_000
/** By then who is stuck has left. */
const STUCK_MS = 500

interface Member {
  name: string
  client: Cluster
  consumer: Consumer
  instance: string | undefined
  unwatch: () => void
}

const keyOf = ({ topic, partition }: OffsetToCommit) => `${topic}/${partition}`

export interface Parts {
  sim: SimWorld
  plan: Plan
  history: History
  open: (clientId: string) => Promise<Cluster>
  /** The client is dead: nobody closes it. */
  forget: (client: Cluster) => void
  /** Messages were handed out: to the group, or to the reader beside it. */
  seen: (by: 'group' | 'reader', messages: Iterable<Message>) => void
  /** All that there are now, for one who names them. */
  partitionsOf: (topic: string) => { topic: string; partition: number }[]
}

export class SimMembers {
  readonly problems: string[] = []
  /** What they did, as faults are counted. */
  readonly done: Record<string, number> = {}
  #parts: Parts
  #members: Member[] = []
  #reader: { consumer: Consumer; named: boolean } | undefined
  #joined = 0
  /** What is worked on for long, by member and partition. */
  #dawdling = new Map<string, readonly Message[]>()
  #calm = false

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async begin(): Promise<void> {
    for (let i = 0; i < this.#parts.plan.members; i++) await this.#join()
    if (this.#parts.plan.reader) await this.#beginReader()
  }

  /** Whatever the plan has them do, until the time is over. */
  async live(untilMs: number): Promise<void> {
    const { sim, plan } = this.#parts
    const turns: (() => Promise<void> | void)[] = []
    if (plan.storms) turns.push(() => this.#storm())
    if (plan.restless) turns.push(() => this.#stir())
    if (this.#reader?.named) turns.push(() => this.#assign())
    while (turns.length > 0) {
      await sim.sleep(200 + sim.random() * 1_200)
      if (sim.nowMs > untilMs) break
      await turns[Math.floor(sim.random() * turns.length)]!()
    }
  }

  /** From here on they only read, all there is: when the topics, too, are as they will be. */
  async settle(): Promise<void> {
    this.#calm = true
    for (const { consumer } of this.#members) await consumer.resume()
    await this.#reader?.consumer.resume()
    if (this.#reader?.named) await this.#assignAll()
  }

  get #named(): { topic: string; partition: number }[] {
    const { plan, partitionsOf } = this.#parts
    return partitionsOf(plan.topics[0]!)
  }

  get #options(): SubscribeOptions {
    const { membership, by, topics, slow, transactions, assignor } = this.#parts.plan
    return {
      ...{ group: GROUP, from: 'earliest', membership, autoCommitIntervalMs: 500, groupSessionTimeoutMs: 6_000 },
      ...(by === 'pattern' ? { pattern: PATTERN } : by === 'topics' ? { topics } : { topic: topics[0]! }),
      ...(slow ? { maxPollIntervalMs: MAX_POLL_MS } : {}),
      ...(transactions ? { isolation: 'read_committed' as const } : {}),
      ...(assignor ? { assignor } : {})
    }
  }

  /** What ends from here on was told to. */
  end(): void {
    this.#members = []
  }

  async #join(): Promise<void> {
    const { plan, history, open } = this.#parts
    const name = `member-${++this.#joined}`
    // Every third lives in a process with another.
    const client = this.#joined % 3 === 0 && this.#members[0] ? this.#members[0].client : await open(name)
    const free = Array.from({ length: MOST }, (_, i) => `seat-${i}`).find(seat => this.#members.every(({ instance }) => instance !== seat))
    const instance = plan.static ? free : undefined
    const consumer = client.subscribe({ ...this.#options, ...(instance ? { groupInstanceId: instance } : {}) })
    const unwatch = history.watchConsumer(consumer, name, { group: GROUP })
    consumer.on('message.batch', batch => this.#handed(name, batch))
    if (plan.membership !== 'zookeeper') this.#watchStuck(name, consumer)
    consumer.handle.then(
      handle => this.#watchCommits(name, handle as PlaneHandle),
      (error: unknown) => this.problems.push(`${name} could not begin: ${String(error)}`)
    )
    consumer.on('closed', () => {
      if (this.#members.some(each => each.name === name)) this.problems.push(`${name} ended by itself`)
    })
    this.#members.push({ name, client, consumer, instance, unwatch })
  }

  /** Whoever works on one batch for too long leaves a group that meets in Kafka, long before the work ends. */
  #watchStuck(name: string, consumer: Consumer): void {
    const { sim } = this.#parts
    let left = 0
    consumer.on('*', ({ type }) => {
      if (type === 'partition.lost' || type === 'partition.revoked' || type === 'closed') left++
    })
    consumer.on('consumer.stalled', async ({ topic, partition }) => {
      const before = left
      const at = `${name} ${topic}/${partition}`
      const began = this.#dawdling.get(at)
      await sim.sleep(STUCK_MS)
      const still = began !== undefined && this.#dawdling.get(at) === began
      if (still && left === before && this.#members.some(each => each.name === name))
        this.problems.push(`${at} is stuck, and keeps its membership`)
    })
  }

  /** When a commit began: one that was under way when its partition was lost may well be answered later. */
  #watchCommits(process: string, { plane }: PlaneHandle): void {
    const { history } = this.#parts
    const { get, set } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(plane), 'offsets')!
    const watched = (store: OffsetStore): OffsetStore => ({
      fetch: partitions => store.fetch(partitions),
      commit: async (epoch, offsets) => {
        const value = { offsets: Object.fromEntries(offsets.map(each => [keyOf(each), Number(each.offset)])) }
        history.record(process, 'invoke', 'commit', value)
        try {
          return await store.commit(epoch, offsets)
        } catch (error) {
          history.record(process, 'fail', 'commit', value)
          throw error
        }
      }
    })
    Object.defineProperty(plane, 'offsets', {
      get: () => get!.call(plane),
      set: (store: OffsetStore | undefined) => set!.call(plane, store && watched(store))
    })
    if (plane.offsets) plane.offsets = get!.call(plane)
  }

  #handed(name: string, { messages, ack }: { messages: readonly Message[]; ack: () => void }): void {
    const { sim, plan, history, seen } = this.#parts
    seen('group', messages)
    if (plan.clumsy && !this.#calm && sim.random() < 0.05) {
      this.#did('throw in a handler')
      throw new Error('a handler that stumbles')
    }
    const processed = () => {
      history.processed(name, messages.at(-1)!)
      ack()
    }
    if (!plan.slow || this.#calm || sim.random() > 0.05) return processed()
    this.#did('work longer than a poll may take')
    const { topic, partition } = messages[0]!
    const at = `${name} ${topic}/${partition}`
    this.#dawdling.set(at, messages)
    void sim.sleep(DAWDLE_MS * sim.random()).then(() => {
      if (this.#dawdling.get(at) === messages) this.#dawdling.delete(at)
      processed()
    })
  }

  #did(what: string): void {
    this.done[what] = (this.done[what] ?? 0) + 1
  }

  /** One goes, or one comes. */
  async #storm(): Promise<void> {
    const { sim, history, forget } = this.#parts
    const member = this.#members[Math.floor(sim.random() * this.#members.length)]!
    const choice = sim.random()
    if (this.#members.length < MOST && (choice < 0.5 || this.#members.length === 1)) {
      this.#did('join a member')
      return this.#join()
    }
    if (choice < 0.8) {
      this.#did('close a member')
      this.#members = this.#members.filter(each => each !== member)
      // The others go on meanwhile.
      member.consumer.close().catch((error: unknown) => this.problems.push(`${member.name} did not close: ${String(error)}`))
      return
    }
    const { client } = member
    const dead = this.#members.filter(each => each.client === client)
    if (dead.length === this.#members.length) return
    this.#did('kill a member')
    this.#members = this.#members.filter(each => each.client !== client)
    // What its promises still come to nobody hears.
    for (const { name, unwatch } of dead) {
      unwatch()
      history.crash(name)
    }
    client.actor.stop()
    forget(client)
  }

  /** Somebody pauses, or reads something again. */
  async #stir(): Promise<void> {
    const { sim } = this.#parts
    const { consumer } = this.#members[Math.floor(sim.random() * this.#members.length)]!
    const handle = await consumer.handle
    if (sim.random() < 0.5) {
      const owned = handle.assignment()
      const some = sim.random() < 0.5 ? undefined : owned.slice(0, 1)
      this.#did('pause and resume')
      handle.pause(some)
      await sim.sleep(sim.random() * 1_500)
      return handle.resume(some)
    }
    const positions = handle.positions().filter(({ offset }) => offset > 0n)
    const at = positions[Math.floor(sim.random() * positions.length)]
    if (!at) return
    this.#did('seek back')
    const to = sim.random() < 0.3 ? 'beginning' : sim.random() < 0.5 ? 'committed' : at.offset - 1n
    // It may be taken away meanwhile.
    handle.seek({ topic: at.topic, partition: at.partition, to }).catch(() => {})
  }

  async #beginReader(): Promise<void> {
    const { plan, history, open, seen } = this.#parts
    const named = plan.reader === 'partitions'
    const client = await open('reader')
    const topic = plan.topics[0]!
    const what = named ? { partitions: this.#named } : { topic }
    const isolation = plan.transactions ? 'read_committed' : 'read_uncommitted'
    const consumer = client.subscribe({ ...what, from: 'earliest', isolation })
    // For the checker a group of its own: it must read everything of this topic, and nothing of others.
    history.watchConsumer(consumer, 'reader', { group: 'reader' })
    consumer.on('message.batch', ({ messages, ack }) => {
      seen('reader', messages)
      ack()
    })
    this.#reader = { consumer, named }
  }

  /** Half of them, or all. */
  async #assign(): Promise<void> {
    const { sim } = this.#parts
    const all = this.#named
    if (sim.random() < 0.5 || all.length < 2) return this.#assignAll()
    this.#did('assign by hand')
    this.#reader!.consumer.assign(all.filter(({ partition }) => partition % 2 === 0)).catch(() => {})
  }

  async #assignAll(): Promise<void> {
    const all = this.#named
    if (all.length > 0) this.#reader!.consumer.assign(all).catch((error: unknown) => this.problems.push(`assign: ${String(error)}`))
  }
}
