/**
 * A publisher with an outbox that dies: killed, or with the power of its machine, while its disk fills up now and then; another goes on with what it left.
 */
import type { Cluster } from '../../src/index.ts'
import { MemoryFiles } from '../support/memory-files.ts'
import type { SimWorld } from './sim-world.ts'

export interface MortalParts {
  sim: SimWorld
  open: (files: MemoryFiles) => Promise<Cluster>
  forget: (client: Cluster) => void
  did: (name: string) => void
}

/** One life of the publisher. */
export interface Life {
  client: Cluster
  dead: boolean
}

export class Mortal {
  #parts: MortalParts
  #files: MemoryFiles
  #life: Promise<Life>

  constructor(parts: MortalParts) {
    this.#parts = parts
    this.#files = this.#disk()
    this.#life = this.#begin()
  }

  /** The one that lives now, or next. */
  get life(): Promise<Life> {
    return this.#life
  }

  /** Dies now and then. */
  async live(untilMs: number): Promise<void> {
    const { sim } = this.#parts
    for (;;) {
      await sim.sleep(500 + sim.random() * 3_000)
      if (sim.nowMs >= untilMs) return
      if (sim.random() < 0.3) await this.#fillDisk()
      else await this.#die()
    }
  }

  /** Until nothing that was accepted is left to deliver. */
  async emptied(): Promise<void> {
    const { client } = await this.#life
    while (client.outbox!.batches > 0) await this.#parts.sim.sleep(50)
  }

  async #die(): Promise<void> {
    const { sim, forget, did } = this.#parts
    const life = await this.#life
    const power = sim.random() < 0.5
    did(power ? 'a publisher’s machine loses power' : 'kill a publisher')
    life.dead = true
    this.#files = this.#disk(power ? this.#files.afterPowerLoss(() => sim.random()) : this.#files.afterKill())
    forget(life.client)
    life.client.actor.stop()
    await sim.sleep(sim.random() * 1_000)
    this.#life = this.#begin()
    await this.#life
  }

  async #fillDisk(): Promise<void> {
    const { sim, did } = this.#parts
    const files = this.#files
    did('fill a publisher’s disk')
    files.capacityBytes = 200 + sim.random() * 2_000
    if (sim.random() < 0.3) files.failSyncs = 1
    await sim.sleep(sim.random() * 1_000)
    files.capacityBytes = Number.POSITIVE_INFINITY
  }

  async #begin(): Promise<Life> {
    return { client: await this.#parts.open(this.#files), dead: false }
  }

  /** What it does takes a moment. */
  #disk(files = new MemoryFiles()): MemoryFiles {
    const { sim } = this.#parts
    files.pause = () => sim.sleep(sim.random() * 3)
    return files
  }
}
