/**
 * `npm run sim -- [--seeds 200] [--from 1] [--jobs 2] [--verbose] [--until-failure]`: so many runs of the simulation (test/sim), each under its seed, by several processes. Every
 * fourth counts which transitions the machines take. Tells the rate, which faults have fired, and each seed that failed with the command that repeats it.
 * Exit code 0: all are well; 1: some are not, or were not run; 2: the command is wrong.
 */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Coverage } from '../test/sim/coverage.ts'
import { prepare, type SimResult, simulate } from '../test/sim/run.ts'

export interface Told {
  seed: number
  plan?: SimResult['plan']
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
    const { plan, digest, faults, report, problems } = await simulate({ seed, ...(coverage ? { coverage } : {}) })
    const anomalies = (report?.anomalies ?? []).slice(0, 5).map(({ anomaly, what }) => `${anomaly}: ${what}`)
    const wrong = [...problems, ...anomalies, ...(report?.valid === true || anomalies.length > 0 ? [] : ['the run proves nothing'])]
    return { seed, plan, digest, faults, wrong, ...(coverage ? { taken: [...coverage.taken] } : {}) }
  } catch (error) {
    return { seed, wrong: [(error as Error).stack ?? String(error)] }
  }
}

/** All seeds from `from` on, by `jobs` processes; `told` hears of each as it ends. `untilFailure`: none is begun after the first that went wrong. */
export async function runSeeds(
  { from, seeds, jobs, untilFailure = false }: { from: number; seeds: number; jobs: number; untilFailure?: boolean },
  told: (one: Told) => void
): Promise<void> {
  let next = from
  const atOnce = untilFailure ? 1 : SEEDS_AT_ONCE
  const heard = (one: Told) => {
    if (untilFailure && one.wrong.length > 0) next = from + seeds
    told(one)
  }
  const work = () =>
    new Promise<void>((resolve, reject) => {
      const child = fork(fileURLToPath(import.meta.url), ['--worker'], { execArgv: process.execArgv })
      const give = () => {
        if (next >= from + seeds) return child.send([])
        const some = Array.from({ length: Math.min(atOnce, from + seeds - next) }, (_, index) => next + index)
        next += some.length
        return child.send(some)
      }
      child.on('message', (message: Told | 'more') => (message === 'more' ? give() : heard(message)))
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

export interface SimArguments {
  seeds: number
  from: number
  jobs: number
  verbose: boolean
  /** No seed is begun after the first that went wrong. */
  untilFailure: boolean
}

const NUMBERS = { seeds: [200, 1, 10_000_000], from: [1, 0, 2 ** 31 - 1], jobs: [2, 1, 64] } as const

/** Throws Error on what is no option, and on numbers that are none. */
export function simArguments(args: readonly string[]): SimArguments {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const { values } = parseArgs({ args: [...args], options: { seeds: text, from: text, jobs: text, verbose: flag, 'until-failure': flag } })
  const number = (name: keyof typeof NUMBERS) => {
    const [fallback, least, most] = NUMBERS[name]
    const given = values[name]
    if (given === undefined) return fallback
    const value = Number(given)
    if (/^\d+$/.test(given) && value >= least && value <= most) return value
    throw new Error(`--${name} is '${given}'; give a whole number from ${least} to ${most}.`)
  }
  return {
    seeds: number('seeds'),
    from: number('from'),
    jobs: number('jobs'),
    verbose: values.verbose === true,
    untilFailure: values['until-failure'] === true
  }
}

async function main({ seeds, from, jobs, verbose, untilFailure }: SimArguments): Promise<void> {
  const startedMs = performance.now()
  const coverage = new Coverage()
  const fired = new Map<string, number>()
  const heard = new Set<number>()
  let failed = 0
  await runSeeds({ from, seeds, jobs, untilFailure }, ({ seed, plan, digest, faults, taken, wrong }) => {
    heard.add(seed)
    coverage.add(taken ?? [])
    for (const [name, count] of Object.entries(faults ?? {})) fired.set(name, (fired.get(name) ?? 0) + count)
    if (verbose) console.log(`seed ${seed}  ${digest}  ${JSON.stringify(plan)}  ${JSON.stringify(faults)}`)
    if (wrong.length === 0) return
    failed++
    console.log(`seed ${seed} FAILED; again: npm run sim -- --seeds 1 --from ${seed}\n  ${wrong.join('\n  ')}`)
  })
  const seconds = (performance.now() - startedMs) / 1_000
  const missing = seeds - heard.size
  const verdict = failed > 0 ? `${failed} FAILED` : missing > 0 ? `${missing} WERE NOT RUN` : 'all well'
  console.log(`\n${heard.size} seeds in ${seconds.toFixed(0)} s, ${(heard.size / seconds).toFixed(1)}/s: ${verdict}`)
  for (const [name, count] of [...fired].sort()) console.log(`  ${String(count).padStart(6)} x ${name}`)
  for (const { machine, taken, all, missing } of coverage.report()) {
    console.log(`  ${machine.padEnd(18)} ${taken} of ${all} transitions`)
    if (verbose) for (const each of missing) console.log(`    not taken: ${each}`)
  }
  process.exitCode = failed === 0 && missing === 0 ? 0 : 1
}

async function command(args: readonly string[]): Promise<void> {
  let given: SimArguments
  try {
    given = simArguments(args)
  } catch (error) {
    console.error(
      `sim: ${(error as Error).message}\nUsage: npm run sim -- [--seeds 200] [--from 1] [--jobs 2] [--verbose] [--until-failure]`
    )
    process.exitCode = 2
    return
  }
  await main(given)
}

if (process.argv[2] === '--worker') await worker()
else if (process.argv[1] === fileURLToPath(import.meta.url)) await command(process.argv.slice(2))
