/**
 * A broker as a process and as a peer: faults at single requests, death, sleep and return, versions offered, and bad input that ends one connection
 * and nothing else.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Broker } from '../../../src/embedded/kafka/broker.ts'
import type { ClusterEvent } from '../../../src/embedded/kafka/cluster-types.ts'
import { loadApi } from '../../../src/wire/apis.ts'
import { batchOf, fetch, nameOf, produce, startCluster, world } from './support.ts'

test('requests are watched, answered in place, changed, delayed, dropped before or after they are applied', async t => {
  const { state, dial, broker } = await startCluster(t)
  const topic = state.createTopic({ name: 'a' })
  const log = topic.partitions[0]!.log!
  const one = broker(1)
  const seen: string[] = []
  const stop = one.control('*', ({ api, version, clientId, nth }) => {
    seen.push(`${api} ${version} ${clientId} ${nth}`)
  })
  const client = await dial()
  await client.ask('Metadata', 1, { topics: null })
  await produce(client, 'a', batchOf(['x']))
  assert.deepEqual(seen, ['Metadata 1 raw 1', 'Produce 9 raw 2'])
  stop()

  one.control(
    'Produce',
    ({ body }) => ({
      answer: {
        throttleTimeMs: 0,
        nodeEndpoints: [],
        responses: body.topicData.map(({ name = '' }) => ({
          name,
          topicId: topic.id,
          partitionResponses: [
            {
              ...{ index: 0, errorCode: 56, baseOffset: -1n, logAppendTimeMs: -1n, logStartOffset: -1n },
              ...{ recordErrors: [], errorMessage: 'the disk is full', currentLeader: { leaderId: -1, leaderEpoch: -1 } }
            }
          ]
        }))
      }
    }),
    { times: 1 }
  )
  assert.equal(nameOf((await produce(client, 'a', batchOf(['x']))).errorCode), 'KAFKA_STORAGE_ERROR')
  assert.equal(log.endOffset, 1, 'it was not applied')
  one.control('Fetch', () => ({ change: answer => ({ ...answer, throttleTimeMs: 7 }) }), { times: 1 })
  assert.equal((await fetch(client, 'a', 0)).errorCode, 0)
  one.control('Produce', ({ nth }) => (nth === 2 ? { drop: 'after' } : undefined), { times: 1 })
  assert.equal((await produce(client, 'a', batchOf(['x']))).baseOffset, 1n)
  await assert.rejects(produce(client, 'a', batchOf(['x'])), /closed/)
  assert.equal(log.endOffset, 3, 'it was applied')
  const second = await dial()
  one.control('Produce', () => ({ drop: 'before' }), { times: 1 })
  await assert.rejects(produce(second, 'a', batchOf(['x'])), /closed/)
  assert.equal(log.endOffset, 3)
  const third = await dial()
  one.control('Metadata', () => ({ drop: 'after', stay: true }), { times: 1 })
  third.send((await third.frame('Metadata', 1, { topics: null })).frame.chunks)
  assert.equal((await third.ask('ApiVersions', 0, {})).errorCode, 0, 'the next one is answered')
  one.control('Metadata', () => ({ bytes: frame => Buffer.concat([frame.subarray(0, 4), Buffer.from([9, 9, 9, 9]), frame.subarray(8)]) }), {
    times: 1
  })
  await assert.rejects(third.ask('Metadata', 1, { topics: null }), /answered as/)
  one.control('Metadata', () => ({ delayMs: 20, answerDelayMs: 20 }), { times: 1 })
  const started = world.monotonicMs()
  await third.ask('Metadata', 1, { topics: null })
  assert.ok(world.monotonicMs() - started >= 35)
})

test('killed, it is out of the in-sync replicas and its port is closed; restarted, it is back on the same one', async t => {
  const { state, dial, broker } = await startCluster(t, { brokers: 3 })
  state.createTopic({ name: 'a', assignments: [[1, 2, 3]] })
  const partition = state.partition('a', 0)!
  const events: string[] = []
  state.observe((event: ClusterEvent) => {
    if ('brokerId' in event && event.type !== 'log-changed') events.push(`${event.type} ${event.brokerId}`)
  })
  const client = await dial(1)
  await produce(client, 'a', batchOf(['x']))
  const { port } = broker(1)
  broker(1).kill()
  await client.closed
  await assert.rejects(
    Promise.race([dial(1), new Promise((_, reject) => world.setTimer(() => reject(new Error('refused')), 200))]),
    /refused/
  )
  assert.deepEqual([partition.leader, partition.leaderEpoch, partition.isr, state.controllerId], [2, 1, [2, 3], 2])
  assert.equal((await produce(await dial(2), 'a', batchOf(['y']))).baseOffset, 1n)
  await broker(1).restart()
  assert.equal(broker(1).port, port)
  assert.deepEqual([partition.leader, partition.isr, partition.logs.get(1)!.endOffset], [2, [1, 2, 3], 2])
  assert.equal(nameOf((await produce(await dial(1), 'a', batchOf(['z']))).errorCode), 'NOT_LEADER_OR_FOLLOWER')
  assert.deepEqual(events, ['broker-down 1', 'controller-changed 2', 'broker-up 1'])
})

test('frozen, it takes connections and says nothing; thawed, it answers what has come, and follows again', async t => {
  const { state, dial, broker } = await startCluster(t, { brokers: 2 })
  state.createTopic({ name: 'a', assignments: [[1, 2]] })
  const partition = state.partition('a', 0)!
  broker(2).freeze()
  const client = await dial(2)
  let answered = false
  const waiting = client.ask('Metadata', 1, { topics: null }).then(() => {
    answered = true
  })
  assert.equal((await produce(await dial(1), 'a', batchOf(['x']), { acks: 1 })).baseOffset, 0n)
  assert.equal(nameOf((await produce(await dial(1), 'a', batchOf(['y']), { timeoutMs: 10 })).errorCode), 'REQUEST_TIMED_OUT')
  assert.equal(answered, false)
  assert.equal(partition.highWatermark, 0)
  broker(2).thaw()
  await waiting
  assert.deepEqual([partition.highWatermark, partition.isr], [2, [1, 2]])
  broker(2).slow(30)
  const started = world.monotonicMs()
  await client.ask('Metadata', 1, { topics: null })
  assert.ok(world.monotonicMs() - started >= 25)
})

test('a version of ApiVersions that nobody knows is answered in version 0 with the range; any other ends the connection', async t => {
  const { dial, brokers } = await startCluster(t, { broker: { maxVersions: { Produce: 7, Fetch: -1 } } })
  const client = await dial()
  const { frame } = await client.frame('ApiVersions', 4, { clientSoftwareName: 'x', clientSoftwareVersion: '1' })
  const bytes = Buffer.concat(frame.chunks)
  bytes.writeInt16BE(99, 6)
  client.send([bytes])
  const { body } = (await loadApi('ApiVersions')).decodeResponse(0, await client.next())
  assert.deepEqual([nameOf(body.errorCode), body.apiKeys], ['UNSUPPORTED_VERSION', [{ apiKey: 18, minVersion: 0, maxVersion: 4 }]])
  const { apiKeys, errorCode } = await client.ask('ApiVersions', 4, { clientSoftwareName: 'x', clientSoftwareVersion: '1' })
  assert.equal(errorCode, 0)
  assert.deepEqual(
    apiKeys.find(({ apiKey }) => apiKey === 0),
    { apiKey: 0, minVersion: 0, maxVersion: 7 }
  )
  assert.equal(
    apiKeys.some(({ apiKey }) => apiKey === 1),
    false
  )
  const strange = await client.ask('ApiVersions', 3, { clientSoftwareName: 'a b', clientSoftwareVersion: '1' })
  assert.equal(nameOf(strange.errorCode), 'INVALID_REQUEST')
  await assert.rejects(produce(client, 'a', batchOf(['x']), { version: 8 }), /closed/)
  assert.equal(brokers[0]!.running, true)
})

test('what is no request ends its connection, and no other; sizes and connections are limited', async t => {
  const { dial, broker } = await startCluster(t, { broker: { limits: { connections: 3, frameBytes: 4_000 } } })
  const good = await dial()
  await good.ask('ApiVersions', 0, {})
  const frame = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex')
  const bad: [what: string, bytes: Buffer][] = [
    ['a negative size', frame('ffffffff')],
    ['a size beyond the limit', frame('00001000')],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['TLS', frame('16 03 01 02 00 01 00')],
    ['an API that is not there', frame('0000000a 03e7 0000 00000001 ffff')],
    ['a version that is not there', frame('0000000a 0003 0063 00000001 ffff')],
    ['a body that is cut', frame('0000000b 0003 0001 00000001 ffff 00')],
    ['bytes behind its end', frame('0000000f 0003 0001 00000001 ffff ffffffff 00')],
    ['a header that is cut', frame('00000006 0003 0001 0000')]
  ]
  for (const [what, bytes] of bad) {
    const client = await dial()
    client.send([bytes])
    await client.closed
    assert.equal(broker(1).running, true, what)
  }
  // What comes first may be as large as what comes later: some clients ask nothing else of a broker.
  const first = await dial()
  assert.equal((await produce(first, 'a', batchOf(['x'.repeat(3_000)]))).errorCode, 3)
  await assert.rejects(produce(first, 'a', batchOf(['x'.repeat(5_000)])), /closed/)
  while (broker(1).connections > 1) await new Promise(resolve => world.defer(() => resolve(undefined)))
  await dial()
  await dial()
  await (await dial()).closed
  assert.equal((await good.ask('ApiVersions', 0, {})).errorCode, 0)
})

test('requests of one connection are answered one after the other, however many come at once', async t => {
  const { state, dial, broker } = await startCluster(t, { broker: { limits: { waitingRequests: 4 } } })
  state.createTopic({ name: 'a' })
  broker(1).control('Produce', () => ({ delayMs: 1 }), { times: 5 })
  const client = await dial()
  const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => produce(client, 'a', batchOf([`v${i}`]))))
  assert.deepEqual(
    answers.map(({ baseOffset }) => Number(baseOffset)),
    Array.from({ length: 40 }, (_, i) => i)
  )
})

test('a port that is taken is refused', async t => {
  const { state, broker } = await startCluster(t)
  await assert.rejects(Broker.start({ world, state, id: 2, port: broker(1).port }))
})
