/**
 * The bytes that members exchange: as Java writes them, as older and foreign clients write them, and as nobody should.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  type Assignment,
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  type ProtocolVersion,
  type Subscription
} from '../../../../src/flow/assignors/kafka/consumer-protocol.ts'
import { ProtocolError } from '../../../../src/model/errors.ts'
import { partitionsOf } from './groups.ts'

const bytes = (hex: string) => Buffer.from(hex.replaceAll(/[ |]/g, ''), 'hex')
const VERSIONS: ProtocolVersion[] = [0, 1, 2, 3]
const subscription: Subscription = {
  topics: ['b', 'a'],
  userData: Buffer.from([7]),
  ownedPartitions: partitionsOf('b/1 a/2 b/0'),
  generationId: 5,
  rackId: 'r'
}
/** topics a, b | user data | owned a/2, b/0, b/1 | generation | rack */
const WRITTEN = [
  '00000002 0001 61 0001 62 | 00000001 07',
  '00000002 0001 61 00000001 00000002 0001 62 00000002 00000000 00000001',
  '00000005',
  '0001 72'
]

describe('a subscription', () => {
  for (const version of VERSIONS)
    it(`is written sorted, with what version ${version} can carry`, () => {
      const expected = `000${version}${WRITTEN.slice(0, version + 1).join('')}`
      assert.equal(encodeSubscription(subscription, version).toString('hex'), bytes(expected).toString('hex'))
    })

  it('is written in version 3 unless told otherwise', () => {
    assert.deepEqual(encodeSubscription(subscription), encodeSubscription(subscription, 3))
  })

  for (const version of VERSIONS)
    it(`comes back from version ${version}, where that has no field with its default`, () => {
      assert.deepEqual(decodeSubscription(encodeSubscription(subscription, version), 'm'), {
        topics: ['a', 'b'],
        userData: Buffer.from([7]),
        ownedPartitions: version > 0 ? partitionsOf('a/2 b/0 b/1') : [],
        generationId: version > 1 ? 5 : -1,
        rackId: version > 2 ? 'r' : null
      })
    })

  it('of a version that nobody knows yet is read as the newest known', () => {
    const newer = Buffer.concat([encodeSubscription(subscription, 3), bytes('0a0b0c')])
    newer.writeInt16BE(9)
    assert.deepEqual(decodeSubscription(newer, 'm'), decodeSubscription(encodeSubscription(subscription, 3), 'm'))
  })

  it('that says version 1 and ends before owned partitions, as kafkajs writes it, has none', () => {
    const foreign = bytes('0001 00000001 0001 74 00000000')
    const expected = { topics: ['t'], userData: Buffer.alloc(0), ownedPartitions: [], generationId: -1, rackId: null }
    assert.deepEqual(decodeSubscription(foreign, 'm'), expected)
  })

  it('takes an empty rack for none, a topic once, and no generation below -1', () => {
    const foreign = bytes('0003 00000002 0001 74 0001 74 ffffffff 00000000 fffffff0 0000')
    assert.deepEqual(decodeSubscription(foreign, 'm'), {
      topics: ['t'],
      userData: null,
      ownedPartitions: [],
      generationId: -1,
      rackId: null
    })
  })

  it('that is read leaves the bytes alone and does not need to begin at their buffer', () => {
    const written = encodeSubscription(subscription)
    const inside = new Uint8Array(written.length + 9)
    inside.set(written, 9)
    assert.deepEqual(decodeSubscription(inside.subarray(9), 'm'), decodeSubscription(written, 'm'))
  })
})

describe('an assignment', () => {
  const assignment: Assignment = { partitions: partitionsOf('b/1 a/2 b/0'), userData: Buffer.from([7, 8]) }

  it('is written by topic, in the order in which topics come first', () => {
    const body = '00000002 0001 62 00000002 00000001 00000000 0001 61 00000001 00000002 | 00000002 0708'
    for (const version of VERSIONS)
      assert.equal(encodeAssignment(assignment, version).toString('hex'), bytes(`000${version}${body}`).toString('hex'))
  })

  it('comes back by topic', () => {
    const { partitions, userData } = decodeAssignment(encodeAssignment(assignment), 'm')
    assert.deepEqual(partitions, partitionsOf('b/1 b/0 a/2'))
    assert.deepEqual(userData, Buffer.from([7, 8]))
  })

  it('without any bytes is empty: the leader left the member out', () => {
    assert.deepEqual(decodeAssignment(Buffer.alloc(0), 'm'), { partitions: [], userData: null })
  })

  it('may be empty', () => {
    const empty: Assignment = { partitions: [], userData: null }
    assert.equal(encodeAssignment(empty).toString('hex'), '000300000000ffffffff')
    assert.deepEqual(decodeAssignment(encodeAssignment(empty), 'm'), empty)
  })
})

describe('what cannot be read', () => {
  const WRONG: [string, string][] = [
    ['nothing at all', ''],
    ['half a version', '00'],
    ['a negative version', 'ffff 00000000 ffffffff'],
    ['a version alone', '0000'],
    ['more topics than bytes', '0000 7fffffff 0001 74'],
    ['a negative number of topics', '0000 ffffffff ffffffff'],
    ['a topic without a name', '0000 00000001 ffff ffffffff'],
    ['user data longer than the bytes', '0000 00000000 7fffffff 00'],
    ['a negative length', '0000 00000000 fffffff0'],
    ['more partitions than bytes', '0001 00000000 ffffffff 00000001 0001 74 7fffffff 00000000'],
    ['a negative partition', '0001 00000000 ffffffff 00000001 0001 74 00000001 ffffffff']
  ]
  for (const [what, hex] of WRONG)
    it(`${what}: an error that names the member`, () => {
      assert.throws(
        () => decodeSubscription(bytes(hex), 'consumer-7'),
        (error: ProtocolError) => {
          assert.ok(error instanceof ProtocolError)
          assert.equal(error.code, 'INVALID_SUBSCRIPTION')
          assert.match(error.message, /^What member consumer-7 sent as its subscription cannot be read: .* Its client /)
          assert.deepEqual(error.details, { member: 'consumer-7' })
          return true
        }
      )
    })

  it('as an assignment, too', () => {
    const code = { name: 'ProtocolError', code: 'INVALID_ASSIGNMENT', details: { member: 'm' } }
    assert.throws(() => decodeAssignment(bytes('00'), 'm'), code)
    assert.throws(() => decodeAssignment(bytes('0003 00000001 0001 74 00000001 80000000 ffffffff'), 'm'), code)
  })

  it('is never another error, whatever is changed in good bytes', () => {
    const good = [encodeSubscription(subscription), encodeAssignment({ partitions: partitionsOf('b/1 a/2 b/0'), userData: null })]
    const flips = fc.array(fc.tuple(fc.nat(60), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)), { maxLength: 4 })
    fc.assert(
      fc.property(fc.constantFrom(...good), flips, fc.nat(60), (written, changes, cut) => {
        const changed = Buffer.from(written.subarray(0, cut))
        for (const [at, value] of changes) if (at < changed.length) changed[at] = value
        for (const read of [decodeSubscription, decodeAssignment])
          try {
            read(changed, 'm')
          } catch (error) {
            assert.ok(error instanceof ProtocolError, String(error))
          }
      }),
      { numRuns: 2_000, seed: 1 }
    )
  })
})
