/**
 * `samsa journal` on the journal of a client that has lived through a broker's death: what came in, how it was then, what differs, and why.
 */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { connect } from '../../src/index.ts'
import { machines, readJournal, replay, why } from '../../src/replay.ts'
import { startCluster } from '../../src/testing.ts'
import { samsa } from '../support/samsa-command.ts'
import { until } from '../support/until.ts'

const folder = await mkdtemp(join(tmpdir(), 'samsa-journal-'))
after(() => rm(folder, { recursive: true, force: true }))
const journal = join(folder, 'journal')
const saved = join(folder, 'saved.recording')

/** Publishes and consumes, until the leader of orders/3 is dead and a publish waits for it. The process lives on while the journal is looked at. */
const cluster = await startCluster({ brokers: 3, topics: { orders: { partitions: 4, replicationFactor: 1 } } })
const client = await connect(cluster.url, { journal })
after(async () => {
  await client.close({ timeoutMs: 1_000 })
  await cluster.stop()
})
for (let i = 0; i < 8; i++) await client.topic('orders').publish({ partition: i % 4, value: `m${i}` })
const consumer = client.subscribe({ topic: 'orders', group: 'workers', membership: 'classic', from: 'earliest' })
let read = 0
consumer.on('message.batch', ({ messages, ack }) => {
  read += messages.length
  ack()
})
await until('all messages', () => read === 8)
await writeFile(saved, client.recording())
const leader = cluster.leaderOf('orders', 3)!.id
cluster.kill(leader)
client
  .topic('orders')
  .publish({ partition: 3, value: 'waits' })
  .catch(() => {})
await until('that it is leaderless', async () => {
  const { whole } = await readJournal(journal)
  return replay(whole, machines).get('topics/orders/3')?.value === 'leaderless'
})

describe('samsa journal', () => {
  test('its files are private', async () => {
    const [name] = await readdir(journal)
    assert.deepEqual([(await stat(journal)).mode & 0o777, (await stat(join(journal, name!))).mode & 0o777], [0o700, 0o600])
  })

  test('why is this publish not acked: the inputs that led there, and on whom it depends', async () => {
    const { text, code } = await samsa(['journal', 'why', 'topics/orders/3', journal])
    assert.equal(code, 0)
    assert.match(text, /topics\/orders\/3 \(partition\) is in leaderless since \d\d:\d\d:\d\d/)
    assert.match(text, /LINK_LOST|LINK_FAILED|NO_LEADER/)
    assert.match(text, /NO_LEADER \(topic orders, partition 3, leaderEpoch \d+\) \S+ → leaderless/)
    assert.match(text, /goes on with: .*LEADER/)
    assert.match(text, /It depends on:[\s\S]*topics\/orders is in/)
  })

  test('why does nobody own partition 3: where the members stand', async () => {
    const { whole } = await readJournal(journal)
    const owned = why(whole, machines, 'orders/3')
    assert.deepEqual([owned.actors.map(({ path }) => path).sort(), owned.notes], [['consumers/1/orders/3', 'topics/orders/3'], []])
    const nobody = why(whole, machines, 'orders/7')
    assert.match(nobody.notes[0]!, /No consumer of this process has orders\/7 now/)
    assert.ok(nobody.related.some(({ path, state }) => path === 'consumers/1/member' && state.length > 0))
  })

  test('as it was before: a moment by number, and one by time', async () => {
    const { whole } = await readJournal(journal)
    const { since } = why(whole, machines, 'topics/orders/3').actors[0]!
    const before = await samsa(['journal', 'replay', journal, '--until', String(since!.sequence - 1), '-a', 'topics/orders/3'])
    assert.match(before.text, /topics\/orders\/3\s+partition\s+led\.(retrying|inFlight|idle)/)
    const then = await samsa(['journal', 'why', 'topics/orders/3', journal, '--until', new Date(since!.time - 1).toISOString()])
    assert.doesNotMatch(then.text, /is in leaderless/)
  })

  test('tail shows the last inputs, of one actor, as lines or as JSON', async () => {
    const { lines } = await samsa(['journal', 'tail', journal, '-a', 'topics/orders/3', '-n', '3'])
    assert.equal(lines.length, 3)
    assert.match(lines.at(-1)!, /^\d\d:\d\d:\d\d\.\d{3} #\d+ topics\/orders\/3 \S+/)
    const json = await samsa(['journal', 'tail', journal, '-a', 'topics/orders/3', '-n', '0', '--json'])
    assert.deepEqual(new Set(json.lines.map(line => (JSON.parse(line) as { path: string }).path)), new Set(['topics/orders/3']))
  })

  test('diff of two recordings: who ended differently, and the first input that was another one', async () => {
    const { lines, code } = await samsa(['journal', 'diff', saved, journal])
    assert.equal(code, 1)
    const line = lines.find(each => each.startsWith('topics/orders/3:'))!
    assert.match(line, /\{"led":"idle"\} → "leaderless"/)
    assert.match(line, /input \d+ is nothing in the first, \S+.* in the second/)
    const same = await samsa(['journal', 'diff', saved, saved])
    assert.deepEqual([same.code, same.lines], [0, []])
  })

  test('diff of two moments of one', async () => {
    const { whole } = await readJournal(journal)
    const { since } = why(whole, machines, 'topics/orders/3').actors[0]!
    const { lines } = await samsa(['journal', 'diff', journal, '--from', String(since!.sequence - 1), '--to', String(since!.sequence)])
    assert.deepEqual(
      lines.map(line => line.split(':')[0]),
      ['topics/orders/3']
    )
  })

  test('what is no journal, no actor, no moment says so', async () => {
    const ask = async (...args: string[]) => {
      const { code, notes, text } = await samsa(['journal', ...args])
      return `${code} ${notes}${text}`
    }
    assert.match(await ask('tail', folder), /^1 samsa: There is no journal in/)
    assert.match(await ask('why', 'nothing/1', saved), /^0 No consumer of this process has nothing\/1 now/)
    assert.match(await ask('why', 'nobody', journal), /^[12] samsa: Nothing in this journal is called nobody\. There are: /)
    assert.match(await ask('replay', journal, '--until', 'yesterday'), /^2 samsa: "yesterday" is no moment/)
    await writeFile(join(folder, 'other.txt'), 'hello, this is no recording')
    assert.match(await ask('tail', join(folder, 'other.txt')), /^1 samsa: This is not a recording of samsa/)
  })
})
