/**
 * OffsetForLeaderEpoch (KIP-101, KIP-320): where a leader's epoch ended, so that clients find out that a log was cut behind their position.
 *
 * v2: the client's own idea of the leader's epoch. v3: replica ids. v4: flexible.
 */
import { ERROR } from '../errors.ts'
import { type CoreHandler, leaderError } from './common.ts'

export const offsetForLeaderEpoch: CoreHandler<'OffsetForLeaderEpoch'> = {
  api: 'OffsetForLeaderEpoch',
  versions: [0, 4],
  handle({ topics }, { broker, state }) {
    const of = (topic: string, asked: (typeof topics)[number]['partitions'][number]) => {
      const partition = state.partition(topic, asked.partition)
      const errorCode = leaderError(partition, broker, asked.currentLeaderEpoch)
      const end = errorCode === ERROR.NONE ? partition!.log!.endOfEpoch(asked.leaderEpoch) : { epoch: -1, endOffset: -1 }
      return { errorCode, partition: asked.partition, leaderEpoch: end.epoch, endOffset: BigInt(end.endOffset) }
    }
    return {
      throttleTimeMs: 0,
      topics: topics.map(({ topic, partitions }) => ({ topic, partitions: partitions.map(each => of(topic, each)) }))
    }
  }
}
