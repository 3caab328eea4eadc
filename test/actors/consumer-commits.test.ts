import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BrokerError, SamsaError } from '../../src/model/errors.ts'
import type { ConsumerEmitted } from '../../src/model/events.ts'
import { ConsumerBench } from './consumer-bench.ts'

type Batch = Extract<ConsumerEmitted, { type: 'message.batch' }>
const t = (partition: number, offset: bigint) => ({ topic: 't', partition, offset })

async function owning(...partitions: number[]) {
  const bench = new ConsumerBench({ autoCommitIntervalMs: false })
  const got: Batch[] = []
  bench.handle.on('message.batch', event => void got.push(event))
  bench.own(...partitions)
  for (const partition of partitions) bench.append(partition, 4)
  await bench.settle()
  return { bench, got }
}

/** As a store whose coordinator is away for so many tries. */
function away(bench: ConsumerBench, tries: number) {
  const { commit } = bench.plane.offsets!
  bench.plane.offsets!.commit = async (epoch, offsets) => {
    if (tries-- > 0) throw new SamsaError('NO_SESSION', 'It is away.', { retriable: true })
    return commit(epoch, offsets)
  }
}

test('exactly these offsets, with metadata and leader epoch, whatever was processed; of a message the offset after it', async () => {
  const { bench, got } = await owning(0, 1)
  await bench.handle.commit([{ ...t(0, 2n), metadata: 'mine', leaderEpoch: 3 }, got[1]!.messages[0]!])
  assert.deepEqual(bench.committed, [[{ ...t(0, 2n), metadata: 'mine', leaderEpoch: 3 }, t(1, 1n)]])
  assert.deepEqual(bench.of('committed')[0]!.offsets, [
    { topic: 't', partition: 0, offset: '2', metadata: 'mine' },
    { topic: 't', partition: 1, offset: '1' }
  ])
  await bench.handle.commit(got[0]!.messages[2]!)
  assert.deepEqual(bench.committed.at(-1), [t(0, 3n)])
  await bench.handle.commit([t(0, 1n), t(0, 4n)])
  assert.deepEqual(bench.committed.at(-1), [t(0, 4n)])
  bench.end()
})

test('one that is not owned refuses all, and so does what is no offset', async () => {
  const { bench } = await owning(0)
  await assert.rejects(bench.handle.commit([t(0, 1n), t(7, 1n)]), { code: 'NOT_OWNER', message: /t\/7/ })
  for (const wrong of [t(0, -1n), { ...t(0, 1n), offset: 1 }, { ...t(0, 1n), metadata: 5 }, { ...t(0, 1n), leaderEpoch: 1.5 }])
    await assert.rejects(bench.handle.commit(wrong as never), { code: 'INVALID_OPTION' })
  assert.deepEqual(bench.committed, [])
  bench.end()
  await assert.rejects(bench.handle.commit(), { code: 'CONSUMER_CLOSED' })
})

test('one that was lost and assigned again while the commit waited for its turn is refused', async () => {
  const { bench, got } = await owning(0)
  let go = () => {}
  const { commit } = bench.plane.offsets!
  bench.plane.offsets!.commit = async (epoch, offsets) => {
    await new Promise<void>(resolve => (go = resolve))
    return commit(epoch, offsets)
  }
  got[0]!.ack(got[0]!.messages[0])
  const first = bench.handle.commit()
  const second = bench.handle.commit(t(0, 4n))
  await bench.settle()
  bench.plane.interrupt({ topic: 't', partition: 0 }, 'expired')
  bench.own(0)
  go()
  await first
  await assert.rejects(second, { code: 'NOT_OWNER' })
  assert.deepEqual(bench.committed, [[t(0, 1n)]])
  bench.end()
})

test('of a topic that is gone nothing is committed into the one that has its name', async () => {
  const { bench, got } = await owning(0)
  got[0]!.ack()
  bench.plane.recreated({ topic: 't', partition: 0 }, 'a', 'b')
  await bench.handle.commit()
  assert.deepEqual(bench.committed, [])
  bench.plane.begin({ topic: 't', partition: 0 }, '0', 'reset')
  await bench.handle.commit()
  assert.deepEqual(bench.committed, [[t(0, 0n)]])
  bench.end()
})

test('commits keep their order, one at a time', async () => {
  const { bench } = await owning(0)
  const { commit } = bench.plane.offsets!
  let running = 0
  bench.plane.offsets!.commit = async (epoch, offsets) => {
    assert.equal(++running, 1)
    // The first ones take the longest.
    for (let i = offsets[0]!.offset; i < 5n; i++) await new Promise(resolve => setImmediate(resolve))
    running--
    return commit(epoch, offsets)
  }
  await Promise.all([1n, 2n, 3n, 4n].map(offset => bench.handle.commit(t(0, offset))))
  assert.deepEqual(
    bench.committed.map(([entry]) => entry!.offset),
    [1n, 2n, 3n, 4n]
  )
  bench.end()
})

