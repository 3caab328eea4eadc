/**
 * The publishing side against a model of a broker's producer state, under random answers, cuts, late writes and new leaders.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { PublishOptions } from '../../src/model/config.ts'
import { type KeptBatch, PublishBench, type Reply, reply, type Sent } from '../support/publish-bench.ts'

interface Producer {
  epoch: number
  last: number
  /** The newest five, as a broker keeps them. */
  window: { first: number; count: number; bytes: Buffer; offset: bigint }[]
}

/** One partition's log with Kafka's checks (ProducerStateManager): what is in it, and whether a sequence was met with other bytes. */
class Log {
  readonly values: string[] = []
  readonly violations: string[] = []
  #producers = new Map<bigint, Producer>()
  tooLarge = Number.POSITIVE_INFINITY

  append(batch: KeptBatch): Reply {
    if (batch.count > this.tooLarge) return { errorCode: 10 }
    if (batch.producerId < 0n) return this.#write(batch)
    let producer = this.#producers.get(batch.producerId)
    if (producer && batch.epoch < producer.epoch) return { errorCode: 47 }
    if (producer && batch.epoch === producer.epoch) {
      const known = producer.window.find(one => one.first === batch.sequence && one.count === batch.count)
      if (known) {
        if (!known.bytes.equals(batch.bytes)) this.violations.push(`sequence ${batch.sequence} with other bytes`)
        return { baseOffset: known.offset }
      }
      if (batch.sequence !== (producer.last + 1) % 0x80000000) return { errorCode: 45 }
    } else if (producer && batch.sequence !== 0) return { errorCode: 45 }
    if (!producer || producer.epoch !== batch.epoch) {
      producer = { epoch: batch.epoch, last: -1, window: [] }
      this.#producers.set(batch.producerId, producer)
    }
    const answer = this.#write(batch)
    producer.last = batch.sequence + batch.count - 1
    producer.window.push({ first: batch.sequence, count: batch.count, bytes: batch.bytes, offset: answer.baseOffset! })
    if (producer.window.length > 5) producer.window.shift()
    return answer
  }

  #write(batch: KeptBatch): Reply {
    const baseOffset = BigInt(this.values.length)
    this.values.push(...batch.values)
    return { baseOffset }
  }
}

const partitions = 2
/** How often each thing happens, in parts. */
const weights = {
  publish: 12,
  list: 2,
  ok: 8,
  wait: 5,
  refuse: 2,
  open: 2,
  final: 1,
  silent: 1,
  cut: 1,
  'written then cut': 1,
  leader: 1,
  'late writes': 1
}
const kinds = Object.entries(weights).flatMap(([what, weight]) => Array.from({ length: weight }, () => what))
const steps = fc.array(fc.record({ what: fc.constantFrom(...kinds), n: fc.integer({ min: 0, max: 999 }) }), {
  minLength: 60,
  maxLength: 160,
  size: 'max'
})
type Step = { what: string; n: number }

class Run {
  readonly bench: PublishBench
  readonly logs = Array.from({ length: partitions }, () => new Log())
  /** Written by the broker only after the client has given up the connection. */
  late: KeptBatch[] = []
  epoch = 1
  published = 0

  constructor(publish: PublishOptions, tooLarge: number) {
    this.bench = new PublishBench({ deliveryTimeoutMs: 8_000, ...publish })
    this.bench.topic('t', partitions)
    for (const log of this.logs) log.tooLarge = tooLarge
  }

  /** The oldest request of a connection: a broker takes them in order. */
  oldest(n: number): Sent | undefined {
    const links = this.bench.allLinks.filter(link => link.inFlight > 0)
    return links[n % Math.max(1, links.length)]?.sent.find(sent => !sent.answered)
  }

