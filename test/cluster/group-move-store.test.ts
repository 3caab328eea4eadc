/**
 * The signs by which a group moves out of ZooKeeper, against a real one: who sees what, and what is undone.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { SamsaError } from '../../src/model/errors.ts'
import { GroupSession } from '../../src/registry/group/group-session.ts'
import { type CommittedInZooKeeper, type MoveOptions, moveOut } from '../../src/registry/group/move.ts'
import { formatMoved, readSigns } from '../../src/registry/group/moved.ts'
import { groupPaths } from '../../src/registry/group/paths.ts'
import { ZooKeeperError } from '../../src/registry/zookeeper/errors.ts'
import type { ZooKeeperSession } from '../../src/registry/zookeeper/session.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { Gathered } from '../support/gathered.ts'
import { uniqueName } from '../support/use-cluster.ts'
import { ZooKeeperOnly } from '../support/zookeeper-only.ts'

const world = nodeWorld()

describe('a group moves out of ZooKeeper', () => {
  let zookeeper: ZooKeeperOnly
  let mover: ZooKeeperSession

  before(async () => {
    zookeeper = await ZooKeeperOnly.start()
    mover = (await zookeeper.open()).session
    await mover.makePath('/brokers/topics/t')
  })
  after(() => zookeeper.stop())

  /** Leaves as soon as it sees a sign, as the machine does. */
  async function member(group: string, { movable = true, leaves = true } = {}) {
    const { session } = await zookeeper.open()
    const signs = new Gathered<string>()
    const memberId = uniqueName(`${group}_h`)
    const made = new GroupSession({
      world,
      session,
      group,
      memberId,
      subscription: { kind: 'static', topics: { t: 1 } },
      movable,
      events: {
        onGroup: () => {},
        onOwner: () => {},
        onForeignCommit: () => {},
        onMoved: sign => {
          signs.add(sign)
          if (leaves) void made.retire()
        }
      }
    })
    await made.register()
    await made.members()
    return { made, signs, session, memberId }
  }
  async function committed(group: string, partition: number, data: string) {
    await mover.makePath(groupPaths(group).topicOffsets('t'))
    await mover.create(groupPaths(group).offset('t', partition), Buffer.from(data), 'persistent')
  }
  const move = (group: string, options: Partial<MoveOptions> = {}) => {
    const carried: CommittedInZooKeeper[] = []
    const progress: string[] = []
    const carry = async (offsets: readonly CommittedInZooKeeper[]) => void carried.push(...offsets)
    const onProgress = (text: string) => void progress.push(text)
    return { carried, progress, done: moveOut({ session: mover, world, group, timeoutMs: 10_000, carry, onProgress, ...options }) }
  }
  const code = (expected: string) => (error: unknown) => error instanceof SamsaError && error.code === expected

  it('members leave first, then the offsets are carried over, then the sign stands for good', async () => {
    const group = uniqueName('g')
    const members = await Promise.all([member(group), member(group)])
    await committed(group, 0, '41')
    await committed(group, 1, 'junk')
    const { carried, progress, done } = move(group)
    assert.deepEqual(await done, [{ topic: 't', partition: 0, offset: 41n }])
    assert.deepEqual(carried, [{ topic: 't', partition: 0, offset: 41n }])
    for (const { signs } of members) assert.equal(await signs.first(() => true), 'moving')
    assert.ok(progress.some(text => text.includes('holds no offset')))
    assert.equal(await readSigns(mover, group), 'moved')
    assert.equal(await mover.exists(groupPaths(group).moving), undefined)
    await assert.rejects(move(group).done, code('GROUP_MOVED'))
  })

  it('a member that registers later sees the sign before it can claim anything', async () => {
    const group = uniqueName('g')
    await mover.makePath(groupPaths(group).ids)
    await move(group).done
    const { signs } = await member(group)
    assert.deepEqual(signs.all, ['moved'])
  })

  it('a member that would stay is named before anybody is asked to leave', async () => {
    const group = uniqueName('g')
    const follows = await member(group)
    const stays = await member(group, { movable: false })
    await assert.rejects(
      move(group).done,
      (error: SamsaError) => code('GROUP_NOT_MOVABLE')(error) && error.message.includes(stays.memberId)
    )
    assert.deepEqual(follows.signs.all, [])
  })

  it('is undone when members do not leave in time, when the offsets cannot be carried, and when it is aborted', async () => {
    const group = uniqueName('g')
    await member(group, { leaves: false })
    await assert.rejects(move(group, { timeoutMs: 50 }).done, code('MEMBERS_STAY'))
    await assert.rejects(move(group, { signal: AbortSignal.abort() }).done, code('ABORTED'))
    const empty = uniqueName('g')
    await mover.makePath(groupPaths(empty).ids)
    await assert.rejects(
      move(empty, { carry: () => Promise.reject(new SamsaError('OFFSETS_NOT_CARRIED', 'no')) }).done,
      code('OFFSETS_NOT_CARRIED')
    )
    for (const each of [group, empty]) assert.equal(await readSigns(mover, each), 'none')
  })

  it('is undone when who moves it dies', async () => {
    const group = uniqueName('g')
    const { signs } = await member(group, { leaves: false })
    const { session } = await zookeeper.open()
    const { done } = move(group, { session, timeoutMs: 60_000 })
    const failed = assert.rejects(done)
    await signs.first(sign => sign === 'moving')
    await session.close()
    await failed
    assert.equal(await readSigns(mover, group), 'none')
  })

  it('is done by one at a time', async () => {
    const group = uniqueName('g')
    const { signs } = await member(group, { leaves: false })
    const first = move(group, { timeoutMs: 60_000, signal: AbortSignal.timeout(300) })
    const failed = assert.rejects(first.done, code('ABORTED'))
    await signs.first(sign => sign === 'moving')
    await assert.rejects(move(group).done, code('GROUP_MOVING'))
    await failed
  })

  /** The mover's session, with something that happens around its operations. */
  const around = (over: Partial<ZooKeeperSession>): ZooKeeperSession =>
    new Proxy(mover, {
      get(target, name) {
        const value = name in over ? over[name as keyof ZooKeeperSession] : Reflect.get(target, name, target)
        return typeof value === 'function' && !(name in over) ? value.bind(target) : value
      }
    })

  it('a second mover that looked before the first was done carries nothing over what the group has committed since', async () => {
    const group = uniqueName('g')
    await committed(group, 0, '41')
    const session = around({
      create: async (path, data, mode) => {
        if (path === groupPaths(group).moving) await move(group).done
        return mover.create(path, data, mode)
      }
    })
    const { carried, done } = move(group, { session })
    await assert.rejects(done, code('GROUP_MOVED'))
    assert.deepEqual(carried, [])
    assert.equal(await mover.exists(groupPaths(group).moving), undefined)
  })

  it('who reads the signs while the move ends sees that it has ended', async () => {
    const group = uniqueName('g')
    const { moved, moving } = groupPaths(group)
    await mover.makePath(`/consumers/${group}`)
    await mover.create(moving, null, 'ephemeral')
    let done = false
    const session = around({
      exists: async path => {
        const found = await mover.exists(path)
        if (!done) {
          done = true
          await mover.create(moved, formatMoved(0), 'persistent')
          await mover.remove(moving)
        }
        return found
      }
    })
    assert.equal(await readSigns(session, group), 'moved')
  })

  it('what somebody commits who came while the offsets were carried over is carried over too', async () => {
    const group = uniqueName('g')
    await mover.makePath(groupPaths(group).ids)
    await committed(group, 0, '41')
    const carried: bigint[] = []
    const carry = async (offsets: readonly CommittedInZooKeeper[]) => {
      carried.push(...offsets.map(({ offset }) => offset))
      if (carried.length > 1) return
      await mover.create(groupPaths(group).id('scala'), null, 'ephemeral')
      await mover.setData(groupPaths(group).offset('t', 0), Buffer.from('50'))
      await mover.remove(groupPaths(group).id('scala'))
    }
    await move(group, { carry }).done
    assert.deepEqual(carried, [41n, 50n])
  })

  it('leaves no sign behind when the link breaks while it is put up or taken down', async () => {
    const group = uniqueName('g')
    await mover.makePath(groupPaths(group).ids)
    const broken = (path: string) => new ZooKeeperError('ZK_CONNECTION_LOSS', `the link broke at ${path}`, { retriable: true })
    const puttingUp = around({
      create: async (path, data, mode) => {
        await mover.create(path, data, mode)
        throw broken(path)
      }
    })
    await assert.rejects(move(group, { session: puttingUp }).done, /link broke/)
    assert.equal(await readSigns(mover, group), 'none')
    let breaks = 2
    const takingDown = around({
      remove: (path, version) => (breaks-- > 0 ? Promise.reject(broken(path)) : mover.remove(path, version))
    })
    await assert.rejects(move(group, { session: takingDown, carry: () => Promise.reject(new Error('no')) }).done, /no/)
    assert.equal(await readSigns(mover, group), 'none')
  })

  it('there must be such a group', async () => {
    await assert.rejects(move(uniqueName('none')).done, code('NO_GROUP'))
  })
})
