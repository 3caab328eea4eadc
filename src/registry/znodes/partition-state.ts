/**
 * `/brokers/topics/<topic>/partitions/<p>/state`: who leads a partition now (Kafka's `TopicPartitionStateZNode`, version 1).
 */
import { parseObject, znodeJson } from './fields.ts'
import { topicPath } from './topic.ts'

export interface PartitionState {
  /** -1: no leader. Kafka's -2 (being deleted) is none either. */
  leader: number
  leaderEpoch: number
  inSync: number[]
  controllerEpoch: number
}

const leaderWhileDeleted = -2

export function partitionsPath(topic: string): string {
  return `${topicPath(topic)}/partitions`
}

export function partitionStatePath(topic: string, partition: number): string {
  return `${partitionsPath(topic)}/${partition}/state`
}

/** @throws RegistryError ZNODE_INVALID */
export function parsePartitionState(topic: string, partition: number, data: Uint8Array): PartitionState {
  const fields = parseObject(partitionStatePath(topic, partition), data)
  fields.int('version', 1)
  return {
    leader: Math.max(-1, fields.int('leader', leaderWhileDeleted)),
    leaderEpoch: fields.int('leader_epoch', 0),
    inSync: fields.ids('isr'),
    controllerEpoch: fields.int('controller_epoch', 0)
  }
}

export function writePartitionState(state: PartitionState): Buffer {
  return znodeJson({
    controller_epoch: state.controllerEpoch,
    leader: state.leader,
    version: 1,
    leader_epoch: state.leaderEpoch,
    isr: state.inSync
  })
}
