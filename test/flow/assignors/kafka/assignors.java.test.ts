/**
 * Our assignors against Java's of kafka-clients 3.9.1, over random groups that live for some rebalances: what each member sends when it joins and
 * what the leader sends to each must be the same bytes.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { decodeAssignment } from '../../../../src/flow/assignors/kafka/consumer-protocol.ts'
import { JavaHashSet } from '../../../../src/flow/assignors/kafka/java-order.ts'
import { runAssignor } from '../../../../src/flow/assignors/kafka/run-assignor.ts'
import { javaHashCode } from '../../../../src/flow/assignors/roundrobin.ts'
import { ASSIGNOR_NAMES } from '../../../../src/model/assignor.ts'
import { AssignorOracle, type JavaAnswer } from './assignor-oracle.ts'
import { chanceOf, type Played, RandomGroup, type Shape } from './random-groups.ts'

/** Groups of each shape, there are twelve shapes for each assignor; more for a longer look. */
const GROUPS = Number(process.env.SAMSA_ASSIGNOR_GROUPS ?? 8)
const SEED = Number(process.env.SAMSA_ASSIGNOR_SEED ?? 1)
const ROUNDS = 6

let oracle: AssignorOracle
before(async () => {
  oracle = await AssignorOracle.start()
})
after(() => oracle.close())

function* shapesOf(assignor: Shape['assignor']): Generator<Shape> {
  for (const racks of ['none', 'some', 'all'] as const)
    for (const subscriptions of ['alike', 'different'] as const)
      for (const odd of [false, true]) yield { assignor, racks, subscriptions, odd }
}

/** Java's answer breaks the rules of an assignment itself, or there is none: nothing to compare with. Ours was checked when it was made. */
function faultOfJava(java: JavaAnswer, { input, round }: Played): string | undefined {
  if ('threw' in java) return java.threw
  const answer = new Map(Object.entries(java.assignments).map(([id, hex]) => [id, decodeAssignment(Buffer.from(hex, 'hex'), id)]))
  try {
    runAssignor({ name: round.assignor, rebalanceProtocol: 'eager', assign: () => answer }, input)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

for (const assignor of ASSIGNOR_NAMES)
  describe(assignor, () => {
    for (const shape of shapesOf(assignor)) {
      const { racks, subscriptions, odd } = shape
      it(`agrees with Java: racks ${racks}, subscriptions ${subscriptions}${odd ? ', odd members among them' : ''}`, async () => {
        let judged = 0
        const faults: string[] = []
        for (let seed = SEED; seed < SEED + GROUPS; seed++) {
          const group = new RandomGroup(`${Object.values(shape).join('.')}.${seed}`, seed, shape)
          const played = Array.from({ length: ROUNDS }, () => group.play())
          const answers = await Promise.all(played.map(({ round }) => oracle.round(round)))
          for (const [at, ours] of played.entries()) {
            const java = answers[at]!
            const fault = faultOfJava(java, ours)
            if (fault) faults.push(fault)
            // Whatever follows depends on what was given in this round.
            if (fault || 'threw' in java) break
            const place = `seed ${seed}, round ${at + 1}`
            assert.deepEqual(ours.subscriptions, java.subscriptions, `what members say: ${place}`)
            assert.deepEqual(ours.assignments, java.assignments, `what they are given: ${place}`)
            judged++
          }
        }
        // Java gives a partition back to a member that was left behind, even if that unsubscribed or can get nothing else: groups with odd members.
        const mayFault = odd && subscriptions === 'different' && assignor.endsWith('sticky')
        assert.ok(faults.length <= (mayFault ? GROUPS / 4 : 0), `${faults.length} answers of Java are none: ${faults[0]}`)
        assert.ok(judged >= (GROUPS * ROUNDS) / 2, `${judged} rounds`)
      })
    }
  })

describe('the order of Java hash tables', () => {
  const CHARACTERS = ['a', 'b', '-', '7', 'é', '\u{1f600}']
  const chance = chanceOf(7)
  const upTo = (most: number) => Math.floor(chance() * (most + 1))
  const randomText = () => Array.from({ length: 1 + upTo(5) }, () => CHARACTERS[upTo(CHARACTERS.length - 1)]).join('')
  const PAIRS = ['Aa', 'BB']
  /** Sixteen texts of one hash code, in any order. */
  const colliding = () => {
    const texts = PAIRS.flatMap(a => PAIRS.flatMap(b => PAIRS.flatMap(c => PAIRS.map(d => a + b + c + d))))
    return texts
      .map(text => ({ text, at: chance() }))
      .sort((a, b) => a.at - b.at)
      .map(({ text }) => text)
  }
  const slotOf = (text: string) => (javaHashCode(text) ^ (javaHashCode(text) >>> 16)) & 15
  const crowded = slotOf('AaAaAaAa')
  /** Eight or nine in one slot make a small table grow, which is seen by where others go. Were there more, Java would make a tree of them. */
  const collidingTexts = () => {
    const others = Array.from({ length: 8 }, randomText).filter(text => slotOf(text) !== crowded)
    return [...others.slice(0, 2), ...colliding().slice(0, 7 + upTo(2)), ...others.slice(2, 3)]
  }

  it('is the same for random texts, and where many share a slot', async () => {
    for (let run = 0; run < 200; run++) {
      const texts = run % 4 === 0 ? collidingTexts() : Array.from({ length: upTo(120) }, randomText)
      assert.deepEqual([...new JavaHashSet(javaHashCode, texts)], await oracle.order('put', texts), JSON.stringify(texts))
      const computed = new JavaHashSet<string>(javaHashCode)
      for (const text of texts) computed.computeIfAbsent(text)
      assert.deepEqual([...computed], await oracle.order('computeIfAbsent', texts), JSON.stringify(texts))
    }
  })
})
