/**
 * DescribeLogDirs: how large this broker's replicas are. There is one directory.
 *
 * v3: an error for the whole answer. v4: the volume's size (KIP-827; unknown here).
 */
import { ERROR } from '../errors.ts'
import type { CoreHandler } from './common.ts'

const UNKNOWN_SIZE = -1n

export const describeLogDirs: CoreHandler<'DescribeLogDirs'> = {
  api: 'DescribeLogDirs',
  versions: [0, 5],
  handle({ topics }, { broker, state }) {
    const asked =
      topics ??
      [...state.topics.values()].map(({ name, partitions }) => ({ topic: name, partitions: partitions.map(({ index }) => index) }))
    const told = asked.map(({ topic, partitions }) => ({
      name: topic,
      partitions: partitions.flatMap(index => {
        const partition = state.partition(topic, index)
        const log = partition?.logs.get(broker.id)
        if (!partition || !log) return []
        const offsetLag = BigInt(Math.max(0, partition.highWatermark - log.endOffset))
        return [{ partitionIndex: index, partitionSize: BigInt(log.sizeBytes), offsetLag, isFutureKey: false }]
      })
    }))
    const dir = { errorCode: ERROR.NONE, logDir: state.configs.broker('log.dirs'), totalBytes: UNKNOWN_SIZE, usableBytes: UNKNOWN_SIZE }
    const results = [{ ...dir, topics: told.filter(({ partitions }) => partitions.length > 0), isCordoned: false }]
    return { throttleTimeMs: 0, errorCode: ERROR.NONE, results }
  }
}
