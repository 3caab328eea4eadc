/**
 * `npm run faults -- [--only NAME …] [--cut] [--write]`: the fault table (test/faults) on a real cluster of three brokers, which takes about half an hour.
 * `npm run faults -- --embedded [--seeds 20] [--from 1]`: its embedded scenarios, under so many seeds each. `--write` puts the figures of the
 * rows that were run into docs/FAULTS.md, when all of them hold. Exit code 0: every row holds; 1: some do not; 2: the command is wrong.
 */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type EmbeddedResult, prepareScenes, problemsOf, runEmbedded } from '../test/faults/embedded.ts'
import { EMBEDDED } from '../test/faults/embedded-faults.ts'
import { Ground } from '../test/faults/ground.ts'
import { embeddedTable, proofTable, realTable, writeTable } from '../test/faults/report.ts'
import { runFault } from '../test/faults/run.ts'
import { FAULTS, type Result } from '../test/faults/table.ts'

const USAGE = 'Usage: npm run faults -- [--only NAME …] [--cut] [--write] | --embedded [--only NAME …] [--seeds 20] [--from 1] [--write]'
const page = fileURLToPath(new URL('../docs/FAULTS.md', import.meta.url))

interface Arguments {
  only: string[]
  cut: boolean
  embedded: boolean
  write: boolean
  seeds: number
  from: number
}

/** Throws Error on what is no option, no number, no row. */
function argumentsOf(args: string[]): Arguments {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean', default: false } as const
  const { values } = parseArgs({
    args,
    options: { only: { ...text, multiple: true }, cut: flag, embedded: flag, write: flag, seeds: text, from: text }
  })
  const { only = [] } = values
  const number = (name: 'seeds' | 'from', fallback: number) => {
    const given = values[name]
    if (given === undefined) return fallback
    if (/^\d{1,8}$/.test(given) && Number(given) > 0) return Number(given)
    throw new Error(`--${name} is '${given}'; give a whole number.`)
  }
  const names = (values.embedded ? EMBEDDED : FAULTS).map(({ name }) => name)
  const unknown = only.find(name => !names.includes(name))
  if (unknown !== undefined) throw new Error(`there is no row '${unknown}'; there are: ${names.join(', ')}.`)
  return { ...values, only, seeds: number('seeds', 20), from: number('from', 1) }
}

async function real({ only, cut, write }: Arguments): Promise<boolean> {
  const wanted = FAULTS.filter(fault => (only.length === 0 || only.includes(fault.name)) && (!cut || fault.cut))
  const results: Result[] = []
  const failed: string[] = []
  const ground = await Ground.start()
  try {
    for (const fault of wanted)
      try {
        const result = await runFault(ground, fault)
        results.push(result)
        console.log(`ok      ${fault.name} (${(result.tookMs / 1_000).toFixed(0)} s): ${result.proof}`)
        console.log(`        ${JSON.stringify(result.figures)} Java: ${JSON.stringify(result.java)}`)
      } catch (error) {
        failed.push(fault.name)
        console.log(`FAILED  ${fault.name}\n${(error as Error).stack}\n${String((error as Error).cause ?? '')}`)
      }
  } finally {
    await ground.dispose()
  }
  console.log(`\n${realTable(results)}\n`)
  const well = failed.length === 0
  console.log(well ? `all ${results.length} rows hold` : `${failed.length} of ${wanted.length} rows do not hold: ${failed.join(', ')}`)
  if (write && well) {
    const order = FAULTS.map(({ name }) => name)
    writeTable(page, 'real', realTable(results), order)
    writeTable(page, 'proof', proofTable(results, FAULTS), order)
  }
  return well
}

async function embedded({ only, seeds, from, write }: Arguments): Promise<boolean> {
  await prepareScenes()
  const results: EmbeddedResult[] = []
  let failed = 0
  for (const fault of EMBEDDED.filter(({ name }) => only.length === 0 || only.includes(name)))
    for (let seed = from; seed < from + seeds; seed++) {
      let problems: string[]
      try {
        const result = await runEmbedded(fault, seed)
        results.push(result)
        problems = problemsOf(result, fault)
      } catch (error) {
        problems = [(error as Error).stack ?? String(error)]
      }
      if (problems.length === 0) continue
      failed++
      const again = `npm run faults -- --embedded --only '${fault.name}' --seeds 1 --from ${seed}`
      console.log(`FAILED  ${fault.name}, seed ${seed}; again: ${again}\n  ${problems.join('\n  ')}`)
    }
  console.log(`\n${embeddedTable(results)}\n\n${failed === 0 ? `all ${results.length} runs hold` : `${failed} runs do not hold`}`)
  if (write && failed === 0)
    writeTable(
      page,
      'embedded',
      embeddedTable(results),
      EMBEDDED.map(({ name }) => name)
    )
  return failed === 0
}

let given: Arguments | undefined
try {
  given = argumentsOf(process.argv.slice(2))
} catch (error) {
  console.error(`faults: ${(error as Error).message}\n${USAGE}`)
  process.exitCode = 2
}
if (given) process.exitCode = (await (given.embedded ? embedded(given) : real(given))) ? 0 : 1
