import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FetchPartition } from '../../src/flow/fetch-partition.ts'
import { Fetcher } from '../../src/flow/fetcher.ts'
import type { Link } from '../../src/flow/link.ts'
import { ConnectionError, type SamsaError } from '../../src/model/errors.ts'
import type { RequestOf, ResponseOf } from '../../src/wire/apis.ts'
import { ManualWorld } from '../registry/metadata/manual-world.ts'
import { batch, batches, damaged } from '../support/record-batches.ts'

type Body = RequestOf<'Fetch'>
type Answer = Partial<ResponseOf<'Fetch'>['responses'][number]['partitions'][number]>
interface Sent {
  body: Body
  limits: { maxVersion?: number; timeoutMs?: number }
  done: (error: Error | undefined, response: ResponseOf<'Fetch'> | undefined) => void
}

const ID = 'uKL0dQXkRR2SsSTNmwGNHg'

/** A loop with a link that the test plays, and everything that it tells. */
class Bench {
  readonly clock = new ManualWorld()
  readonly sent: Sent[] = []
  readonly told: string[] = []
  readonly errors: SamsaError[] = []
  readonly sessions: string[] = []
  readonly fetcher: Fetcher
  readonly partitions: FetchPartition[] = []
  acquired = 0
  refuse: Error | undefined
  /** The connection is not there before this is. */
  held: Promise<void> | undefined
  open = true
  aside = false
  version: number | undefined = 17

  constructor(isolation: 'read_committed' | 'read_uncommitted' = 'read_uncommitted') {
    const tell = (what: string) => (partition: FetchPartition, error?: unknown, seek?: unknown) => {
      this.told.push(`${what} ${partition.partition}${typeof seek === 'boolean' ? ` seek=${seek}` : ''}`)
      if (error instanceof Error) this.errors.push(error as SamsaError)
    }
    const bench = this
    const link = {
      node: 1,
      purpose: 'fetch:c',
      inFlight: 0,
      get open() {
        return bench.open
      },
      version: () => this.version,
      send: (_: string, body: Body, limits: Sent['limits'], done: Sent['done']) => void this.sent.push({ body, limits, done })
    } as unknown as Link
    this.fetcher = new Fetcher({
      world: this.clock.world,
      node: 1,
      limits: { maxWaitMs: 500, minBytes: 1, maxBytes: 1 << 20, isolation, rackId: 'here' },
      requestTimeoutMs: 30_000,
      acquire: () => {
        this.acquired++
        const outcome = () => (this.refuse ? Promise.reject(this.refuse) : Promise.resolve(link))
        return this.held ? this.held.then(outcome) : outcome()
      },
      aside: () => (this.aside ? link : undefined),
      events: {
        onFailed: tell('failed'),
        onOutOfRange: tell('outOfRange'),
        onCorrupt: tell('corrupt'),
        onFinal: tell('final'),
        onData: tell('data'),
        onFetched: tell('fetched'),
        onDiverged: tell('diverged'),
        onPreferred: (partition, node) => {
          this.told.push(`preferred ${partition.partition} node=${node}`)
          partition.nearby = false
        },
        onSession: (state, reason) => void this.sessions.push(`${state}: ${reason}`)
      }
    })
  }

  /** Partitions 0… that begin at 0 and have joined the loop. */
  async join(count: number, creditBytes = 1 << 20): Promise<FetchPartition[]> {
    for (let partition = this.partitions.length; partition < count; partition++) {
      const one = new FetchPartition({
        topic: 't',
        partition,
        creditBytes,
        fetchMaxBytes: 1 << 20,
        growToBytes: 1 << 20,
        limits: {}
      })
      one.begin(0n)
      one.topicId = ID
      one.leaderEpoch = 4
      this.partitions.push(one)
      this.fetcher.add(one)
    }
    await this.clock.advance(0)
    return this.partitions
  }

