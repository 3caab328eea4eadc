/**
 * One script of requests to the coordinators of groups and transactions, at embedded brokers and at real ones (3.9.1 with ZooKeeper), and to topics with
 * settings of their own: the answers must be the same, but for ids, times and words.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { RequestOf } from '../../src/wire/apis.ts'
import { readBatches } from '../../src/wire/records/index.ts'
import { type BatchOptions, batchOf, fetchRequest, nameOf, RawClient, startCluster } from '../embedded/kafka/support.ts'
import { until } from '../support/until.ts'
import { uniqueName, useCluster } from '../support/use-cluster.ts'

const real = await useCluster()

/** What was asked, and the part of the answer that must be the same. */
type Told = [what: string, answer: unknown]
type Names = Record<'topic' | 'missing' | 'group' | 'id', string>

class Script {
  readonly told: Told[] = []
  readonly clients: Map<number, RawClient>
  readonly names: Names
  /** Of the topic's only partition. */
  leader!: RawClient

  constructor(clients: Map<number, RawClient>) {
    this.clients = clients
    this.names = { topic: uniqueName('t'), missing: uniqueName('missing'), group: uniqueName('group'), id: uniqueName('id') }
  }

  say(what: string, answer: unknown): void {
    this.told.push([what, answer])
  }

  get any(): RawClient {
    return this.clients.get(1)!
  }

  /** Until the topic's leader is known everywhere. */
  async create(name: string, configs: Record<string, string> = {}): Promise<void> {
    const { controllerId } = await this.any.ask('Metadata', 9, { topics: [] })
    const spec = {
      ...{ name, numPartitions: -1, replicationFactor: -1, assignments: [{ partitionIndex: 0, brokerIds: [1] }] },
      configs: Object.entries(configs).map(([key, value]) => ({ name: key, value }))
    }
    const answer = await this.clients.get(controllerId)!.ask('CreateTopics', 5, { topics: [spec], timeoutMs: 5_000, validateOnly: false })
    assert.equal(answer.topics[0]!.errorCode, 0)
    for (const client of this.clients.values())
      await until(`${name} is known`, async () => {
        const { topics } = await client.ask('Metadata', 9, { topics: [{ name }], allowAutoTopicCreation: false })
        return topics[0]!.partitions[0]?.leaderId === 1
      })
    this.leader = this.clients.get(1)!
  }

  /** Once it has read what there is. */
  async coordinator(key: string, keyType: 0 | 1): Promise<{ at: RawClient; elsewhere: RawClient }> {
    const nodeId = await until(`a coordinator of ${key}`, async () => {
      const found = await this.any.ask('FindCoordinator', 3, { key, keyType })
      const client = found.errorCode === 0 && this.clients.get(found.nodeId)
      if (!client) return false
      const { errorCode } =
        keyType === 0
          ? (await client.ask('DescribeGroups', 5, { groups: [key] })).groups[0]!
          : (await client.ask('DescribeTransactions', 0, { transactionalIds: [key] })).transactionStates[0]!
      return ['NONE', 'TRANSACTIONAL_ID_NOT_FOUND'].includes(nameOf(errorCode)) && found.nodeId
    })
    return { at: this.clients.get(nodeId)!, elsewhere: this.clients.get(nodeId === 1 ? 2 : 1)! }
  }
}

async function topicSettings(script: Script): Promise<void> {
  const { clients } = script
  const send = async (what: string, topic: string, records: Buffer, acks = -1) => {
    const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }]
    const answer = await clients.get(1)!.ask('Produce', 9, { acks, timeoutMs: 5_000, transactionalId: null, topicData })
    const { errorCode, baseOffset, logAppendTimeMs } = answer.responses[0]!.partitionResponses[0]!
    script.say(what, [nameOf(errorCode), baseOffset, logAppendTimeMs >= 0n])
  }
  const read = async (what: string, topic: string) => {
    const answer = await clients.get(1)!.ask('Fetch', 11, fetchRequest(topic, 0))
    const { errorCode, highWatermark, records } = answer.responses[0]!.partitions[0]!
    const batches = [...readBatches(records ?? Buffer.alloc(0))].map(({ baseOffset, timestampType }) => [baseOffset, timestampType])
    script.say(what, [nameOf(errorCode), highWatermark, batches])
  }
  const [small, stamped, guarded] = [uniqueName('small'), uniqueName('stamped'), uniqueName('guarded')]
  await script.create(small, { 'max.message.bytes': '200', 'message.timestamp.before.max.ms': '86400000' })
  await send('too large', small, batchOf(['x'.repeat(300)], { timestamp: Date.now() }))
  await send('too old', small, batchOf(['x']))
  await send('as it should be', small, batchOf(['x'], { timestamp: Date.now() }))
  await script.create(stamped, { 'message.timestamp.type': 'LogAppendTime' })
  await send('stamped by the broker', stamped, batchOf(['x', 'y']))
  await send('stamped by the broker, packed', stamped, batchOf(['x'.repeat(500)], { compression: 'gzip' }))
  await read('what is stamped', stamped)
  // More than there are replicas cannot be asked for.
  await script.create(guarded, { 'min.insync.replicas': '3' })
  await send('to one replica of three that must be', guarded, batchOf(['x']))
  await read('what one replica has', guarded)
}

