/**
 * Made-up groups that live for some rebalances: members join, leave, change their subscriptions, miss an assignment; topics grow, come
 * and go. Every member keeps its own assignor, as in life. The same seed makes the same group.
 */
import { builtInAssignors } from '../../../../src/flow/assignors/kafka/built-in.ts'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  type ProtocolVersion
} from '../../../../src/flow/assignors/kafka/consumer-protocol.ts'
import { runAssignor } from '../../../../src/flow/assignors/kafka/run-assignor.ts'
import type { Assignor, AssignorInput, AssignorName, MemberToAssign, PartitionToAssign } from '../../../../src/model/assignor.ts'
import type { TopicPartition } from '../../../../src/model/events.ts'

export interface Shape {
  assignor: AssignorName
  racks: 'none' | 'some' | 'all'
  subscriptions: 'alike' | 'different'
  /** Some members are of old clients, write odd user data, or did not hear of the last assignment. */
  odd: boolean
}

/** One member as it joins; `hex`: a foreign one that sends just these bytes. */
export interface JoiningMember {
  id: string
  instance: string | null
  rack: string | null
  topics: string[]
  owned: TopicPartition[]
  generation: number
  version: ProtocolVersion
  /** It does not get to know what it was assigned. */
  deaf: boolean
  hex?: string
}

/** What the judge gets. */
export interface Round {
  group: string
  assignor: AssignorName
  leader: string
  generation: number
  topics: { name: string; racks: (string | null)[][] }[]
  members: JoiningMember[]
}

export interface Played {
  round: Round
  input: AssignorInput
  /** Hex, by member: what it joins with, and what it is given. */
  subscriptions: Record<string, string>
  assignments: Record<string, string>
}

export type Chance = () => number