  /** Answers the oldest request that waits: by partition; those left out get nothing. */
  async answer(by: Record<number, Answer> = {}, more: Partial<ResponseOf<'Fetch'>> = {}, leaveOut: number[] = []): Promise<void> {
    const { body, done } = this.sent.find(({ done: waiting }) => !this.#answered.has(waiting))!
    this.#answered.add(done)
    const responses = body.topics.map(({ topic, topicId, partitions }) => ({
      topic: topic ?? '',
      topicId: topicId ?? '',
      partitions: partitions
        .filter(({ partition }) => !leaveOut.includes(partition))
        .map(({ partition }) => ({
          partitionIndex: partition,
          errorCode: 0,
          records: Buffer.alloc(0),
          abortedTransactions: null,
          ...by[partition]
        }))
    }))
    done(undefined, {
      throttleTimeMs: 0,
      errorCode: 0,
      sessionId: 0,
      responses,
      nodeEndpoints: [],
      ...more
    } as unknown as ResponseOf<'Fetch'>)
    await this.clock.advance(0)
  }
  #answered = new Set<Sent['done']>()

  /** Answers the oldest request that waits, as in a session: only of these partitions. */
  async answerOnly(by: Record<number, Answer>, more: Partial<ResponseOf<'Fetch'>> = {}): Promise<void> {
    const { done } = this.sent.find(({ done: waiting }) => !this.#answered.has(waiting))!
    this.#answered.add(done)
    const partitions = Object.entries(by).map(([number, answer]) => ({
      partitionIndex: Number(number),
      errorCode: 0,
      records: Buffer.alloc(0),
      abortedTransactions: null,
      ...answer
    }))
    const responses = partitions.length > 0 ? [{ topic: '', topicId: ID, partitions }] : []
    done(undefined, {
      throttleTimeMs: 0,
      errorCode: 0,
      sessionId: 0,
      responses,
      nodeEndpoints: [],
      ...more
    } as unknown as ResponseOf<'Fetch'>)
    await this.clock.advance(0)
  }

  forgotten(index: number): number[] {
    return (this.sent.at(index)!.body.forgottenTopicsData ?? []).flatMap(({ partitions }) => partitions ?? [])
  }

  /** Partition numbers of the request, in its order. */
  asked(index: number): number[] {
    return this.sent.at(index)!.body.topics.flatMap(({ partitions }) => partitions.map(({ partition }) => partition))
  }

  offsets(index: number): bigint[] {
    return this.sent.at(index)!.body.topics.flatMap(({ partitions }) => partitions.map(({ fetchOffset }) => fetchOffset))
  }
}

test('partitions that join in one turn share one request; nothing more is sent while it is out', async () => {
  const bench = new Bench()
  await bench.join(3)
  assert.equal(bench.sent.length, 1)
  assert.deepEqual(bench.asked(0), [0, 1, 2])
  assert.deepEqual(bench.sent[0]!.body.topics[0]!.partitions[0], {
    partition: 0,
    currentLeaderEpoch: 4,
    fetchOffset: 0n,
    lastFetchedEpoch: -1,
    partitionMaxBytes: 1 << 20
  })
  bench.fetcher.wake()
  await bench.clock.advance(1_000)
  assert.equal(bench.sent.length, 1)
})

test('the next request goes out before the batches of the last answer are checked', async () => {
  const bench = new Bench()
  const [p] = await bench.join(1)
  const order: string[] = []
  const verify = p!.verifyNext.bind(p)
  p!.verifyNext = () => {
    order.push(`check with ${bench.sent.length} sent`)
    verify()
  }
  await bench.answer({ 0: { records: batches({ base: 0 }, { base: 1 }) } })
  assert.deepEqual(order, ['check with 2 sent', 'check with 2 sent'])
  assert.deepEqual(bench.offsets(1), [2n])
  assert.deepEqual(bench.told, ['data 0'])
})

test('without a session, those that had data go behind the others', async () => {
  const bench = new Bench()
  await bench.join(3)
  await bench.answer({ 0: { records: batch({ base: 0 }) } })
  await bench.answer({ 1: { records: batch({ base: 0 }) }, 0: { records: batch({ base: 1 }) } })
  assert.deepEqual(
    [0, 1, 2].map(index => bench.asked(index)),
    [
      [0, 1, 2],
      [1, 2, 0],
      [2, 1, 0]
    ]
  )
})

test('a partition without credit is left out, the others go on; with its credit it is back', async () => {
  const bench = new Bench()
  const size = batch({ base: 0 }).length
  const [slow] = await bench.join(2, size)
  await bench.answer({ 0: { records: batch({ base: 0 }) } })
  assert.deepEqual(bench.asked(1), [1])
  const handed = slow!.take(10)!
  await bench.answer()
  assert.deepEqual(bench.asked(2), [1])
  slow!.ledger!.acknowledge(handed.entry, 0)
  await bench.answer()
  assert.ok(bench.asked(3).includes(0))
})

test('a request that leaves one out for its credit does not wait long, so that it is not kept waiting when it has credit again', async () => {
  const bench = new Bench()
  const size = batch({ base: 0 }).length
  await bench.join(2, size)
  await bench.clock.advance(5_000)
  await bench.answer({ 0: { records: batch({ base: 0 }) } })
  assert.equal(bench.sent[1]!.body.maxWaitMs, 20)
})

test('once nobody has joined for a while, requests wait as long as they may', async () => {
  const bench = new Bench()
  await bench.join(1)
  assert.equal(bench.sent[0]!.body.maxWaitMs, 20)
  await bench.clock.advance(600)
  await bench.answer()
  assert.equal(bench.sent[1]!.body.maxWaitMs, 500)
  assert.equal(bench.sent[1]!.limits.timeoutMs, 30_500)
})

test('with nobody that wants data the loop rests, and wakes when somebody does', async () => {
  const bench = new Bench()
  const [p] = await bench.join(1)
  p!.paused = true
  await bench.answer()
  await bench.clock.advance(60_000)
  assert.equal(bench.sent.length, 1)
  p!.paused = false
  bench.fetcher.wake()
  await bench.clock.advance(0)
  assert.equal(bench.sent.length, 2)
})

test('an error with records: neither are they skipped nor handed out', async () => {
  const bench = new Bench()
  const [p] = await bench.join(1)
  await bench.answer({ 0: { errorCode: 6, records: batch({ base: 0 }) } })
  assert.deepEqual(bench.told, ['failed 0 seek=true'])
  assert.equal(p!.fetchOffset, 0n)
  assert.equal(p!.ready, false)
  bench.fetcher.add(p!)
  await bench.clock.advance(0)
  assert.deepEqual(bench.offsets(1), [0n])
})

test('what each error means, and that only its partition leaves the loop', async () => {
  const meanings: [number, string][] = [
    [6, 'failed 0 seek=true'],
    [3, 'failed 0 seek=true'],
    [74, 'failed 0 seek=true'],
    [100, 'failed 0 seek=true'],
    [78, 'failed 0 seek=false'],
    [-1, 'failed 0 seek=false'],
    [1, 'outOfRange 0'],
    [2, 'corrupt 0'],
    [29, 'final 0'],
    [4242, 'failed 0 seek=false']
  ]
  for (const [errorCode, expected] of meanings) {
    const bench = new Bench()
    await bench.join(2)
    await bench.answer({ 0: { errorCode } })
    assert.deepEqual(bench.told, [expected])
    assert.deepEqual(bench.asked(1), [1])
  }
})

test('the first good answer after a trouble is told, later ones are not', async () => {
  const bench = new Bench()
  const [p] = await bench.join(1)
  await bench.answer({ 0: { errorCode: 6 } })
  bench.fetcher.add(p!)
  await bench.clock.advance(0)
  await bench.answer()
  await bench.answer()
  assert.deepEqual(bench.told, ['failed 0 seek=true', 'fetched 0'])
})

test('an answer for a partition that has left, or jumped since, is dropped', async () => {
  const bench = new Bench()
  const [gone, jumped] = await bench.join(2)
  bench.fetcher.remove(gone!)
  jumped!.begin(50n)
  await bench.answer({ 0: { records: batch({ base: 0 }) }, 1: { records: batch({ base: 0 }) } })
  assert.deepEqual(bench.told, [])
  assert.equal(gone!.ready, false)
  assert.deepEqual(bench.offsets(1), [50n])
})

test('damaged bytes: what came before is data, the partition leaves the loop, and a request that went beyond it does not count', async () => {
  const bench = new Bench()
  const [p] = await bench.join(2)
  await bench.answer({ 0: { records: Buffer.concat([batch({ base: 0 }), damaged({ base: 1 }), batch({ base: 2 })]) } })
  assert.deepEqual(bench.told, ['corrupt 0', 'data 0'])
  assert.equal(bench.errors[0]!.code, 'CORRUPT_BATCH')
  assert.equal(p!.fetchOffset, 1n)
  await bench.answer({ 0: { records: batch({ base: 3 }) } })
  assert.equal(p!.fetchOffset, 1n)
})

test('a header that cannot be: the batches before it are data, then the damage is told', async () => {
  const bench = new Bench()
  const [p] = await bench.join(1)
  const broken = batch({ base: 1 })
  broken[16] = 9
  await bench.answer({ 0: { records: Buffer.concat([batch({ base: 0 }), broken]) } })
  assert.deepEqual(bench.told, ['data 0', 'corrupt 0'])
  assert.equal(p!.fetchOffset, 1n)
})

test('an answer that comes while the last one is still being checked waits for it', async () => {
  const bench = new Bench()
  const [p] = await bench.join(1)
  const seen: bigint[] = []
  const accept = p!.accept.bind(p)
  p!.accept = (records, aborted) => {
    seen.push(p!.fetchOffset)
    accept(records, aborted)
  }
  // Each check takes 6 ms of the slice of 10: four batches take three slices.
  const verify = p!.verifyNext.bind(p)
  let checked = 0
  p!.verifyNext = () => {
    verify()
    checked++
    now += 6
  }
  let now = bench.clock.nowMs
  ;(bench.clock.world as { monotonicMs: () => number }).monotonicMs = () => now
  const first = bench.sent[0]!
  const respond = (sent: Sent, records: Buffer) =>
    sent.done(undefined, {
      throttleTimeMs: 0,
      errorCode: 0,
      sessionId: 0,
      responses: [{ topic: '', topicId: ID, partitions: [{ partitionIndex: 0, errorCode: 0, records, abortedTransactions: null }] }]
    } as unknown as ResponseOf<'Fetch'>)
  respond(first, batches({ base: 0 }, { base: 1 }, { base: 2 }, { base: 3 }))
  assert.equal(checked, 2)
  respond(bench.sent[1]!, batches({ base: 4 }))
  assert.deepEqual(seen, [0n])
  await bench.clock.advance(0)
  assert.deepEqual(seen, [0n, 4n])
  assert.equal(checked, 5)
  assert.deepEqual(bench.offsets(2), [5n])
})

test('a lost connection: every partition is told to seek its leader; they come back on a new link', async () => {
  const bench = new Bench()
  const [a, b] = await bench.join(2)
  bench.sent[0]!.done(new ConnectionError('CONNECTION_LOST', 'gone'), undefined)
  assert.deepEqual(bench.told, ['failed 0 seek=true', 'failed 1 seek=true'])
  bench.fetcher.add(a!)
  bench.fetcher.add(b!)
  await bench.clock.advance(0)
  assert.equal(bench.acquired, 2)
  assert.deepEqual(bench.asked(1).sort(), [0, 1])
})

test('a link that closed in silence while the loop rested is acquired again without a word', async () => {
  const bench = new Bench()
  const [p] = await bench.join(1)
  p!.paused = true
  await bench.answer()
  bench.open = false
  p!.paused = false
  bench.fetcher.wake()
  bench.open = true
  await bench.clock.advance(0)
  assert.deepEqual(bench.told, [])
  assert.equal(bench.sent.length, 2)
})

test('no link in time: every partition is told', async () => {
  const bench = new Bench()
  bench.refuse = new Error('no connection')
  await bench.join(2)
  assert.deepEqual(bench.told, ['failed 0 seek=true', 'failed 1 seek=true'])
})

test('one connection is asked for at a time, and another one after it could not be had', async () => {
  const bench = new Bench()
  let arrive = () => {}
  bench.held = new Promise(resolve => (arrive = resolve))
  const [p] = await bench.join(1)
  bench.fetcher.wake()
  await bench.clock.advance(0)
  assert.equal(bench.acquired, 1)
  bench.refuse = new ConnectionError('CONNECTION_LOST', 'gone')
  arrive()
  await bench.clock.advance(0)
  assert.deepEqual([bench.told, bench.sent.length], [['failed 0 seek=true'], 0])
  Object.assign(bench, { refuse: undefined, held: undefined })
  bench.fetcher.add(p!)
  await bench.clock.advance(0)
  assert.deepEqual([bench.acquired, bench.sent.length, bench.sessions], [2, 1, []])
})

test('batches of several partitions are checked in slices of time; each is told once', async () => {
  const bench = new Bench()
  const all = await bench.join(3)
  let now = bench.clock.nowMs
  for (const p of all) {
    const verify = p.verifyNext.bind(p)
    p.verifyNext = () => {
      verify()
      now += 6
    }
  }
  ;(bench.clock.world as { monotonicMs: () => number }).monotonicMs = () => now
  await bench.answer(Object.fromEntries(all.map((_, i) => [i, { records: batch({ base: 0 }) }])))
  assert.deepEqual(bench.told, ['data 0', 'data 1', 'data 2'])
})

test('a broker that asks for a pause gets it', async () => {
  const bench = new Bench()
  await bench.join(1)
  await bench.answer({}, { throttleTimeMs: 300 })
  await bench.clock.advance(299)
  assert.equal(bench.sent.length, 1)
  await bench.clock.advance(1)
  assert.equal(bench.sent.length, 2)
})

test('a partition that the broker leaves out of its answer is told, not asked for in a tight loop', async () => {
  const bench = new Bench()
  await bench.join(2)
  await bench.answer({}, {}, [1])
  assert.deepEqual(bench.told, ['failed 1 seek=false'])
  assert.deepEqual(bench.asked(1), [0])
})

test('topics go by id from version 13 on; while one id is unknown, by name and below it', async () => {
  const byId = new Bench()
  await byId.join(1)
  assert.equal(byId.sent[0]!.limits.maxVersion, undefined)
  const byName = new Bench()
  const [p] = await byName.join(1)
  p!.topicId = null
  await byName.answer()
  assert.equal(byName.sent[1]!.limits.maxVersion, 12)
  await byName.answer({ 0: { records: batch({ base: 0 }) } })
  assert.deepEqual(byName.told, ['data 0'])
})

test('a broker without Fetch 4 is told as final', async () => {
  const bench = new Bench()
  bench.version = 3
  await bench.join(1)
  assert.deepEqual(bench.told, ['final 0'])
  assert.equal(bench.errors[0]!.code, 'UNSUPPORTED_VERSION')
})

test('read_committed asks for it and hides what was aborted; uncommitted reads ignore the list', async () => {
  const records = () => batches({ base: 0, producer: 7n }, { base: 1 }, { base: 2, producer: 7n, marker: 'abort' })
  const abortedTransactions = [{ producerId: 7n, firstOffset: 0n }]
  for (const [isolation, level, visible] of [
    ['read_committed', 1, 1],
    ['read_uncommitted', 0, 2]
  ] as const) {
    const bench = new Bench(isolation)
    const [p] = await bench.join(1)
    assert.equal(bench.sent[0]!.body.isolationLevel, level)
    await bench.answer({ 0: { records: records(), abortedTransactions } })
    assert.equal(p!.take(10)!.messages.length, visible)
  }
})

test('closed, it sends nothing and what comes is dropped', async () => {
  const bench = new Bench()
  await bench.join(1)
  bench.fetcher.close()
  await bench.answer({ 0: { records: batch({ base: 0 }) } })
  bench.fetcher.wake()
  await bench.clock.advance(1_000)
  assert.deepEqual(bench.told, [])
  assert.deepEqual([bench.sent.length, bench.fetcher.size], [1, 0])
})

// ── fetch sessions ──

const SESSION = { sessionId: 7 }

/** Three partitions in a session that is open: the second request is out. */
async function inSession(): Promise<Bench> {
  const bench = new Bench()
  await bench.join(3)
  await bench.answer({}, SESSION)
  return bench
}

test('in a session only what has changed is sent, and what an answer leaves out has nothing new', async () => {
  const bench = await inSession()
  assert.deepEqual(
    bench.sent.map(({ body }) => [body.sessionId, body.sessionEpoch]),
    [
      [0, 0],
      [7, 1]
    ]
  )
  assert.deepEqual(bench.asked(1), [])
  await bench.answerOnly({ 1: { records: batch({ base: 0 }) } }, SESSION)
  assert.deepEqual([bench.asked(2), bench.offsets(2)], [[1], [1n]])
  await bench.answerOnly({}, SESSION)
  assert.deepEqual(bench.asked(3), [])
  assert.equal(bench.sent[3]!.body.sessionEpoch, 3)
  assert.deepEqual(bench.told, ['data 1'])
  assert.equal(bench.sessions.length, 1)
  assert.match(bench.sessions[0]!, /^open/)
})

test('an answer in a session names partitions of requests long gone; their records are taken', async () => {
  const bench = await inSession()
  await bench.answerOnly({}, SESSION)
  await bench.answerOnly({ 2: { records: batches({ base: 0 }, { base: 1 }) } }, SESSION)
  assert.deepEqual([bench.asked(3), bench.offsets(3)], [[2], [2n]])
})

test('the next request of a session is out before the batches of the last answer are checked, and begins behind them', async () => {
  const bench = await inSession()
  const [p] = bench.partitions
  const verify = p!.verifyNext.bind(p)
  const order: string[] = []
  p!.verifyNext = () => {
    order.push(`check with ${bench.sent.length} sent`)
    verify()
  }
  await bench.answerOnly({ 0: { records: batch({ base: 0 }) } }, SESSION)
  assert.deepEqual(order, ['check with 3 sent'])
})

test('damage found behind the next request: the partition is forgotten, and comes back from the damaged batch on', async () => {
  const bench = await inSession()
  const [p] = bench.partitions
  await bench.answerOnly({ 0: { records: Buffer.concat([batch({ base: 0 }), damaged({ base: 1 })]) } }, SESSION)
  assert.deepEqual(bench.told, ['corrupt 0', 'data 0'])
  assert.deepEqual(bench.offsets(2), [2n])
  await bench.answerOnly({ 0: { records: batch({ base: 2 }) } }, SESSION)
  assert.equal(p!.fetchOffset, 1n)
  assert.deepEqual(bench.forgotten(3), [0])
  bench.fetcher.add(p!)
  await bench.answerOnly({}, SESSION)
  assert.deepEqual([bench.asked(4), bench.offsets(4)], [[0], [1n]])
})

test('paused or without credit a partition is forgotten; it is added again when it wants', async () => {
  const bench = await inSession()
  const [, second] = bench.partitions
  second!.paused = true
  await bench.answerOnly({}, SESSION)
  assert.deepEqual([bench.asked(2), bench.forgotten(2)], [[], [1]])
  second!.paused = false
  await bench.answerOnly({}, SESSION)
  assert.deepEqual([bench.asked(3), bench.forgotten(3)], [[1], []])
})

for (const [errorCode, name, id] of [
  [70, 'FETCH_SESSION_ID_NOT_FOUND', 0],
  [71, 'INVALID_FETCH_SESSION_EPOCH', 7],
  [106, 'FETCH_SESSION_TOPIC_ID_ERROR', 7]
] as const)
  test(`${name}: told, no partition suffers, and a full fetch follows`, async () => {
    const bench = await inSession()
    await bench.answerOnly({}, { errorCode, sessionId: 0 })
    const { body } = bench.sent[2]!
    assert.deepEqual([body.sessionId, body.sessionEpoch, bench.asked(2)], [id, 0, [0, 1, 2]])
    assert.deepEqual(bench.told, [])
    assert.equal(bench.sessions[1], `none: the broker answered ${name}`)
    await bench.answer({}, { sessionId: 9 })
    assert.deepEqual([bench.sent[3]!.body.sessionId, bench.sent[3]!.body.sessionEpoch], [9, 1])
    assert.equal(bench.sessions.length, 3)
  })

test('a full fetch that is refused all the same is every partition’s trouble, not a tight loop', async () => {
  const bench = new Bench()
  await bench.join(2)
  await bench.answer({}, { errorCode: 71 })
  assert.deepEqual(bench.told, ['failed 0 seek=false', 'failed 1 seek=false'])
  assert.equal(bench.sent.length, 1)
})

test('a lost connection ends the session: the full fetch on the next one closes it at the broker', async () => {
  const bench = await inSession()
  bench.sent[1]!.done(new ConnectionError('CONNECTION_LOST', 'gone'), undefined)
  for (const one of bench.partitions) bench.fetcher.add(one)
  await bench.clock.advance(0)
  assert.deepEqual([bench.sent[2]!.body.sessionId, bench.sent[2]!.body.sessionEpoch], [7, 0])
  assert.deepEqual(bench.sessions.slice(1), ['none: gone'])
})

test('a broker that gives no session gets full fetches, and that is told once', async () => {
  const bench = new Bench()
  await bench.join(2)
  for (let i = 0; i < 3; i++) await bench.answer({}, { sessionId: 0 })
  assert.deepEqual(bench.asked(3), [0, 1])
  assert.deepEqual([bench.sent[3]!.body.sessionId, bench.sent[3]!.body.sessionEpoch], [0, 0])
  assert.equal(bench.sessions.length, 1)
  assert.match(bench.sessions[0]!, /^none: the broker gave none/)
})

test('a broker before version 7 has none: full fetches, told once', async () => {
  const bench = new Bench()
  bench.version = 6
  await bench.join(2)
  for (let i = 0; i < 2; i++) await bench.answer({}, { sessionId: 0 })
  assert.deepEqual(bench.asked(2), [0, 1])
  assert.deepEqual(bench.sessions, ['none: the broker is older than Kafka 1.1, which has none'])
})

test('a throttled broker answers a full fetch with nothing: no partition was left out', async () => {
  const bench = new Bench()
  await bench.join(2)
  await bench.answerOnly({}, { throttleTimeMs: 300 })
  assert.deepEqual(bench.told, [])
  await bench.clock.advance(300)
  assert.deepEqual(bench.asked(1), [0, 1])
})

test('closing ends the session on another connection, if one is there, else on its own; once', async () => {
  for (const aside of [true, false]) {
    const bench = await inSession()
    bench.aside = aside
    bench.fetcher.close()
    bench.fetcher.close()
    assert.equal(bench.sent.length, 3)
    const { body } = bench.sent[2]!
    assert.deepEqual([body.sessionId, body.sessionEpoch, body.topics, body.maxWaitMs], [7, -1, [], 0])
  }
  const bench = await inSession()
  bench.open = false
  bench.fetcher.close()
  assert.equal(bench.sent.length, 2)
})

// ── replicas and epochs ──

test('our rack is named while every partition may be read nearby; a leader that names a replica is heard', async () => {
  const bench = new Bench()
  const [p] = await bench.join(2)
  assert.equal(bench.sent[0]!.body.rackId, 'here')
  await bench.answer({ 0: { preferredReadReplica: 0 } })
  assert.deepEqual(bench.told, ['preferred 0 node=0'])
  // It stays in the loop, and the leader is not asked in vain again.
  assert.deepEqual([bench.asked(1), bench.sent[1]!.body.rackId], [[0, 1], ''])
  bench.fetcher.remove(p!)
  await bench.answer()
  assert.equal(bench.sent[2]!.body.rackId, 'here')
})

test('the epoch of what was read last goes along to leaders, from version 12 on', async () => {
  const bench = new Bench()
  const [p] = await bench.join(1)
  await bench.answer({ 0: { records: batch({ base: 0, epoch: 3 }) } })
  assert.equal(p!.lastEpoch, 3)
  assert.equal(bench.sent[1]!.body.topics[0]!.partitions[0]!.lastFetchedEpoch, 3)
  // A follower may not know it yet.
  p!.fromFollower = true
  p!.leaderEpoch = 5
  await bench.answer()
  assert.equal(bench.sent[2]!.body.topics[0]!.partitions[0]!.lastFetchedEpoch, -1)
  p!.fromFollower = false
  bench.version = 11
  await bench.answer()
  assert.equal(bench.sent[3]!.body.topics[0]!.partitions[0]!.lastFetchedEpoch, -1)
})

test('a log that is not the one that was read: told, nothing of the answer is taken, the partition leaves the loop', async () => {
  const bench = new Bench()
  const [p] = await bench.join(2)
  await bench.answer({ 0: { divergingEpoch: { epoch: 2, endOffset: 0n }, records: batch({ base: 0 }) } })
  assert.deepEqual(bench.told, ['diverged 0'])
  assert.equal(p!.fetchOffset, 0n)
  assert.deepEqual(bench.asked(1), [1])
})
