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
  /** Processes at a time. */
  atOnce: number
  /** Many files to a process, instead of one each. */
  together: boolean
  fileLimitMs: number
  /** The node to run them on. Default: this one. */
  node?: string
  environment?: Record<string, string>
}

export async function runTests(run: TestRun): Promise<Outcome> {
  const outcome = { ...nothing }
  const count = (line: string) => {
    const [, what, number] = /^(?:ℹ|#) (tests|pass|fail|cancelled|skipped|todo) (\d+)$/u.exec(line) ?? []
    if (what === 'tests' || what === 'pass') outcome[what] += Number(number)
    else if (what === 'fail' || what === 'cancelled') outcome.fail += Number(number)
    else if (what) outcome.unproven += Number(number)
  }
  const ends = await Promise.all(
    processes(run).map((args, index) => {
      const options = { environment: run.environment ?? {}, hold: index > 0 }
      return command(run.node ?? process.execPath, ['--import', 'tsx', '--test-reporter=spec', ...args], options, count)
    })
  )
  outcome.ok = ends.every(Boolean)
  if (outcome.tests === 0) {
    console.error('not one test was run')
    outcome.ok = false
  }
  return outcome
}

/** The arguments of each process that makes up the run. */
function processes({ files, atOnce, together, fileLimitMs }: TestRun): string[][] {
  if (!together) return [['--test', `--test-concurrency=${atOnce}`, `--test-timeout=${fileLimitMs}`, ...files]]
  const shares = Array.from({ length: Math.min(atOnce, files.length) }, (_, share) => files.filter((_, index) => index % atOnce === share))
  return shares.map(share => ['scripts/pure-files.ts', String(fileLimitMs), ...share])
}

/** Runs a command with its output shown (`hold`: in one piece, at its end); true: it ended with 0. */
export function command(
  file: string,
  args: string[],
  options: { environment?: Record<string, string>; hold?: boolean } = {},
  eachLine: (line: string) => void = () => {}
): Promise<boolean> {
  return new Promise(resolve => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...options.environment } })
    const held: string[] = []
    createInterface({ input: child.stdout }).on('line', line => {
      if (options.hold) held.push(line)
      else console.log(line)
      eachLine(line)
    })
    child.once('error', error => {
      console.error(`${file} did not run: ${error.message}`)
      resolve(false)
    })
    child.once('close', code => {
      if (held.length > 0) console.log(held.join('\n'))
      resolve(code === 0)
    })
  })
}
