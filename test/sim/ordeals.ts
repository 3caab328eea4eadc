/**
 * What happens to a topic while it is in use: deleted and made again, given more partitions, or joined by another that matches the same pattern.
 */
import type { EmbeddedCluster } from '../../src/testing.ts'
import { decodeRecords, readBatches } from '../../src/wire/records/index.ts'
import type { Entry } from '../checker/operation.ts'
import type { History } from '../checker/record.ts'
import { LATER, METADATA_MS, type Ordeal, type Plan } from './plan.ts'
import type { SimWorld } from './sim-world.ts'

export const TOPIC_CONFIG = { 'min.insync.replicas': '2' }
const REPLICAS = 3
const AGAIN_MS = 300
/** By then everybody has asked for metadata. */
const HEARD_MS = METADATA_MS + 1_000
const EVERYTHING = 1 << 30

export interface Scene {
  sim: SimWorld
  kafka: EmbeddedCluster
  plan: Plan
  history: History
  /** These values lay in a topic that is gone. */
  gone: (values: Iterable<string>) => void
  /** Faults end, and none begins until what comes back is called. */
  calm: () => Promise<() => void>
  /** There is one topic more to publish to. */
  another: (topic: string) => void
}

/** Waits for a moment in which it can be done, and does it. */
export async function undergo(scene: Scene, ordeal: Ordeal): Promise<void> {
  const { sim, kafka, plan, another, calm } = scene
  const topic = plan.topics[0]!
  await sim.sleep(1_000 + sim.random() * 5_000)
  while (kafka.state.aliveIds.length < REPLICAS) await sim.sleep(AGAIN_MS)
  if (ordeal === 'add partitions') return kafka.state.addPartitions(topic, kafka.state.topicPartitions(topic)! + 2, null)
  if (ordeal === 'make another topic') {
    kafka.createTopic(LATER, { partitions: plan.partitions, replicationFactor: REPLICAS, config: TOPIC_CONFIG })
    return another(LATER)
  }
  // Where a group meets in Kafka everybody hears of it before there is another one. A classic group commits by the topic's name: who has not heard writes an
  // old position into the new topic, as with every client. A group of the new protocol is given partitions by the topic's id, and a member that goes over to
  // the new topic by itself may meet the one who was given it.
  const slowly = plan.membership !== 'zookeeper'
  const goOn = slowly ? await calm() : undefined
  if (slowly) await sim.sleep(HEARD_MS)
  const log = logOf(kafka, topic)
  scene.history.record('nemesis', 'info', 'deleted', { topic, log })
  scene.gone(Object.values(log).flatMap(entries => entries.map(([, value]) => value!)))
  kafka.state.deleteTopic(topic)
  await sim.sleep(slowly ? HEARD_MS : sim.random() * 2_000)
  goOn?.()
  while (kafka.state.aliveIds.length < REPLICAS) await sim.sleep(AGAIN_MS)
  // A client may have asked for it by its name, and so made it.
  if (!kafka.state.topic(topic))
    kafka.createTopic(topic, { partitions: plan.partitions, replicationFactor: REPLICAS, config: TOPIC_CONFIG })
}

/** Everything that lies in a topic, on any replica. */
function logOf(kafka: EmbeddedCluster, topic: string): Record<string, Entry[]> {
  const log: Record<string, Entry[]> = {}
  for (const partition of kafka.state.topic(topic)!.partitions) {
    const entries = new Map<number, string>()
    for (const replica of partition.logs.values())
      for (const bytes of replica.read(0, replica.endOffset, EVERYTHING, true).chunks)
        for (const batch of readBatches(bytes))
          if (!batch.isControl)
            for (const { offset, value } of decodeRecords(batch, { topic, partition: partition.index }, 0n))
              entries.set(Number(offset), String(value))
    log[`${topic}/${partition.index}`] = [...entries].sort(([a], [b]) => a - b)
  }
  return log
}
