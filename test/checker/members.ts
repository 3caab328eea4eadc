/**
 * Who reads for which group, as the history tells it. A process that names no group reads for the one of all those that name none.
 */
import { ownedKey } from './incarnations.ts'
import type { Operation } from './operation.ts'

/** Readers without a group. */
export const NO_GROUP = ''

export interface Member {
  readonly process: string
  group: string
  /** How it comes by its keys. `given`: its group assigns them, and takes them away. `unsaid`: the history does not tell. */
  by: 'unsaid' | 'assign' | 'subscribe' | 'given'
  /** Its group has given it something at some time. */
  wasGiven: boolean
}

export interface Group {
  readonly name: string
  /** It reads everything there is, from the first message on. */
  fromEarliest: boolean
  /** Topics that it is known to read. */
  readonly topics: Set<string>
}

export class Members {
  readonly groups = new Map<string, Group>()
  readonly #members = new Map<string, Member>()

  member(process: string): Member {
    let member = this.#members.get(process)
    if (!member) this.#members.set(process, (member = { process, group: NO_GROUP, by: 'unsaid', wasGiven: false }))
    return member
  }

  get all(): Iterable<Member> {
    return this.#members.values()
  }

  group(name: string): Group {
    let group = this.groups.get(name)
    if (!group) this.groups.set(name, (group = { name, fromEarliest: true, topics: new Set() }))
    return group
  }

  add(operation: Operation): void {
    const { process } = operation
    if (operation.f === 'assign') Object.assign(this.member(process), { by: 'assign', group: NO_GROUP })
    else if (operation.f === 'subscribe') {
      const member = this.member(process)
      const { group = NO_GROUP, topics, from } = operation.value
      member.group = group
      member.by = 'subscribe'
      const of = this.group(group)
      if (from === 'latest') of.fromEarliest = false
      for (const topic of topics ?? []) of.topics.add(topic)
    } else if (operation.f === 'assigned') {
      const member = this.member(process)
      member.by = 'given'
      member.wasGiven = true
      if (operation.value.group !== undefined) member.group = operation.value.group
      const { topics } = this.group(member.group)
      for (const key of operation.value.partitions) topics.add(topicOf(key))
    }
  }
}

/** By its name, whichever topic of that name. */
export const topicOf = (key: string) => ownedKey(key).slice(0, ownedKey(key).lastIndexOf('/'))
