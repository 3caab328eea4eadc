/**
 * Transactions over sockets: what is committed is read, what is aborted is not, offsets count with their transaction, in each generation of the
 * protocol.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Transactions } from '../../../src/embedded/kafka/transactions/index.ts'
import { nameOf } from '../groups/support.ts'
import { batchOf, produce, type RawClient, startCluster, type TestCluster } from '../kafka/support.ts'

const transactionalId = 'tx'
const TOPIC = 't'

async function begin(t: Parameters<typeof startCluster>[0], brokers = 1): Promise<{ cluster: TestCluster; client: RawClient }> {
  const cluster = await startCluster(t, { brokers, broker: { profile: '4.x' } })
  cluster.state.createTopic({ name: TOPIC, partitions: 2 })
  return { cluster, client: await cluster.dial() }
}

async function init(client: RawClient, version = 4) {
  const told = await client.ask('InitProducerId', version, { transactionalId, transactionTimeoutMs: 5_000 })
  assert.equal(nameOf(told.errorCode), 'NONE')
  return { producerId: told.producerId, producerEpoch: told.producerEpoch }
}

const lastStable = (cluster: TestCluster) => cluster.state.partition(TOPIC, 0)!.lastStableOffset

test('partitions are added, written to and marked; offsets that were read count from then on', async t => {
  const { cluster, client } = await begin(t)
  const found = await client.ask('FindCoordinator', 4, { keyType: 1, coordinatorKeys: [transactionalId] })
  assert.deepEqual([found.coordinators[0]!.nodeId, found.coordinators[0]!.port], [1, cluster.broker(1).port])
  const producer = await init(client)
  const batch = () => batchOf(['a', 'b'], { ...producer, baseSequence: 0, transactional: true })
  assert.equal(nameOf((await produce(client, TOPIC, batch(), { transactionalId })).errorCode), 'INVALID_TXN_STATE')
  const add = (version: number, topic: string) =>
    client.ask('AddPartitionsToTxn', version, {
      ...{ v3AndBelowTransactionalId: transactionalId, v3AndBelowProducerId: producer.producerId },
      v3AndBelowProducerEpoch: producer.producerEpoch,
      v3AndBelowTopics: [
        { name: TOPIC, partitions: [0] },
        { name: topic, partitions: [1] }
      ]
    })
  const refused = await add(3, 'nowhere')
  assert.deepEqual(
    refused.resultsByTopicV3AndBelow.map(({ resultsByPartition }) => nameOf(resultsByPartition[0]!.partitionErrorCode)),
    ['OPERATION_NOT_ATTEMPTED', 'UNKNOWN_TOPIC_OR_PARTITION']
  )
  await add(3, TOPIC)
  assert.equal((await produce(client, TOPIC, batch(), { transactionalId })).errorCode, 0)
  assert.equal((await client.ask('AddOffsetsToTxn', 3, { transactionalId, ...producer, groupId: 'g' })).errorCode, 0)
  const topics = [{ name: TOPIC, partitions: [{ partitionIndex: 0, committedOffset: 7n, committedMetadata: 'm' }] }]
  const committed = await client.ask('TxnOffsetCommit', 3, { transactionalId, groupId: 'g', ...producer, topics })
  assert.equal(committed.topics[0]!.partitions[0]!.errorCode, 0)
  const fetch = async (requireStable: boolean) => {
    const groups = [{ groupId: 'g', topics: [{ name: TOPIC, partitionIndexes: [0] }] }]
    const { committedOffset, errorCode } = (await client.ask('OffsetFetch', 8, { groups, requireStable })).groups[0]!.topics[0]!
      .partitions[0]!
    return errorCode ? nameOf(errorCode) : committedOffset
  }
  assert.deepEqual([await fetch(true), await fetch(false), lastStable(cluster)], ['UNSTABLE_OFFSET_COMMIT', -1n, 0])
  const [described] = (await client.ask('DescribeTransactions', 0, { transactionalIds: [transactionalId] })).transactionStates
  assert.equal(described!.transactionState, 'Ongoing')
  assert.deepEqual(described!.topics[0], { topic: TOPIC, partitions: [0, 1] })
  assert.equal((await client.ask('EndTxn', 3, { transactionalId, ...producer, committed: true })).errorCode, 0)
  assert.equal(
    (await client.ask('ListTransactions', 0, { stateFilters: ['CompleteCommit'], producerIdFilters: [] })).transactionStates.length,
    1
  )
  assert.deepEqual([await fetch(true), lastStable(cluster)], [7n, 3])
})

test('in version 2 of transactions writing is joining, and each end has an epoch of its own', async t => {
  const { cluster, client } = await begin(t)
  let producer = await init(client, 5)
  const { coordinator } = cluster.state.part(Transactions)
  for (const committed of [true, false, true]) {
    const batch = batchOf(['a'], { ...producer, baseSequence: 0, transactional: true })
    assert.equal((await produce(client, TOPIC, batch, { transactionalId, version: 12 })).errorCode, 0)
    const topics = [{ name: TOPIC, partitions: [{ partitionIndex: 0, committedOffset: 1n, committedMetadata: null }] }]
    const commit = await client.ask('TxnOffsetCommit', 5, { transactionalId, groupId: 'g', ...producer, topics })
    assert.equal(commit.topics[0]!.partitions[0]!.errorCode, 0)
    assert.equal(coordinator.transactions.get(transactionalId)!.partitions.length, 2)
    const { errorCode, producerId, producerEpoch } = await client.ask('EndTxn', 5, { transactionalId, ...producer, committed })
    assert.deepEqual([errorCode, producerEpoch], [0, producer.producerEpoch + 1])
    producer = { producerId, producerEpoch }
    // Markers are written in the next turn: an answer later they are there.
    await client.ask('ApiVersions', 0, {})
  }
  assert.equal(lastStable(cluster), 6)
})

test('a producer that was replaced hears of it as its version knows it, from the coordinator and from the log', async t => {
  const { client } = await begin(t)
  const old = await init(client)
  await init(client)
  const end = async (version: number) =>
    nameOf((await client.ask('EndTxn', version, { transactionalId, ...old, committed: true })).errorCode)
  assert.deepEqual([await end(1), await end(2)], ['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED'])
  const batch = batchOf(['a'], { ...old, baseSequence: 0, transactional: true })
  assert.equal(nameOf((await produce(client, TOPIC, batch, { transactionalId })).errorCode), 'INVALID_PRODUCER_EPOCH')
})
