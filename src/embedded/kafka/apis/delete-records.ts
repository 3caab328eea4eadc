/**
 * DeleteRecords: a partition begins later from now on. Asked of its leader; -1 means the high watermark.
 */
import { ERROR } from '../errors.ts'
import type { Partition } from '../partition.ts'
import type { ClusterState } from '../state.ts'
import { type CoreHandler, leaderError } from './common.ts'

const HIGH_WATERMARK = -1n

export const deleteRecords: CoreHandler<'DeleteRecords'> = {
  api: 'DeleteRecords',
  versions: [0, 2],
  handle({ topics }, { broker, state }) {
    const of = (name: string, { partitionIndex, offset }: (typeof topics)[number]['partitions'][number]) => {
      const partition = state.partition(name, partitionIndex)
      const errorCode = state.topic(name)?.internal
        ? ERROR.INVALID_TOPIC_EXCEPTION
        : leaderError(partition, broker) || remove(partition!, offset, state)
      return { partitionIndex, lowWatermark: errorCode === ERROR.NONE ? BigInt(partition!.lowWatermark) : -1n, errorCode }
    }
    return {
      throttleTimeMs: 0,
      topics: topics.map(({ name, partitions }) => ({ name, partitions: partitions.map(each => of(name, each)) }))
    }
  }
}

function remove(partition: Partition, offset: bigint, state: ClusterState): number {
  if (!state.configs.topic(partition.topic, 'cleanup.policy').includes('delete')) return ERROR.POLICY_VIOLATION
  const before = offset === HIGH_WATERMARK ? partition.highWatermark : Number(offset)
  if (before < 0 || before > partition.highWatermark) return ERROR.OFFSET_OUT_OF_RANGE
  partition.deleteBefore(before)
  return ERROR.NONE
}
