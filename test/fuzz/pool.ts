/**
 * Gives work to processes and notices when one of them hangs or dies: the batch that it had is done again, input by input, and the last one
 * that it announced is the finding. (A thread would not do: what runs out of memory, or crashes in native code, takes the process along.)
 */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { emptyTally, type Tally } from './run.ts'
import type { Job, Told } from './worker.ts'

const HEAP_MEGABYTES = 256
const BATCH_INPUTS = 5_000

export interface FuzzOptions {
  seed: number
  from: number
  /** Places at which each valid input is cut, at most. */
  cuts: number
  /** Processes at a time. */
  jobs: number
  /** Nothing heard of a batch for so long: it hangs. Default 60,000. */
  batchLimitMs?: number
  /** Nothing heard of a single input for so long. Default 10,000. */
  inputLimitMs?: number
  /** The file that workers run; for tests of this one. */
  worker?: URL
  /** Told as targets end. */
  done?: (target: string, tally: Tally, seconds: number) => void
}

/** `inputs` by target. */
export async function fuzz(inputs: ReadonlyMap<string, number>, options: FuzzOptions): Promise<Map<string, Tally>> {
  const tallies = new Map<string, Tally>()
  const waiting = [...inputs]
  const one = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [target, count] = next
      const startedMs = performance.now()
      const tally = await fuzzTarget(target, count, options)
      tallies.set(target, tally)
      options.done?.(target, tally, (performance.now() - startedMs) / 1_000)
    }
  }
  const workers = Array.from({ length: Math.min(options.jobs, waiting.length) }, one)
  await Promise.all(workers)
  await Promise.all(idle.splice(0).map(end))
  return tallies
}

async function fuzzTarget(target: string, inputs: number, options: FuzzOptions): Promise<Tally> {
  const total = emptyTally()
  for (let at = 0; at < inputs && total.findings.length === 0; at += BATCH_INPUTS) {
    const from = options.from + at
    const job: Job = {
      ...{ target, seed: options.seed, from, inputs: Math.min(BATCH_INPUTS, inputs - at) },
      ...{ cuts: from === 0 ? options.cuts : 0, each: false }
    }
    add(total, await batch(job, options))
  }
  return total
}

function add(total: Tally, { inputs, cuts, taken, refused, slowestMs, mostBytes, findings }: Tally): void {
  total.inputs += inputs
  total.cuts += cuts
  total.taken += taken
  total.refused += refused
  total.slowestMs = Math.max(total.slowestMs, slowestMs)
  total.mostBytes = Math.max(total.mostBytes, mostBytes)
  total.findings.push(...findings)
}

async function batch(job: Job, options: FuzzOptions): Promise<Tally> {
  const told = await give(job, options.batchLimitMs ?? 60_000, options)
  if ('tally' in told) return told.tally
  const again = await give({ ...job, each: true }, options.inputLimitMs ?? 10_000, options)
  if ('tally' in again)
    return {
      ...again.tally,
      findings: [
        ...again.tally.findings,
        finding(job, told.ended, job.from, `a batch of ${job.inputs} from this one on, and not a second time`)
      ]
    }
  return { ...emptyTally(), findings: [finding(job, again.ended, again.input, again.what)] }
}

const finding = ({ target, seed }: Job, kind: 'hang' | 'crash', input: number, what: string) => ({
  target,
  seed,
  input,
  kind,
  what,
  hex: ''
})

type Outcome = { tally: Tally } | { ended: 'hang' | 'crash'; input: number; what: string }

const idle: ChildProcess[] = []

async function give(job: Job, limitMs: number, options: FuzzOptions): Promise<Outcome> {
  const child = idle.pop() ?? (await begin(options.worker ?? new URL('./worker.ts', import.meta.url)))
  return new Promise(resolve => {
    let input = job.from
    let timer: NodeJS.Timeout
    const settle = (outcome: Outcome) => {
      clearTimeout(timer)
      child.removeAllListeners()
      if ('tally' in outcome) idle.push(child)
      else child.kill('SIGKILL')
      resolve(outcome)
    }
    const arm = () => {
      clearTimeout(timer)
      timer = setTimeout(() => settle({ ended: 'hang', input, what: `nothing was heard for ${limitMs} ms` }), limitMs)
    }
    child.on('message', (told: Told) => {
      if (told.kind === 'done') return settle({ tally: told.tally })
      if (told.kind !== 'input') return
      input = told.input
      arm()
    })
    child.on('exit', (code, signal) => settle({ ended: 'crash', input, what: `the process ended with ${signal ?? code}` }))
    arm()
    child.send(job)
  })
}

function begin(file: URL): Promise<ChildProcess> {
  return new Promise((resolve, reject) => {
    const execArgv = ['--import', 'tsx', `--max-old-space-size=${HEAP_MEGABYTES}`]
    const child = fork(fileURLToPath(file), { execArgv })
    child.once('message', () => {
      child.removeAllListeners()
      resolve(child)
    })
    child.once('exit', code => reject(new Error(`a process that should read inputs ended with ${code} before it began`)))
  })
}

function end(child: ChildProcess): Promise<void> {
  return new Promise(resolve => {
    child.once('exit', () => resolve())
    child.disconnect()
  })
}
