/**
 * Fetch, frame by frame: limits, waiting, isolation, epochs, topic ids, followers, and sessions.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FetchSessions } from '../../../src/embedded/kafka/fetch-sessions.ts'
import { readBatches } from '../../../src/wire/records/index.ts'
import { batchOf, fetch, fetchRequest, nameOf, produce, startCluster } from './support.ts'

const offsets = (records: Buffer | null) => [...readBatches(records ?? Buffer.alloc(0))].map(({ baseOffset }) => Number(baseOffset))
const marker = (commit: boolean, producerId: bigint) => ({ commit, producerId, producerEpoch: 0, coordinatorEpoch: 0 })

test('the whole batch that holds the offset comes, one at least, and the last is cut where the limit is', async t => {
  const { state, dial } = await startCluster(t)
  state.createTopic({ name: 'a' })
  const client = await dial()
  const batch = batchOf(['x'.repeat(100), 'y', 'z'])
  for (let i = 0; i < 4; i++) await produce(client, 'a', batch)
  const at = async (offset: number, options: object = {}) => (await fetch(client, 'a', offset, options)).records!
  assert.deepEqual(offsets(await at(0)), [0, 3, 6, 9])
  assert.deepEqual(offsets(await at(4)), [3, 6, 9])
  assert.deepEqual(offsets(await at(4, { maxBytes: 1 })), [3])
  assert.deepEqual(offsets(await at(4, { partitionMaxBytes: batch.length * 2 })), [3, 6])
  assert.equal((await at(4, { partitionMaxBytes: batch.length * 2 + 9 })).length, batch.length * 2 + 9)
  assert.equal((await at(12)).length, 0)
  for (const offset of [13, -1]) {
    const { errorCode, highWatermark, logStartOffset } = await fetch(client, 'a', offset)
    assert.deepEqual([nameOf(errorCode), highWatermark, logStartOffset], ['OFFSET_OUT_OF_RANGE', -1n, -1n])
  }
  state.partition('a', 0)!.deleteBefore(5)
  assert.equal(nameOf((await fetch(client, 'a', 4)).errorCode), 'OFFSET_OUT_OF_RANGE')
  assert.deepEqual(offsets(await at(5)), [3, 6, 9])
  assert.equal((await fetch(client, 'a', 5)).logStartOffset, 5n)
})

test('a fetch waits for enough bytes, for as long as it says, and only its connection with it', async t => {
  const { state, dial } = await startCluster(t)
  state.createTopic({ name: 'a', partitions: 2 })
  const [reader, writer] = [await dial(), await dial()]
  const batch = batchOf(['x'])
  let answered = false
  const waiting = fetch(reader, 'a', 0, { maxWaitMs: 5_000, minBytes: batch.length * 2 }).then(answer => {
    answered = true
    return answer
  })
  // Its answer comes second, or neither would be the one that was asked for.
  const behind = reader.ask('ApiVersions', 0, {})
  await produce(writer, 'a', batch)
  await produce(writer, 'a', batch, { partition: 1 })
  assert.equal(answered, false)
  await produce(writer, 'a', batch)
  assert.deepEqual(offsets((await waiting).records), [0, 1])
  await behind
  const started = Date.now()
  assert.equal((await fetch(reader, 'a', 2, { maxWaitMs: 30 })).records!.length, 0)
  assert.ok(Date.now() - started >= 25)
  // Gone: who waits is told at once.
  const orphaned = fetch(reader, 'a', 2, { maxWaitMs: 5_000 })
  await writer.ask('DeleteTopics', 5, { topicNames: ['a'], timeoutMs: 1_000 })
  assert.equal(nameOf((await orphaned).errorCode), 'UNKNOWN_TOPIC_OR_PARTITION')
})

test('only what is committed is read by who asks for that, with the aborted transactions named', async t => {
  const { state, dial } = await startCluster(t)
  state.createTopic({ name: 'a' })
  const partition = state.partition('a', 0)!
  const client = await dial()
  const send = (producerId: bigint, baseSequence: number) =>
    produce(client, 'a', batchOf(['x'], { producerId, producerEpoch: 0, baseSequence, transactional: true }), { transactionalId: 't' })
  await produce(client, 'a', batchOf(['plain']))
  await send(1n, 0)
  await send(2n, 0)
  const committed = async (offset = 0) => fetch(client, 'a', offset, { isolationLevel: 1 })
  let answer = await committed()
  assert.deepEqual([offsets(answer.records), answer.lastStableOffset, answer.highWatermark], [[0], 1n, 3n])
  assert.equal(partition.appendMarker(marker(false, 1n)).errorCode, 0)
  answer = await committed()
  assert.deepEqual(
    [offsets(answer.records), answer.lastStableOffset, answer.abortedTransactions],
    [[0, 1], 2n, [{ producerId: 1n, firstOffset: 1n }]]
  )
  assert.equal(state.appendMarker('a', 0, marker(true, 2n)), 0)
  answer = await committed()
  assert.deepEqual([offsets(answer.records), answer.lastStableOffset], [[0, 1, 2, 3, 4], 5n])
  assert.deepEqual(answer.abortedTransactions, [{ producerId: 1n, firstOffset: 1n }])
  assert.deepEqual((await committed(4)).abortedTransactions, [], 'its marker lies before')
  assert.equal((await fetch(client, 'a', 0)).abortedTransactions, null)
  const views = [...readBatches((await fetch(client, 'a', 3)).records!)]
  assert.deepEqual(
    views.map(view => view.controlMarker()?.type),
    ['abort', 'commit']
  )
  const ends = await client.ask('ListOffsets', 5, {
    replicaId: -1,
    isolationLevel: 1,
    topics: [{ name: 'a', partitions: [{ partitionIndex: 0, timestamp: -1n }] }]
  })
  assert.equal(ends.topics[0]!.partitions[0]!.offset, 5n)
})

test('epochs fence readers that are behind, and tell those apart whose log was cut', async t => {
  const { state, dial } = await startCluster(t, { brokers: 3 })
  state.createTopic({ name: 'a', assignments: [[1, 2]] })
  const partition = state.partition('a', 0)!
  const one = await dial(1)
  await produce(one, 'a', batchOf(['shared']))
  partition.hold(2)
  await produce(one, 'a', batchOf(['lost', 'lost too']), { acks: 1 })
  partition.shrink(2)
  assert.throws(() => partition.elect(2), /not in the ISR/)
  partition.elect(2, { unclean: true })
  assert.deepEqual([partition.highWatermark, partition.isr, partition.leaderEpoch], [1, [1, 2], 1])
  const two = await dial(2)
  await produce(two, 'a', batchOf(['other']), { acks: 1 })
  assert.equal(partition.logs.get(1)!.endOffset, 2, 'what the new leader lacks is gone')
  assert.deepEqual(partition.logs.get(1)!.epochs, partition.log!.epochs)
  partition.hold(2, false)
  const ask = async (client: typeof one, offset: number, options: object) => {
    const { errorCode, currentLeader, divergingEpoch } = await fetch(client, 'a', offset, options)
    return { error: nameOf(errorCode), leader: currentLeader.leaderId, diverging: [divergingEpoch.epoch, Number(divergingEpoch.endOffset)] }
  }
  assert.deepEqual(await ask(two, 0, { currentLeaderEpoch: 0 }), { error: 'FENCED_LEADER_EPOCH', leader: -1, diverging: [-1, -1] })
  assert.deepEqual(await ask(two, 0, { currentLeaderEpoch: 2 }), { error: 'UNKNOWN_LEADER_EPOCH', leader: -1, diverging: [-1, -1] })
  assert.deepEqual(await ask(two, 2, { currentLeaderEpoch: 1, lastFetchedEpoch: 0 }), { error: 'NONE', leader: -1, diverging: [0, 1] })
  const end = await two.ask('OffsetForLeaderEpoch', 4, {
    replicaId: -1,
    topics: [
      {
        topic: 'a',
        partitions: [
          { partition: 0, currentLeaderEpoch: 1, leaderEpoch: 0 },
          { partition: 0, leaderEpoch: 5 }
        ]
      }
    ]
  })
  assert.deepEqual(
    end.topics[0]!.partitions.map(({ errorCode, leaderEpoch, endOffset }) => [errorCode, leaderEpoch, endOffset]),
    [
      [0, 0, 1n],
      [0, -1, -1n]
    ]
  )
  // A follower is read from since v11; before, and where there is no replica, the client must find the leader.
  assert.equal((await ask(one, 0, {})).error, 'NONE')
  assert.equal((await ask(one, 0, { version: 10 })).error, 'NOT_LEADER_OR_FOLLOWER')
  const answer = await (await dial(3)).ask('Fetch', 16, fetchRequest('', 0, { topicId: state.topic('a')!.id }))
  assert.equal(nameOf(answer.responses[0]!.partitions[0]!.errorCode), 'NOT_LEADER_OR_FOLLOWER')
  assert.deepEqual(
    answer.nodeEndpoints.map(({ nodeId }) => nodeId),
    [2]
  )
})

test('a session remembers what is asked, and tells only what is new', async t => {
  const { state, dial, broker } = await startCluster(t)
  for (const name of ['a', 'b']) state.createTopic({ name })
  const [client, writer] = [await dial(), await dial()]
  const ids = { a: state.topic('a')!.id, b: state.topic('b')!.id }
  const topicsOf = (names: ('a' | 'b')[], offset = 0) =>
    names.map(name => ({ topicId: ids[name], partitions: [{ partition: 0, fetchOffset: BigInt(offset), partitionMaxBytes: 1 << 20 }] }))
  const ask = async (sessionId: number, sessionEpoch: number, topics: ReturnType<typeof topicsOf>, forgotten: ('a' | 'b')[] = []) => {
    const forgottenTopicsData = forgotten.map(name => ({ topicId: ids[name], partitions: [0] }))
    const answer = await client.ask('Fetch', 13, { maxWaitMs: 0, minBytes: 1, sessionId, sessionEpoch, topics, forgottenTopicsData })
    return {
      id: answer.sessionId,
      error: nameOf(answer.errorCode),
      topics: answer.responses.map(({ topicId }) => (topicId === ids.a ? 'a' : 'b'))
    }
  }
  const { id, topics } = await ask(0, 0, topicsOf(['a', 'b']))
  assert.ok(id > 0)
  assert.deepEqual(topics, ['a', 'b'])
  assert.deepEqual(await ask(id, 1, []), { id, error: 'NONE', topics: [] })
  await produce(writer, 'a', batchOf(['x']))
  assert.deepEqual((await ask(id, 2, [])).topics, ['a'])
  assert.deepEqual((await ask(id, 3, topicsOf(['a'], 1))).topics, [])
  assert.deepEqual((await ask(id, 4, topicsOf(['a', 'b'], 7))).topics, ['b', 'a'], 'errors are told, who was served comes last')
  assert.deepEqual((await ask(id, 5, topicsOf(['a']), ['b'])).topics, ['a'])
  assert.equal((await ask(id, 5, [])).error, 'INVALID_FETCH_SESSION_EPOCH')
  assert.equal((await ask(id + 1, 1, [])).error, 'FETCH_SESSION_ID_NOT_FOUND')
  const byName = await client.ask('Fetch', 12, {
    maxWaitMs: 0,
    minBytes: 1,
    sessionId: id,
    sessionEpoch: 6,
    topics: [],
    forgottenTopicsData: []
  })
  assert.equal(nameOf(byName.errorCode), 'FETCH_SESSION_TOPIC_ID_ERROR')
  state.deleteTopic('a')
  assert.equal((await client.ask('Fetch', 13, fetchRequest('', 0, { topicId: ids.a }))).responses[0]!.partitions[0]!.errorCode, 100)
  assert.equal(broker(1).sessions.size, 1)
  assert.deepEqual(await ask(id, -1, topicsOf(['b'])), { id: 0, error: 'NONE', topics: ['b'] })
  assert.equal(broker(1).sessions.size, 0)
})

test('a session makes room for a new one when nobody has used it for two minutes', () => {
  let [nowMs, chance] = [0, 0]
  const sessions = new FetchSessions(2, { random: () => (chance += 0.1), monotonicMs: () => nowMs })
  const open = () => sessions.plan({ ...fetchRequest('a', 0), sessionEpoch: 0 }, 12, () => undefined).sessionId
  const [first, second] = [open(), open()]
  assert.ok(first > 0 && second > 0 && first !== second)
  nowMs = 60_000
  assert.equal(sessions.plan({ ...fetchRequest('a', 0), sessionId: first, sessionEpoch: 1 }, 12, () => undefined).errorCode, 0)
  nowMs = 120_000
  assert.equal(open(), 0)
  nowMs = 120_001
  const third = open()
  assert.ok(third > 0)
  assert.equal(sessions.plan({ ...fetchRequest('a', 0), sessionId: first, sessionEpoch: 2 }, 12, () => undefined).errorCode, 0)
  const gone = sessions.plan({ ...fetchRequest('a', 0), sessionId: second, sessionEpoch: 1 }, 12, () => undefined)
  assert.equal(nameOf(gone.errorCode), 'FETCH_SESSION_ID_NOT_FOUND')
  assert.equal(sessions.size, 2)
})
