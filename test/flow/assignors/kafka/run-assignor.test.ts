/**
 * What an own assignor may answer and what not: each broken rule is an error that names it, and nothing of the answer is used.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { builtInAssignors, rebalanceProtocolOf } from '../../../../src/flow/assignors/kafka/built-in.ts'
import { runAssignor } from '../../../../src/flow/assignors/kafka/run-assignor.ts'
import { ASSIGNOR_NAMES, type Assignor } from '../../../../src/model/assignor.ts'
import { UsageError } from '../../../../src/model/errors.ts'
import { groupOf, partitionsOf, shown } from './groups.ts'

const input = groupOf({ t: 2, u: 1 }, { a: { topics: ['t'], owns: 't/1' }, b: {} })

function own(answer: unknown, rebalanceProtocol: Assignor['rebalanceProtocol'] = 'eager'): Assignor {
  return { name: 'own', rebalanceProtocol, assign: () => answer as never }
}

const given = (assignments: Record<string, string>) =>
  new Map(Object.entries(assignments).map(([id, partitions]) => [id, { partitions: partitionsOf(partitions) }]))

describe('an answer that keeps the rules', () => {
  it('is used, and who was left out gets nothing', () => {
    assert.deepEqual(shown(runAssignor(own(given({ b: 'u/0 t/1' })), input)), { a: '', b: 'u/0 t/1' })
  })

  it('keeps its user data', () => {
    const answer = new Map([['a', { partitions: [], userData: Buffer.from('x') }]])
    assert.deepEqual(
      [...runAssignor(own(answer), input)],
      [
        ['a', { partitions: [], userData: Buffer.from('x') }],
        ['b', { partitions: [], userData: null }]
      ]
    )
  })

  it('of a cooperative assignor leaves out what somebody else owns', () => {
    assert.deepEqual(shown(runAssignor(own(given({ b: 't/0 u/0' }), 'cooperative'), input)), { a: '', b: 't/0 u/0' })
    const both = groupOf({ t: 1 }, { a: { owns: 't/0' }, b: { owns: 't/0' } })
    assert.deepEqual(shown(runAssignor(own(given({ b: 't/0' }), 'cooperative'), both)), { a: '', b: 't/0' })
  })
})

describe('an answer that breaks a rule', () => {
  const WRONG: [string, unknown, RegExp][] = [
    ['is no Map', { a: [] }, /answered with object, not with a Map/],
    ['is null', null, /answered with null/],
    ['names a stranger', given({ c: 't/0' }), /names a member c, which is not in the group/],
    ['has no list', new Map([['a', {}]]), /has no list of partitions for member a/],
    ['has null for a member', new Map([['a', null]]), /has no list of partitions for member a/],
    ['has something else in the list', new Map([['a', { partitions: ['t/0'] }]]), /something that is no \{ topic, partition \}/],
    ['has user data that is text', new Map([['a', { partitions: [], userData: 'x' }]]), /user data for member a that is no Uint8Array/],
    ['gives what does not exist', given({ a: 't/2' }), /gives member a the partition t\/2, which does not exist/],
    ['gives of no topic', given({ b: 'x/0' }), /gives member b the partition x\/0, which does not exist/],
    ['gives what is not subscribed to', given({ a: 'u/0' }), /gives member a the partition u\/0, whose topic it does not subscribe to/],
    ['gives to two', given({ a: 't/0', b: 't/0' }), /gives the partition t\/0 to member a and to member b/],
    ['gives twice to one', given({ a: 't/0 t/0' }), /gives the partition t\/0 to member a and to member a/]
  ]
  for (const [what, answer, message] of WRONG)
    it(what, () => {
      assert.throws(
        () => runAssignor(own(answer), input),
        (error: UsageError) => {
          assert.ok(error instanceof UsageError)
          assert.equal(error.code, 'INVALID_ASSIGNMENT')
          assert.equal(error.details.assignor, 'own')
          assert.match(error.message, message)
          assert.match(error.message, /^The assignor own .*\. Mend its assign\(\); nobody was assigned anything\.$/)
          return true
        }
      )
    })

  it('takes away from an owner at once, and is cooperative', () => {
    const taken = given({ b: 't/1' })
    assert.throws(() => runAssignor(own(taken, 'cooperative'), input), {
      code: 'INVALID_ASSIGNMENT',
      details: { assignor: 'own', member: 'b', topic: 't', partition: 1 },
      message: /is cooperative and gives member b the partition t\/1, which member a still owns\./
    })
    assert.deepEqual(shown(runAssignor(own(taken), input)), { a: '', b: 't/1' })
  })

  it('is an exception', () => {
    const cause = new Error('no idea')
    const assignor: Assignor = {
      name: 'own',
      rebalanceProtocol: 'eager',
      assign() {
        throw cause
      }
    }
    assert.throws(() => runAssignor(assignor, input), { code: 'ASSIGNOR_FAILED', message: /own threw: no idea\. /, cause })
  })
})

describe('the built-in ones', () => {
  it('are there by their names, a new one each time', () => {
    assert.deepEqual([...builtInAssignors.keys()], [...ASSIGNOR_NAMES])
    for (const [name, make] of builtInAssignors) {
      assert.equal(make().name, name)
      assert.notEqual(make(), make())
    }
  })

  it('are eager together as soon as one is', () => {
    const listed = (...names: string[]) => rebalanceProtocolOf(names.map(name => builtInAssignors.get(name)!()))
    assert.equal(listed('cooperative-sticky'), 'cooperative')
    assert.equal(listed('cooperative-sticky', 'range'), 'eager')
    assert.equal(listed('sticky'), 'eager')
  })
})
