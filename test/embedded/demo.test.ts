/**
 * The embedded cluster on the command line: `samsa up` for other tools, `samsa demo` with its script and its verdict.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { it } from 'node:test'
import { connect } from '../../src/index.ts'
import { Running } from '../support/samsa-command.ts'
import { until } from '../support/until.ts'

it('samsa up prints where it is, serves, and ends well on Ctrl-C', async () => {
  const up = new Running(['up', '--brokers', '2', '--topic', 'orders:3', '--json'])
  const line = await until('its addresses', () => up.text.includes('\n') && up.text)
  const { cluster, bootstrap, zookeeper } = JSON.parse(line) as { cluster: string; bootstrap: string[]; zookeeper: string }
  assert.equal(cluster, `zookeeper://${zookeeper}`)
  for (const url of [cluster, `kafka://${bootstrap[1]}`]) {
    const client = await connect(url)
    await client.topic('orders').publish('hello')
    assert.equal(client.brokers.size, 2)
    await client.close()
  }
  up.child.kill('SIGINT')
  assert.equal((await up.ended).code, 0)
})

it('samsa up says which option cannot be', async () => {
  const { code, notes } = await new Running(['up', '--brokers', '0']).ended
  assert.equal(code, 2)
  assert.match(notes, /--brokers/)
})

it('samsa up and samsa demo refuse more brokers than there may be, and ports that cannot be', async () => {
  for (const args of [
    ['up', '--brokers', '101'],
    ['demo', '--brokers', '101'],
    ['up', '--port', '65535']
  ]) {
    const { code, notes } = await new Running(args).ended
    assert.equal(code, 2, notes)
    assert.match(notes, args[2] === '65535' ? /give numbers from 0 to 65535/ : /brokers: give a number from 1 to 100/)
  }
})

it('samsa up with a directory comes back on the same ports, with as many brokers and its topics', async t => {
  const directory = join(mkdtempSync(join(tmpdir(), 'samsa-up-')), 'data')
  t.after(() => rmSync(dirname(directory), { recursive: true, force: true }))
  const run = async (...more: string[]) => {
    const up = new Running(['up', '--directory', directory, '--json', ...more])
    const line = await until('its addresses', () => up.text.includes('\n') && up.text)
    up.child.kill('SIGINT')
    assert.equal((await up.ended).code, 0)
    return JSON.parse(line) as { bootstrap: string[] }
  }
  const first = await run('--brokers', '2', '--topic', 'orders')
  assert.equal(first.bootstrap.length, 2)
  assert.deepEqual(await run(), first)
  const { code, notes } = await new Running(['up', '--directory', directory, '--brokers', '1']).ended
  assert.equal(code, 2)
  assert.match(notes, /give at least 2/)
})

it('samsa demo: a broker dies, a consumer joins, a session expires; nothing is lost and nothing doubled', async () => {
  const { code, text, notes } = await new Running(['demo', '--messages', '4000', '--rate', '2000', '--json']).ended
  const verdict = { published: 4_000, acked: 4_000, failed: 0, consumed: 4_000, lost: 0, twice: 0 }
  assert.deepEqual(JSON.parse(text), verdict, notes)
  assert.equal(code, 0)
  for (const told of [
    /killing broker \d/,
    /consumer C joins/,
    /consumer C owns partitions \d/,
    /expiring the ZooKeeper session of the publisher/,
    /broker \d is there/
  ])
    assert.match(notes, told)
})
