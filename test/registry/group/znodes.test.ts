/**
 * The znodes of a group: written to the byte as the Scala consumer writes them, and read as input from strangers.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { RegistryError } from '../../../src/model/errors.ts'
import {
  formatMember,
  formatOffset,
  type GroupSubscription,
  memberIdOf,
  memberOfThread,
  parseMember,
  parseOffset,
  parseOwner,
  partitionsOf,
  threadIds
} from '../../../src/registry/group/znodes.ts'

const parse = (text: string) => parseMember('/consumers/g/ids/m', 'm', Buffer.from(text)).subscription
const refused = (text: string) =>
  assert.throws(
    () => parse(text),
    (error: unknown) => error instanceof RegistryError && error.code === 'ZNODE_INVALID',
    text
  )

describe('member nodes', () => {
  it('are written as Scala members write theirs: the timestamp is a string', () => {
    assert.equal(
      formatMember({ kind: 'static', topics: { orders: 3 } }, 1795369998055).toString(),
      '{"version":1,"subscription":{"orders":3},"pattern":"static","timestamp":"1795369998055"}'
    )
    assert.equal(
      formatMember({ kind: 'white_list', pattern: 'orders[.].*', streams: 1 }, 5).toString(),
      '{"version":1,"subscription":{"orders[.].*":1},"pattern":"white_list","timestamp":"5"}'
    )
  })

  it('come back as they were written', () => {
    const subscriptions: GroupSubscription[] = [
      { kind: 'static', topics: { a: 1, b: 12 } },
      { kind: 'static', topics: {} },
      { kind: 'white_list', pattern: 'a|b', streams: 2 },
      { kind: 'black_list', pattern: '__.*', streams: 1 }
    ]
    for (const subscription of subscriptions) assert.deepEqual(parse(formatMember(subscription, 1).toString()), subscription)
  })

  it('of other versions are read: unknown fields, spaces, a numeric timestamp', () => {
    assert.deepEqual(parse('{ "version":2, "subscription":{ "t":1 }, "pattern":"static", "timestamp":17, "new":[1] }'), {
      kind: 'static',
      topics: { t: 1 }
    })
  })

  it('with an empty map are static, as Scala has it', () => {
    assert.deepEqual(parse('{"version":1,"subscription":{},"pattern":"white_list"}'), { kind: 'static', topics: {} })
  })

  it('that hold a bare topic name, as samsa 0.3 and pykafka wrote them, are refused', () => refused('orders'))

  it('that cannot be used are refused and never throw anything else', () => {
    const bad = [
      '',
      'null',
      '[]',
      '{"version":1}',
      '{"subscription":{"t":1}}',
      '{"subscription":{"t":0},"pattern":"static"}',
      '{"subscription":{"t":"1"},"pattern":"static"}',
      '{"subscription":{"t":1e9},"pattern":"static"}',
      '{"subscription":{"../t":1},"pattern":"static"}',
      '{"subscription":[1],"pattern":"static"}',
      `{"subscription":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)},"pattern":"static"}`
    ]
    for (const text of bad) refused(text)
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), text => {
        try {
          parse(text)
        } catch (error) {
          assert.ok(error instanceof RegistryError)
        }
      })
    )
  })

  it('may name a topic __proto__', () => {
    const { topics } = parse('{"subscription":{"__proto__":1},"pattern":"static"}') as { topics: Record<string, number> }
    assert.deepEqual(Object.entries(topics), [['__proto__', 1]])
  })
})

describe('ids', () => {
  it('are made as Scala makes them, from the high half of a random UUID', () => {
    assert.equal(memberIdOf('g', 'host', 1795369998055, Buffer.from('0123456789abcdef', 'hex')), 'g_host-1795369998055-12345678')
    assert.match(memberIdOf('g', 'a/b', 1, Buffer.alloc(8, 0xff)), /^g_a_b-1-ffffffff$/)
  })

  it('of threads lead back to their member', () => {
    assert.deepEqual(threadIds('g_h-1-ab', 2), ['g_h-1-ab-0', 'g_h-1-ab-1'])
    assert.equal(memberOfThread('g_h-1-ab-12'), 'g_h-1-ab')
    assert.equal(memberOfThread('odd'), 'odd')
  })
})

describe('owners and offsets', () => {
  it('offsets are decimal, from 0 to the largest long; anything else is none', () => {
    assert.equal(formatOffset(0n).toString(), '0')
    assert.equal(parseOffset(formatOffset(2n ** 63n - 1n)), 2n ** 63n - 1n)
    for (const text of ['', '-1', 'x', '9223372036854775808', '1.5', '1'.repeat(30)])
      assert.equal(parseOffset(Buffer.from(text)), undefined, text)
    assert.equal(parseOffset(Buffer.from('17\n')), 17n)
    assert.throws(() => formatOffset(-1n), RegistryError)
    assert.throws(() => formatOffset(2n ** 63n), RegistryError)
  })

  it('an owner is one line of text', () => {
    assert.equal(parseOwner(Buffer.from('g_h-1-ab-0')), 'g_h-1-ab-0')
    for (const data of [Buffer.alloc(0), Buffer.from('a\nb'), Buffer.alloc(9_999, 0x61)]) assert.equal(parseOwner(data), undefined)
  })

  it("children that are no partition numbers are nobody's", () => {
    assert.deepEqual(partitionsOf(['0', '12', '-1', '01', 'x', '99999999999']), [0, 12])
  })
})
