/**
 * A group changed in a real ZooKeeper by who is no member of it: all or nothing, never under a live member, nothing of another group.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { SamsaError } from '../../src/model/errors.ts'
import { liveMembers, removeGroup, removeGroupTopic, setGroupOffsets } from '../../src/registry/group/group-edit.ts'
import { readGroupTree, type ZooKeeperGroup } from '../../src/registry/group/group-tree.ts'
import { groupPaths } from '../../src/registry/group/paths.ts'
import { formatMember } from '../../src/registry/group/znodes.ts'
import { isZooKeeperError } from '../../src/registry/zookeeper/errors.ts'
import { openSession } from '../../src/registry/zookeeper/open-session.ts'
import type { ZooKeeperSession } from '../../src/registry/zookeeper/session.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { uniqueName, useCluster } from '../support/use-cluster.ts'

const cluster = await useCluster()
const member = formatMember({ kind: 'static', topics: { t: 1 } }, 5)

describe('a group changed from outside', { timeout: 60_000 }, () => {
  let session: ZooKeeperSession
  /** Plays the members. */
  let other: ZooKeeperSession
  before(() => {
    session = openSession(nodeWorld(), { connectString: cluster.zookeeper! })
    other = openSession(nodeWorld(), { connectString: cluster.zookeeper! })
  })
  after(() => Promise.all([session.close(), other.close()]))

  const put = async (path: string, data: string | Buffer, mode: 'persistent' | 'ephemeral' = 'persistent') => {
    await other.makePath(path.slice(0, path.lastIndexOf('/')))
    await other.create(path, Buffer.from(data), mode)
  }
  const there = async (path: string) => (await other.exists(path)) !== undefined
  const offset = async (group: string, partition: number, topic = 't') => {
    try {
      return String((await other.getData(groupPaths(group).offset(topic, partition))).data)
    } catch (error) {
      if (isZooKeeperError(error, 'ZK_NO_NODE')) return undefined
      throw error
    }
  }
  const read = async (group: string): Promise<ZooKeeperGroup> =>
    (await readGroupTree(session, group)) ?? { group, moved: false, moving: false, members: [], partitions: [] }
  const refused =
    (code: string, says: RegExp = /./) =>
    (error: unknown) =>
      error instanceof SamsaError && error.code === code && says.test(error.message)
  /** A group with two offsets and nobody in it. */
  const idle = async () => {
    const group = uniqueName('edit')
    await put(groupPaths(group).offset('t', 0), '5')
    await put(groupPaths(group).offset('t', 1), '6')
    return group
  }

  it('gets offsets where it had some, where it had none, and where there was no group at all', async () => {
    const group = await idle()
    await setGroupOffsets(session, await read(group), [
      { topic: 't', partition: 0, offset: 50n },
      { topic: 't', partition: 7, offset: 0n },
      { topic: 'u', partition: 0, offset: 9_007_199_254_740_993n }
    ])
    assert.deepEqual(
      [await offset(group, 0), await offset(group, 1), await offset(group, 7), await offset(group, 0, 'u')],
      ['50', '6', '0', '9007199254740993']
    )
    const fresh = uniqueName('edit')
    await setGroupOffsets(session, await read(fresh), [{ topic: 't', partition: 0, offset: 3n }])
    assert.equal(await offset(fresh, 0), '3')
    assert.equal((await other.getData(groupPaths(group).ids)).stat.ephemeralOwner, 0n, 'members register under it as ever')
  })

  it('gets 2,500 offsets', async () => {
    const group = uniqueName('edit')
    await setGroupOffsets(
      session,
      await read(group),
      Array.from({ length: 2_500 }, (_, partition) => ({ topic: 't', partition, offset: BigInt(partition) }))
    )
    const { partitions } = await read(group)
    assert.equal(partitions.length, 2_500)
    assert.ok(partitions.every(each => each.offset === BigInt(each.partition)))
    await removeGroup(session, await read(group))
    assert.equal(await there(`/consumers/${group}`), false)
  })

  it('is left as it is while somebody is registered, who is named', async () => {
    const group = await idle()
    await put(groupPaths(group).id('m1'), member, 'ephemeral')
    const tree = await read(group)
    assert.deepEqual(liveMembers(tree), ['m1'])
    const set = [{ topic: 't', partition: 0, offset: 50n }]
    await assert.rejects(setGroupOffsets(session, tree, set), refused('NON_EMPTY_GROUP', /a live member in ZooKeeper: m1\. Stop it first/))
    await assert.rejects(removeGroup(session, tree), refused('NON_EMPTY_GROUP', /m1/))
    await assert.rejects(removeGroupTopic(session, tree, 't'), refused('NON_EMPTY_GROUP', /m1/))
    assert.equal(await offset(group, 0), '5')
    assert.ok(await there(groupPaths(group).id('m1')))
  })

  it('is left as it is while somebody holds a partition, registered or not', async () => {
    const group = await idle()
    await put(groupPaths(group).owner('t', 1), 'ghost-0', 'ephemeral')
    const tree = await read(group)
    await assert.rejects(setGroupOffsets(session, tree, []), refused('NON_EMPTY_GROUP', /ghost/))
    await assert.rejects(removeGroupTopic(session, tree, 't'), refused('NON_EMPTY_GROUP', /ghost/))
  })

  it('is left as it is when somebody has joined between the look and the write', async () => {
    const group = await idle()
    const tree = await read(group)
    await put(groupPaths(group).id('late'), member, 'ephemeral')
    const set = [{ topic: 't', partition: 0, offset: 50n }]
    await assert.rejects(setGroupOffsets(session, tree, set), refused('NON_EMPTY_GROUP', /has joined group .* Nothing was written/))
    await assert.rejects(removeGroup(session, tree), refused('NON_EMPTY_GROUP', /late/))
    assert.equal(await offset(group, 0), '5')
    assert.ok(await there(groupPaths(group).id('late')))
  })

  it('is left as it is while it is being moved, seen before or not', async () => {
    const group = await idle()
    const before = await read(group)
    await put(groupPaths(group).moving, '', 'ephemeral')
    const set = [{ topic: 't', partition: 0, offset: 50n }]
    for (const tree of [before, await read(group)]) await assert.rejects(setGroupOffsets(session, tree, set), refused('GROUP_MOVING'))
    await assert.rejects(removeGroup(session, await read(group)), refused('GROUP_MOVING'))
    assert.equal(await offset(group, 0), '5')
    await other.remove(groupPaths(group).moving)
    await setGroupOffsets(session, before, set)
    assert.deepEqual([await offset(group, 0), await there(groupPaths(group).moving)], ['50', false])
  })

  it('is left as it is when somebody has written one of the offsets between the look and the write', async () => {
    const group = await idle()
    const tree = await read(group)
    const set = [0, 1, 2].map(partition => ({ topic: 't', partition, offset: 50n }))
    await other.setData(groupPaths(group).offset('t', 1), Buffer.from('7'))
    await assert.rejects(setGroupOffsets(session, tree, set), refused('OFFSETS_CHANGED', /Nothing was written/))
    assert.deepEqual([await offset(group, 0), await offset(group, 1), await offset(group, 2)], ['5', '7', undefined])
    const again = await read(group)
    await other.remove(groupPaths(group).offset('t', 0))
    await assert.rejects(setGroupOffsets(session, again, set), refused('OFFSETS_CHANGED'))
    const third = await read(group)
    await put(groupPaths(group).offset('t', 2), '8')
    await assert.rejects(setGroupOffsets(session, third, set), refused('OFFSETS_CHANGED'))
  })

  it('can be changed though a node that no session holds lies among its members', async () => {
    const group = await idle()
    await put(groupPaths(group).id('left-behind'), 'orders')
    const tree = await read(group)
    assert.deepEqual(liveMembers(tree), [])
    await setGroupOffsets(session, tree, [{ topic: 't', partition: 0, offset: 50n }])
    assert.equal(await offset(group, 0), '50')
    await removeGroup(session, await read(group))
    assert.equal(await there(`/consumers/${group}`), false)
  })

  it('goes with everything under it, and with nothing beside it', async () => {
    const group = await idle()
    const neighbour = `${group}-2`
    await put(groupPaths(neighbour).offset('t', 0), '1')
    await put(`/consumers/${group}/moved`, '{"to":"kafka"}')
    await put(`/consumers/${group}/owners/t/0`, '')
    await put(`/consumers/${group}/odd/deep/er`, 'x')
    await removeGroup(session, await read(group))
    assert.equal(await there(`/consumers/${group}`), false)
    assert.equal(await offset(neighbour, 0), '1')
    await assert.rejects(
      removeGroup(session, { group: '../brokers', moved: false, moving: false, members: [], partitions: [] }),
      refused('INVALID_GROUP_ID')
    )
    await assert.rejects(
      removeGroup(session, { group: '', moved: false, moving: false, members: [], partitions: [] }),
      refused('INVALID_GROUP_ID')
    )
  })

  it('loses one topic, also under members that do not consume it', async () => {
    const group = await idle()
    await put(groupPaths(group).offset('u', 0), '1')
    await put(groupPaths(group).id('m1'), formatMember({ kind: 'static', topics: { u: 1 } }, 5), 'ephemeral')
    await removeGroupTopic(session, await read(group), 't')
    assert.deepEqual([await there(groupPaths(group).topicOffsets('t')), await offset(group, 0, 'u')], [false, '1'])
    await assert.rejects(removeGroupTopic(session, await read(group), 'u'), refused('NON_EMPTY_GROUP', /m1/))
  })
})
