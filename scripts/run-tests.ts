/**
 * One run of node's own test runner: its output goes through as it is, and the closing lines are read for the summary.
 */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export interface Outcome {
  /** Did the command end well? */
  ok: boolean
  tests: number
  pass: number
  fail: number
  /** Skipped and todo: tests that prove nothing. */
  unproven: number
}

export const nothing: Outcome = { ok: true, tests: 0, pass: 0, fail: 0, unproven: 0 }

export interface TestRun {
  files: string[]
  atOnce: number
  fileLimitMs: number
  /** The node to run them on. Default: this one. */
  node?: string
  environment?: Record<string, string>
}

export async function runTests(run: TestRun): Promise<Outcome> {
  const outcome = { ...nothing }
  const flags = [
    '--import',
    'tsx',
    '--test',
    '--test-reporter=spec',
    `--test-concurrency=${run.atOnce}`,
    `--test-timeout=${run.fileLimitMs}`
  ]
  outcome.ok = await command(run.node ?? process.execPath, [...flags, ...run.files], { environment: run.environment ?? {} }, line => {
    const [, what, count] = /^(?:ℹ|#) (tests|pass|fail|cancelled|skipped|todo) (\d+)$/u.exec(line) ?? []
    if (what === 'tests' || what === 'pass') outcome[what] += Number(count)
    else if (what === 'fail' || what === 'cancelled') outcome.fail += Number(count)
    else if (what) outcome.unproven += Number(count)
  })
  if (outcome.tests === 0) {
    console.error('not one test was run')
    outcome.ok = false
  }
  return outcome
}

/** Runs a command with its output shown; true: it ended with 0. */
export function command(
  file: string,
  args: string[],
  options: { environment?: Record<string, string> } = {},
  eachLine: (line: string) => void = () => {}
): Promise<boolean> {
  return new Promise(resolve => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...options.environment } })
    createInterface({ input: child.stdout }).on('line', line => {
      console.log(line)
      eachLine(line)
    })
    child.once('error', error => {
      console.error(`${file} did not run: ${error.message}`)
      resolve(false)
    })
    child.once('close', code => resolve(code === 0))
  })
}