async function groups(script: Script): Promise<void> {
  const { names, say } = { ...script, say: script.say.bind(script) }
  const { topic, missing, group: groupId } = names
  const { at, elsewhere } = await script.coordinator(groupId, 0)
  const unknown = { groupId, memberId: 'x', generationId: 3, groupInstanceId: null }

  const heartbeat = async (what: string, body: object, client = at) =>
    say(what, nameOf((await client.ask('Heartbeat', 4, { ...unknown, ...body })).errorCode))
  const sync = async (what: string, body: object) => {
    const answer = await at.ask('SyncGroup', 5, { ...unknown, protocolType: 'consumer', protocolName: 'range', assignments: [], ...body })
    say(what, [nameOf(answer.errorCode), answer.protocolType, answer.protocolName, String(Buffer.from(answer.assignment))])
  }
  const join = async (what: string, body: Partial<RequestOf<'JoinGroup'>>, version = 7) => {
    const protocols = [{ name: 'range', metadata: Buffer.from('meta') }]
    const timeouts = { sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000 }
    const request = { groupId, memberId: '', groupInstanceId: null, protocolType: 'consumer', protocols, ...timeouts, ...body }
    const answer = await at.ask('JoinGroup', version, request)
    const { errorCode, generationId, protocolType, protocolName, leader, memberId, members } = answer
    const lengths = [memberId.length > 0, leader.length > 0, members.length]
    say(what, [nameOf(errorCode), generationId, protocolType, protocolName, ...lengths])
    return answer
  }
  const leave = async (what: string, members: { memberId?: string; groupInstanceId?: string | null }[], version = 4) => {
    const answer = await at.ask('LeaveGroup', version, version < 3 ? { groupId, memberId: members[0]!.memberId! } : { groupId, members })
    say(what, [nameOf(answer.errorCode), answer.members.map(({ errorCode }) => nameOf(errorCode))])
  }
  const commit = async (
    what: string,
    body: object,
    options: { name?: string; index?: number; metadata?: string; version?: number } = {}
  ) => {
    const { name = topic, index = 0, metadata = 'm', version = 8 } = options
    const partitions = [{ partitionIndex: index, committedOffset: 5n, committedLeaderEpoch: 1, committedMetadata: metadata }]
    const request = { groupId, generationIdOrMemberEpoch: -1, memberId: '', groupInstanceId: null, topics: [{ name, partitions }], ...body }
    const answer = await at.ask('OffsetCommit', version, request)
    say(
      what,
      answer.topics.map(each => each.partitions.map(({ errorCode }) => nameOf(errorCode)))
    )
  }
  const fetched = async (what: string, version: number, body: RequestOf<'OffsetFetch'>) => {
    const answer = await at.ask('OffsetFetch', version, body)
    const plain = (topics: typeof answer.topics) =>
      topics.map(({ name, partitions }) => [name === topic, partitions.map(each => ({ ...each, errorCode: nameOf(each.errorCode) }))])
    say(what, [
      nameOf(answer.errorCode),
      plain(answer.topics),
      answer.groups.map(each => [nameOf(each.errorCode), plain(each.topics as typeof answer.topics)])
    ])
  }
  const describe = async (what: string, groupIds: string[], client = at) => {
    const answer = await client.ask('DescribeGroups', 5, { groups: groupIds })
    say(
      what,
      answer.groups.map(({ errorCode, groupState, protocolType, protocolData, members }) => [
        ...[nameOf(errorCode), groupState, protocolType, protocolData],
        members.map(({ clientId, clientHost, memberMetadata, memberAssignment, groupInstanceId }) => [
          ...[clientId, clientHost, String(Buffer.from(memberMetadata)), String(Buffer.from(memberAssignment)), groupInstanceId]
        ])
      ])
    )
  }
  const remove = async (what: string, groupsNames: string[]) =>
    say(
      what,
      (await at.ask('DeleteGroups', 2, { groupsNames })).results.map(({ errorCode }) => nameOf(errorCode))
    )
  const forget = async (what: string, body: object = {}) => {
    const topics = [{ name: topic, partitions: [{ partitionIndex: 0 }, { partitionIndex: 9 }] }]
    const answer = await at.ask('OffsetDelete', 0, { groupId, topics, ...body })
    const codes = answer.topics.map(({ partitions }) => partitions.map(({ errorCode }) => nameOf(errorCode)).sort())
    say(what, [nameOf(answer.errorCode), codes])
  }

  const asked = { topics: [{ name: topic, partitionIndexes: [0, 1] }] }
  await heartbeat('a beat of nobody', {})
  await heartbeat('a beat elsewhere', {}, elsewhere)
  await heartbeat('a beat to a group without a name', { groupId: '' })
  await sync('a sync of nobody', {})
  await leave('nobody leaves', [{ memberId: 'x', groupInstanceId: null }])
  await leave('nobody leaves, as of old', [{ memberId: 'x' }], 2)
  await describe('a group that is not there', [groupId])
  await describe('a group elsewhere', [groupId], elsewhere)
  await remove('a group that is not there, to delete', [groupId, groupId])
  await forget('offsets of no group')
  await fetched('offsets of nobody', 7, { groupId, ...asked, requireStable: true })
  await fetched('offsets of nobody, in a list', 8, { groups: [{ groupId, ...asked }], requireStable: false })
  await fetched('all offsets of nobody', 5, { groupId, topics: null })
  await commit('a member of no group commits', { generationIdOrMemberEpoch: 3, memberId: 'x' })
  await commit('commits of nowhere', {}, { name: missing })
  await commit('commits of no partition', {}, { index: 7 })
  await commit('commits with a whole novel', {}, { metadata: 'm'.repeat(5_000) })
  await commit('a commit by itself', {})
  await commit('a commit by itself, of old', {}, { version: 2 })
  await fetched('what was committed', 7, { groupId, ...asked, requireStable: true })
  await fetched('all that was committed', 8, { groups: [{ groupId, topics: null }], requireStable: true })
  await describe('a group of commits alone', [groupId])
  await heartbeat('a beat of nobody, to a group of commits', {})

  await join('a group without a name', { groupId: '' })
  await join('a short session', { sessionTimeoutMs: 10 })
  await join('a long session', { sessionTimeoutMs: 2 ** 31 - 1 })
  await join('a member that nobody knows', { memberId: 'x' })
  await join('without any protocol', { protocols: [] })
  await join('without a type', { protocolType: '' })
  const { memberId } = await join('a new member', {})
  await heartbeat('a beat before it has joined', { memberId, generationId: 0 })
  const joined = await join('the same again', { memberId })
  const { generationId } = joined
  const me = { memberId, generationId }
  await commit('a commit before it is settled', { memberId, generationIdOrMemberEpoch: generationId })
  await heartbeat('a beat before it is settled', me)
  await sync('of another protocol', { ...me, protocolName: 'other' })
  await sync('of another type', { ...me, protocolType: 'other' })
  await sync('of another generation', { ...me, generationId: generationId + 1 })
  await sync('with what it gets', { ...me, assignments: [{ memberId, assignment: Buffer.from('all') }] })
  await sync('once more', me)
  await heartbeat('a beat', me)
  await heartbeat('a beat of another generation', { ...me, generationId: generationId + 1 })
  await heartbeat('a beat of another instance', { ...me, groupInstanceId: 'i' })
  await commit('a commit of a member', { memberId, generationIdOrMemberEpoch: generationId })
  await commit('of another generation, a commit', { memberId, generationIdOrMemberEpoch: generationId + 1 })
  await commit('a commit of somebody else', {})
  await describe('a group that is settled', [groupId])
  await join('with other protocols', { protocols: [{ name: 'other', metadata: Buffer.alloc(0) }] })
  await join('of another kind', { protocolType: 'connect' })
  await remove('a group with a member, to delete', [groupId])
  await forget('offsets of a group with a member')
  await leave('it leaves, and others that are not there', [{ memberId }, { memberId: 'x' }, { memberId: '', groupInstanceId: 'i' }])
  await describe('a group that is empty', [groupId])
  await heartbeat('a beat of who has left', me)
  const first = await join('a static member', { groupInstanceId: 'i' })
  await sync('and what it gets', {
    ...{ memberId: first.memberId, generationId: first.generationId, groupInstanceId: 'i' },
    assignments: [{ memberId: first.memberId, assignment: Buffer.from('i') }]
  })
  const second = await join('the same, started again', { groupInstanceId: 'i' })
  await heartbeat('a beat of who it was', { memberId: first.memberId, generationId: first.generationId, groupInstanceId: 'i' })
  await sync('a sync of who it is', { memberId: second.memberId, generationId: second.generationId, groupInstanceId: 'i' })
  await describe('a group with a static member', [groupId])
  await leave('by its instance', [{ memberId: '', groupInstanceId: 'i' }])
  await forget('its offsets')
  await remove('the group', [groupId])
  await describe('which is no more', [groupId])
}

