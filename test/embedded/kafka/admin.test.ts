/**
 * Topics, configurations and what else admins ask, frame by frame: each error as Kafka gives it, and every version of every API answered.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApiName, RequestOf } from '../../../src/wire/apis.ts'
import { batchOf, fetchRequest, nameOf, produce, type RawClient, startCluster } from './support.ts'

type Spec = Partial<RequestOf<'CreateTopics'>['topics'][number]>

async function create(client: RawClient, specs: Spec[], options: { validateOnly?: boolean; timeoutMs?: number; version?: number } = {}) {
  const topics = specs.map(spec => ({ name: 'a', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [], ...spec }))
  const { version = 7, validateOnly = false, timeoutMs = 1_000 } = options
  return (await client.ask('CreateTopics', version, { topics, timeoutMs, validateOnly })).topics
}

test('topics that cannot be made are refused with the code that Kafka gives them', async t => {
  const { state, dial } = await startCluster(t, { brokers: 2 })
  const [client, other] = [await dial(1), await dial(2)]
  state.createTopic({ name: 'there.too' })
  const assigned = (...lists: number[][]) => ({
    numPartitions: -1,
    replicationFactor: -1,
    assignments: lists.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds }))
  })
  const refusals: [spec: Spec, code: string][] = [
    [{ name: '' }, 'INVALID_TOPIC_EXCEPTION'],
    [{ name: '..' }, 'INVALID_TOPIC_EXCEPTION'],
    [{ name: 'a b' }, 'INVALID_TOPIC_EXCEPTION'],
    [{ name: 'x'.repeat(250) }, 'INVALID_TOPIC_EXCEPTION'],
    [{ name: 'there_too' }, 'INVALID_TOPIC_EXCEPTION'],
    [{ name: 'there.too' }, 'TOPIC_ALREADY_EXISTS'],
    [{ numPartitions: 0 }, 'INVALID_PARTITIONS'],
    [{ numPartitions: 2 ** 31 - 1 }, 'POLICY_VIOLATION'],
    [{ replicationFactor: 0 }, 'INVALID_REPLICATION_FACTOR'],
    [{ replicationFactor: 3 }, 'INVALID_REPLICATION_FACTOR'],
    [{ ...assigned([1, 1]) }, 'INVALID_REPLICA_ASSIGNMENT'],
    [{ ...assigned([1], [9]) }, 'INVALID_REPLICA_ASSIGNMENT'],
    [{ ...assigned([1], [1, 2]) }, 'INVALID_REPLICA_ASSIGNMENT'],
    [{ ...assigned([1]), assignments: [{ partitionIndex: 1, brokerIds: [1] }] }, 'INVALID_REPLICA_ASSIGNMENT'],
    [{ ...assigned([1]), numPartitions: 1 }, 'INVALID_REQUEST'],
    [{ configs: [{ name: 'no.such', value: '1' }] }, 'INVALID_CONFIG'],
    [{ configs: [{ name: 'retention.ms', value: 'soon' }] }, 'INVALID_CONFIG'],
    [{ configs: [{ name: 'cleanup.policy', value: 'shred' }] }, 'INVALID_CONFIG'],
    [{ configs: [{ name: 'retention.ms', value: null }] }, 'INVALID_CONFIG']
  ]
  for (const [spec, code] of refusals) {
    const [answer] = await create(client, [spec])
    assert.equal(nameOf(answer!.errorCode), code, JSON.stringify(spec))
    assert.ok(answer!.errorMessage)
  }
  assert.deepEqual(
    (await create(client, [{ name: 'twice' }, { name: 'twice' }, { name: 'once' }])).map(({ name, errorCode }) => [
      name,
      nameOf(errorCode)
    ]),
    [
      ['twice', 'INVALID_REQUEST'],
      ['once', 'NONE']
    ]
  )
  assert.equal(nameOf((await create(other, [{ name: 'b' }]))[0]!.errorCode), 'NOT_CONTROLLER')
  assert.equal(nameOf((await create(client, [{ name: 'hurried' }], { timeoutMs: 0 }))[0]!.errorCode), 'REQUEST_TIMED_OUT')
  assert.deepEqual([...state.topics.keys()], ['there.too', 'once', 'hurried'])
})

test('a topic is made as asked, told with its configurations, and only looked at where that was asked', async t => {
  const { state, dial } = await startCluster(t, { brokers: 3, config: { 'num.partitions': '4', 'default.replication.factor': '2' } })
  const client = await dial()
  const configs = [{ name: 'retention.ms', value: '1000' }]
  const [looked] = await create(client, [{ numPartitions: -1, replicationFactor: -1, configs }], { validateOnly: true })
  assert.deepEqual(
    [looked!.errorCode, looked!.numPartitions, looked!.replicationFactor, looked!.topicId],
    [0, 4, 2, 'AAAAAAAAAAAAAAAAAAAAAA']
  )
  assert.equal(state.topics.size, 0)
  const [made] = await create(client, [{ numPartitions: -1, replicationFactor: -1, configs }])
  assert.equal(made!.topicId, state.topic('a')!.id)
  assert.deepEqual(
    made!.configs!.find(({ name }) => name === 'retention.ms'),
    { name: 'retention.ms', value: '1000', readOnly: false, configSource: 1, isSensitive: false }
  )
  assert.deepEqual(
    state.topic('a')!.partitions.map(({ replicas }) => replicas),
    [
      [1, 2],
      [2, 3],
      [3, 1],
      [1, 2]
    ]
  )
  const more = async (count: number, assignments: { brokerIds: number[] }[] | null = null, name = 'a') =>
    nameOf(
      (await client.ask('CreatePartitions', 3, { topics: [{ name, count, assignments }], timeoutMs: 1, validateOnly: false })).results[0]!
        .errorCode
    )
  assert.equal(await more(4), 'INVALID_PARTITIONS')
  assert.equal(await more(3), 'INVALID_PARTITIONS')
  assert.equal(await more(5, null, 'b'), 'UNKNOWN_TOPIC_OR_PARTITION')
  assert.equal(await more(6, [{ brokerIds: [1, 2] }]), 'INVALID_REPLICA_ASSIGNMENT')
  assert.equal(await more(5, [{ brokerIds: [3, 2] }]), 'NONE')
  assert.deepEqual(state.partition('a', 4)!.replicas, [3, 2])
  const id = state.topic('a')!.id
  const drop = async (topics: RequestOf<'DeleteTopics'>['topics']) =>
    (await client.ask('DeleteTopics', 6, { topics, timeoutMs: 1_000 })).responses.map(({ name, errorCode }) => [name, nameOf(errorCode)])
  assert.deepEqual(await drop([{ name: null, topicId: id }, { name: 'b' }, { name: null, topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' }]), [
    ['a', 'NONE'],
    ['b', 'UNKNOWN_TOPIC_OR_PARTITION'],
    [null, 'UNKNOWN_TOPIC_ID']
  ])
})

test('metadata keeps the rules of each version', async t => {
  const { state, dial, broker } = await startCluster(t, { brokers: 2, leaderDelayMs: 0 })
  const client = await dial()
  state.createTopic({ name: 'a', assignments: [[2, 1]] })
  const ask = async (version: number, topics: RequestOf<'Metadata'>['topics'], allowAutoTopicCreation = false) => {
    const request = version >= 4 ? { topics, allowAutoTopicCreation } : { topics }
    return client.ask('Metadata', version, request)
  }
  const names = async (version: number, topics: RequestOf<'Metadata'>['topics'], auto = false) =>
    (await ask(version, topics, auto)).topics.map(({ name, errorCode }) => [name, nameOf(errorCode)])
  assert.deepEqual(await names(0, []), [['a', 'NONE']])
  assert.deepEqual(await names(1, []), [])
  assert.deepEqual(await names(1, null), [['a', 'NONE']])
  assert.deepEqual(await names(9, [{ name: 'b' }, { name: 'a b' }]), [
    ['b', 'UNKNOWN_TOPIC_OR_PARTITION'],
    ['a b', 'INVALID_TOPIC_EXCEPTION']
  ])
  assert.deepEqual(
    await names(12, [
      { name: null, topicId: state.topic('a')!.id },
      { name: null, topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' }
    ]),
    [
      ['a', 'NONE'],
      [null, 'UNKNOWN_TOPIC_ID']
    ]
  )
  assert.deepEqual(await names(11, [{ name: 'a', topicId: state.topic('a')!.id }]), [['a', 'INVALID_REQUEST']])
  assert.deepEqual(await names(9, [{ name: 'new' }], true), [['new', 'UNKNOWN_TOPIC_OR_PARTITION']])
  assert.deepEqual(await names(9, [{ name: 'new' }], true), [['new', 'NONE']])
  broker(2).kill()
  const { brokers, topics, controllerId } = await ask(12, [{ name: 'a' }])
  assert.deepEqual([brokers.map(({ nodeId }) => nodeId), controllerId], [[1], 1])
  const { leaderId, leaderEpoch, isrNodes, replicaNodes, offlineReplicas } = topics[0]!.partitions[0]!
  assert.deepEqual(
    { leaderId, leaderEpoch, isrNodes, replicaNodes, offlineReplicas },
    { leaderId: 1, leaderEpoch: 1, isrNodes: [1], replicaNodes: [2, 1], offlineReplicas: [2] }
  )
  assert.equal(nameOf((await ask(0, [{ name: 'a' }])).topics[0]!.partitions[0]!.errorCode), 'REPLICA_NOT_AVAILABLE')
  // The last one in sync is gone: nobody leads, and whoever was not in sync may not.
  await broker(2).restart()
  state.partition('a', 0)!.hold(2)
  state.partition('a', 0)!.shrink(2)
  const second = await (async () => dial(2))()
  broker(1).kill()
  const left = await second.ask('Metadata', 12, { topics: [{ name: 'a' }] })
  assert.deepEqual(
    [nameOf(left.topics[0]!.partitions[0]!.errorCode), left.topics[0]!.partitions[0]!.leaderId, left.controllerId],
    ['LEADER_NOT_AVAILABLE', -1, 2]
  )
  const election = await second.ask('ElectLeaders', 2, {
    electionType: 1,
    topicPartitions: [{ topic: 'a', partitions: [0] }],
    timeoutMs: 1
  })
  assert.deepEqual(
    election.replicaElectionResults[0]!.partitionResult.map(({ errorCode }) => errorCode),
    [0]
  )
  assert.equal(state.partition('a', 0)!.leader, 2)
})

test('very many names at once are answered one by one, and in good time', { timeout: 20_000 }, async t => {
  const { dial } = await startCluster(t)
  const client = await dial()
  const names = Array.from({ length: 60_000 }, (_, at) => ({ name: `t${at % 40_000}` }))
  const { topics } = await client.ask('Metadata', 9, { topics: names, allowAutoTopicCreation: false })
  assert.equal(topics.filter(({ errorCode }) => nameOf(errorCode) === 'UNKNOWN_TOPIC_OR_PARTITION').length, names.length)
  const more = { numPartitions: 0, replicationFactor: 1, assignments: [], configs: [] }
  const made = await client.ask('CreateTopics', 5, {
    topics: names.map(each => ({ ...each, ...more })),
    timeoutMs: 1_000,
    validateOnly: true
  })
  assert.equal(made.topics.length, 40_000)
  const gone = await client.ask('DeleteTopics', 5, { topicNames: names.map(({ name }) => name), timeoutMs: 1_000 })
  assert.equal(gone.responses.length, names.length)
  const partitions = names.map((_, partitionIndex) => ({ partitionIndex, timestamp: -1n }))
  const offsets = await client.ask('ListOffsets', 6, { replicaId: -1, topics: [{ name: 't', partitions }] })
  assert.equal(offsets.topics[0]!.partitions.length, names.length)
})

test('a new topic may have no leader at first', async t => {
  const { state, dial } = await startCluster(t, { leaderDelayMs: 40 })
  const client = await dial()
  state.createTopic({ name: 'a' })
  const error = async () => nameOf((await client.ask('Metadata', 12, { topics: [{ name: 'a' }] })).topics[0]!.partitions[0]!.errorCode)
  assert.equal(await error(), 'LEADER_NOT_AVAILABLE')
  let last: string
  do last = await error()
  while (last === 'LEADER_NOT_AVAILABLE')
  assert.equal(last, 'NONE')
})

test('configurations are changed one by one or all at once, and told with where they come from', async t => {
  const { state, dial } = await startCluster(t, { config: { 'log.retention.ms': '5000' } })
  const client = await dial()
  state.createTopic({ name: 'a', configs: { 'max.message.bytes': '1000' } })
  const describe = async (keys: string[] | null, resourceType = 2, resourceName = 'a') => {
    const resources = [{ resourceType, resourceName, configurationKeys: keys }]
    return (await client.ask('DescribeConfigs', 4, { resources, includeSynonyms: true })).results[0]!
  }
  const told = async (key: string) => {
    const [config] = (await describe([key])).configs
    return [config!.value, config!.configSource, config!.synonyms.map(({ name, source }) => [name, source])]
  }
  assert.deepEqual(await told('max.message.bytes'), [
    '1000',
    1,
    [
      ['max.message.bytes', 1],
      ['message.max.bytes', 5]
    ]
  ])
  assert.deepEqual(await told('retention.ms'), [
    '5000',
    4,
    [
      ['log.retention.ms', 4],
      ['log.retention.ms', 5]
    ]
  ])
  assert.ok((await describe(null)).configs.length > 30)
  assert.equal(nameOf((await describe(null, 2, 'b')).errorCode), 'UNKNOWN_TOPIC_OR_PARTITION')
  assert.equal(nameOf((await describe(null, 4, '9')).errorCode), 'INVALID_REQUEST')
  assert.equal((await describe(['broker.id'], 4, '1')).configs[0]!.value, '1')
  const change = async (name: string, configOperation: number, value: string | null, resourceType = 2, resourceName = 'a') => {
    const resources = [{ resourceType, resourceName, configs: [{ name, configOperation, value }] }]
    return nameOf((await client.ask('IncrementalAlterConfigs', 1, { resources, validateOnly: false })).responses[0]!.errorCode)
  }
  assert.equal(await change('retention.ms', 0, '7'), 'NONE')
  assert.deepEqual((await told('retention.ms')).slice(0, 2), ['7', 1])
  assert.equal(await change('retention.ms', 0, 'x'), 'INVALID_CONFIG')
  assert.equal(await change('retention.ms', 2, '7'), 'INVALID_CONFIG')
  assert.equal(await change('retention.ms', 0, null), 'INVALID_REQUEST')
  assert.equal(await change('cleanup.policy', 2, 'compact'), 'NONE')
  assert.equal((await told('cleanup.policy'))[0], 'delete,compact')
  assert.equal(await change('cleanup.policy', 3, 'delete'), 'NONE')
  assert.equal((await told('cleanup.policy'))[0], 'compact')
  assert.equal(await change('retention.ms', 1, null), 'NONE')
  assert.deepEqual((await told('retention.ms')).slice(0, 2), ['5000', 4])
  assert.equal(await change('retention.ms', 0, '1', 2, 'b'), 'UNKNOWN_TOPIC_OR_PARTITION')
  assert.equal(await change('log.retention.ms', 0, '9000', 4, ''), 'NONE')
  assert.deepEqual((await told('retention.ms')).slice(0, 2), ['9000', 3])
  assert.equal(await change('broker.id', 0, '3', 4, '1'), 'INVALID_REQUEST')
  const resources = [{ resourceType: 2, resourceName: 'a', configs: [{ name: 'flush.ms', value: '10' }] }]
  assert.equal((await client.ask('AlterConfigs', 2, { resources, validateOnly: false })).responses[0]!.errorCode, 0)
  assert.deepEqual([...state.configs.given('topic', 'a')], [['flush.ms', '10']])
})

test('records are deleted up to an offset, and logs are told with their sizes', async t => {
  const { state, dial } = await startCluster(t, { brokers: 2 })
  state.createTopic({ name: 'a', assignments: [[1, 2]] })
  state.createTopic({ name: 'c', assignments: [[1]], configs: { 'cleanup.policy': 'compact' } })
  const client = await dial()
  for (let i = 0; i < 5; i++) await produce(client, 'a', batchOf(['x']))
  const drop = async (offset: number, name = 'a', to = client) => {
    const topics = [{ name, partitions: [{ partitionIndex: 0, offset: BigInt(offset) }] }]
    const { errorCode, lowWatermark } = (await to.ask('DeleteRecords', 2, { topics, timeoutMs: 1_000 })).topics[0]!.partitions[0]!
    return errorCode === 0 ? Number(lowWatermark) : nameOf(errorCode)
  }
  assert.equal(await drop(6), 'OFFSET_OUT_OF_RANGE')
  assert.equal(await drop(0, 'c'), 'POLICY_VIOLATION')
  assert.equal(await drop(0, 'b'), 'UNKNOWN_TOPIC_OR_PARTITION')
  assert.equal(await drop(1, 'a', await dial(2)), 'NOT_LEADER_OR_FOLLOWER')
  assert.equal(await drop(3), 3)
  assert.equal(await drop(2), 3)
  const size = async (to: RawClient) =>
    (await to.ask('DescribeLogDirs', 4, { topics: null })).results[0]!.topics[0]!.partitions[0]!.partitionSize
  assert.equal(await size(client), BigInt(2 * batchOf(['x']).length))
  assert.equal(await size(await dial(2)), await size(client))
  assert.equal(await drop(-1), 5)
  assert.equal(await size(client), 0n)
  assert.equal((await produce(client, 'a', batchOf(['y']))).baseOffset, 5n)
})

test('offsets are found by time, by the largest time, and in the old form', async t => {
  const { state, dial } = await startCluster(t)
  state.createTopic({ name: 'a' })
  const client = await dial()
  for (const timestamp of [100, 300, 200]) await produce(client, 'a', batchOf(['x', 'y'], { timestamp }))
  const find = async (timestamp: number, version = 9) => {
    const partitions = [{ partitionIndex: 0, timestamp: BigInt(timestamp) }]
    const answer = await client.ask('ListOffsets', version, { replicaId: -1, topics: [{ name: 'a', partitions }] })
    const { errorCode, offset, timestamp: at } = answer.topics[0]!.partitions[0]!
    return errorCode === 0 ? [Number(offset), Number(at)] : nameOf(errorCode)
  }
  assert.deepEqual(await find(-1), [6, -1])
  assert.deepEqual(await find(-2), [0, -1])
  assert.deepEqual(await find(-3), [3, 301])
  assert.deepEqual(await find(-4), [0, -1])
  assert.deepEqual(await find(-5), [-1, -1])
  assert.deepEqual(await find(-3, 6), 'UNSUPPORTED_VERSION')
  assert.deepEqual(await find(101), [1, 101])
  assert.deepEqual(await find(102), [2, 300])
  assert.deepEqual(await find(302), [-1, -1])
  const partitions = [{ partitionIndex: 0, timestamp: -1n, maxNumOffsets: 5 }]
  const old = await client.ask('ListOffsets', 0, { replicaId: -1, topics: [{ name: 'a', partitions }] })
  assert.deepEqual(old.topics[0]!.partitions[0]!.oldStyleOffsets, [6n, 0n])
})

test('topics are described page by page', async t => {
  const { state, dial } = await startCluster(t, { broker: { profile: '4.x' } })
  for (const name of ['b', 'a', 'c']) state.createTopic({ name, partitions: 3 })
  const client = await dial()
  const seen: string[] = []
  let cursor: RequestOf<'DescribeTopicPartitions'>['cursor'] = null
  do {
    const request: RequestOf<'DescribeTopicPartitions'> = { topics: [], responsePartitionLimit: 4, cursor }
    const answer = await client.ask('DescribeTopicPartitions', 0, request)
    for (const { name, partitions } of answer.topics) seen.push(...partitions.map(({ partitionIndex }) => `${name}${partitionIndex}`))
    cursor = answer.nextCursor
  } while (cursor)
  assert.deepEqual(seen, ['a0', 'a1', 'a2', 'b0', 'b1', 'b2', 'c0', 'c1', 'c2'])
})

test('every version of every API is answered, where the partition is, is led elsewhere, and is not at all', async t => {
  const { state, dial, broker } = await startCluster(t, { brokers: 2, broker: { profile: '4.x' } })
  state.createTopic({ name: 'here', assignments: [[1, 2]] })
  state.createTopic({ name: 'there', assignments: [[2, 1]] })
  const client = await dial()
  await produce(client, 'here', batchOf(['x']))
  const names = ['here', 'there', 'nowhere']
  const topicId = (name: string) => state.topic(name)?.id ?? 'AAAAAAAAAAAAAAAAAAAAAQ'
  const each = <T>(make: (name: string) => T) => names.map(make)
  const bodies = (version: number): { [N in ApiName]?: RequestOf<N> } => ({
    ApiVersions: version >= 3 ? { clientSoftwareName: 'a', clientSoftwareVersion: '1' } : {},
    Metadata: { topics: each(name => ({ name })) },
    DescribeCluster: { includeClusterAuthorizedOperations: true },
    DescribeTopicPartitions: { topics: each(name => ({ name })), cursor: null },
    Produce: {
      acks: 1,
      timeoutMs: 100,
      topicData: each(name => ({
        ...(version >= 13 ? { topicId: topicId(name) } : { name }),
        partitionData: [{ index: 0, records: batchOf(['x']) }]
      }))
    },
    Fetch: {
      ...fetchRequest('', 0),
      topics: each(name => ({
        ...(version >= 13 ? { topicId: topicId(name) } : { topic: name }),
        partitions: [{ partition: 0, fetchOffset: 0n, partitionMaxBytes: 1_000 }]
      })),
      ...(version >= 7 ? { sessionEpoch: 0 } : { sessionEpoch: -1 })
    },
    ListOffsets: { replicaId: -1, topics: each(name => ({ name, partitions: [{ partitionIndex: 0, timestamp: -2n }] })) },
    OffsetForLeaderEpoch: { topics: each(topic => ({ topic, partitions: [{ partition: 0, leaderEpoch: 0 }] })) },
    CreateTopics: {
      topics: each(name => ({ name: `${name}${version}`, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] })),
      timeoutMs: 100
    },
    DeleteTopics: version >= 6 ? { topics: [{ name: 'x' }], timeoutMs: 1 } : { topicNames: ['x'], timeoutMs: 1 },
    CreatePartitions: { topics: each(name => ({ name, count: 1, assignments: null })), timeoutMs: 1, validateOnly: true },
    DeleteRecords: { topics: each(name => ({ name, partitions: [{ partitionIndex: 0, offset: 0n }] })), timeoutMs: 1 },
    DescribeConfigs: { resources: each(resourceName => ({ resourceType: 2, resourceName, configurationKeys: null })) },
    IncrementalAlterConfigs: { resources: each(resourceName => ({ resourceType: 2, resourceName, configs: [] })), validateOnly: true },
    AlterConfigs: { resources: each(resourceName => ({ resourceType: 2, resourceName, configs: [] })), validateOnly: true },
    DescribeLogDirs: { topics: null },
    DescribeProducers: { topics: each(name => ({ name, partitionIndexes: [0] })) },
    ElectLeaders: { topicPartitions: each(topic => ({ topic, partitions: [0] })), timeoutMs: 1 },
    InitProducerId: { transactionalId: null, transactionTimeoutMs: 1 }
  })
  const apis = broker(1).versions.apis.filter(({ api }) => api in bodies(0))
  assert.equal(apis.length, Object.keys(bodies(0)).length)
  for (const { api, min, max } of apis) {
    for (let version = min; version <= max; version++) {
      const body = bodies(version)[api]!
      await assert.doesNotReject(client.ask(api, version, body as never), `${api} ${version}`)
    }
  }
})
