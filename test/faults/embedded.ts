/**
 * Every row of the fault table as an embedded scenario: one fault, at a time of the seed's, in a scene of virtual time; the same figures, and the same
 * bytes for the same seed.
 */
import type { SubscribeOptions } from '../../src/index.ts'
import { API_NAMES, loadApi } from '../../src/wire/apis.ts'
import type { Report } from '../checker/checker.ts'
import { damageOf, type Figures, longestWait, rebalancesOf } from './figures.ts'
import { Scene, TOPIC } from './scene.ts'

export interface EmbeddedFault {
  name: string
  /** Default classic. */
  group?: SubscribeOptions['membership']
  subscribe?: Partial<SubscribeOptions>
  /** Publishes have little time: some end as unknown. */
  hurried?: boolean
  /** How often a member may be given partitions anew. */
  rebalances?: number
  /** Begins it and ends it. */
  befall(scene: Scene): Promise<void>
}

export interface EmbeddedResult {
  name: string
  seed: number
  digest: string
  figures: Figures
  report: Report
}

const PARTITIONS = 6
const EARLIEST_MS = 500
const WITHIN_MS = 3_000

/** What is loaded when first used would otherwise come at a time of the machine's. */
export async function prepareScenes(): Promise<void> {
  await Promise.all(API_NAMES.map(name => loadApi(name)))
  await import('../../src/actors/consumers.ts')
  for (const group of ['classic', 'zookeeper'] as const) await runEmbedded({ name: 'nothing', group, befall: async () => {} }, 0)
}

export async function runEmbedded(fault: EmbeddedFault, seed: number): Promise<EmbeddedResult> {
  const scene = new Scene(seed, fault)
  const { sim, history } = scene
  await scene.wait(scene.start())
  await scene.wait(scene.flowing())
  await scene.wait(sim.sleep(EARLIEST_MS + sim.random() * WITHIN_MS))
  const brokenMs = sim.nowMs
  await scene.wait(history.fault(fault.name, () => fault.befall(scene)))
  await scene.wait(scene.flowing())
  const times = {
    ackMs: longestWait(scene.acks, PARTITIONS, brokenMs),
    readMs: longestWait(scene.reads, PARTITIONS, brokenMs),
    rebalances: rebalancesOf(
      scene.members.map(({ assignedMs }) => assignedMs),
      brokenMs
    )
  }
  await scene.wait(scene.finish())
  const report = history.check({ mode: 'idempotent' })
  const figures = { ...damageOf(report), ...times, peakBytes: undefined }
  return { name: fault.name, seed, digest: sim.digest(), figures, report }
}

/** What is wrong with a run, in words; empty: nothing. */
export function problemsOf({ report, figures }: EmbeddedResult, { rebalances, hurried }: EmbeddedFault): string[] {
  return [
    ...report.anomalies.slice(0, 5).map(({ anomaly, what }) => `${anomaly}: ${what}`),
    ...(figures.overlapped === 0 ? ['no operation met the fault'] : []),
    ...(hurried && figures.unknown === 0 ? ['no outcome was unknown'] : []),
    ...(rebalances !== undefined && figures.rebalances > rebalances ? [`${figures.rebalances} rebalances; ${rebalances} is the limit`] : [])
  ]
}

export { TOPIC }
