/**
 * DescribeProducers (KIP-664): what a leader knows of the producers of its partitions.
 */
import { ERROR } from '../errors.ts'
import { type CoreHandler, leaderError } from './common.ts'

export const describeProducers: CoreHandler<'DescribeProducers'> = {
  api: 'DescribeProducers',
  versions: [0, 0],
  handle({ topics }, { broker, state }) {
    const of = (name: string, partitionIndex: number) => {
      const partition = state.partition(name, partitionIndex)
      const errorCode = leaderError(partition, broker)
      const entries = errorCode === ERROR.NONE ? [...partition!.log!.producers.entries.values()] : []
      const activeProducers = entries.map(({ producerId, epoch, batches, lastTimestamp, coordinatorEpoch, transactionFrom }) => ({
        producerId,
        producerEpoch: epoch,
        lastSequence: batches.at(-1)?.lastSequence ?? -1,
        lastTimestamp: BigInt(lastTimestamp),
        coordinatorEpoch,
        currentTxnStartOffset: BigInt(transactionFrom ?? -1)
      }))
      return { partitionIndex, errorCode, errorMessage: null, activeProducers }
    }
    const told = topics.map(({ name, partitionIndexes }) => ({ name, partitions: partitionIndexes.map(each => of(name, each)) }))
    return { throttleTimeMs: 0, topics: told }
  }
}
