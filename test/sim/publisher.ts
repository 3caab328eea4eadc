/**
 * Those who publish: several in one process, each in bursts that are not waited for one by one, keyed and not, single messages and lists.
 */
import type { Cluster, OutgoingMessage } from '../../src/index.ts'
import type { History } from '../checker/record.ts'
import type { Mortal } from './mortal.ts'
import type { Plan } from './plan.ts'
import type { SimWorld } from './sim-world.ts'

const LANES = 5
const BURST = 4

export interface PublisherParts {
  sim: SimWorld
  plan: Plan
  history: History
  client: Cluster | Mortal
  messages: number
  troubleMs: number
  acked: (values: readonly string[], topic: string) => void
}

export class SimPublisher {
  readonly counts = { acked: 0, unknown: 0, failed: 0 }
  readonly topics: string[]
  #parts: PublisherParts

  constructor(parts: PublisherParts) {
    this.#parts = parts
    this.topics = [...parts.plan.topics]
  }

  async publish(): Promise<void> {
    await Promise.all(Array.from({ length: LANES }, (_, lane) => this.#lane(lane)))
  }

  async #lane(lane: number): Promise<void> {
    const { sim, messages, troubleMs } = this.#parts
    const gapMs = (troubleMs * LANES) / messages
    const underWay: Promise<void>[] = []
    for (let i = lane; i < messages; ) {
      const burst = 1 + Math.floor(sim.random() * BURST)
      await sim.sleep(sim.random() * 2 * gapMs * burst)
      for (let left = burst; left > 0 && i < messages; left--, i += LANES) {
        underWay.push(this.#one(lane, i))
        await sim.sleep(sim.random() * 2)
      }
      if (sim.random() < 0.5) await Promise.all(underWay.splice(0))
    }
    await Promise.all(underWay)
  }

  async #one(lane: number, i: number): Promise<void> {
    const { sim, history, client, acked } = this.#parts
    const topic = this.topics[i % this.topics.length]!
    const values = sim.random() < 0.1 ? [`message ${i}`, `message ${i}b`, `message ${i}c`] : [`message ${i}`]
    const keyed = i % 4 !== 0
    const list: OutgoingMessage[] = values.map(value => (keyed ? { key: `k${i % 7}`, value } : value))
    // Nobody has promised anything of the order of messages without a key.
    const process = keyed ? `publisher-${lane}` : `publisher-${lane}:${i}`
    const messages = list.length === 1 ? list[0]! : list
    try {
      if ('life' in client) {
        const life = await client.life
        await history.accept(life.client.topic(topic), messages, process, () => life.dead)
      } else await history.publish(client.topic(topic), messages, process)
      this.counts.acked++
      acked(values, topic)
    } catch (error) {
      this.counts[(error as { outcome?: string }).outcome === 'unknown' ? 'unknown' : 'failed']++
    }
  }
}
