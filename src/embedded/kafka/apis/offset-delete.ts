/**
 * OffsetDelete (KIP-496): offsets of topics that the group is not subscribed to any more.
 */
import { ERROR } from '../errors.ts'
import { Groups } from '../groups/cluster-groups.ts'
import { type CoreHandler, faultOf } from './common.ts'

export const offsetDelete: CoreHandler<'OffsetDelete'> = {
  api: 'OffsetDelete',
  versions: [0, 0],
  handle({ groupId, topics: asked }, { broker, state }) {
    const { coordinator } = state.part(Groups)
    const failed = (errorCode: number) => ({ errorCode, throttleTimeMs: 0, topics: [] })
    const error = coordinator.check(broker.id, groupId)
    if (error) return failed(error)
    const exists = (topic: string, index: number) => state.partition(topic, index) !== undefined
    const all = asked.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex }) => ({ topic: name, partition: partitionIndex }))
    )
    try {
      const known = all.filter(({ topic, partition }) => exists(topic, partition))
      const errors = coordinator.keeper.delete(groupId, known)
      let at = 0
      const topics = asked.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({
          partitionIndex,
          errorCode: exists(name, partitionIndex) ? errors[at++]! : ERROR.UNKNOWN_TOPIC_OR_PARTITION
        }))
      }))
      return { errorCode: ERROR.NONE, throttleTimeMs: 0, topics }
    } catch (fault) {
      return failed(faultOf(fault).errorCode)
    }
  }
}
