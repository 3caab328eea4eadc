/**
 * `npm run sim -- [--seeds 200] [--from 1] [--jobs 2] [--verbose]`: so many runs of the simulation (test/sim), each under its seed, by several processes. Every
 * fourth counts which transitions the machines take. Tells the rate, which faults have fired, and each seed that failed with the command that repeats it.
 */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Coverage } from '../test/sim/coverage.ts'
import { prepare, type SimResult, simulate } from '../test/sim/run.ts'

export interface Told {
  seed: number
  membership?: SimResult['membership']
  digest?: string
  faults?: Record<string, number>
  taken?: string[]
  /** Empty: all is well. */
  wrong: string[]
}

const COVERED_EVERY = 4
const SEEDS_AT_ONCE = 5

/** One seed, in words. */
export async function runSeed(seed: number): Promise<Told> {
  const coverage = seed % COVERED_EVERY === 0 ? new Coverage() : undefined
  try {
    const { membership, digest, faults, report, problems } = await simulate({ seed, ...(coverage ? { coverage } : {}) })
    const anomalies = (report?.anomalies ?? []).slice(0, 5).map(({ anomaly, what }) => `${anomaly}: ${what}`)
    const wrong = [...problems, ...anomalies, ...(report?.valid === true || anomalies.length > 0 ? [] : ['the run proves nothing'])]
    return { seed, membership, digest, faults, wrong, ...(coverage ? { taken: [...coverage.taken] } : {}) }
  } catch (error) {
    return { seed, wrong: [(error as Error).stack ?? String(error)] }
  }
}

/** All seeds from `from` on, by `jobs` processes; `told` hears of each as it ends. */
export async function runSeeds(
  { from, seeds, jobs }: { from: number; seeds: number; jobs: number },
  told: (one: Told) => void
): Promise<void> {
  let next = from
  const work = () =>
    new Promise<void>((resolve, reject) => {
      const child = fork(fileURLToPath(import.meta.url), ['--worker'], { execArgv: process.execArgv })
      const give = () => {
        if (next >= from + seeds) return child.send([])
        const some = Array.from({ length: Math.min(SEEDS_AT_ONCE, from + seeds - next) }, (_, index) => next + index)
        next += some.length
        return child.send(some)
      }
      child.on('message', (message: Told | 'more') => (message === 'more' ? give() : told(message)))
      child.on('error', reject)
      child.on('exit', code => (code === 0 ? resolve() : reject(new Error(`a worker of the simulation ended with ${code}`))))
    })
  await Promise.all(Array.from({ length: Math.min(jobs, seeds) }, work))
}

async function worker(): Promise<void> {
  await prepare()
  process.on('message', async (some: number[]) => {
    if (some.length === 0) return process.exit(0)
    for (const seed of some) process.send!(await runSeed(seed))
    process.send!('more')
  })
  process.send!('more')
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '200' },
      from: { type: 'string', default: '1' },
      jobs: { type: 'string', default: '2' },
      verbose: { type: 'boolean', default: false }
    }
  })
  const [seeds, from, jobs] = [Number(values.seeds), Number(values.from), Number(values.jobs)]
  const startedMs = performance.now()
  const coverage = new Coverage()
  const fired = new Map<string, number>()
  let failed = 0
  await runSeeds({ from, seeds, jobs }, ({ seed, membership, digest, faults, taken, wrong }) => {
    coverage.add(taken ?? [])
    for (const [name, count] of Object.entries(faults ?? {})) fired.set(name, (fired.get(name) ?? 0) + count)
    if (values.verbose) console.log(`seed ${seed}  ${digest}  ${membership}  ${JSON.stringify(faults)}`)
    if (wrong.length === 0) return
    failed++
    console.log(`seed ${seed} FAILED; again: npm run sim -- --seeds 1 --from ${seed}\n  ${wrong.join('\n  ')}`)
  })
  const seconds = (performance.now() - startedMs) / 1_000
  console.log(
    `\n${seeds} seeds in ${seconds.toFixed(0)} s, ${(seeds / seconds).toFixed(1)}/s: ${failed === 0 ? 'all well' : `${failed} FAILED`}`
  )
  for (const [name, count] of [...fired].sort()) console.log(`  ${String(count).padStart(6)} x ${name}`)
  for (const { machine, taken, all, missing } of coverage.report()) {
    console.log(`  ${machine.padEnd(18)} ${taken} of ${all} transitions`)
    if (values.verbose) for (const each of missing) console.log(`    not taken: ${each}`)
  }
  process.exitCode = failed === 0 ? 0 : 1
}

if (process.argv[2] === '--worker') await worker()
else if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
