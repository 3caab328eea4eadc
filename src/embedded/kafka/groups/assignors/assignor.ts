/**
 * The server's own assignors of KIP-848: what they are given, what they answer, and which there are.
 */
import type { Parts } from '../parts.ts'
import { assignRange } from './range.ts'
import { assignUniform } from './uniform.ts'

export interface AssignedMember {
  id: string
  instanceId: string | null
  /** Topic ids, of topics that exist. */
  topics: ReadonlySet<string>
  /** Its part of the last target assignment. */
  before: Parts
}

/** Numbers of partitions by topic id. */
export type TopicSizes = ReadonlyMap<string, number>
/** Members are sorted by instance id and id, topics by id. */
export type Assignor = (members: readonly AssignedMember[], topics: TopicSizes) => Map<string, Parts>

/** The first is the default. */
export const ASSIGNORS: ReadonlyMap<string, Assignor> = new Map([
  ['uniform', assignUniform],
  ['range', assignRange]
])