test('without automatic commits the last word before partitions are given back waits for commits under way, and adds none', async () => {
  const { bench, got } = await owning(0)
  const { commit } = bench.plane.offsets!
  let go = () => {}
  bench.plane.offsets!.commit = async (epoch, offsets) => {
    await new Promise<void>(resolve => (go = resolve))
    return commit(epoch, offsets)
  }
  got[0]!.ack()
  const asked = bench.handle.commit(t(0, 2n))
  let said = false
  const lastWord = bench.plane.lastWord(null).then(() => (said = true))
  await bench.settle()
  assert.equal(said, false)
  go()
  await Promise.all([asked, lastWord])
  assert.deepEqual(bench.committed, [[t(0, 2n)]])
  bench.end()
})

test('some written and some not: told of each, and rejected', async () => {
  const { bench, got } = await owning(0, 1)
  for (const one of got) one.ack()
  const error = new BrokerError('OFFSET_METADATA_TOO_LARGE', 'too long', { kafka: { code: 12, name: 'OFFSET_METADATA_TOO_LARGE' } })
  bench.plane.offsets!.commit = async (_, offsets) => offsets.map(offset => (offset.partition === 0 ? { ...offset, error } : offset))
  await assert.rejects(bench.handle.commit(), { code: 'COMMIT_FAILED', message: /1 of 2 .*t\/0: too long/ })
  assert.deepEqual(bench.of('commit.failed')[0]!.partitions, [{ topic: 't', partition: 0 }])
  assert.deepEqual(bench.of('committed')[0]!.offsets, [{ topic: 't', partition: 1, offset: '4' }])
  await assert.rejects(bench.handle.commit(t(0, 1n)), { code: 'OFFSET_METADATA_TOO_LARGE' })
  bench.end()
})

test('an automatic commit that fails is not tried again at once, the next one says it all', async () => {
  const { bench, got } = await owning(0)
  got[0]!.ack()
  away(bench, 1)
  await bench.plane.commitFor(null)
  assert.equal(bench.of('commit.failed').length, 1)
  assert.equal(bench.of('commit.retrying').length, 0)
  await bench.plane.commitFor(null)
  assert.deepEqual(bench.committed, [[t(0, 4n)]])
  bench.end()
})

test('before partitions are given back it is tried again within the time of their drain, and told', async () => {
  const { bench, got } = await owning(0)
  got[0]!.ack()
  away(bench, 2)
  bench.plane.drain({ topic: 't', partition: 0 }, 4_000)
  const committing = bench.plane.commitFor([{ topic: 't', partition: 0 }], true)
  await bench.advance(1_000)
  await committing
  assert.deepEqual(bench.committed, [[t(0, 4n)]])
  assert.deepEqual(
    bench.of('commit.retrying').map(({ attempt, delayMs, reason }) => ({ attempt, delayMs, reason })),
    [
      { attempt: 1, delayMs: 100, reason: 'It is away.' },
      { attempt: 2, delayMs: 200, reason: 'It is away.' }
    ]
  )
  assert.equal(bench.of('commit.failed').length, 0)
  bench.end()
})

test('when that time is over it has failed; what no try will mend is not tried again; the end waits for none', async () => {
  const { bench, got } = await owning(0)
  got[0]!.ack()
  away(bench, 1_000)
  bench.plane.drain({ topic: 't', partition: 0 }, 1_000)
  const committing = bench.plane.commitFor(null, true)
  await bench.advance(2_000)
  await committing
  assert.equal(bench.of('commit.failed').length, 1)
  assert.equal(bench.of('commit.retrying').length, 3)
  bench.end()

  const final = await owning(0)
  final.got[0]!.ack()
  final.bench.refuseCommit = new Error('no')
  final.bench.plane.drain({ topic: 't', partition: 0 }, 4_000)
  await final.bench.plane.commitFor(null, true)
  assert.equal(final.bench.of('commit.failed').length, 1)
  final.bench.end()

  const ending = await owning(0)
  ending.got[0]!.ack()
  away(ending.bench, 1_000)
  ending.bench.plane.drain({ topic: 't', partition: 0 }, 60_000)
  const last = ending.bench.plane.commitFor(null, true)
  await ending.bench.settle()
  assert.equal(ending.bench.timers > 0, true)
  ending.bench.end()
  assert.equal(ending.bench.timers, 0)
  await last
})
