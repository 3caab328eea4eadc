/**
 * The process in which inputs are read: little heap, counted buffers, and nothing else in it, so that what it dies of is an input's doing.
 * It is told jobs, and tells what became of each.
 */
import { hookBuffers } from './meter.ts'
import { Fuzzer, type Tally } from './run.ts'
import { loadTarget } from './targets/index.ts'

export interface Job {
  target: string
  seed: number
  from: number
  inputs: number
  /** Cuts of each valid input, before the others. 0: none. */
  cuts: number
  /** Announce every input before it is read: to find the one that nothing is heard after. */
  each: boolean
}

export type Told = { kind: 'ready' } | { kind: 'input'; input: number } | { kind: 'done'; tally: Tally }

const tell = (told: Told) => process.send!(told)

hookBuffers()
process.on('message', async (job: Job) => {
  const fuzzer = new Fuzzer(await loadTarget(job.target), job.seed)
  const before = job.each ? (input: number) => void tell({ kind: 'input', input }) : undefined
  if (job.cuts > 0) fuzzer.cuts(job.cuts, before)
  fuzzer.run(job.from, job.inputs, before)
  tell({ kind: 'done', tally: fuzzer.tally })
})
tell({ kind: 'ready' })
