import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fetching } from '../../src/actors/consumer-fetching.ts'
import { Flow } from '../../src/actors/consumer-flow.ts'
import { Listeners } from '../../src/actors/consumer-listeners.ts'
import type { ConsumerEmitted } from '../../src/model/events.ts'
import { resolveSubscription } from '../../src/model/subscription.ts'
import { loadApi } from '../../src/wire/apis.ts'
import { batches } from '../support/record-batches.ts'
import { type Answer, ScriptedLinks } from '../support/scripted-links.ts'

// An import in the middle of a run takes as long as the machine likes.
await loadApi('Fetch')

/** Fetching on scripted brokers: what is told to the machines, and what is emitted. */
class Bench {
  readonly links: ScriptedLinks
  readonly fetching: Fetching
  readonly told: ({ type: string } & Record<string, unknown>)[] = []
  readonly emitted: ConsumerEmitted[] = []
  readonly flow: Flow

  constructor(answer: Answer = () => ({})) {
    this.links = new ScriptedLinks(answer)
    Object.assign(this.links.instance.links, { get: () => undefined })
    const listeners = new Listeners(() => {})
    listeners.add('*', (event: ConsumerEmitted) => void this.emitted.push(event))
    this.fetching = new Fetching({
      instance: this.links.instance,
      path: 'consumers/1',
      subscription: resolveSubscription({ topic: 't' }, false),
      listeners,
      report: (_, event) => void this.told.push(event),
      onData: () => {}
    })
    const size = 1 << 20
    const options = { topic: 't', partition: 0, creditBytes: size, fetchMaxBytes: size, growToBytes: size, limits: {} }
    this.flow = new Flow('consumers/1/t/0', 1, options, { onSettled: () => {} })
    this.flow.begin(0n)
  }

  /** Ten messages of epoch 1, ten of epoch 2; so many are handed out, so many of these processed. */
  read(handedOut: number, processed: number): this {
    const { flow } = this
    const values = Array.from({ length: 10 }, String)
    flow.leaderEpoch = 2
    flow.accept(batches({ base: 0, values, epoch: 1 }, { base: 10, values, epoch: 2 }), null)
    while (flow.hasUnverified) flow.verifyNext()
    const handed = flow.take(handedOut)
    if (handed && processed > 0) flow.ledger!.acknowledge(handed.entry, processed - 1)
    return this
  }

  async validate(leaderEpoch = 5): Promise<{ type: string } & Record<string, unknown>> {
    this.fetching.validate(this.flow, 3, 1, leaderEpoch)
    await this.links.virtual.advance(100)
    return this.told.at(-1)!
  }
}

const endsAt =
  (leaderEpoch: number, endOffset: bigint): Answer =>
  () => ({
    topics: [{ topic: 't', partitions: [{ partition: 0, errorCode: 0, leaderEpoch, endOffset }] }]
  })

test('a position without an epoch, or a leader without one, has nothing to be compared: valid at once, nobody is asked', () => {
  const bench = new Bench()
  bench.fetching.validate(bench.flow, 3, 1, 5)
  assert.deepEqual(bench.told, [{ type: 'VALIDATED', term: 3 }])
  bench.read(5, 5).fetching.validate(bench.flow, 4, 1, -1)
  assert.deepEqual(bench.told[1], { type: 'VALIDATED', term: 4 })
  assert.equal(bench.links.asked.length, 0)
})

test('a leader that has what was read: valid', async () => {
  const bench = new Bench(endsAt(2, 20n)).read(5, 5)
  assert.deepEqual(await bench.validate(), { type: 'VALIDATED', term: 3 })
  assert.deepEqual(bench.links.bodies('OffsetForLeaderEpoch')[0].topics[0].partitions[0], {
    partition: 0,
    currentLeaderEpoch: 5,
    leaderEpoch: 2
  })
  assert.equal(bench.flow.fetchOffset, 20n)
})

test('a cut behind what was handed out: told, only what was fetched ahead is read again', async () => {
  const bench = new Bench(endsAt(2, 15n)).read(12, 3)
  assert.deepEqual(await bench.validate(), { type: 'VALIDATED', term: 3 })
  assert.deepEqual(bench.emitted, [{ type: 'partition.truncated', topic: 't', partition: 0, position: '12', divergentOffset: '15' }])
  assert.equal(bench.flow.fetchOffset, 12n)
})