/** Mulberry32: small, quick, and the same everywhere. */
export function chanceOf(seed: number): Chance {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

const RACKS = ['rack-a', 'rack-b', 'rack-c']
/** All of one hash code, so that they share a slot of any table. Not more, as Java would make a tree of them. */
const COLLIDING = ['AaAaAa', 'AaAaBB', 'AaBBAa', 'AaBBBB', 'BBAaAa', 'BBAaBB', 'BBBBAa', 'BBBBBB']
const COLLIDING_TOPICS = 6

export class RandomGroup {
  readonly name: string
  #shape: Shape
  #chance: Chance
  #topics: { name: string; racks: (string | null)[][] }[] = []
  #members: JoiningMember[] = []
  #assignors = new Map<string, Assignor>()
  #generation = 0
  #made = 0
  #colliding: boolean

  constructor(name: string, seed: number, shape: Shape) {
    this.name = name
    this.#shape = shape
    this.#chance = chanceOf(seed)
    this.#colliding = this.#hit(0.1)
    const topics = this.#hit(0.15) ? this.#upTo(30) : this.#upTo(5)
    for (let i = 0; i < topics; i++) this.#addTopic()
    const members = this.#hit(0.2) ? this.#upTo(40) : this.#upTo(7)
    for (let i = 0; i < members; i++) this.#join()
  }

  play(): Played {
    if (this.#generation > 0) this.#change()
    this.#generation += 1 + (this.#hit(0.1) ? 1 : 0)
    const round = this.#round()
    const subscriptions: Record<string, string> = {}
    for (const member of round.members) subscriptions[member.id] = member.hex ?? this.#subscriptionOf(member).toString('hex')
    const input = inputOf(round, subscriptions)
    const assignments: Record<string, string> = {}
    for (const [id, assignment] of runAssignor(this.#assignorOf(round.leader), input)) {
      assignments[id] = encodeAssignment(assignment).toString('hex')
      this.#hear(id, assignments[id])
    }
    return { round, input, subscriptions, assignments }
  }

  #hit(chance: number): boolean {
    return this.#chance() < chance
  }

  /** From 1. */
  #upTo(most: number): number {
    return 1 + Math.floor(this.#chance() * most)
  }

  #oneOf<T>(list: readonly T[]): T {
    return list[Math.floor(this.#chance() * list.length)]!
  }

  #rack(unknown: number): string | null {
    return this.#shape.racks === 'none' || this.#hit(unknown) ? null : this.#oneOf(RACKS)
  }

  #replicas(): (string | null)[] {
    return Array.from({ length: this.#upTo(3) }, () => this.#rack(this.#shape.racks === 'some' ? 0.2 : 0))
  }

  #addTopic(): void {
    const racks = Array.from({ length: this.#hit(0.5) ? 6 : this.#upTo(12) }, () => this.#replicas())
    const number = this.#made++
    const free = COLLIDING.slice(0, COLLIDING_TOPICS).filter(name => this.#topics.every(topic => topic.name !== name))
    this.#topics.push({ name: (this.#colliding && free[0]) || `topic-${number}`, racks })
  }

  #newId(): string {
    const number = this.#made++
    const free = COLLIDING.filter(id => !this.#assignors.has(id))
    if (this.#colliding && free.length > 0) return this.#oneOf(free)
    const uuid = Array.from({ length: 8 }, () => Math.floor(this.#chance() * 65536).toString(16)).join('-')
    return `consumer-${this.name}-${number}-${uuid}`
  }

  #join(): void {
    const id = this.#newId()
    const odd = this.#shape.odd
    this.#assignors.set(id, builtInAssignors.get(this.#shape.assignor)!())
    this.#members.push({
      id,
      instance: this.#hit(0.25) ? `static-${this.#upTo(1_000_000)}-${this.#made}` : null,
      rack: this.#rack(this.#shape.racks === 'some' ? 0.3 : 0),
      topics: this.#chosenTopics(),
      owned: [],
      generation: -1,
      version: odd && this.#hit(0.3) ? this.#oneOf([0, 1, 2] as const) : 3,
      deaf: false
    })
  }

  #chosenTopics(): string[] {
    const names = this.#topics.map(({ name }) => name)
    if (this.#shape.subscriptions === 'alike') return names
    const chosen = names.filter(() => this.#hit(0.6))
    if (this.#hit(0.1)) chosen.push('not-there')
    return chosen.length > 0 ? chosen : [this.#oneOf(names)]
  }

  #change(): void {
    if (this.#hit(0.4)) for (let i = this.#upTo(3); i > 0; i--) this.#join()
    if (this.#hit(0.4)) for (let i = this.#upTo(2); i > 0 && this.#members.length > 1; i--) this.#members.splice(this.#index(), 1)
    if (this.#hit(0.15)) this.#addTopic()
    if (this.#hit(0.05) && this.#topics.length > 1) this.#topics.splice(Math.floor(this.#chance() * this.#topics.length), 1)
    if (this.#hit(0.2)) for (let i = this.#upTo(4); i > 0; i--) this.#oneOf(this.#topics).racks.push(this.#replicas())
    if (this.#shape.subscriptions === 'alike') for (const member of this.#members) member.topics = this.#chosenTopics()
    else if (this.#hit(0.5)) this.#members[this.#index()]!.topics = this.#chosenTopics()
    if (this.#hit(0.3)) this.#members.push(this.#members.splice(this.#index(), 1)[0]!)
    if (this.#shape.odd) for (const member of this.#members) member.deaf = this.#hit(0.1)
  }

  #index(): number {
    return Math.floor(this.#chance() * this.#members.length)
  }

  /** The first of them leads, until it leaves or does not hear. */
  #round(): Round {
    const { name: group, ...rest } = { name: this.name, assignor: this.#shape.assignor, generation: this.#generation }
    const members = this.#members.map(member => ({ ...member }))
    const leader = members.find(member => !member.deaf) ?? members[0]!
    if (this.#shape.odd) for (const member of members) if (member !== leader && this.#hit(0.08)) member.hex = this.#oddBytes(member)
    return { group, ...rest, leader: leader.id, topics: structuredClone(this.#topics), members }
  }

  /** As a foreign client may write it: with user data of another assignor, or of none. */
  #oddBytes(member: JoiningMember): string {
    const userData = this.#hit(0.3) ? null : Buffer.from(Array.from({ length: this.#upTo(30) - 1 }, () => Math.floor(this.#chance() * 3)))
    const { topics, owned: ownedPartitions, generation: generationId, rack: rackId, version } = member
    return encodeSubscription({ topics, userData, ownedPartitions, generationId, rackId }, version).toString('hex')
  }

  #assignorOf(id: string): Assignor {
    return this.#assignors.get(id)!
  }

  #subscriptionOf({ id, topics, owned, generation, rack, version }: JoiningMember): Buffer {
    const userData = this.#assignorOf(id).userData?.(topics, owned, generation) ?? null
    return encodeSubscription({ topics, userData, ownedPartitions: owned, generationId: generation, rackId: rack }, version)
  }

  #hear(id: string, hex: string): void {
    const member = this.#members.find(one => one.id === id)!
    if (member.deaf) return
    const { partitions, userData } = decodeAssignment(Buffer.from(hex, 'hex'), id)
    this.#assignorOf(id).onAssignment?.(partitions, userData, this.#generation)
    member.generation = this.#generation
    if (this.#assignorOf(id).rebalanceProtocol === 'cooperative') member.owned = [...partitions]
  }
}

/** What the leader's assignor gets: the members as their own bytes say. */
function inputOf({ topics, members }: Round, subscriptions: Record<string, string>): AssignorInput {
  const said = members.map(({ id, instance }): MemberToAssign => {
    return { id, groupInstanceId: instance, ...decodeSubscription(Buffer.from(subscriptions[id]!, 'hex'), id) }
  })
  const partitions = ({ racks }: Round['topics'][number]): PartitionToAssign[] =>
    racks.map((replicaRacks, partition) => ({ partition, leaderRack: replicaRacks[0]!, replicaRacks }))
  return { topics: new Map(topics.map(topic => [topic.name, partitions(topic)])), members: said }
}
