/**
 * `npm run fuzz -- [--inputs 1000000] [--only target] [--seed 1] [--from 0] [--jobs 2]`: so many hostile inputs for each reader of strangers' bytes
 * (test/fuzz), a tenth of that for each API's answers. Tells how many were refused, the slowest and the hungriest, and each finding with
 * the command that repeats it. Exit code 0: nothing was found; 1: something was; 2: the command is wrong.
 */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type FuzzOptions, fuzz } from '../test/fuzz/pool.ts'
import type { Finding, Tally } from '../test/fuzz/run.ts'
import { isOneOfMany, targetNames } from '../test/fuzz/targets/index.ts'

const NUMBERS = { inputs: [1_000_000, 1, 1_000_000_000], seed: [1, 0, 2 ** 31 - 1], from: [0, 0, 1_000_000_000], jobs: [2, 1, 64] } as const
const USAGE = 'Usage: npm run fuzz -- [--inputs 1000000] [--only target] [--seed 1] [--from 0] [--jobs 2]'
const ONE_OF_MANY = 10
/** Of each valid input: at every byte of nearly all. */
const CUTS = 2_000

export interface FuzzArguments {
  inputs: number
  seed: number
  from: number
  jobs: number
  targets: string[]
}

/** Throws Error on what is no option, on numbers that are none, and on a name that no target has. */
export function fuzzArguments(args: readonly string[]): FuzzArguments {
  const text = { type: 'string' } as const
  const { values } = parseArgs({ args: [...args], options: { inputs: text, only: text, seed: text, from: text, jobs: text } })
  const number = (name: keyof typeof NUMBERS) => {
    const [fallback, least, most] = NUMBERS[name]
    const given = values[name]
    if (given === undefined) return fallback
    const value = Number(given)
    if (/^\d+$/.test(given) && value >= least && value <= most) return value
    throw new Error(`--${name} is '${given}'; give a whole number from ${least} to ${most}.`)
  }
  const { only } = values
  const targets = targetNames.filter(name => only === undefined || name === only || name.startsWith(`${only}:`))
  if (targets.length === 0) throw new Error(`there is no target '${only}'; there are ${targetNames.join(', ')}.`)
  return { inputs: number('inputs'), seed: number('seed'), from: number('from'), jobs: number('jobs'), targets }
}

/** How many inputs each target gets. */
export function inputsOf({ inputs, targets }: Pick<FuzzArguments, 'inputs' | 'targets'>): Map<string, number> {
  return new Map(targets.map(name => [name, isOneOfMany(name) ? Math.max(1, Math.round(inputs / ONE_OF_MANY)) : inputs]))
}

/** A finding in words, with the command that repeats it. */
export function told({ target, seed, input, kind, what, hex }: Finding): string {
  const again = `npm run fuzz -- --only ${target} --seed ${seed} --from ${Math.max(0, input)} --inputs 1`
  const bytes = hex === '' ? '' : `\n  ${hex.length > 2_000 ? `${hex.slice(0, 2_000)}… (${hex.length / 2} bytes)` : hex}`
  return `${target} FAILED (${kind}): ${what}\n  again: ${again}${bytes}`
}

export function line(target: string, { inputs, cuts, refused, slowestMs, mostBytes }: Tally, seconds: number): string {
  const share = `${((100 * refused) / Math.max(1, inputs)).toFixed(0)} % refused`
  const rate = `${Math.round((inputs + cuts) / seconds)}/s`
  const most = `${(mostBytes / 1024).toFixed(0)} KiB`
  return `${target.padEnd(40)} ${String(inputs).padStart(9)} inputs ${String(cuts).padStart(6)} cuts ${rate.padStart(9)}  ${share.padStart(13)}  slowest ${slowestMs.toFixed(0)} ms, most ${most}`
}

async function main(given: FuzzArguments): Promise<void> {
  const startedMs = performance.now()
  const options: FuzzOptions = {
    ...{ seed: given.seed, from: given.from, jobs: given.jobs, cuts: CUTS },
    done(target, tally, seconds) {
      console.log(line(target, tally, seconds))
      for (const finding of tally.findings) console.log(told(finding))
    }
  }
  const tallies = await fuzz(inputsOf(given), options)
  const found = [...tallies.values()].reduce((sum, tally) => sum + tally.findings.length, 0)
  const inputs = [...tallies.values()].reduce((sum, tally) => sum + tally.inputs + tally.cuts, 0)
  const verdict = found > 0 ? `${found} FINDINGS` : 'nothing was found'
  console.log(`\n${inputs} inputs for ${tallies.size} targets in ${((performance.now() - startedMs) / 1_000).toFixed(0)} s: ${verdict}`)
  process.exitCode = found === 0 ? 0 : 1
}

async function command(args: readonly string[]): Promise<void> {
  let given: FuzzArguments
  try {
    given = fuzzArguments(args)
  } catch (error) {
    console.error(`fuzz: ${(error as Error).message}\n${USAGE}`)
    process.exitCode = 2
    return
  }
  await main(given)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await command(process.argv.slice(2))
