import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FetchPartition } from '../../src/flow/fetch-partition.ts'
import type { FetchBody, FetchResponse } from '../../src/flow/fetch-request.ts'
import { epochAfter, FetchSession } from '../../src/flow/fetch-session.ts'
import { batch } from '../support/record-batches.ts'

const IDS = ['uKL0dQXkRR2SsSTNmwGNHg', 'vKL0dQXkRR2SsSTNmwGNHg', 'wKL0dQXkRR2SsSTNmwGNHg']
const limits = { maxWaitMs: 500, minBytes: 1, maxBytes: 1 << 20, isolation: 'read_uncommitted', rackId: '' } as const

function partition(number: number, topicId: string | null = IDS[0]!, topic = 't'): FetchPartition {
  const out = new FetchPartition({
    topic,
    partition: number,
    creditBytes: 1 << 30,
    fetchMaxBytes: 1 << 20,
    growToBytes: 1 << 20,
    limits: {}
  })
  out.begin(0n)
  out.topicId = topicId
  out.leaderEpoch = 1
  return out
}

const told: string[] = []
const session = () => {
  told.length = 0
  return new FetchSession(state => void told.push(state))
}
const answer = (more: Partial<FetchResponse> = {}) =>
  ({ throttleTimeMs: 0, errorCode: 0, sessionId: 5, responses: [], nodeEndpoints: [], ...more }) as FetchResponse

/** Keys and offsets of a request, and what it forgets. */
const shown = ({ topics, forgottenTopicsData }: FetchBody) => ({
  asks: topics.flatMap(({ topicId, partitions }) => partitions.map(one => `${topicId!.slice(0, 1)}${one.partition}@${one.fetchOffset}`)),
  forgets: (forgottenTopicsData ?? []).flatMap(({ topicId, partitions }) => partitions!.map(one => `${topicId!.slice(0, 1)}${one}`))
})

test('epochs go from 1 to 2^31-1 and then on from 1: 0 would ask for a new session', () => {
  assert.equal(epochAfter(1), 2)
  assert.equal(epochAfter(0x7fffffff - 1), 0x7fffffff)
  assert.equal(epochAfter(0x7fffffff), 1)
})

test('another offset, size, epoch of the leader or of what was read is a change; nothing else is sent again', () => {
  const open = session()
  const all = [partition(0), partition(1), partition(2), partition(3)]
  open.next(all, 17, limits)
  open.take(answer())
  all[0]!.begin(9n)
  all[1]!.maxBytes = 7
  all[2]!.leaderEpoch = 2
  assert.deepEqual(shown(open.next(all, 17, limits).body), { asks: ['u0@9', 'u1@0', 'u2@0'], forgets: [] })
  open.take(answer())
  // The same place, of another epoch.
  all[0]!.begin(9n, undefined, 4)
  assert.deepEqual(shown(open.next(all, 17, limits).body), { asks: ['u0@9'], forgets: [] })
})

test('a topic that was made again under another id: the old one is forgotten, the new one asked for', () => {
  const open = session()
  const one = partition(0)
  open.next([one], 17, limits)
  open.take(answer())
  one.topicId = IDS[1]!
  assert.deepEqual(shown(open.next([one], 17, limits).body), { asks: ['v0@0'], forgets: ['u0'] })
  open.take(answer())
  let answered = 0
  const entry = { partitionIndex: 0, errorCode: 0, records: null }
  open.match(
    answer({ responses: [{ topic: '', topicId: IDS[0]!, partitions: [entry] }] } as never),
    () => answered++,
    () => {}
  )
  assert.equal(answered, 0)
})

test('a partition claimed anew is the same one for the broker: not forgotten, asked for where it begins now', () => {
  const open = session()
  open.next([partition(0), partition(1)], 17, limits)
  open.take(answer())
  const again = partition(0)
  again.begin(4n)
  assert.deepEqual(shown(open.next([again], 17, limits).body), { asks: ['u0@4'], forgets: ['u1'] })
})

test('while the id of one topic is not known all go by name, below version 13; the session begins anew at each turn', () => {
  const open = session()
  const all = [partition(0), partition(0, null, 'other')]
  const byName = open.next(all, 17, limits)
  assert.equal(byName.maxVersion, 12)
  open.take(answer())
  assert.equal(open.next(all, 17, limits).body.sessionEpoch, 1)
  open.take(answer())
  all[1]!.topicId = IDS[1]!
  const byId = open.next(all, 17, limits)
  assert.equal(byId.maxVersion, undefined)
  assert.deepEqual([byId.body.sessionId, byId.body.sessionEpoch, shown(byId.body).asks], [5, 0, ['u0@0', 'v0@0']])
})

test('an answer for what was not asked for is ignored, and the session begins anew', () => {
  const open = session()
  const one = partition(0)
  open.next([one], 17, limits)
  open.take(answer())
  open.next([one], 17, limits)
  open.take(answer())
  const heard: number[] = []
  const entry = (partitionIndex: number) => ({ partitionIndex, errorCode: 0, records: null })
  const response = answer({ responses: [{ topic: '', topicId: IDS[0]!, partitions: [entry(3), entry(0), entry(0)] }] } as never)
  open.match(
    response,
    ({ partition: number }) => heard.push(number),
    () => assert.fail()
  )
  assert.deepEqual(heard, [0])
  assert.deepEqual(told, ['open', 'none'])
  assert.equal(open.next([one], 17, limits).body.sessionEpoch, 0)
})

