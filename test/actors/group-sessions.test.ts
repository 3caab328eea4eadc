import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LiveMember } from '../../src/actors/group-sessions.ts'
import type { Instance } from '../../src/actors/instance.ts'
import type { Subscription } from '../../src/model/subscription.ts'
import { formatMoved } from '../../src/registry/group/moved.ts'
import { groupPaths } from '../../src/registry/group/paths.ts'
import type { ZooKeeperSession } from '../../src/registry/zookeeper/session.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { MemorySession } from '../support/memory-session.ts'

/** A member in a session over a tree in memory, whose copies in Kafka are under way until `copy` is called; `did`: what it has done. */
function member() {
  const session = new MemorySession()
  const registry = {
    onSession: (listener: (session: ZooKeeperSession) => void) => {
      listener(session)
      return () => {}
    }
  }
  const instance = { world: nodeWorld(), registry, consumers: new Map() } as unknown as Instance
  const subscription = { group: 'g', topics: ['t'], pattern: null, mirrorOffsets: false } as unknown as Subscription
  const live = new LiveMember(instance, { path: 'c/member', consumer: 'c', subscription, movable: true }, () => {})
  const did: string[] = []
  let copy = () => {}
  const copied = new Promise<void>(resolve => {
    copy = resolve
  })
  live.offsets.copied = () => copied.then(() => void did.push('copied'))
  live.current!.retire = async () => void did.push('retired')
  return { session, live, did, copy: () => copy() }
}

const aWhile = () => new Promise(resolve => setImmediate(resolve))

test('of a group that moves it stays a member until its copies are in Kafka: a late one would undo what is carried over', async () => {
  const { session, live, did, copy } = member()
  session.put(groupPaths('g').moved, formatMoved(0))
  await live.current!.members()
  const left = live.leave()
  await aWhile()
  assert.deepEqual(did, [])
  copy()
  await left
  assert.deepEqual(did.slice(0, 2), ['copied', 'retired'])
})

test('of a group that stays it lets go at once: others wait for its partitions, nobody for its copies', async () => {
  const { live, did, copy } = member()
  const left = live.leave()
  await aWhile()
  assert.deepEqual(did, ['retired'])
  copy()
  await left
})