test('a cut below what was handed out: it goes on there, or before it where messages in hand are not processed', async () => {
  const processed = await new Bench(endsAt(1, 8n)).read(12, 12).validate()
  const truncated = { type: 'TRUNCATED', term: 3, position: '12', divergentOffset: '8' }
  assert.deepEqual(processed, { ...truncated, offset: '8', leaderEpoch: 1 })
  const inHand = await new Bench(endsAt(1, 8n)).read(12, 3).validate()
  assert.deepEqual(inHand, { ...truncated, offset: '3', leaderEpoch: 1 })
})

test('a leader that knows nothing of the epoch: truncated, nobody knows where', async () => {
  const told = await new Bench(endsAt(-1, -1n)).read(12, 12).validate()
  assert.deepEqual(told, { type: 'TRUNCATED', term: 3, position: '12', divergentOffset: null, offset: null, leaderEpoch: -1 })
})

test('a broker that cannot tell is believed; one that refuses is told with what to do', async () => {
  const old = new Bench().read(5, 5)
  old.links.versions.OffsetForLeaderEpoch = 2
  assert.equal((await old.validate()).type, 'VALIDATED')
  const refusing: Answer = () => ({ topics: [{ topic: 't', partitions: [{ partition: 0, errorCode: 74 }] }] })
  const { type, term, seek } = await new Bench(refusing).read(5, 5).validate()
  assert.deepEqual([type, term, seek], ['VALIDATE_FAILED', 3, true])
})

test('an answer about a position, or a leader, that is not the one any more touches nothing', async () => {
  for (const change of [(flow: Flow) => flow.begin(40n, undefined, 2), (flow: Flow) => (flow.term = 4)]) {
    let release = (_: unknown) => {}
    const late = new Promise(resolve => {
      release = resolve
    })
    const bench = new Bench(() => late).read(5, 5)
    await bench.validate()
    change(bench.flow)
    const { fetchOffset } = bench.flow
    release(endsAt(1, 0n)({} as never))
    await bench.links.virtual.advance(100)
    assert.deepEqual([bench.told, bench.flow.fetchOffset], [[], fetchOffset])
  }
})

test('a begin is looked up with its epoch; a failure says whether another leader is to be looked for', async () => {
  const found: Answer = () => ({ topics: [{ name: 't', partitions: [{ partitionIndex: 0, errorCode: 0, offset: 7n, leaderEpoch: 2 }] }] })
  const bench = new Bench(found)
  bench.fetching.locate(bench.flow, 3, 1, 5, { at: 'earliest' })
  await bench.links.virtual.advance(100)
  assert.deepEqual(bench.told, [{ type: 'LOCATED', term: 3, offset: '7', leaderEpoch: 2 }])
  bench.links.down.add(1)
  bench.fetching.locate(bench.flow, 4, 1, 5, { at: 'earliest' })
  await bench.links.virtual.advance(100)
  const { type, term, seek } = bench.told[1] as { type: string } & Record<string, unknown>
  assert.deepEqual([type, term, seek], ['LOCATE_FAILED', 4, true])
})

test('a follower is reached on the loop’s own kind of link; one that is down, or the leader itself, is not', async () => {
  const bench = new Bench()
  bench.links.down.add(3).add(1)
  bench.fetching.join(bench.flow, { term: 1, node: 1, leaderEpoch: 5, topicId: null, nearby: true, follower: false })
  for (const node of [2, 3, 1]) bench.fetching.reach(bench.flow, node, node)
  await bench.links.virtual.advance(0)
  // That the leader itself is down is told too, and is another matter.
  const answers = bench.told.filter(({ type }) => type.endsWith('REACHED')).map(({ type, term }) => `${type} ${term}`)
  assert.deepEqual(answers.sort(), ['REACHED 2', 'UNREACHED 1', 'UNREACHED 3'])
  assert.ok(bench.links.acquired.includes('2/fetch:consumers/1'))
})

test('at the end every link is released, also of a follower that was only reached; then nothing joins any more', async () => {
  const bench = new Bench()
  bench.fetching.reach(bench.flow, 1, 2)
  await bench.links.virtual.advance(0)
  bench.fetching.end()
  assert.deepEqual(bench.links.released, ['2/fetch:consumers/1'])
  bench.fetching.join(bench.flow, { term: 1, node: 1, leaderEpoch: 5, topicId: null, nearby: true, follower: false })
  assert.equal(bench.flow.fetcher, undefined)
})
