/**
 * The `uniform` assignor: as even as subscriptions allow over all topics together, and members keep what they had as far as that allows.
 */
import { each, parts } from '../parts.ts'
import type { AssignedMember, Assignor, TopicSizes } from './assignor.ts'

type Entry = readonly [topicId: string, partition: number]

export const assignUniform: Assignor = (members, topics) => {
  if (members.length === 0) return new Map()
  const first = members[0]!.topics
  const alike = members.every(member => member.topics.size === first.size && [...member.topics].every(topic => first.has(topic)))
  const owned = alike ? assignAlike(members, topics) : assignMixed(members, topics)
  return new Map([...owned].map(([id, entries]) => [id, parts(entries)]))
}

/** All are subscribed to the same: each keeps up to its share, the rest goes to whoever has less than theirs. */
function assignAlike(members: readonly AssignedMember[], topics: TopicSizes): Map<string, Entry[]> {
  const wanted = [...members[0]!.topics].filter(topic => topics.has(topic))
  const total = wanted.reduce((sum, topic) => sum + topics.get(topic)!, 0)
  const least = Math.floor(total / members.length)
  let more = total % members.length
  const free = allOf(wanted, topics)
  const owned = new Map<string, Entry[]>()
  for (const { id, topics: subscribed, before } of members) {
    const valid = [...each(before)].filter(([topic, partition]) => subscribed.has(topic) && partition < (topics.get(topic) ?? 0))
    const share = valid.length > least && more > 0 ? least + 1 : least
    if (share > least) more--
    const kept = valid.slice(0, share)
    for (const entry of kept) free.delete(keyOf(entry))
    owned.set(id, kept)
  }
  const rest = [...free.values()]
  let at = 0
  for (const [, entries] of owned) {
    let share = least
    if (entries.length > least) continue
    if (more > 0) {
      share++
      more--
    }
    while (entries.length < share && at < rest.length) entries.push(rest[at++]!)
  }
  return owned
}

/** Subscriptions differ: what is free goes to the subscriber who has least, then partitions move as long as that makes it more even. */
function assignMixed(members: readonly AssignedMember[], topics: TopicSizes): Map<string, Entry[]> {
  const owned = new Map<string, Entry[]>(members.map(({ id }) => [id, []]))
  const subscribers = new Map([...topics.keys()].map(topic => [topic, members.filter(member => member.topics.has(topic))]))
  const free = allOf([...topics.keys()], topics)
  for (const { id, topics: subscribed, before } of members)
    for (const entry of each(before)) if (subscribed.has(entry[0]) && free.delete(keyOf(entry))) owned.get(id)!.push(entry)
  const loadOf = (id: string) => owned.get(id)!.length
  const leastOf = (topic: string) =>
    subscribers
      .get(topic)!
      .reduce((least, member) => (loadOf(member.id) < loadOf(least) ? member.id : least), subscribers.get(topic)![0]!.id)
  const byChoice = [...free.values()].sort(([a], [b]) => subscribers.get(a)!.length - subscribers.get(b)!.length)
  for (const entry of byChoice) if (subscribers.get(entry[0])!.length > 0) owned.get(leastOf(entry[0]))!.push(entry)
  for (let moved = true; moved; ) {
    moved = false
    for (const { id } of [...members].sort((a, b) => loadOf(b.id) - loadOf(a.id))) {
      const mine = owned.get(id)!
      for (let at = mine.length - 1; at >= 0; at--) {
        const to = leastOf(mine[at]![0])
        if (loadOf(to) + 1 >= mine.length) continue
        owned.get(to)!.push(mine[at]!)
        mine.splice(at, 1)
        moved = true
      }
    }
  }
  return owned
}

function allOf(wanted: readonly string[], topics: TopicSizes): Map<string, Entry> {
  const all = new Map<string, Entry>()
  for (const topic of wanted)
    for (let partition = 0; partition < topics.get(topic)!; partition++) all.set(keyOf([topic, partition]), [topic, partition])
  return all
}

const keyOf = ([topicId, partition]: Entry): string => `${topicId}:${partition}`