async function transactions(script: Script): Promise<void> {
  const { names, say } = { ...script, say: script.say.bind(script) }
  const { topic, missing, id: transactionalId } = names
  const { at, elsewhere } = await script.coordinator(transactionalId, 1)
  type Producer = { producerId: bigint; producerEpoch: number }
  const ids: bigint[] = []
  /** Ids by the order in which they were seen. */
  const known = (id: bigint) => (id < 0n ? -1 : ids.includes(id) ? ids.indexOf(id) : ids.push(id) - 1)
  /** Markers are on their way; or a broker that has just started has no block of ids yet. */
  const settled = <T extends { errorCode: number }>(ask: () => Promise<T>) =>
    until('no other operation', async () => {
      const answer = await ask()
      return !['CONCURRENT_TRANSACTIONS', 'COORDINATOR_LOAD_IN_PROGRESS'].includes(nameOf(answer.errorCode)) && answer
    })
  const init = async (what: string, body: object = {}, client = at): Promise<Producer> => {
    const answer = await settled(() => client.ask('InitProducerId', 4, { transactionalId, transactionTimeoutMs: 60_000, ...body }))
    say(what, [nameOf(answer.errorCode), known(answer.producerId), answer.producerEpoch])
    return answer
  }
  const add = async (what: string, { producerId, producerEpoch }: Producer, body: object = {}) => {
    const answer = await at.ask('AddPartitionsToTxn', 3, {
      ...{ v3AndBelowTransactionalId: transactionalId, v3AndBelowProducerId: producerId, v3AndBelowProducerEpoch: producerEpoch },
      v3AndBelowTopics: [{ name: topic, partitions: [0] }],
      ...body
    })
    const codes = answer.resultsByTopicV3AndBelow.flatMap(each => each.resultsByPartition)
    say(what, codes.map(({ partitionErrorCode }) => nameOf(partitionErrorCode)).sort())
  }
  const end = async (what: string, { producerId, producerEpoch }: Producer, committed: boolean, body: object = {}) => {
    const answer = await settled(() => at.ask('EndTxn', 3, { transactionalId, producerId, producerEpoch, committed, ...body }))
    say(what, nameOf(answer.errorCode))
  }
  const write = async (what: string, options: BatchOptions, id: string | null = transactionalId, version = 9) => {
    // Markers are of now: with years between them a segment would end there.
    const records = batchOf(['x'], { transactional: true, timestamp: Date.now(), ...options })
    const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }]
    const answer = await script.leader.ask('Produce', version, { acks: -1, timeoutMs: 5_000, transactionalId: id, topicData })
    const { errorCode, baseOffset } = answer.responses[0]!.partitionResponses[0]!
    say(what, [nameOf(errorCode), baseOffset])
  }
  const read = async (what: string, isolationLevel: 0 | 1) => {
    const answer = await script.leader.ask('Fetch', 11, fetchRequest(topic, 0, { isolationLevel }))
    const { errorCode, highWatermark, lastStableOffset, abortedTransactions, records } = answer.responses[0]!.partitions[0]!
    const aborted = abortedTransactions?.map(({ producerId, firstOffset }) => [known(producerId), firstOffset]) ?? null
    const batches = [...readBatches(records ?? Buffer.alloc(0))].map(({ baseOffset, isControl }) => [baseOffset, isControl])
    say(what, [nameOf(errorCode), highWatermark, lastStableOffset, aborted, batches])
  }
  const describe = async (what: string, id = transactionalId, client = at) => {
    const answer = await client.ask('DescribeTransactions', 0, { transactionalIds: [id] })
    say(
      what,
      answer.transactionStates.map(({ errorCode, transactionState, transactionTimeoutMs, producerId, producerEpoch, topics }) => [
        ...[nameOf(errorCode), transactionState, transactionTimeoutMs, errorCode === 0 ? known(producerId) : producerId, producerEpoch],
        topics.map(({ partitions }) => partitions)
      ])
    )
  }
  const complete = (state: string) =>
    until(`the transaction is ${state}`, async () => {
      const { transactionStates } = await at.ask('DescribeTransactions', 0, { transactionalIds: [transactionalId] })
      return transactionStates[0]!.transactionState === state
    })

  await init('without a name', { transactionalId: '' })
  await init('without a time', { transactionTimeoutMs: 0 })
  await init('for ever', { transactionTimeoutMs: 2 ** 31 - 1 })
  await init('elsewhere', {}, elsewhere)
  await init('half of an identity', { producerId: 5n })
  await describe('a transactional id that is not there')
  const nobody = { producerId: 77n, producerEpoch: 0 }
  await add('partitions of nobody', nobody)
  await end('the end of nothing', nobody, true)
  const first = await init('a producer')
  await describe('a producer without a transaction')
  await end('a commit of nothing', first, true)
  await end('an abort of nothing', first, false)
  await add('partitions of another producer', { ...first, producerId: first.producerId + 1n })
  await add('partitions of another epoch', { ...first, producerEpoch: 7 })
  await add('partitions that are not there', first, {
    v3AndBelowTopics: [
      { name: topic, partitions: [0, 9] },
      { name: missing, partitions: [0] }
    ]
  })
  await write('what was not added', { ...first, baseSequence: 0 })
  await add('a partition', first)
  await add('a partition again', first)
  await describe('a transaction')
  await write('under no name', { ...first, baseSequence: 0 }, null)
  await write('a message', { ...first, baseSequence: 0 })
  await write('not of the transaction', { ...first, baseSequence: 1, transactional: false })
  await read('all of an open transaction', 0)
  await read('what is committed of an open transaction', 1)
  await end('a commit of another epoch', { ...first, producerEpoch: 7 }, true)
  await end('a commit', first, true)
  await complete('CompleteCommit')
  await end('the same commit again', first, true)
  await end('an abort of what is committed', first, false)
  await describe('a transaction that is committed')
  await read('what is committed', 1)
  await add('the next one', first)
  await write('the next message', { ...first, baseSequence: 1 })
  const second = await init('the producer, started again')
  await complete('Empty')
  await read('after the first was fenced', 1)
  await add('a partition of who is fenced', first)
  await end('a commit of who is fenced', first, true)
  await write('a message of who is fenced', { ...first, baseSequence: 2 })
  const third = await init('the producer goes on', { producerId: second.producerId, producerEpoch: second.producerEpoch })
  await init('and once more', { producerId: second.producerId, producerEpoch: second.producerEpoch })
  await init('who is long gone', { producerId: first.producerId, producerEpoch: first.producerEpoch })
  await add('a third transaction', third)
  await write('out of order', { ...third, baseSequence: 5 })
  await write('from the beginning', { ...third, baseSequence: 0 })
  await end('an abort', third, false)
  await complete('CompleteAbort')
  await read('with what was aborted', 1)
}

