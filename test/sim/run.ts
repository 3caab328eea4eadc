/**
 * One run under one seed: an embedded cluster, publishers and members of a group in a World of their own, as the seed's plan has them; a random schedule of
 * random faults, then peace; and the history of all of it, checked.
 */
import { type Cluster, connect } from '../../src/index.ts'
import { type EmbeddedCluster, startCluster } from '../../src/testing.ts'
import { API_NAMES, loadApi } from '../../src/wire/apis.ts'
import type { Report } from '../checker/checker.ts'
import { History } from '../checker/record.ts'
import type { MemoryFiles } from '../support/memory-files.ts'
import type { Coverage } from './coverage.ts'
import { FAULTS, type Stage } from './faults.ts'
import { SimMembers } from './members.ts'
import { Mortal } from './mortal.ts'
import { TOPIC_CONFIG, undergo } from './ordeals.ts'
import { METADATA_MS, type Plan, planOf } from './plan.ts'
import { SimPublisher } from './publisher.ts'
import { SimWorld } from './sim-world.ts'
import { SimTransactions } from './transactions.ts'
import { Unread } from './unread.ts'

export interface SimOptions {
  seed: number
  /** Published one after the other, by several at a time. Default 200. */
  messages?: number
  /** Faults begin within this virtual time, ms. Default 10,000. */
  troubleMs?: number
  /** Is told which transitions the machines take. */
  coverage?: Coverage
}

export interface SimResult {
  seed: number
  plan: Plan
  /** The same for the same seed and the same code. */
  digest: string
  virtualMs: number
  steps: number
  faults: Record<string, number>
  acked: number
  unknown: number
  failed: number
  report: Report | undefined
  /** What went wrong beside the history: an end that never came, an error of a server. */
  problems: string[]
}

/** As quick as the other memberships to see that a member is dead. */
const GROUP_CONFIG = {
  'group.consumer.min.session.timeout.ms': '6000',
  'group.consumer.session.timeout.ms': '6000',
  'group.consumer.min.heartbeat.interval.ms': '1000',
  'group.consumer.heartbeat.interval.ms': '1000'
}
const CONNECT_LIMIT_MS = 60_000
const PEACE_LIMIT_MS = 180_000

/** What is loaded when first used would otherwise come at a time of the machine's: everything is used once. */
export async function prepare(): Promise<void> {
  await Promise.all(API_NAMES.map(name => loadApi(name)))
  await Promise.all([import('../../src/actors/consumers.ts'), import('../../src/testing.ts')])
  await simulate({ seed: 0, messages: 10, troubleMs: 2_000 })
}

export async function simulate(options: SimOptions): Promise<SimResult> {
  const run = new Run(options)
  return run.go()
}

class Run {
  #options: Required<Omit<SimOptions, 'coverage'>>
  #coverage: Coverage | undefined
  #plan: Plan
  #sim: SimWorld
  #history: History
  #clients: Cluster[] = []
  #faults: Record<string, number> = {}
  /** Faults that have not ended. */
  #lasting: Promise<void>[] = []
  #calm = false
  #unread: Unread

  constructor({ seed, messages = 200, troubleMs = 10_000, coverage }: SimOptions) {
    this.#options = { seed, messages, troubleMs }
    this.#coverage = coverage
    this.#sim = new SimWorld(seed)
    this.#plan = planOf(seed, () => this.#sim.random())
    this.#history = new History(() => this.#sim.nowMs)
    this.#unread = new Unread(this.#plan.reader ? ['group', 'reader'] : ['group'])
  }

