/**
 * The worker with readers as they should not be, one of each kind: what the harness must find.
 */
import type { Random } from '../wire/random-message.ts'
import { hookBuffers } from './meter.ts'
import { Fuzzer } from './run.ts'
import type { Seed } from './seed.ts'
import type { Target } from './target.ts'
import type { Job } from './worker.ts'

function valid(random: Random): Seed {
  const body = random.bytes(random.between(1, 30))
  const bytes = Buffer.concat([Buffer.alloc(4), body])
  bytes.writeInt32BE(body.length)
  return { what: 'a body', bytes, fields: [{ at: 0, bytes: 4, kind: 'int32', covers: [4, bytes.length] }] }
}

const kept: unknown[] = []
/** By the length in front: how each would deal with it. */
const READERS: Record<string, (bytes: Buffer) => void> = {
  'believes-lengths': bytes => void Buffer.allocUnsafeSlow(Math.max(0, Math.min(bytes.readInt32BE(0), 1 << 24))),
  'reads-past-the-end': bytes => void (bytes.length >= 4 && bytes.readInt32BE(bytes.readInt32BE(0))),
  'believes-counts': bytes => {
    if (bytes.length < 4) return
    const list: object[] = []
    for (let i = Math.min(bytes.readInt32BE(0), 60_000); i > 0; i--) list.push({ i })
    if (list.length === 7) kept.push(list)
  },
  'never-ends': bytes => {
    while (bytes.length >= 4 && bytes.readInt32BE(0) < 0) bytes.length
  },
  'dies-of-it': bytes => {
    if (bytes.length >= 4 && bytes.readInt32BE(0) === 0x7fffffff) process.kill(process.pid, 'SIGSEGV')
  },
  'writes-into-it': bytes => {
    if (bytes.length > 4) bytes[4] = 1
  },
  'is-as-it-should-be': () => {}
}

hookBuffers()
process.on('message', (job: Job) => {
  const target: Target = {
    name: job.target,
    pool: random => Array.from({ length: 8 }, () => valid(random)),
    read: bytes => {
      if (bytes.length >= 4 || job.target === 'reads-past-the-end') READERS[job.target]!(bytes)
    }
  }
  const fuzzer = new Fuzzer(target, job.seed)
  const before = job.each ? (input: number) => void process.send!({ kind: 'input', input }) : undefined
  if (job.cuts > 0) fuzzer.cuts(job.cuts, before)
  fuzzer.run(job.from, job.inputs, before)
  process.send!({ kind: 'done', tally: fuzzer.tally })
})
process.send!({ kind: 'ready' })
