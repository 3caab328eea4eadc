/**
 * What holds for any group: every partition has one owner, shares are equal, who can keep something keeps it, and a cooperative
 * group comes to rest without any partition ever having two owners.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { builtInAssignors } from '../../../../src/flow/assignors/kafka/built-in.ts'
import { type Assignment, decodeAssignment } from '../../../../src/flow/assignors/kafka/consumer-protocol.ts'
import { runAssignor } from '../../../../src/flow/assignors/kafka/run-assignor.ts'
import { encodeStickyUserData } from '../../../../src/flow/assignors/kafka/sticky-user-data.ts'
import { ASSIGNOR_NAMES, type AssignorInput, type AssignorName } from '../../../../src/model/assignor.ts'
import { groupOf, textOf } from './groups.ts'
import { type Played, RandomGroup, type Shape } from './random-groups.ts'

/** More for a longer look. */
const RUNS = { numRuns: Number(process.env.SAMSA_ASSIGNOR_RUNS ?? 20), seed: 1 }
const shapes = (only: Partial<{ [K in keyof Shape]: fc.Arbitrary<Shape[K]> }> = {}) =>
  fc.record<Shape>({
    assignor: fc.constantFrom(...ASSIGNOR_NAMES),
    racks: fc.constantFrom('none', 'some', 'all'),
    subscriptions: fc.constantFrom('alike', 'different'),
    odd: fc.boolean(),
    ...only
  })

function given({ round, assignments }: Played): Assignment[] {
  return round.members.map(({ id }) => decodeAssignment(Buffer.from(assignments[id]!, 'hex'), id))
}

const played = (shape: Shape, seed: number, rounds: number): Played[] => {
  const group = new RandomGroup('g', seed, shape)
  return Array.from({ length: rounds }, () => group.play())
}

describe('whatever the group', () => {
  it('every partition of a topic that somebody subscribes to has exactly one owner', () => {
    const eager = fc.constantFrom('range', 'roundrobin', 'sticky') as fc.Arbitrary<AssignorName>
    fc.assert(
      fc.property(shapes({ assignor: eager }), fc.integer(), (shape, seed) => {
        for (const round of played(shape, seed, 4)) {
          const owned = given(round).flatMap(({ partitions }) => textOf(partitions).split(' ').filter(Boolean))
          const subscribed = new Set(round.input.members.flatMap(({ topics }) => topics))
          const all = [...round.input.topics].filter(([topic]) => subscribed.has(topic))
          const expected = all.flatMap(([topic, partitions]) => partitions.map(({ partition }) => `${topic}/${partition}`))
          assert.deepEqual(owned.sort(), expected.sort())
        }
      }),
      RUNS
    )
  })

  it('shares differ by one at most where all subscribe to the same', () => {
    const dealers = fc.constantFrom('roundrobin', 'sticky') as fc.Arbitrary<AssignorName>
    fc.assert(
      fc.property(shapes({ assignor: dealers, subscriptions: fc.constant('alike') }), fc.integer(), (shape, seed) => {
        for (const round of played(shape, seed, 4)) {
          const counts = given(round).map(({ partitions }) => partitions.length)
          assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, counts.join(' '))
        }
      }),
      RUNS
    )
  })

  it('nobody could take over a partition and still have less than its owner had, with sticky', () => {
    fc.assert(
      fc.property(shapes({ assignor: fc.constant('sticky') }), fc.integer(), (shape, seed) => {
        for (const round of played(shape, seed, 4)) {
          const assignments = given(round)
          for (const { partitions } of assignments)
            for (const { topic } of partitions)
              round.input.members.forEach(({ topics }, at) => {
                if (topics.includes(topic)) assert.ok(assignments[at]!.partitions.length + 1 >= partitions.length)
              })
        }
      }),
      RUNS
    )
  })

  it('the order in which members are listed changes nothing', () => {
    fc.assert(
      fc.property(shapes({ odd: fc.constant(false) }), fc.integer(), fc.infiniteStream(fc.nat()), (shape, seed, chances) => {
        const { input } = played(shape, seed, 1)[0]!
        // Texts of one hash code are told apart by their order, as in Java.
        const ids = input.members.map(({ id }) => id).concat([...input.topics.keys()])
        fc.pre(!ids.some(id => /^[AB]/.test(id)))
        const shuffled = input.members.map(member => ({ member, at: chances.next().value! })).sort((a, b) => a.at - b.at)
        const again = { ...input, members: shuffled.map(({ member }) => member) }
        const make = builtInAssignors.get(shape.assignor)!
        const sorted = (one: AssignorInput) => [...runAssignor(make(), one)].sort(([a], [b]) => (a < b ? -1 : 1))
        assert.deepEqual(sorted(again), sorted(input))
      }),
      RUNS
    )
  })
})

