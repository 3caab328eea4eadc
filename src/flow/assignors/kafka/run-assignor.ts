/**
 * Asks an assignor and checks what it answers, before it goes to the members: a user's own one may be wrong in any way, and a wrong
 * assignment means two owners, or members that leave again and again.
 */
import type { Assignor, AssignorInput, MemberAssignment, MemberToAssign } from '../../../model/assignor.ts'
import { UsageError } from '../../../model/errors.ts'
import type { TopicPartition } from '../../../model/events.ts'
import type { Assignment } from './consumer-protocol.ts'

/**
 * Member id → assignment, for every member of the input.
 * @throws UsageError ASSIGNOR_FAILED: `assign` threw; INVALID_ASSIGNMENT: its answer breaks a rule of `Assignor`. Nothing of it is used.
 */
export function runAssignor(assignor: Assignor, input: AssignorInput): Map<string, Assignment> {
  const answer = askAssignor(assignor, input)
  const check = new Check(assignor, input)
  for (const [id, assignment] of answer) check.member(id, assignment)
  if (assignor.rebalanceProtocol === 'cooperative') check.nothingTakenAway()
  return new Map(
    input.members.map(({ id }) => [id, { partitions: answer.get(id)?.partitions ?? [], userData: answer.get(id)?.userData ?? null }])
  )
}

function askAssignor(assignor: Assignor, input: AssignorInput): ReadonlyMap<string, MemberAssignment> {
  let answer: unknown
  try {
    answer = assignor.assign(input)
  } catch (error) {
    throw new UsageError('ASSIGNOR_FAILED', `The assignor ${assignor.name} threw: ${reasonOf(error)} Nobody was assigned anything.`, {
      cause: error,
      details: { assignor: assignor.name }
    })
  }
  if (answer instanceof Map) return answer
  throw invalid(assignor, `answered with ${answer === null ? 'null' : typeof answer}, not with a Map`, {})
}

function reasonOf(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error)
  return reason.endsWith('.') ? reason : `${reason}.`
}

function invalid(assignor: Assignor, what: string, details: Record<string, string | number>): UsageError {
  const message = `The assignor ${assignor.name} ${what}. Mend its assign(); nobody was assigned anything.`
  return new UsageError('INVALID_ASSIGNMENT', message, { details: { assignor: assignor.name, ...details } })
}

const isPartition = (value: unknown): value is TopicPartition =>
  typeof value === 'object' && value !== null && typeof (value as TopicPartition).topic === 'string'

/** One answer, member by member. */
class Check {
  #assignor: Assignor
  #members: ReadonlyMap<string, MemberToAssign>
  #numbers: ReadonlyMap<string, ReadonlySet<number>>
  /** topic → partition → who was given it. */
  #takers = new Map<string, Map<number, string>>()

  constructor(assignor: Assignor, { members, topics }: AssignorInput) {
    this.#assignor = assignor
    this.#members = new Map(members.map(member => [member.id, member]))
    this.#numbers = new Map([...topics].map(([topic, partitions]) => [topic, new Set(partitions.map(({ partition }) => partition))]))
  }

  member(id: unknown, assignment: unknown): void {
    const member = this.#members.get(id as string)
    if (!member) throw invalid(this.#assignor, `names a member ${String(id)}, which is not in the group`, { member: String(id) })
    const { partitions, userData } = (assignment ?? {}) as Partial<MemberAssignment>
    if (!Array.isArray(partitions))
      throw invalid(this.#assignor, `has no list of partitions for member ${member.id}`, { member: member.id })
    if (userData !== undefined && userData !== null && !(userData instanceof Uint8Array))
      throw invalid(this.#assignor, `has user data for member ${member.id} that is no Uint8Array`, { member: member.id })
    const subscribed = new Set(member.topics)
    for (const partition of partitions) this.#give(partition, member, subscribed)
  }

  #give(given: unknown, member: MemberToAssign, subscribed: ReadonlySet<string>): void {
    if (!isPartition(given))
      throw invalid(this.#assignor, `gives member ${member.id} something that is no { topic, partition }`, { member: member.id })
    const { topic, partition } = given
    const wrong = (what: string) => invalid(this.#assignor, what, { member: member.id, topic, partition })
    if (!this.#numbers.get(topic)?.has(partition))
      throw wrong(`gives member ${member.id} the partition ${topic}/${partition}, which does not exist`)
    if (!subscribed.has(topic))
      throw wrong(`gives member ${member.id} the partition ${topic}/${partition}, whose topic it does not subscribe to`)
    const takers = this.#takers.get(topic) ?? new Map<number, string>()
    const taker = takers.get(partition)
    if (taker !== undefined) throw wrong(`gives the partition ${topic}/${partition} to member ${taker} and to member ${member.id}`)
    this.#takers.set(topic, takers.set(partition, member.id))
  }

  /** ConsumerCoordinator.validateCooperativeAssignment: what a member owns and does not keep goes to nobody in this generation. */
  nothingTakenAway(): void {
    const owners = new Map<string, Set<string>>()
    const nameOf = ({ topic, partition }: TopicPartition) => `${topic}/${partition}`
    for (const { id, ownedPartitions } of this.#members.values())
      for (const owned of ownedPartitions) owners.set(nameOf(owned), (owners.get(nameOf(owned)) ?? new Set()).add(id))
    for (const [topic, takers] of this.#takers)
      for (const [partition, taker] of takers) {
        const owning = owners.get(nameOf({ topic, partition }))
        if (!owning || owning.has(taker)) continue
        const what = `is cooperative and gives member ${taker} the partition ${topic}/${partition}, which member ${[...owning][0]} still owns`
        throw invalid(this.#assignor, what, { member: taker, topic, partition })
      }
  }
}