test('a broker that ends the session in an answer is heard: its data counts, the next fetch is a full one', () => {
  const open = session()
  const one = partition(0)
  open.next([one], 17, limits)
  open.take(answer())
  open.next([one], 17, limits)
  assert.equal(open.take(answer({ sessionId: 0 })), true)
  const { body } = open.next([one], 17, limits)
  assert.deepEqual([body.sessionId, body.sessionEpoch, shown(body).asks], [0, 0, ['u0@0']])
})

test('the ends of the log are known from every answer, also one whose records come too late', () => {
  const open = session()
  const one = partition(0)
  open.next([one], 17, limits)
  open.take(answer())
  one.begin(5n)
  const entry = {
    partitionIndex: 0,
    errorCode: 0,
    highWatermark: 9n,
    lastStableOffset: 8n,
    logStartOffset: 1n,
    records: batch({ base: 0 })
  }
  open.match(
    answer({ responses: [{ topic: '', topicId: IDS[0]!, partitions: [entry] }] } as never),
    () => assert.fail(),
    () => assert.fail()
  )
  assert.deepEqual([one.highWatermark, one.lastStableOffset, one.logStartOffset], [9n, 8n, 1n])
})

test('property: whatever is paused, sought, claimed anew or evicted, the broker’s session is what was wanted, and nothing is skipped', () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('append' as const), at: fc.nat(3), count: fc.integer({ min: 1, max: 3 }) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('pause' as const), at: fc.nat(3) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('seek' as const, 'claim' as const), at: fc.nat(3) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('evict' as const, 'lose' as const) }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('fetch' as const), jumps: fc.boolean(), at: fc.nat(3) }) }
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const broker = new ModelBroker()
      const client = session()
      const all = [0, 1, 2, 3].map(number => partition(number))
      const paused = new Set<number>()
      for (const one of [...steps, ...Array.from({ length: 12 }, () => ({ do: 'fetch' as const, jumps: false, at: 0 }))]) {
        if (one.do === 'append') broker.ends[one.at]! += one.count
        else if (one.do === 'pause' && !paused.delete(one.at)) paused.add(one.at)
        else if (one.do === 'seek') all[one.at]!.begin(0n)
        else if (one.do === 'claim') all[one.at] = partition(one.at)
        else if (one.do === 'evict') broker.session = undefined
        else if (one.do === 'lose') client.lost('gone')
        else if (one.do === 'fetch') {
          const wanted = all.filter(({ partition: number }) => !paused.has(number))
          const { body } = client.next(wanted, 17, limits)
          const offsets = wanted.map(({ partition: number, fetchOffset }) => `${number}@${fetchOffset}`).sort()
          const response = broker.serve(body)
          if (one.jumps) all[one.at]!.begin(0n)
          if (!client.take(response)) continue
          assert.deepEqual(broker.held(), offsets)
          client.match(
            response,
            (of, { records }) => of.accept(records!, null),
            () => assert.fail('left out')
          )
        }
      }
      for (const { partition: number, fetchOffset } of all) if (!paused.has(number)) assert.equal(fetchOffset, BigInt(broker.ends[number]!))
    })
  )
})

/** Kafka's side (`FetchSession.scala`): one session, its partitions in order, answers only with what is new. */
class ModelBroker {
  readonly ends = [0, 0, 0, 0]
  session: { id: number; epoch: number; partitions: Map<number, bigint> } | undefined
  #nextId = 1

  held(): string[] {
    return [...this.session!.partitions].map(([number, offset]) => `${number}@${offset}`).sort()
  }

  serve({ sessionId, sessionEpoch, topics, forgottenTopicsData }: FetchBody): FetchResponse {
    if (sessionEpoch === 0) {
      this.session = { id: this.#nextId++, epoch: 0, partitions: new Map() }
    } else if (this.session?.id !== sessionId) return answer({ errorCode: 70, sessionId: 0 })
    else if (this.session!.epoch + 1 !== sessionEpoch) return answer({ errorCode: 71, sessionId: 0 })
    const { partitions } = this.session!
    this.session!.epoch = sessionEpoch!
    for (const topic of topics) for (const one of topic.partitions) partitions.set(one.partition, one.fetchOffset)
    for (const topic of forgottenTopicsData ?? []) for (const one of topic.partitions!) partitions.delete(one)
    const answers = [...partitions].map(([partitionIndex, offset]) => {
      const base = Number(offset)
      const end = this.ends[partitionIndex]!
      const values = Array.from({ length: Math.min(2, end - base) }, (_, i) => String(base + i))
      return { partitionIndex, errorCode: 0, records: values.length > 0 ? batch({ base, values }) : Buffer.alloc(0) }
    })
    const spoken = sessionEpoch === 0 ? answers : answers.filter(({ records }) => records.length > 0)
    return answer({ sessionId: this.session!.id, responses: [{ topic: '', topicId: IDS[0]!, partitions: spoken }] } as never)
  }
}