  async go(): Promise<SimResult> {
    const { seed, troubleMs } = this.#options
    const sim = this.#sim
    const plan = this.#plan
    const began = sim.nowMs
    const kafka = await this.#wait(this.#start(), 'the cluster')
    const open = (clientId: string) => this.#open(kafka, clientId)
    const forget = (client: Cluster) => {
      this.#clients = this.#clients.filter(each => each !== client)
    }
    const mortal = plan.outbox ? this.#mortal(kafka, forget) : undefined
    if (mortal) await this.#wait(mortal.life, 'the publisher')
    const publisher = new SimPublisher({
      ...{ sim, plan, history: this.#history, client: mortal ?? (await this.#wait(open('publisher'), 'the publisher')) },
      ...this.#options,
      acked: (values, topic) => this.#unread.acked(values, topic === plan.topics[0] ? undefined : ['group'])
    })
    const members = new SimMembers({
      ...{ sim, plan, history: this.#history, open },
      forget,
      seen: (by, messages) => this.#unread.read(by, messages),
      partitionsOf: topic => Array.from({ length: kafka.state.topicPartitions(topic) ?? 0 }, (_, partition) => ({ topic, partition }))
    })
    await this.#wait(members.begin(), 'the members')
    const untilMs = sim.nowMs + troubleMs
    const work = [publisher.publish(), members.live(untilMs)]
    if (mortal) work.push(mortal.live(untilMs))
    if (plan.transactions) work.push(this.#transact(kafka, await this.#wait(open('payments'), 'the transactions'), untilMs))
    if (plan.ordeal) work.push(this.#undergo(kafka, publisher))
    await this.#wait(this.#trouble({ sim, kafka, topic: plan.topics[0]! }), 'the faults', troubleMs * 3)
    await this.#wait(Promise.all(work), 'all publishes', PEACE_LIMIT_MS)
    if (mortal) await this.#wait(mortal.emptied(), 'an empty outbox', PEACE_LIMIT_MS)
    await this.#wait(members.settle(), 'the members to settle')
    const problems = members.problems
    if (!(await sim.run(() => this.#unread.none, PEACE_LIMIT_MS))) problems.push(...this.#unread.told())
    members.end()
    await this.#wait(Promise.all(this.#clients.map(client => client.close())), 'clients to close', PEACE_LIMIT_MS)
    for (const broker of kafka.brokers)
      for (const trouble of broker.troubles) problems.push(`broker ${broker.id}: ${String((trouble as Error).stack ?? trouble)}`)
    await kafka.stop()
    return {
      ...{ seed, plan, digest: sim.digest(), virtualMs: Math.round(sim.nowMs - began), steps: sim.steps },
      ...{ faults: { ...this.#faults, ...members.done }, ...publisher.counts },
      ...{ report: this.#history.check({ mode: plan.transactions ? 'read_committed' : 'idempotent' }), problems }
    }
  }

  #start(): Promise<EmbeddedCluster> {
    const { topics, partitions, membership } = this.#plan
    const spec = { partitions, replicationFactor: 3, config: TOPIC_CONFIG }
    return startCluster({
      ...{ brokers: 3, world: this.#sim.world, ...(membership === 'consumer' ? { zookeeper: false, profile: '4.x' as const } : {}) },
      config: GROUP_CONFIG,
      topics: Object.fromEntries(topics.map(name => [name, spec]))
    })
  }

  #mortal(kafka: EmbeddedCluster, forget: (client: Cluster) => void): Mortal {
    const open = (files: MemoryFiles) => this.#open(kafka, 'publisher', files)
    return new Mortal({ sim: this.#sim, open, forget, did: name => this.#phase(name, 'begin') })
  }

  /** `files`: with an outbox in them. */
  async #open(kafka: EmbeddedCluster, clientId: string, files?: MemoryFiles): Promise<Cluster> {
    const { world } = this.#sim
    const client = await connect(kafka.url, {
      ...(files ? { world: { ...world, files }, outbox: 'outbox' } : { world }),
      clientId,
      ...(this.#coverage ? { inspect: this.#coverage.inspect } : {}),
      ...{ sessionTimeoutMs: 4_000, requestTimeoutMs: 5_000 },
      ...(this.#plan.ordeal ? { metadataMaxAgeMs: METADATA_MS } : {}),
      publish: {
        ...(files ? {} : this.#plan.hurried ? { deliveryTimeoutMs: 1_500, onUnknown: 'wait' as const } : { deliveryTimeoutMs: 120_000 }),
        ...(this.#plan.smallBatches ? { batchBytes: 160 } : {})
      }
    })
    this.#clients.push(client)
    return client
  }

  #transact(kafka: EmbeddedCluster, client: Cluster, untilMs: number): Promise<void> {
    const acked = (values: readonly string[]) => this.#unread.acked(values)
    return new SimTransactions({ sim: this.#sim, kafka, client, history: this.#history, topic: this.#plan.topics[0]!, acked }).run(untilMs)
  }

  async #undergo(kafka: EmbeddedCluster, publisher: SimPublisher): Promise<void> {
    const ordeal = this.#plan.ordeal!
    const scene = {
      ...{ sim: this.#sim, kafka, plan: this.#plan, history: this.#history },
      gone: (values: Iterable<string>) => this.#unread.gone(values),
      calm: () => this.#beCalm(),
      another: (topic: string) => publisher.topics.push(topic)
    }
    this.#phase(ordeal, 'begin')
    await undergo(scene, ordeal)
    this.#phase(ordeal, 'end')
  }

  async #beCalm(): Promise<() => void> {
    this.#calm = true
    await Promise.all(this.#lasting)
    return () => {
      this.#calm = false
    }
  }

  /** Lets time pass until a promise is settled. */
  async #wait<T>(promise: Promise<T>, what: string, limitMs = CONNECT_LIMIT_MS): Promise<T> {
    let end: { value: T } | { error: unknown } | undefined
    promise.then(
      value => {
        end = { value }
      },
      (error: unknown) => {
        end = { error }
      }
    )
    await this.#sim.run(() => end !== undefined, limitMs)
    if (!end) throw new Error(`seed ${this.#options.seed}: waited ${limitMs} ms of virtual time in vain for ${what}`)
    if ('error' in end) throw end.error
    return end.value
  }

  /** A random part of the faults, at random times, each for a while; in the end all is whole again. */
  async #trouble(stage: Stage): Promise<void> {
    const { sim } = stage
    const names = Object.keys(FAULTS).filter(() => sim.random() < 0.5)
    let leftMs = this.#options.troubleMs
    while (names.length > 0) {
      const pauseMs = 200 + sim.random() * 1_500
      await sim.sleep(pauseMs)
      if (this.#calm) continue
      leftMs -= pauseMs
      if (leftMs < 0) break
      const name = names[Math.floor(sim.random() * names.length)]!
      const end = FAULTS[name]!(stage)
      if (!end) continue
      this.#phase(name, 'begin')
      this.#lasting.push(
        sim.sleep(200 + sim.random() * 4_000).then(async () => {
          await end()
          this.#phase(name, 'end')
        })
      )
    }
    await Promise.all(this.#lasting)
  }

  #phase(name: string, phase: 'begin' | 'end'): void {
    if (phase === 'begin') this.#faults[name] = (this.#faults[name] ?? 0) + 1
    this.#history.record('nemesis', 'info', 'fault', { name, phase })
  }
}
