/**
 * The `range` assignor: of each topic, consecutive partitions to each subscriber, the first ones one more where it does not come out even.
 */
import { parts } from '../parts.ts'
import type { Assignor } from './assignor.ts'

export const assignRange: Assignor = (members, topics) => {
  const owned = new Map(members.map(({ id }) => [id, [] as [string, number][]]))
  for (const [topicId, partitions] of topics) {
    const subscribers = members.filter(each => each.topics.has(topicId))
    const least = Math.floor(partitions / subscribers.length)
    const more = partitions % subscribers.length
    let from = 0
    for (const [index, { id }] of subscribers.entries()) {
      const to = from + least + (index < more ? 1 : 0)
      for (let partition = from; partition < to; partition++) owned.get(id)!.push([topicId, partition])
      from = to
    }
  }
  return new Map([...owned].map(([id, entries]) => [id, parts(entries)]))
}
