/**
 * What was measured, kept as JSON in the cache folder: the page can be written again without measuring, and a workload that is measured once more
 * replaces its older runs.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder } from '../test/support/maven.ts'

export interface Run {
  workload: string
  client: string
  version: string
  /** Runs of one round stand beside each other: ratios are taken within it. */
  round: number
  figures: Record<string, number>
}

const file = () => join(cacheFolder(), 'bench', 'results.json')

export function readRuns(): Run[] {
  return existsSync(file()) ? (JSON.parse(readFileSync(file(), 'utf8')) as Run[]) : []
}

/** Keeps these, and of the older ones what they do not replace. */
export function keepRuns(runs: readonly Run[]): Run[] {
  const replaced = new Set(runs.map(({ workload, client }) => `${workload} ${client}`))
  const all = [...readRuns().filter(({ workload, client }) => !replaced.has(`${workload} ${client}`)), ...runs]
  writeFileSync(file(), `[\n${all.map(run => JSON.stringify(run)).join(',\n')}\n]\n`)
  return all
}
