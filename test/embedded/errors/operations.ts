/**
 * What a client does that uses each API, once: it resolves when that went well, and rejects with what ended it.
 */
import type { Cluster, Consumer } from '../../../src/index.ts'
import type { SentApi } from '../../../src/model/error-classes.ts'
import type { EmbeddedCluster } from '../../../src/testing.ts'
import type { SimWorld } from '../../sim/sim-world.ts'

export interface Cell {
  sim: SimWorld
  kafka: EmbeddedCluster
  client: Cluster
  /** Of this cell alone; it holds one message, and the group has committed nothing. */
  topic: string
  group: string
  /** From here on the answers are errors. */
  begin: () => void
  hear: (consumer: Consumer) => void
}

export interface Operation {
  run: (cell: Cell) => Promise<unknown>
  /** Which request of this API, from `begin` on, is answered with the error. Default 1. */
  nth?: number
}

async function consume(cell: Cell, options: object, then: (consumer: Consumer) => Promise<void> = async () => {}): Promise<void> {
  const consumer = cell.client.subscribe({ from: 'earliest', ...options })
  cell.hear(consumer)
  const parked = new Promise<never>((_, reject) => void consumer.on('partition.parked', ({ error }) => reject(error)))
  parked.catch(() => {})
  const messages = consumer[Symbol.asyncIterator]()
  try {
    await Promise.race([messages.next(), parked])
    await then(consumer)
  } finally {
    await messages.return?.()
    await consumer.close({ timeoutMs: 20_000 })
  }
}

const manual = (then?: (cell: Cell, consumer: Consumer) => Promise<void>) => (cell: Cell) => {
  cell.begin()
  return consume(cell, { partitions: [{ topic: cell.topic, partition: 0 }] }, consumer => then?.(cell, consumer) ?? Promise.resolve())
}

/** Joins, reads, is a member for a while, commits, leaves. */
const member =
  (membership: 'classic' | 'consumer', atRest = false) =>
  async (cell: Cell): Promise<void> => {
    if (!atRest) cell.begin()
    await consume(
      cell,
      { topic: cell.topic, group: cell.group, membership, autoCommitIntervalMs: false, groupSessionTimeoutMs: 6_000 },
      async consumer => {
        if (atRest) cell.begin()
        await cell.sim.sleep(15_000)
        await cell.client.topic(cell.topic).publish('another')
        await consumer.commit({ topic: cell.topic, partition: 0, offset: 1n })
      }
    )
  }

const admin = (run: (cell: Cell) => Promise<unknown>) => (cell: Cell) => {
  cell.begin()
  return run(cell)
}

const commitAsNobody = ({ client, group, topic }: Cell) => client.admin.alterGroupOffsets(group, [{ topic, partition: 0, offset: 0n }])

export const OPERATIONS: Partial<Record<SentApi, Operation>> = {
  Metadata: { run: admin(({ client, topic }) => client.topic(topic).publish('first heard of')) },
  Produce: { run: admin(({ client, topic }) => client.topic(topic).publish({ key: 'k', value: 'written' })) },
  InitProducerId: { run: admin(({ client, topic }) => client.topic(topic).publish('with an identity')) },
  Fetch: { run: manual() },
  ListOffsets: { run: manual() },
  FindCoordinator: { run: member('classic') },
  JoinGroup: { run: member('classic') },
  SyncGroup: { run: member('classic') },
  Heartbeat: { run: member('classic', true) },
  LeaveGroup: { run: member('classic') },
  OffsetFetch: { run: member('classic') },
  OffsetCommit: { run: member('classic') },
  ConsumerGroupHeartbeat: { run: member('consumer', true) },
  DescribeConfigs: { run: member('consumer') },
  ConsumerGroupDescribe: {
    run: async cell => {
      await commitAsNobody(cell)
      cell.begin()
      await cell.client.admin.describeGroup(cell.group)
    }
  },
  DescribeGroups: {
    run: async cell => {
      await commitAsNobody(cell)
      cell.begin()
      await cell.client.admin.describeGroup(cell.group)
    }
  },
  ListGroups: { run: admin(({ client }) => client.admin.groups()) },
  OffsetDelete: {
    run: async cell => {
      await commitAsNobody(cell)
      cell.begin()
      await cell.client.admin.deleteGroupOffsets(cell.group, [{ topic: cell.topic, partition: 0 }])
    }
  },
  DeleteGroups: {
    run: async cell => {
      await commitAsNobody(cell)
      cell.begin()
      await cell.client.admin.deleteGroup(cell.group)
    }
  },
  CreateTopics: { run: admin(({ client, topic }) => client.admin.createTopic(`${topic}-new`, { partitions: 1, replicationFactor: 1 })) },
  DeleteTopics: { run: admin(({ client, topic }) => client.admin.deleteTopic(topic)) }
}
