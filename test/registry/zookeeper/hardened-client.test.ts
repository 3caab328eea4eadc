/**
 * What only the inside of the library shows: its xids at the end of their range, its version, its watch lists in parts.
 */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { HardenedClient } from '../../../src/registry/zookeeper/hardened-client.ts'
import { checkVersion, pinnedVersion } from '../../../src/registry/zookeeper/library.ts'
import { watchParts } from '../../../src/registry/zookeeper/rearm.ts'
import { nodeWorld } from '../../../src/world/node.ts'
import { Gathered } from '../../support/gathered.ts'
import { HostileZooKeeper } from '../../support/hostile-zookeeper.ts'

it('defect 10: after the last xid comes 1 again', { timeout: 10_000 }, async t => {
  const peer = await HostileZooKeeper.start()
  const [host, port] = peer.address.split(':') as [string, string]
  const told = new Gathered<string>()
  const client = new HardenedClient(
    nodeWorld(),
    {
      servers: [{ host, port: Number(port) }],
      chroot: '',
      sessionTimeoutMs: 3_000,
      connectTimeoutMs: 1_000,
      maxFrameBytes: 1_000,
      auth: undefined
    },
    {
      connected: () => told.add('connected'),
      lost: () => told.add('lost'),
      expired: () => {},
      authFailed: () => {},
      trouble: () => told.add('trouble'),
      heard: () => {},
      answered: () => {},
      pong: () => {}
    }
  )
  t.after(async () => {
    client.end()
    await peer.close()
  })
  client.start()
  const connection = await peer.accept()
  await connection.greet()
  await told.first(what => what === 'connected')
  client.manager.xid = 0x7fff_ffff
  const done = new Gathered<number>()
  for (let i = 0; i < 2; i++) client.library.remove('/a', -1, () => done.add(i))
  assert.equal((await connection.request()).xid, 0x7fff_ffff)
  assert.equal((await connection.request()).xid, 1)
  connection.reply(0x7fff_ffff, 0)
  connection.reply(1, 0)
  await done.count(2)
  assert.deepEqual(told.all, ['connected'])
})

it('takes the pinned version of the library and no other', () => {
  checkVersion(pinnedVersion)
  assert.throws(() => checkVersion('1.1.4'), { code: 'ZK_LIBRARY_VERSION' })
})

it('puts watches into parts by their bytes and loses none', () => {
  assert.deepEqual(watchParts([[], [], []], 6), [])
  const lists = [['/a', '/bb'], ['/ccc'], ['/d', '/e']]
  assert.deepEqual(watchParts(lists, 0, 1_000), [lists])
  assert.deepEqual(watchParts(lists, 0, 14), [
    [['/a', '/bb'], [], []],
    [[], ['/ccc'], ['/d']],
    [[], [], ['/e']]
  ])
  assert.deepEqual(watchParts([['/longer than a part'], [], []], 0, 5), [[['/longer than a part'], [], []]])
})