describe('sticky', () => {
  const owners = (assignments: ReadonlyMap<string, Assignment>) =>
    new Map([...assignments].flatMap(([id, { partitions }]) => partitions.map(one => [textOf([one]), id] as const)))
  const settled = (topics: Record<string, number>, ids: readonly string[], before: ReadonlyMap<string, Assignment>) => {
    const members = ids.map(id => {
      const last = before.get(id)
      return [id, last ? { userData: encodeStickyUserData(last.partitions, 1) } : {}] as const
    })
    return runAssignor(builtInAssignors.get('sticky')!(), groupOf(topics, Object.fromEntries(members)))
  }
  const groups = fc.record({
    topics: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
    size: fc.integer({ min: 2, max: 9 })
  })

  it('moves nothing where nothing changed, what the leaver had where one leaves, what the newcomer gets where one joins', () => {
    fc.assert(
      fc.property(groups, ({ topics: counts, size }) => {
        const topics = Object.fromEntries(counts.map((count, at) => [`t${at}`, count]))
        const ids = Array.from({ length: size }, (_, at) => `member-${at}`)
        const first = settled(topics, ids, new Map())
        assert.deepEqual(owners(settled(topics, ids, first)), owners(first))
        const after = owners(settled(topics, ids.slice(1), first))
        for (const [partition, id] of owners(first)) if (id !== ids[0]) assert.equal(after.get(partition), id)
        const joined = owners(settled(topics, [...ids, 'newcomer'], first))
        for (const [partition, id] of owners(first)) assert.ok([id, 'newcomer'].includes(joined.get(partition)!))
      }),
      RUNS
    )
  })
})

describe('cooperative-sticky', () => {
  const sorted = (partitions: Assignment['partitions']) => textOf(partitions).split(' ').sort().join(' ')

  /** Rebalances until nothing moves any more, and answers how many it took. Throws where a partition is given to one while another owns it. */
  function settle(input: AssignorInput, roundsMax: number): { input: AssignorInput; rounds: number } {
    for (let rounds = 0; rounds < roundsMax; rounds++) {
      const assignments = runAssignor(builtInAssignors.get('cooperative-sticky')!(), input)
      const partitionsOf = (id: string) => assignments.get(id)!.partitions
      if (input.members.every(({ id, ownedPartitions }) => sorted(partitionsOf(id)) === sorted(ownedPartitions))) return { input, rounds }
      const members = input.members.map(member => ({ ...member, generationId: 100 + rounds, ownedPartitions: partitionsOf(member.id) }))
      input = { ...input, members }
    }
    return { input, rounds: roundsMax }
  }

  const settles = (only: Parameters<typeof shapes>[0], roundsMax: number) =>
    fc.assert(
      fc.property(
        shapes({ assignor: fc.constant('cooperative-sticky'), odd: fc.constant(false), ...only }),
        fc.integer(),
        (shape, seed) => {
          const { input, rounds } = settle(played(shape, seed, 3)[2]!.input, roundsMax)
          assert.ok(rounds < roundsMax, 'it still moves')
          const owned = input.members.flatMap(({ ownedPartitions }) => ownedPartitions)
          const subscribed = new Set(input.members.flatMap(({ topics }) => topics))
          const partitions = [...input.topics].flatMap(([topic, slots]) => (subscribed.has(topic) ? slots : []))
          assert.equal(owned.length, partitions.length)
        }
      ),
      RUNS
    )

  it('comes to rest in two or three rounds, every partition owned', () => settles({ racks: fc.constant('none') }, 5))

  it('comes to rest with racks, too, where all subscribe to the same', () => settles({ subscriptions: fc.constant('alike') }, 9))

  // With both, Java's algorithm moves some partitions to and fro for many rounds, and ours with it.
  it('gives nothing away before it is given back, with racks and different subscriptions', () => {
    const both = shapes({ assignor: fc.constant('cooperative-sticky'), subscriptions: fc.constant('different') })
    fc.assert(
      fc.property(both, fc.integer(), (shape, seed) => {
        settle(played(shape, seed, 3)[2]!.input, 5)
      }),
      RUNS
    )
  })
})