  async step({ what, n }: Step): Promise<void> {
    const { bench } = this
    const sent = this.oldest(n)
    const written = (batch: KeptBatch) => this.logs[batch.partition]!.append(batch)
    if (what === 'publish') bench.publish('t', { value: `${this.published++}`, partition: n % partitions })
    else if (what === 'list') {
      const list = Array.from({ length: 2 + (n % 5) }, () => ({ value: `${this.published++}`, partition: n % partitions }))
      bench.publish('t', list)
    } else if (what === 'wait') await bench.go(n % 5 === 0 ? n * 3 : n % 250)
    else if (what === 'late writes') for (const batch of this.late.splice(0)) written(batch)
    else if (what === 'leader') {
      const partition = n % partitions
      if (bench.actors.has(`topics/t/${partition}`)) bench.leader('t', partition, 1 + (n % 3), ++this.epoch)
    } else if (!sent) await bench.go(n % 150)
    else if (what === 'ok') reply(sent, written)
    else if (what === 'refuse') reply(sent, { errorCode: [19, 3, 5, 2][n % 4]! })
    else if (what === 'final') reply(sent, { errorCode: 87 })
    else if (what === 'open') {
      const errorCode = [7, 20, 6, -1, 56][n % 5]!
      reply(sent, batch => {
        const answer = n % 2 ? written(batch) : {}
        return answer.errorCode ? answer : { errorCode }
      })
    } else if (what === 'silent') reply(sent, batch => (batch.partition === n % partitions ? null : written(batch)))
    else {
      const waiting = sent.link.sent.filter(one => !one.answered).flatMap(({ batches }) => batches)
      if (what === 'written then cut') for (const batch of waiting) written(batch)
      else if (n % 2) this.late.push(...waiting)
      sent.link.cut()
    }
    await bench.go(n % 3)
  }

  /** No more faults: everything must settle. */
  async finish(): Promise<void> {
    const { bench } = this
    for (let i = 0; i < 2_000 && bench.outcomes.some(({ settled }) => settled === 0); i++) {
      for (let sent = this.oldest(0); sent; sent = this.oldest(0)) {
        reply(sent, batch => this.logs[batch.partition]!.append(batch))
        await bench.go()
      }
      await bench.go(50)
    }
  }

  check(idempotent: boolean): void {
    const { bench } = this
    for (const { values, settled } of bench.outcomes) assert.equal(settled, 1, `${values} settled ${settled} times`)
    assert.equal(bench.publisher.bufferedBytes, 0)
    const log = this.logs.map(({ values }) => values)
    for (const { values, error, partition } of bench.outcomes)
      for (const value of values) {
        const times = log.flat().filter(one => one === value).length
        if (!error) assert.ok(log[partition!]!.includes(value), `${value} was acked and is not there`)
        if (idempotent) assert.ok(times <= 1, `${value} was written ${times} times`)
        if (error?.outcome === 'failed') assert.equal(times, 0, `${value} failed and is there`)
      }
    for (const { violations } of this.logs) assert.deepEqual(violations, [])
    // First writings of what was acked are in the order of publishing.
    const acked = new Set(bench.outcomes.flatMap(({ error, values }) => (error ? [] : values)))
    for (const values of log) {
      const first = [...new Set(values)].filter(value => acked.has(value)).map(Number)
      assert.deepEqual(
        first,
        [...first].sort((a, b) => a - b)
      )
    }
  }
}

for (const [name, publish] of [
  ['idempotent', {}],
  ['idempotent, small batches', { batchBytes: 1_024, lingerMs: 5 }],
  ['not idempotent', { idempotent: false }]
] as const)
  test(`${name}: whatever the broker does, each publish settles once and truly, in order, and its memory comes back`, async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.constantFrom(Number.POSITIVE_INFINITY, 3, 1), async (script, tooLarge) => {
        const run = new Run(publish, tooLarge)
        await run.bench.go()
        for (const step of script) await run.step(step)
        await run.finish()
        run.check(name !== 'not idempotent')
        run.bench.stop()
      }),
      { numRuns: 15, seed: 1 }
    )
  })
