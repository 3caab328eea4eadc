/**
 * Guards of the hot path: what a message, a sealed batch and a fetch may cost in bytes, events, recorded inputs and system calls. Nothing of it
 * depends on how busy the machine is. A limit is the figure that stands beside it, of the Node that takes most (20, 22 and 24 differ by 15 bytes),
 * and less than one small object more: who adds work on purpose measures anew and says so here.
 */
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { type Figures, type Work, works } from './figures.ts'
import { type HotPath, hotPath } from './hot-path.ts'

interface Limits {
  /** Of the JavaScript heap, per message. */
  heapBytes: number
  /** Of memory outside of it (batches, frames), per message of 100 bytes, which takes 107 in a batch: a copy more is what must be seen. */
  bufferBytes: number
}

const limits: Record<Work, Limits> = {
  'publish lists': { heapBytes: 66, bufferBytes: 128 }, // 57.3 and 124.4
  'publish lists to six partitions': { heapBytes: 298, bufferBytes: 128 }, // 289.7 and 124.0: each message is a record with its partition
  'publish one by one': { heapBytes: 760, bufferBytes: 128 }, // 750.8 and 124.4: of that the test's promises 250
  PUBLISH: { heapBytes: 67, bufferBytes: 128 }, // 58.3 and 124.4
  'consume by batch': { heapBytes: 175, bufferBytes: 122 }, // 166.2 and 110.0: a view, and the slice that is its value
  'consume by message': { heapBytes: 464, bufferBytes: 122 }, // 455.1 and 110.0: what `for await` makes of each as well
  SUBSCRIBE: { heapBytes: 175, bufferBytes: 122 } // 166.2 and 110.0
}

/** Through the machines, for each sealed batch, and for the command where there is one; nothing at all for a fetch. */
const eventsOfBatch = { SEALED: 1, ACKED: 1 }
/** Inputs of a sealed batch and their bytes in the recording: 2 and 32.0. */
const RECORDED = 2
const RECORDED_BYTES = 36

describe('the hot path', { concurrency: 2 }, async () => {
  const path = await hotPath()
  after(() => path.end())

  for (const work of works)
    it(`${work}: takes no more than it must`, async () => {
      const figures = await path.count(work)
      if (work.startsWith('consume') || work === 'SUBSCRIBE') consumes(work, figures)
      else publishes(work, figures)
      await takes(path, work, figures)
    })
})

function publishes(work: Work, figures: Figures): void {
  const events = work === 'PUBLISH' ? { PUBLISH: 1, ...eventsOfBatch } : eventsOfBatch
  assert.deepEqual(figures.events, events, `events to machines per sealed batch, of "${work}": bytes go past the machines`)
  assert.equal(figures.recorded, RECORDED, `inputs recorded per sealed batch, of "${work}"`)
  const bytes = figures.recordedBytes
  assert.ok(
    bytes <= RECORDED_BYTES,
    `"${work}" records ${bytes.toFixed(1)} bytes per sealed batch; the limit is ${RECORDED_BYTES}: events carry no payload`
  )
  // What is published in one turn goes to its broker in one request.
  const requests = work === 'publish lists to six partitions' ? 1 / 6 : 1
  assert.equal(figures.requests, requests, `Produce requests per sealed batch, of "${work}"`)
  assert.equal(figures.writes, 1, `writes to the socket per request, of "${work}"`)
}

function consumes(work: Work, figures: Figures): void {
  assert.deepEqual(figures.events, {}, `events to machines per fetch, of "${work}": bytes go past the machines`)
  assert.equal(figures.recorded, 0, `inputs recorded per fetch, of "${work}"`)
  assert.equal(figures.writes, 1, `writes to the socket per request, of "${work}"`)
}

/** Bytes per message; where it is too much, it says which functions take them. */
async function takes(path: HotPath, work: Work, figures: Figures): Promise<void> {
  for (const what of ['heapBytes', 'bufferBytes'] as const) {
    const [taken, limit] = [figures[what], limits[work][what]]
    if (taken <= limit) continue
    const { sites } = await path.count(work, 'sites')
    const told = sites.map(([site, bytes]) => `  ${String(bytes).padStart(5)}  ${site}`).join('\n')
    assert.fail(`"${work}" takes ${taken.toFixed(1)} ${what} per message; the limit is ${limit}. The heap's, by function:\n${told}`)
  }
  assert.ok(
    figures.bufferBytes > 100,
    `"${work}" takes ${figures.bufferBytes} bytes of buffers per message: that cannot be, messages have 100`
  )
}