async function run(ports: Map<number, number>): Promise<Told[]> {
  const clients = new Map<number, RawClient>()
  for (const [id, port] of ports) clients.set(id, await RawClient.dial(port))
  const script = new Script(clients)
  try {
    await topicSettings(script)
    await script.create(script.names.topic)
    await groups(script)
    await transactions(script)
    return script.told
  } finally {
    for (const client of clients.values()) client.close()
  }
}

test('coordinators and topics with settings answer the same requests in the same way', async (t: TestContext) => {
  const config = {
    ...{ 'group.min.session.timeout.ms': '1000', 'min.insync.replicas': '2', 'offsets.topic.num.partitions': '6' },
    ...{ 'transaction.state.log.num.partitions': '6' }
  }
  const embedded = await startCluster(t, { brokers: 3, config })
  const mine = await run(new Map(embedded.brokers.map(({ id, port }) => [id, port])))
  const theirs = await run(new Map(real.bootstrap.map((address, at) => [at + 1, Number(address.split(':')[1])])))
  const differing = theirs.flatMap(([what, answer], at) => {
    try {
      assert.deepEqual(mine[at], [what, answer])
      return []
    } catch {
      return [{ what, real: answer, embedded: mine[at] }]
    }
  })
  assert.deepEqual(differing, [])
  assert.equal(mine.length, theirs.length)
})
