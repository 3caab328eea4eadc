/**
 * A group read from its znodes by who is no member: what Scala and our members write, what strangers leave there, and what a change wakes.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isGroupNode, listGroupNodes, readGroupTree } from '../../../src/registry/group/group-tree.ts'
import { MemorySession } from '../../support/memory-session.ts'

const memberId = 'g_h.local-1795369998055-1a2b3c4d'
const memberData = { version: 1, subscription: { orders: 2 }, pattern: 'static', timestamp: '1795369998055' }

/** A group with one member that holds a partition, and one more offset. */
function session(): MemorySession {
  const made = new MemorySession()
  made.put(`/consumers/g/ids/${memberId}`, memberData)
  made.put('/consumers/g/owners/orders/1', `${memberId}-0`)
  made.put('/consumers/g/offsets/orders/1', '41')
  made.put('/consumers/g/offsets/orders/10', '7')
  return made
}

describe('a group read from ZooKeeper', () => {
  it('has members with host, time and subscription, and partitions with owner and offset, in order', async () => {
    const group = await readGroupTree(session(), 'g')
    assert.deepEqual(group, {
      group: 'g',
      moved: false,
      moving: false,
      members: [
        {
          memberId,
          host: 'h.local',
          timestampMs: 1795369998055,
          subscription: { kind: 'static', topics: { orders: 2 } },
          problem: null,
          session: null
        }
      ],
      partitions: [
        { topic: 'orders', partition: 1, offset: 41n, offsetVersion: 0, owner: { thread: `${memberId}-0`, memberId, session: null } },
        { topic: 'orders', partition: 10, offset: 7n, offsetVersion: 0, owner: null }
      ]
    })
  })

  it('shows what cannot be read with the reason, and goes on', async () => {
    const made = session()
    made.put('/consumers/g/ids/odd', 'orders')
    made.put('/consumers/g/ids/g_named', { ...memberData, timestamp: 5 })
    made.put('/consumers/g/ids/wild', { version: 1, subscription: { 'o.*': 1 }, pattern: 'white_list' })
    made.put('/consumers/g/offsets/orders/2', 'junk')
    made.put('/consumers/g/owners/orders/3', '')
    made.put('/consumers/g/owners/orders/x', 'nobody')
    made.put('/consumers/g/owners/not a topic/0', 'nobody')
    const group = (await readGroupTree(made, 'g'))!
    assert.deepEqual(
      group.members.map(({ memberId: id, host, timestampMs, subscription, problem }) => [
        id,
        host,
        timestampMs,
        subscription?.kind,
        problem !== null
      ]),
      [
        ['g_h.local-1795369998055-1a2b3c4d', 'h.local', 1795369998055, 'static', false],
        ['g_named', null, 5, 'static', false],
        ['odd', null, null, undefined, true],
        ['wild', null, null, 'white_list', false]
      ]
    )
    assert.deepEqual(
      group.partitions.map(({ topic, partition, offset, offsetVersion, owner }) => [
        topic,
        partition,
        offset,
        offsetVersion,
        owner?.thread ?? null
      ]),
      [
        ['orders', 1, 41n, 0, `${memberId}-0`],
        ['orders', 2, null, 0, null],
        ['orders', 3, null, null, null],
        ['orders', 10, 7n, 0, null]
      ]
    )
    assert.notEqual(group.partitions[2]!.owner, null, 'a node that cannot be read owns the partition all the same')
  })

  it('says that it has moved', async () => {
    const made = session()
    made.put('/consumers/g/moved', { version: 1, to: 'kafka', timestamp: '1' })
    assert.equal((await readGroupTree(made, 'g'))!.moved, true)
    assert.deepEqual(await listGroupNodes(made), [{ group: 'g', members: 1, moved: true }])
  })

  it('is undefined when there is none, and nothing is read for a name that cannot be one', async () => {
    const made = session()
    assert.equal(await readGroupTree(made, 'h'), undefined)
    made.reads.length = 0
    for (const name of ['', '.', '..', 'a/b', '../brokers', 'a\u0000b', 'g/ids']) {
      assert.equal(isGroupNode(name), false, name)
      assert.equal(await readGroupTree(made, name), undefined)
    }
    assert.deepEqual(made.reads, [])
    assert.ok(isGroupNode('a.b c:d'))
  })

  it('wakes at members and owners that come and go and at the sign, not at offsets', async () => {
    const made = session()
    let woken = 0
    const onChange = () => {
      woken++
    }
    const read = () => readGroupTree(made, 'g', onChange)
    const changes: [string, () => void][] = [
      ['a member', () => made.put('/consumers/g/ids/other', memberData)],
      ['an owner', () => made.put('/consumers/g/owners/orders/2', 'x-0')],
      ['a topic of owners', () => made.put('/consumers/g/owners/bills/0', 'x-0')],
      ['an owner that goes', () => made.drop('/consumers/g/owners/orders/2')],
      ['the sign', () => made.put('/consumers/g/moved', { to: 'kafka' })]
    ]
    for (const [what, change] of changes) {
      await read()
      woken = 0
      made.put('/consumers/g/offsets/orders/1', '42')
      assert.equal(woken, 0, 'an offset')
      change()
      assert.ok(woken > 0, what)
    }
    const armed = made.armed
    for (let i = 0; i < 5; i++) await read()
    assert.ok(made.armed <= armed + 4, 'looking again piles up no watches')
  })
})
