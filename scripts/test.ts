/**
 * The test command: `npm test` runs everything, `npm run check` what takes seconds, `npm run test:<lane> [-- files]` one lane.
 * The cluster lane's brokers are started once, here, and shared by its files. Ends with a table and the right exit code.
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { requireTool } from '../test/support/maven.ts'
import { environmentName, shareClusters } from '../test/support/shared-clusters.ts'
import { type Lane, lanes, testFiles } from './lanes.ts'
import { command, nothing, type Outcome, runTests } from './run-tests.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const strict = Boolean(process.env.CI)
const notRun = 'NOT RUN'

interface Row {
  lane: string
  seconds: number
  outcome: Outcome
  note: string
}

process.chdir(root)
process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1

async function main(args: string[]): Promise<boolean> {
  const files = args.filter(arg => arg.endsWith('.ts'))
  const names = args.filter(arg => !arg.endsWith('.ts'))
  const wanted = names.flatMap(name => (name === 'check' ? ['types', 'lint', 'pure'] : [name]))
  const known = ['types', 'lint', ...lanes.map(lane => lane.name)]
  const unknown = wanted.find(name => !known.includes(name))
  if (unknown !== undefined) {
    console.error(`there is no lane ${unknown}: choose from ${known.join(', ')}, or name test files`)
    return false
  }
  const chosen = (name: string) => (wanted.length > 0 ? wanted.includes(name) : files.length === 0)
  const rows: Row[] = []
  if (chosen('types')) rows.push(await timed('types', () => tool('tsc', ['-p', 'tsconfig.json'])))
  if (chosen('lint')) rows.push(await timed('lint', () => tool('biome', ['check', '.'])))
  const all = files.length > 0 ? files : testFiles(root)
  for (const lane of lanes) {
    const mine = all.filter(lane.takes)
    const unasked = lane.byName && files.length === 0
    if (wanted.length > 0 ? chosen(lane.name) : mine.length > 0 && !unasked) rows.push(await runLane(lane, mine))
  }
  return report(rows)
}

async function runLane(lane: Lane, files: string[]): Promise<Row> {
  if (lane.needsJava) {
    try {
      await requireTool('java', ['-version'], 'a JDK (17 or newer)')
      await requireTool('mvn', ['-v'], 'Maven (3.8 or newer)')
    } catch (error) {
      console.error(`\nThe ${lane.name} tests were NOT RUN: ${error instanceof Error ? error.message : error}`)
      return { lane: lane.name, seconds: 0, outcome: { ...nothing, ok: !strict }, note: `${notRun}: Java or Maven is missing` }
    }
  }
  return timed(lane.name, async () => {
    if (files.length === 0) {
      console.error(`the ${lane.name} lane has no test files`)
      return { ...nothing, ok: false }
    }
    const { atOnce, together, fileLimitMs } = lane
    const run = { files, atOnce, together, fileLimitMs }
    if (lane.name !== 'cluster' && lane.name !== 'long') return runTests(run)
    const startedAt = performance.now()
    const shared = await shareClusters()
    console.log(`three clusters up in ${seconds(startedAt).toFixed(1)} s`)
    try {
      return await runTests({ ...run, environment: { [environmentName]: shared.environment } })
    } finally {
      await shared.dispose()
    }
  })
}

async function timed(lane: string, run: () => Promise<Outcome>): Promise<Row> {
  console.log(`\n── ${lane}`)
  const startedAt = performance.now()
  let outcome: Outcome
  try {
    outcome = await run()
  } catch (error) {
    console.error(error)
    outcome = { ...nothing, ok: false }
  }
  const note = outcome.unproven > 0 ? `${outcome.unproven} skipped or todo` : ''
  if (strict && outcome.unproven > 0) outcome.ok = false
  return { lane, seconds: seconds(startedAt), outcome, note }
}

async function tool(name: string, args: string[]): Promise<Outcome> {
  return { ...nothing, ok: await command(join(root, 'node_modules', '.bin', name), args) }
}

function report(rows: Row[]): boolean {
  console.log(`\n${'lane'.padEnd(10)}${'seconds'.padStart(8)}${'tests'.padStart(7)}${'pass'.padStart(7)}${'fail'.padStart(7)}`)
  for (const { lane, seconds, outcome, note } of rows) {
    const verdict = note.startsWith(notRun) && outcome.ok ? '-' : outcome.ok ? 'ok' : 'FAILED'
    const counts = [outcome.tests, outcome.pass, outcome.fail].map(count => String(count).padStart(7)).join('')
    console.log(`${lane.padEnd(10)}${seconds.toFixed(1).padStart(8)}${counts}  ${verdict} ${note}`.trimEnd())
  }
  const sum = (pick: (row: Row) => number) => rows.reduce((total, row) => total + pick(row), 0)
  const ok = rows.length > 0 && rows.every(row => row.outcome.ok)
  const [total, tests, pass] = [sum(row => row.seconds), sum(row => row.outcome.tests), sum(row => row.outcome.pass)]
  const skippedLanes = rows.filter(row => row.note.startsWith(notRun)).map(row => row.lane)
  const verdict = !ok ? 'FAILED' : skippedLanes.length > 0 ? `NOT ALL RUN (${skippedLanes.join(', ')})` : 'all well'
  console.log(`${verdict}: ${pass} of ${tests} tests passed in ${total.toFixed(0)} s`)
  return ok
}

function seconds(startedAt: number): number {
  return (performance.now() - startedAt) / 1000
}
