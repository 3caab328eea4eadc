/**
 * What the brokers of Kafka 3.9 write into ZooKeeper, to the byte where others read it (`kafka.zk.ZkData`): paths and data.
 */
import type { BrokerNode, Topic } from './kafka/cluster-types.ts'

/** What a cluster has from its first broker on, all persistent and without data (`ZkData.PersistentZkPaths`, `SecureRootPaths`). */
export const PERSISTENT_PATHS = [
  '/consumers',
  '/brokers/ids',
  '/brokers/topics',
  '/brokers/seqid',
  '/config/changes',
  '/config/topics',
  '/config/clients',
  '/config/users',
  '/config/brokers',
  '/config/ips',
  '/admin/delete_topics',
  '/isr_change_notification',
  '/latest_producer_id_block',
  '/log_dir_event_notification'
]

export const CONTROLLER = '/controller'
export const CONTROLLER_EPOCH = '/controller_epoch'
export const CLUSTER_ID = '/cluster/id'
export const FEATURE = '/feature'
export const BROKER_IDS = '/brokers/ids'
export const TOPICS = '/brokers/topics'
export const DELETE_TOPICS = '/admin/delete_topics'
export const CONFIG_CHANGES = '/config/changes/config_change_'

export const brokerPath = (id: number) => `${BROKER_IDS}/${id}`
export const topicPath = (topic: string) => `${TOPICS}/${topic}`
export const partitionPath = (topic: string, partition: number) => `${TOPICS}/${topic}/partitions/${partition}`
export const statePath = (topic: string, partition: number) => `${partitionPath(topic, partition)}/state`
export const configPath = (type: 'topics' | 'brokers', name: string) => `/config/${type}/${name}`

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))

/** Version 5. */
export function brokerData({ host, port, rack }: Pick<BrokerNode, 'host' | 'port' | 'rack'>, nowMs: number): Buffer {
  return json({
    features: {},
    listener_security_protocol_map: { PLAINTEXT: 'PLAINTEXT' },
    endpoints: [`PLAINTEXT://${host}:${port}`],
    jmx_port: -1,
    port,
    host,
    version: 5,
    timestamp: String(nowMs),
    ...(rack === null ? {} : { rack })
  })
}

export const controllerData = (brokerId: number, nowMs: number): Buffer =>
  json({ version: 2, brokerid: brokerId, timestamp: String(nowMs), kraftControllerEpoch: -1 })

export const clusterIdData = (id: string): Buffer => json({ version: '1', id })

/** Feature versioning is enabled, and there is none. */
export const featureData = (): Buffer => json({ features: {}, version: 2, status: 1 })

/** Version 3. */
export function topicData({ id, partitions }: Topic): Buffer {
  const replicas = Object.fromEntries(partitions.map(({ index, replicas }) => [index, replicas]))
  return json({ removing_replicas: {}, partitions: replicas, topic_id: id, adding_replicas: {}, version: 3 })
}

export function stateData(partition: Topic['partitions'][number], controllerEpoch: number): Buffer {
  const { leader, leaderEpoch, isr } = partition
  return json({ controller_epoch: controllerEpoch, leader, version: 1, leader_epoch: leaderEpoch, isr })
}

export const configData = (config: Readonly<Record<string, string>>): Buffer => json({ version: 1, config })

export const configChangeData = (type: 'topics' | 'brokers', name: string): Buffer => json({ version: 2, entity_path: `${type}/${name}` })

/** Somebody's topic that has no id and no state yet: what tools write that know ZooKeeper alone. Undefined: it cannot be read. */
export function readAssignments(data: Buffer): { id: string | undefined; assignments: number[][] } | undefined {
  let given: { topic_id?: unknown; partitions?: unknown }
  try {
    given = JSON.parse(String(data)) as typeof given
  } catch {
    return undefined
  }
  const { partitions, topic_id: id } = given ?? {}
  if (typeof partitions !== 'object' || partitions === null) return undefined
  const assignments = Array.from({ length: Object.keys(partitions).length }, (_, index) => (partitions as Record<string, unknown>)[index])
  const isNode = (node: unknown) => Number.isInteger(node) && (node as number) >= 0
  if (!assignments.every(nodes => Array.isArray(nodes) && nodes.length > 0 && nodes.every(isNode))) return undefined
  return { id: typeof id === 'string' && /^[\w-]{22}$/.test(id) ? id : undefined, assignments: assignments as number[][] }
}
