/**
 * One script of requests, frame by frame, at embedded brokers and at real ones (3.9.1 with ZooKeeper): the answers must be the same, but for ids,
 * times, addresses and words.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ATTRIBUTES_AT, CONTROL_BIT, COUNT_AT, LAST_OFFSET_DELTA_AT, LENGTH_AT, MAGIC_AT } from '../../src/wire/records/layout.ts'
import { type BatchOptions, batchOf, fetchRequest, nameOf, RawClient, resealed, startCluster } from '../embedded/kafka/support.ts'
import { until } from '../support/until.ts'
import { uniqueName, useCluster } from '../support/use-cluster.ts'

const real = await useCluster()

interface Side {
  /** By broker id. */
  ports: Map<number, number>
}

/** What was asked, and the part of the answer that must be the same. */
type Told = [what: string, answer: unknown]

async function run(side: Side): Promise<Told[]> {
  const told: Told[] = []
  const say = (what: string, answer: unknown) => void told.push([what, answer])
  const clients = new Map<number, RawClient>()
  for (const [id, port] of side.ports) clients.set(id, await RawClient.dial(port))
  const any = clients.get(1)!
  const { controllerId } = await any.ask('Metadata', 9, { topics: [] })
  const controller = clients.get(controllerId)!
  const notController = clients.get(controllerId === 1 ? 2 : 1)!
  const [a, c, missing] = [uniqueName('a'), uniqueName('c'), uniqueName('missing')]
  try {
    await topics()
    await produces()
    await sequences()
    await fetches()
    await offsets()
    await configs()
    await auto()
    await deletions()
    return told
  } finally {
    for (const client of clients.values()) client.close()
  }

  async function topics(): Promise<void> {
    const plain = {
      numPartitions: 1,
      replicationFactor: 1,
      assignments: [] as { partitionIndex: number; brokerIds: number[] }[],
      configs: [] as { name: string; value: string | null }[]
    }
    const create = async (what: string, spec: object, options: object = {}, client = controller) => {
      const answer = await client.ask('CreateTopics', 7, {
        topics: [{ ...plain, name: uniqueName('refused'), ...spec }],
        timeoutMs: 5_000,
        validateOnly: false,
        ...options
      })
      say(
        what,
        answer.topics.map(({ errorCode, numPartitions, replicationFactor, topicConfigErrorCode }) => [
          nameOf(errorCode),
          numPartitions,
          replicationFactor,
          topicConfigErrorCode
        ])
      )
    }
    const assigned = (...lists: number[][]) => ({
      numPartitions: -1,
      replicationFactor: -1,
      assignments: lists.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds }))
    })
    await create('by another broker', {}, {}, notController)
    for (const name of ['', '..', 'a b', 'x'.repeat(250)]) await create(`named ${name.slice(0, 9)}`, { name })
    await create('no partitions', { numPartitions: 0 })
    await create('no replicas', { replicationFactor: 0 })
    await create('too many replicas', { replicationFactor: 9 })
    await create('a broker twice', assigned([1, 1]))
    await create('differing widths', assigned([1], [1, 2]))
    await create('both', { ...assigned([1]), numPartitions: 1 })
    await create('holes', { ...assigned([1]), assignments: [{ partitionIndex: 1, brokerIds: [1] }] })
    await create('unknown config', { configs: [{ name: 'no.such', value: '1' }] })
    await create('bad config', { configs: [{ name: 'retention.ms', value: 'soon' }] })
    await create('null config', { configs: [{ name: 'retention.ms', value: null }] })
    await create('to look at', {}, { validateOnly: true })
    await create('for good', { name: a, ...assigned([1], [2]) })
    await create('again', { name: a })
    await create('compacted', { name: c, ...assigned([1]), configs: [{ name: 'cleanup.policy', value: 'compact' }] })
    const more = async (what: string, body: object) => {
      const answer = await controller.ask('CreatePartitions', 3, {
        topics: [{ name: a, count: 3, assignments: null, ...body }],
        timeoutMs: 5_000,
        validateOnly: true
      })
      say(
        what,
        answer.results.map(({ errorCode }) => nameOf(errorCode))
      )
    }
    await more('fewer', { count: 1 })
    await more('as many', { count: 2 })
    await more('of nothing', { name: missing })
    await more('assigned wrong', { count: 4, assignments: [{ brokerIds: [1] }] })
    await more('assigned to nobody', { assignments: [{ brokerIds: [9] }] })
    await more('one more', {})
    // Until every broker has heard of them.
    for (const [id, client] of clients)
      for (const topic of [a, c])
        await until(`broker ${id} knows ${topic}`, async () => {
          const answer = await client.ask('Metadata', 9, { topics: [{ name: topic }], allowAutoTopicCreation: false })
          return answer.topics[0]!.partitions.length > 0 && answer.topics[0]!.partitions.every(({ leaderId }) => leaderId >= 0)
        })
  }

  async function produce(
    what: string,
    records: Buffer | null,
    options: { topic?: string; version?: number; acks?: number; index?: number; client?: RawClient; transactionalId?: string } = {}
  ) {
    const { topic = a, version = 9, acks = -1, index = 0, client = any, transactionalId = null } = options
    const topicData = [{ name: topic, partitionData: [{ index, records }] }]
    const answer = await client.ask('Produce', version, { acks, timeoutMs: 5_000, transactionalId, topicData })
    const { errorCode, baseOffset, logAppendTimeMs, logStartOffset, recordErrors, currentLeader } =
      answer.responses[0]!.partitionResponses[0]!
    say(what, [
      nameOf(errorCode),
      baseOffset,
      logAppendTimeMs,
      logStartOffset,
      recordErrors.map(({ batchIndex }) => batchIndex),
      currentLeader,
      answer.nodeEndpoints.map(({ nodeId }) => nodeId)
    ])
  }

  async function produces(): Promise<void> {
    const good = batchOf(['x', 'y'])
    const flipped = Buffer.from(good)
    flipped[good.length - 2]! ^= 1
    await produce('a flipped bit', flipped)
    await produce(
      'a base offset',
      resealed(good, each => each.writeBigInt64BE(5n, 0))
    )
    await produce(
      'an older format',
      resealed(good, each => each.writeInt8(1, MAGIC_AT))
    )
    await produce(
      'a format of the future',
      resealed(good, each => each.writeInt8(3, MAGIC_AT))
    )
    await produce(
      'more offsets than records',
      resealed(good, each => each.writeInt32BE(2, LAST_OFFSET_DELTA_AT))
    )
    await produce(
      'fewer records than told',
      resealed(good, each => each.writeInt32BE(3, COUNT_AT) & each.writeInt32BE(2, LAST_OFFSET_DELTA_AT))
    )
    await produce(
      'no records',
      resealed(good, each => each.writeInt32BE(0, COUNT_AT))
    )
    await produce(
      'a negative delta',
      resealed(good, each => each.writeInt32BE(-1, LAST_OFFSET_DELTA_AT))
    )
    await produce(
      'a control batch',
      resealed(good, each => each.writeInt16BE(CONTROL_BIT, ATTRIBUTES_AT))
    )
    await produce('two batches', Buffer.concat([good, good]))
    await produce('nothing', Buffer.alloc(0))
    await produce(
      'a small length',
      resealed(good, each => each.writeInt32BE(5, LENGTH_AT))
    )
    await produce('a cut batch', good.subarray(0, good.length - 4))
    await produce('a producer without a sequence', batchOf(['x'], { producerId: 1n, producerEpoch: 0 }))
    await produce('no key where it is compacted', good, { topic: c })
    await produce('zstd before its time', batchOf(['x'.repeat(500)], { compression: 'zstd' }), { version: 6 })
    await produce('no such topic', good, { topic: missing })
    await produce('no such partition', good, { index: 7 })
    await produce('acks 2', good, { acks: 2 })
    await produce('not the leader', good, { index: 1, version: 10 })
    await produce('not a replica', good, { client: clients.get(3)!, version: 10 })
    await produce('as it must be', good)
    await produce('something behind it', Buffer.concat([good, Buffer.alloc(5)]))
    await produce('by the leader alone', good, { acks: 1 })
  }

  async function sequences(): Promise<void> {
    // The first block of ids is not there yet when a broker has just started.
    const { producerId } = await until('a producer id', async () => {
      const answer = await any.ask('InitProducerId', 4, { transactionalId: null, transactionTimeoutMs: 1_000 })
      return answer.errorCode === 0 && answer
    })
    const of = (baseSequence: number, count = 1, options: BatchOptions = {}) =>
      batchOf(
        Array.from({ length: count }, () => 'x'),
        { producerId, producerEpoch: 0, baseSequence, ...options }
      )
    await produce('unknown, from 40', of(40))
    for (let i = 1; i <= 5; i++) await produce(`sequence ${40 + i}`, of(40 + i))
    await produce('the last again', of(45))
    await produce('the oldest of five again', of(41))
    await produce('the sixth again', of(40))
    await produce('a gap', of(47))
    await produce('three more', of(46, 3))
    await produce('a part of them', of(46, 2))
    await produce('a new epoch, not from 0', of(1, 1, { producerEpoch: 1 }))
    await produce('a new epoch', of(0, 1, { producerEpoch: 1 }))
    await produce('an old epoch', of(49))
    await produce('a transaction without an id', of(1, 1, { producerEpoch: 1, transactional: true }))
  }

  async function fetches(): Promise<void> {
    const fetch = async (what: string, offset: number, options: object = {}, client = any) => {
      const { version = 12, topic = a } = options as { version?: number; topic?: string }
      const answer = await client.ask('Fetch', version, fetchRequest(topic, offset, options))
      const parts = answer.responses.flatMap(({ partitions }) => partitions)
      const seen = parts.map(
        ({
          errorCode,
          highWatermark,
          lastStableOffset,
          logStartOffset,
          divergingEpoch,
          currentLeader,
          abortedTransactions,
          preferredReadReplica,
          records
        }) => ({
          ...{ error: nameOf(errorCode), highWatermark, lastStableOffset, logStartOffset, divergingEpoch, currentLeader },
          ...{ abortedTransactions: abortedTransactions?.length ?? null, preferredReadReplica, bytes: records?.length ?? null }
        })
      )
      say(what, [nameOf(answer.errorCode), answer.sessionId === 0, seen, answer.nodeEndpoints.map(({ nodeId }) => nodeId)])
      return answer.sessionId
    }
    await fetch('from the beginning', 0)
    await fetch('of one byte', 3, { maxBytes: 1 })
    await fetch('of partitions of 200 bytes', 0, { partitionMaxBytes: 200 })
    await fetch('at the end', 17)
    await fetch('behind the end', 999)
    await fetch('before the beginning', -1)
    await fetch('committed', 0, { isolationLevel: 1 })
    await fetch('of an old leader', 0, { currentLeaderEpoch: 7 })
    await fetch('of a later log', 0, { lastFetchedEpoch: 5 })
    await fetch('of no topic', 0, { topic: missing })
    await fetch('of no partition', 0, { partition: 7 })
    await fetch('from a follower that is none', 0, {}, clients.get(3)!)
    await fetch('from the wrong leader, as of old', 0, { partition: 1, version: 10 })
    await fetch('of no id', 0, { version: 16, topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' })
    const sessionId = await fetch('with a session', 0, { sessionEpoch: 0 })
    await fetch('with an unknown session', 0, { sessionId: 1, sessionEpoch: 1 })
    await fetch('with a wrong epoch', 0, { sessionId, sessionEpoch: 5 })
    await fetch('with its session', 17, { sessionId, sessionEpoch: 1 })
    await fetch('to end its session', 0, { sessionId, sessionEpoch: -1 })
  }

  async function offsets(): Promise<void> {
    for (const [version, times] of [
      [0, [-1, -2]],
      [1, [-1]],
      [4, [-1, -2, 1_700_000_000_001]],
      [9, [-1, -2, -3, -4, -5, -6, 1_700_000_000_001, 1_800_000_000_000]]
    ] as const)
      for (const timestamp of times) {
        const partitions = [0, 1, 7].map(partitionIndex => ({
          partitionIndex,
          timestamp: BigInt(timestamp),
          ...(version === 0 ? { maxNumOffsets: 5 } : {})
        }))
        const answer = await any.ask('ListOffsets', version, { replicaId: -1, topics: [{ name: a, partitions }] })
        say(
          `offsets ${timestamp} in v${version}`,
          answer.topics[0]!.partitions.sort((x, y) => x.partitionIndex - y.partitionIndex).map(({ errorCode, ...rest }) => ({
            error: nameOf(errorCode),
            ...rest
          }))
        )
      }
    const partitions = [-1, 0, 1, 9].map(leaderEpoch => ({ partition: 0, leaderEpoch, currentLeaderEpoch: -1 }))
    for (const each of partitions) {
      const answer = await any.ask('OffsetForLeaderEpoch', 4, { replicaId: -1, topics: [{ topic: a, partitions: [each] }] })
      say(`the end of epoch ${each.leaderEpoch}`, answer.topics[0]!.partitions)
    }
  }

  async function configs(): Promise<void> {
    const change = async (
      what: string,
      name: string,
      configOperation: number,
      value: string | null,
      resourceName = a,
      resourceType = 2
    ) => {
      const resources = [{ resourceType, resourceName, configs: [{ name, configOperation, value }] }]
      const answer = await controller.ask('IncrementalAlterConfigs', 1, { resources, validateOnly: true })
      say(what, nameOf(answer.responses[0]!.errorCode))
    }
    await change('set', 'retention.ms', 0, '7')
    await change('set to nonsense', 'retention.ms', 0, 'x')
    await change('set to null', 'retention.ms', 0, null)
    await change('set what is not', 'no.such', 0, '1')
    await change('append to no list', 'retention.ms', 2, '7')
    await change('append', 'cleanup.policy', 2, 'compact')
    await change('delete', 'retention.ms', 1, null)
    await change('of no topic', 'retention.ms', 0, '7', missing)
    await change('of another broker', 'log.retention.ms', 0, '7', '99', 4)
    await change('of a broker, read-only', 'broker.id', 0, '7', String(controllerId), 4)
    const describe = async (what: string, resourceType: number, resourceName: string, configurationKeys: string[] | null) => {
      const answer = await any.ask('DescribeConfigs', 4, {
        resources: [{ resourceType, resourceName, configurationKeys }],
        includeSynonyms: true
      })
      const [result] = answer.results
      const known = result!.configs.map(({ name, value, readOnly, configSource, isSensitive, configType }) => ({
        name,
        value,
        readOnly,
        configSource,
        isSensitive,
        configType
      }))
      say(what, [nameOf(result!.errorCode), known.sort((x, y) => (x.name < y.name ? -1 : 1))])
    }
    await describe('the topic', 2, c, [
      'cleanup.policy',
      'max.message.bytes',
      'min.cleanable.dirty.ratio',
      'preallocate',
      'compression.type'
    ])
    await describe('all names', 2, 'no topic at all', null)
    await describe('no topic', 2, missing, null)
    await describe('another broker', 4, '99', null)
    const names = await any.ask('DescribeConfigs', 4, { resources: [{ resourceType: 2, resourceName: a, configurationKeys: null }] })
    say('the names of all configurations', names.results[0]!.configs.map(({ name }) => name).sort())
  }

  async function auto(): Promise<void> {
    const ask = async (what: string, version: number, body: object) => {
      const answer = await any.ask('Metadata', version, { topics: [], ...body })
      say(
        what,
        answer.topics.map(({ errorCode, name, isInternal, partitions, topicAuthorizedOperations }) => [
          nameOf(errorCode),
          name?.replace(/-\w{8}$/, ''),
          isInternal,
          partitions,
          topicAuthorizedOperations
        ])
      )
    }
    await ask('the topic', 9, { topics: [{ name: a }] })
    await ask('with what may be done', 9, { topics: [{ name: a }], includeTopicAuthorizedOperations: true })
    await ask('none, not to be made', 9, { topics: [{ name: missing }], allowAutoTopicCreation: false })
    await ask('none of that name can be', 9, { topics: [{ name: 'a b' }] })
    await ask('an id that nobody has', 12, { topics: [{ topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', name: null }] })
    await ask('an id before its time', 11, { topics: [{ topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', name: a }] })
    const made = uniqueName('made')
    await ask('none, to be made', 9, { topics: [{ name: made }], allowAutoTopicCreation: true })
    const cluster = await any.ask('DescribeCluster', 1, { includeClusterAuthorizedOperations: true })
    say('the cluster', [
      cluster.errorCode,
      cluster.brokers.map(({ brokerId }) => brokerId).sort(),
      cluster.clusterAuthorizedOperations,
      cluster.endpointType
    ])
    const odd = await any.ask('DescribeCluster', 1, { includeClusterAuthorizedOperations: false, endpointType: 2 })
    say('the controllers', nameOf(odd.errorCode))
  }

  async function deletions(): Promise<void> {
    const records = async (what: string, name: string, partitionIndex: number, offset: bigint) => {
      const answer = await any.ask('DeleteRecords', 2, { topics: [{ name, partitions: [{ partitionIndex, offset }] }], timeoutMs: 5_000 })
      say(
        what,
        answer.topics.map(({ partitions }) => partitions.map(({ errorCode, lowWatermark }) => [nameOf(errorCode), lowWatermark]))
      )
    }
    await records('too many records', a, 0, 999n)
    await records('of the compacted', c, 0, 0n)
    await records('of nothing', missing, 0, 0n)
    await records('elsewhere', a, 1, 0n)
    await records('three', a, 0, 3n)
    await records('all', a, 0, -1n)
    const elect = await controller.ask('ElectLeaders', 2, {
      electionType: 0,
      topicPartitions: [{ topic: a, partitions: [0, 7] }],
      timeoutMs: 5_000
    })
    say('an election', [
      nameOf(elect.errorCode),
      elect.replicaElectionResults.map(({ partitionResult }) =>
        partitionResult.map(({ partitionId, errorCode }) => [partitionId, nameOf(errorCode)]).sort()
      )
    ])
    const drop = await controller.ask('DeleteTopics', 6, {
      topics: [{ name: a }, { name: missing }, { name: null, topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' }],
      timeoutMs: 5_000
    })
    say('topics', drop.responses.map(({ name, errorCode }) => [name?.replace(/-\w{8}$/, ''), nameOf(errorCode)]).sort())
  }
}

test('the same requests get the same answers', async (t: TestContext) => {
  const embedded = await startCluster(t, { brokers: 3 })
  const mine = await run({ ports: new Map(embedded.brokers.map(({ id, port }) => [id, port])) })
  const theirs = await run({ ports: new Map(real.bootstrap.map((address, at) => [at + 1, Number(address.split(':')[1])])) })
  for (const [at, [what, answer]] of theirs.entries()) assert.deepEqual(mine[at], [what, answer], what)
  assert.equal(mine.length, theirs.length)
})
