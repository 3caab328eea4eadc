/**
 * Who gets which partition of a classic group: the group's leader asks an assignor, the others take what they are given. Those that come
 * with samsa are Java's (ConsumerPartitionAssignor); a user's own one is an object of this shape.
 */
import type { TopicPartition } from './events.ts'

/** Java's names of its assignors, as members tell them to each other. */
export const ASSIGNOR_NAMES = ['range', 'roundrobin', 'sticky', 'cooperative-sticky'] as const
export type AssignorName = (typeof ASSIGNOR_NAMES)[number]

/** One partition that can be given. */
export interface PartitionToAssign {
  /** From 0. */
  partition: number
  /** Rack of its leader (the broker's `broker.rack`); null: unknown, or no leader. */
  leaderRack: string | null
  /** Racks of its replicas, one entry for each; null: unknown. Order does not matter. */
  replicaRacks: readonly (string | null)[]
}

/** A member as the leader hears of it: what it said of itself when it joined. None of this is proven. */
export interface MemberToAssign {
  /** Its member id, unique in the group. */
  id: string
  /** Its name as a static member (`group.instance.id`, KIP-345); null: it has none. */
  groupInstanceId: string | null
  /** What it subscribes to, each topic once. Topics that do not exist may be among them. */
  topics: readonly string[]
  /** What it says it owns. Empty for members of an eager protocol, and for those that are too old to say (subscription version 0). */
  ownedPartitions: readonly TopicPartition[]
  /** The generation in which it owned them; -1: it does not say (subscription versions 0 and 1), or it is new. */
  generationId: number
  /** Where it runs (`client.rack`, KIP-881); null: unknown. */
  rackId: string | null
  /** What the assignor of its own made in `userData`; null: nothing. */
  userData: Uint8Array | null
}

export interface AssignorInput {
  /** Every topic that a member subscribes to and that exists, with all its partitions in ascending order. */
  topics: ReadonlyMap<string, readonly PartitionToAssign[]>
  /** In the order in which the coordinator lists them. */
  members: readonly MemberToAssign[]
}

/** What one member gets. */
export interface MemberAssignment {
  partitions: readonly TopicPartition[]
  /** Handed to its assignor's `onAssignment`. Default null. */
  userData?: Uint8Array | null
}

/**
 * Divides a group's partitions. Each consumer has its own instance, which may remember things from one generation to the next.
 * All members of a group must have one assignor of the same name, and mean the same by it.
 */
export interface Assignor {
  /** What members call it among each other, and in JoinGroup. */
  readonly name: string
  /**
   * `eager`: members give back all partitions before they join. `cooperative` (KIP-429): they keep them, and `assign` may not give a
   * partition to one member while another one owns it: it leaves it out, that one gives it back, and everybody joins again.
   * A consumer that lists an eager assignor is eager with all of them.
   */
  readonly rebalanceProtocol: 'eager' | 'cooperative'
  /**
   * Bytes for the leader's assignor, sent with each JoinGroup; null: none. `owned`: what the member owned last, which an eager member has
   * given back by now; `generation`: the one in which it was given that, -1 for none.
   */
  userData?(topics: readonly string[], owned: readonly TopicPartition[], generation: number): Uint8Array | null
  /**
   * Member id → what it gets. A member that is left out gets nothing. Each partition goes to one member at most, and only to one that
   * subscribes to its topic; a partition may be given to nobody.
   */
  assign(input: AssignorInput): ReadonlyMap<string, MemberAssignment>
  /** Told to each member, the leader too, after each generation: `assigned` in the order in which the leader wrote it. */
  onAssignment?(assigned: readonly TopicPartition[], userData: Uint8Array | null, generation: number): void
}
