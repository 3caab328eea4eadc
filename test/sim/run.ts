/**
 * One run under one seed: an embedded cluster, a publisher and members of a group in a World of their own, a random schedule of random faults, then peace;
 * and the history of all of it, checked.
 */
import { type Cluster, type Consumer, connect, type Message, type SubscribeOptions } from '../../src/index.ts'
import { startCluster } from '../../src/testing.ts'
import { API_NAMES, loadApi } from '../../src/wire/apis.ts'
import type { Report } from '../checker/checker.ts'
import { History } from '../checker/record.ts'
import type { Coverage } from './coverage.ts'
import { FAULTS, type Stage } from './faults.ts'
import { SimWorld } from './sim-world.ts'

export interface SimOptions {
  seed: number
  /** Published one after the other, by several at a time. Default 300. */
  messages?: number
  /** Faults begin within this virtual time, ms. Default 10,000. */
  troubleMs?: number
  /** Is told which transitions the machines take. */
  coverage?: Coverage
}

export interface SimResult {
  seed: number
  /** Where the group meets. */
  membership: Membership
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

/** Each seed has one of them: a cluster with ZooKeeper and a group in it, the same with a classic group, and one without ZooKeeper and the new protocol. */
const MEMBERSHIPS = ['zookeeper', 'classic', 'consumer'] as const
type Membership = (typeof MEMBERSHIPS)[number]

const TOPIC = 'orders'
const GROUP = 'workers'
const PARTITIONS = 4
const CONNECT_LIMIT_MS = 60_000
const PEACE_LIMIT_MS = 180_000

/** What is loaded when first used would otherwise come at a time of the machine's. */
export async function prepare(): Promise<void> {
  await Promise.all(API_NAMES.map(name => loadApi(name)))
  await Promise.all([import('../../src/actors/consumers.ts'), import('../../src/testing.ts')])
}

export async function simulate(options: SimOptions): Promise<SimResult> {
  const run = new Run(options)
  return run.go()
}

class Run {
  #options: Required<Omit<SimOptions, 'coverage'>>
  #coverage: Coverage | undefined
  #membership: Membership
  #sim: SimWorld
  #history: History
  #problems: string[] = []
  #faults: Record<string, number> = {}
  #counts = { acked: 0, unknown: 0, failed: 0 }
  #seen = new Set<string>()
  #acked = new Set<string>()

  constructor({ seed, messages = 300, troubleMs = 10_000, coverage }: SimOptions) {
    this.#options = { seed, messages, troubleMs }
    this.#coverage = coverage
    this.#membership = MEMBERSHIPS[seed % MEMBERSHIPS.length]!
    this.#sim = new SimWorld(seed)
    this.#history = new History(() => this.#sim.nowMs)
  }

  async go(): Promise<SimResult> {
    const { seed, troubleMs } = this.#options
    const sim = this.#sim
    const began = sim.nowMs
    const kafka = await this.#wait(
      startCluster({
        brokers: 3,
        zookeeper: this.#membership !== 'consumer',
        world: sim.world,
        topics: { [TOPIC]: { partitions: PARTITIONS, replicationFactor: 3, config: { 'min.insync.replicas': '2' } } }
      }),
      'the cluster'
    )
    const clients: Cluster[] = []
    const open = async (clientId: string) => {
      const client = await connect(kafka.url, {
        world: sim.world,
        clientId,
        ...(this.#coverage ? { inspect: this.#coverage.inspect } : {}),
        sessionTimeoutMs: 4_000,
        requestTimeoutMs: 5_000,
        publish: { deliveryTimeoutMs: 120_000 }
      })
      clients.push(client)
      return client
    }
    const publisher = await this.#wait(open('publisher'), 'the publisher')
    const consumers: Consumer[] = []
    for (const name of ['one', 'two']) consumers.push(this.#consume(await this.#wait(open(name), name), name))
    const stage: Stage = { sim, kafka, topic: TOPIC }
    const published = this.#publish(publisher)
    const peace = this.#trouble(stage)
    await this.#wait(peace, 'the faults', troubleMs * 3)
    await this.#wait(published, 'all publishes', PEACE_LIMIT_MS)
    const missing = () => [...this.#acked].filter(value => !this.#seen.has(value))
    if (!(await sim.run(() => missing().length === 0, PEACE_LIMIT_MS)))
      this.#problems.push(`acked and not consumed: ${missing().slice(0, 5).join(', ')} (${missing().length})`)
    await this.#wait(Promise.all(clients.map(client => client.close())), 'clients to close', PEACE_LIMIT_MS)
    for (const broker of kafka.brokers)
      for (const trouble of broker.troubles) this.#problems.push(`broker ${broker.id}: ${String((trouble as Error).stack ?? trouble)}`)
    await kafka.stop()
    return {
      ...{
        seed,
        membership: this.#membership,
        digest: sim.digest(),
        virtualMs: Math.round(sim.nowMs - began),
        steps: sim.steps,
        faults: this.#faults,
        ...this.#counts
      },
      ...{ report: this.#history.check({ mode: 'idempotent' }), problems: this.#problems }
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

  async #publish(client: Cluster): Promise<void> {
    const { messages, troubleMs } = this.#options
    const topic = client.topic(TOPIC)
    const lanes = 5
    const gapMs = (troubleMs * lanes) / messages
    await Promise.all(
      Array.from({ length: lanes }, async (_, lane) => {
        for (let i = lane; i < messages; i += lanes) {
          await this.#sim.sleep(this.#sim.random() * 2 * gapMs)
          const value = `message ${i}`
          try {
            await this.#history.publish(topic, { key: `k${i % 7}`, value }, `publisher-${lane}`)
            this.#acked.add(value)
            this.#counts.acked++
          } catch (error) {
            this.#counts[(error as { outcome?: string }).outcome === 'unknown' ? 'unknown' : 'failed']++
          }
        }
      })
    )
  }

  #consume(client: Cluster, name: string): Consumer {
    const consumer = client.topic(TOPIC).subscribe({ ...this.#subscription })
    this.#history.watchConsumer(consumer, name, { group: GROUP })
    consumer.on('message.batch', ({ messages, ack }) => {
      for (const { value } of messages as Iterable<Message>) this.#seen.add(String(value))
      ack()
    })
    return consumer
  }

  get #subscription(): SubscribeOptions {
    return { group: GROUP, from: 'earliest', autoCommitIntervalMs: 500, membership: this.#membership, groupSessionTimeoutMs: 6_000 }
  }

  /** A random part of the faults, at random times, each for a while; in the end all is whole again. */
  async #trouble(stage: Stage): Promise<void> {
    const { sim } = stage
    const names = Object.keys(FAULTS).filter(() => sim.random() < 0.5)
    const untilMs = sim.nowMs + this.#options.troubleMs
    const lasting: Promise<void>[] = []
    while (names.length > 0) {
      await sim.sleep(200 + sim.random() * 1_500)
      if (sim.nowMs > untilMs) break
      const name = names[Math.floor(sim.random() * names.length)]!
      const end = FAULTS[name]!(stage)
      if (!end) continue
      this.#faults[name] = (this.#faults[name] ?? 0) + 1
      const phase = (phase: 'begin' | 'end') => this.#history.record('nemesis', 'info', 'fault', { name, phase })
      phase('begin')
      lasting.push(
        sim.sleep(200 + sim.random() * 4_000).then(async () => {
          await end()
          phase('end')
        })
      )
    }
    await Promise.all(lasting)
  }
}
