/**
 * The command `samsa` as a user runs it, on a real cluster; Kafka's own clients judge what is in the topics.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { freePort } from '../support/ports.ts'
import { Running } from '../support/samsa-command.ts'
import { until } from '../support/until.ts'
import { uniqueName, useCluster } from '../support/use-cluster.ts'

const cluster = await useCluster()
const url = `zookeeper://${cluster.zookeeper}`

describe('the command line on a cluster', { timeout: 240_000 }, () => {
  const start = (...args: string[]) => new Running(args, { SAMSA_CLUSTER: url })
  const samsa = async (args: string[], input: string | Buffer = '') => {
    const running = start(...args)
    running.child.stdin!.end(input)
    return running.ended
  }
  const fresh = async (partitions = 3) => {
    const topic = uniqueName('cli')
    await cluster.createTopic(topic, { partitions })
    return topic
  }

  test('100,000 lines that are no text come back byte by byte, and Kafka counts them', async () => {
    const topic = await fresh(1)
    const lines = Array.from({ length: 100_000 }, (_, i) => {
      const bytes = createHash('sha1')
        .update(String(i))
        .digest()
        .subarray(0, i % 20)
      return Buffer.concat([Buffer.from(`${i} `), Buffer.from(bytes.map(byte => (byte === 0x0a ? 0xff : byte)))])
    })
    const input = Buffer.concat(lines.flatMap(line => [line, Buffer.from('\n')]))
    const produced = await samsa(['produce', topic, '--compression', 'lz4'], input.subarray(0, -1))
    assert.equal(produced.code, 0, produced.notes)
    assert.equal(produced.out.length, 0)
    assert.equal((await cluster.tool.consume(topic)).count, 100_000)
    const consumed = await samsa(['consume', topic, '--from-beginning', '--count', '100000', '--timeout', '30s'])
    assert.equal(consumed.code, 0, consumed.notes)
    assert.ok(consumed.out.equals(input), 'the bytes differ')
  })

  test('keys, headers and a partition are where they belong', async () => {
    const topic = await fresh()
    const { code, notes } = await samsa(['produce', topic, '-K', ':', '-H', 'trace=x', '--partition', '2'], 'k:v:w\nplain\n')
    assert.equal(code, 0, notes)
    const { records } = await cluster.tool.consume(topic, { records: true })
    assert.deepEqual(
      records.map(({ partition, key, value, headers }) => [partition, key && String(key), String(value), headers]),
      [
        [2, 'k', 'v:w', [['trace', Buffer.from('x')]]],
        [2, null, 'plain', [['trace', Buffer.from('x')]]]
      ]
    )
    const shown = await samsa(['consume', topic, '-p', '2', '-o', '0', '-n', '2', '-f', '%t %p %o %k %v %h\\n'])
    assert.deepEqual(shown.lines, [`${topic} 2 0 k v:w trace=x`, `${topic} 2 1  plain trace=x`])
    const last = await samsa(['consume', topic, '-p', '2', '-o', '-1', '-n', '1', '--json'])
    const { timestamp, ...rest } = JSON.parse(last.text)
    assert.ok(timestamp > 1_600_000_000_000)
    assert.deepEqual(rest, { topic, partition: 2, offset: 1, key: null, value: 'plain', headers: [['trace', 'x']] })
  })

  test('--create makes the topic, --echo acked prints each line once', async () => {
    const topic = uniqueName('cli-made')
    const lines = Array.from({ length: 5_000 }, (_, i) => `line ${i}`)
    const { code, lines: echoed, notes } = await samsa(['produce', topic, '--create', '--echo', 'acked'], `${lines.join('\n')}\n`)
    assert.equal(code, 0, notes)
    assert.deepEqual([...echoed].sort(), [...lines].sort())
    assert.equal((await cluster.tool.consume(topic)).count, 5_000)
  })

  test('lines that are refused are counted, the others are written, and the exit code is 1', async () => {
    const topic = await fresh(1)
    const { code, notes } = await samsa(['produce', topic, '--max-bytes', '10'], `short\n${'x'.repeat(11)}\nend`)
    assert.equal(code, 1)
    assert.match(notes, /line 2 failed: it has 11 bytes/)
    assert.match(notes, /2 acked, 1 failed, 0 unknown/)
    assert.equal((await cluster.tool.consume(topic)).count, 2)
  })

  test('a topic that does not exist is an error with the next command', async () => {
    const topic = uniqueName('missing')
    for (const command of ['produce', 'consume']) {
      const { code, notes } = await samsa([command, topic], 'x\n')
      assert.equal(code, 1)
      assert.match(notes, new RegExp(`Topic ${topic} does not exist.*\\n {2}next: samsa topics create ${topic}`))
    }
  })

  test('consume ends with 124 when nothing comes, having printed what came', async () => {
    const topic = await fresh(1)
    await cluster.tool.produce(topic, { count: 3, prefix: 'm' })
    const { code, lines, notes } = await samsa(['consume', topic, '-b', '--count', '4', '--timeout', '2s'])
    assert.equal(code, 124, notes)
    assert.deepEqual(lines, ['m0', 'm1', 'm2'])
    assert.match(notes, /No message for 2 s; 3 printed of 4/)
  })

  test('a reader that goes away ends consume in silence', async () => {
    const topic = await fresh(1)
    await cluster.tool.produce(topic, { count: 20_000, valueBytes: 100 })
    const running = start('consume', topic, '-b')
    await once(running.child.stdout!, 'data')
    running.child.stdout!.destroy()
    const { code, notes } = await running.ended
    assert.equal(code, 0)
    assert.equal(notes, '')
  })

  test('the last of --count is committed, and the next run of the group goes on behind it', async () => {
    const topic = await fresh(1)
    const group = uniqueName('cli-group')
    await cluster.tool.produce(topic, { count: 10, prefix: 'm' })
    const run = () => samsa(['consume', topic, '-b', '-g', group, '--membership', 'manual', '-n', '4', '--timeout', '20s'])
    const first = await run()
    assert.equal(first.code, 0, first.notes)
    assert.deepEqual(first.lines, ['m0', 'm1', 'm2', 'm3'])
    assert.equal((await cluster.tool.groupOffsets(group))[topic]?.[0], 4)
    const second = await run()
    assert.deepEqual(second.lines, ['m4', 'm5', 'm6', 'm7'])
    const lag = await samsa(['groups', 'lag', group])
    assert.equal(lag.code, 0, lag.notes)
    assert.deepEqual(lag.lines, [`${topic}\t0\t8\t10\t2\t-`])
    const listed = await samsa(['groups', 'ls'])
    assert.ok(
      listed.lines.some(line => line.startsWith(`${group}\tzookeeper+kafka\t`)),
      listed.text
    )
  })

  test('Ctrl-C ends consume in order with 130, what was printed is committed', async () => {
    const topic = await fresh(1)
    const group = uniqueName('cli-group')
    await cluster.tool.produce(topic, { count: 5, prefix: 'm' })
    const running = start('consume', topic, '-b', '-g', group, '--membership', 'manual')
    await until('five messages', () => running.text.split('\n').length === 6)
    running.child.kill('SIGINT')
    assert.equal((await running.ended).code, 130)
    assert.equal((await cluster.tool.groupOffsets(group))[topic]?.[0], 5)
  })

  test('topics are created, listed, described and deleted', async () => {
    const topic = uniqueName('cli-topic')
    const created = await samsa([
      'topics',
      'create',
      topic,
      '--partitions',
      '2',
      '--replication-factor',
      '3',
      '--config',
      'retention.ms=60000'
    ])
    assert.equal(created.code, 0, created.notes)
    assert.equal((await cluster.tool.describe(topic)).partitions.length, 2)
    const again = await samsa(['topics', 'create', topic])
    assert.equal(again.code, 1)
    assert.match(again.notes, /already exists/i)
    await samsa(['produce', topic, '-p', '1'], 'a\nb\n')
    const described = await samsa(['topics', 'describe', topic, '--json'])
    const rows = described.lines.map(line => JSON.parse(line))
    assert.deepEqual(
      rows.map(({ partition, first, end, replicas }) => [partition, first, end, replicas.length]),
      [
        [0, 0, 0, 3],
        [1, 0, 2, 3]
      ]
    )
    assert.ok((await samsa(['topics', 'ls'])).lines.some(line => line.startsWith(`${topic}\t2\t3\t`)))
    const removed = await samsa(['topics', 'rm', topic])
    assert.equal(removed.code, 0, removed.notes)
    await until('the topic is gone', async () => !(await cluster.tool.topics()).includes(topic))
    const gone = await samsa(['topics', 'describe', topic])
    assert.equal(gone.code, 1)
    assert.match(gone.notes, /does not exist/)
    const bad = await samsa(['topics', 'create', 'bad/name'])
    assert.equal(bad.code, 2, bad.notes)
  })

  test('the lag of a group of ZooKeeper comes from its znodes', async () => {
    const topic = await fresh(2)
    const group = uniqueName('cli-zk')
    await cluster.tool.produce(topic, { count: 7, partition: 0 })
    await cluster.tool.putZnode(`/consumers/${group}/offsets/${topic}/0`, '5')
    await cluster.tool.putZnode(`/consumers/${group}/offsets/${topic}/1`, 'junk')
    await cluster.tool.putZnode(`/consumers/${group}/owners/${topic}/1`, 'somebody-0')
    const { code, lines, notes } = await samsa(['groups', 'lag', group])
    assert.equal(code, 0, notes)
    assert.deepEqual(lines, [`${topic}\t0\t5\t7\t2\t-`, `${topic}\t1\t-\t0\t-\tsomebody-0`])
    const unknown = await samsa(['groups', 'lag', `${group}x`])
    assert.equal(unknown.code, 1)
    assert.match(unknown.notes, new RegExp(`did you mean ${group}\\?`))
  })

  test('znodes are listed, read, walked and watched', async () => {
    assert.deepEqual((await samsa(['zk', 'ls', '/brokers/ids'])).lines, ['1', '2', '3'])
    assert.ok('brokerid' in JSON.parse((await samsa(['zk', 'get', '/controller'])).text))
    const tree = await samsa(['zk', 'tree', '/brokers', '--depth', '2'])
    assert.ok(tree.lines.includes('/brokers/ids/1 (ephemeral)'), tree.text)
    const missing = await samsa(['zk', 'get', '/nope'])
    assert.equal(missing.code, 1)
    assert.match(missing.notes, /next: samsa zk tree/)
    const path = `/${uniqueName('cli-watch')}`
    const watching = start('zk', 'watch', path, '--count', '3')
    await until('the first line', () => watching.text.includes('absent'))
    await cluster.tool.putZnode(path, 'one')
    await until('the creation', () => watching.text.includes('\tone\t'))
    await cluster.tool.putZnode(path, 'two')
    const { code, lines } = await watching.ended
    assert.equal(code, 0)
    assert.deepEqual(lines, [`${path}\tabsent`, `${path}\tversion 0\tone\t[]`, `${path}\tversion 1\ttwo\t[]`])
    await cluster.tool.deleteZnode(path)
  })

  test('the cluster and the doctor know brokers, controller and versions', async () => {
    const described = await samsa(['cluster', '--json'])
    const brokers = described.lines.map(line => JSON.parse(line))
    assert.deepEqual(
      brokers.map(({ broker, kafka }) => [broker, kafka]),
      [1, 2, 3].map(id => [id, '3.9'])
    )
    assert.equal(brokers.filter(({ controller }) => controller).length, 1)
    const well = await samsa(['doctor'])
    assert.equal(well.code, 0, well.text + well.notes)
    assert.match(well.text, /^ok {4}ZooKeeper .*: answers/m)
    assert.equal(well.lines.filter(line => /^ok {4}broker \d at .*: answers .*Kafka 3\.9/.test(line)).length, 3)
    const bootstrap = await new Running(['doctor', '-c', `kafka://${cluster.bootstrap[0]}`]).ended
    assert.equal(bootstrap.code, 0, bootstrap.text + bootstrap.notes)
  })

  test('the doctor finds a wrong chroot and a closed port', async () => {
    const [servers] = cluster.zookeeper.split('/')
    const chroot = await new Running(['doctor', '-c', `zookeeper://${servers}/kafkaa`]).ended
    assert.equal(chroot.code, 1)
    assert.match(chroot.text, /^fail {2}chroot \/kafkaa: no Kafka lives there.*\n {6}-> Kafka is at .*\/kafka/m)
    const port = await freePort()
    const closed = await new Running(['doctor', '-c', `zookeeper://127.0.0.1:${port}/kafka`]).ended
    assert.equal(closed.code, 1)
    assert.match(closed.text, /^fail {2}ZooKeeper 127\.0\.0\.1:\d+/m)
    const two = await new Running(['doctor', '-c', `zookeeper://127.0.0.1:${port},${servers}/kafka`]).ended
    assert.match(two.text, /^warn {2}ZooKeeper 127\.0\.0\.1:\d+/m)
  })

  test('wrong use is exit code 2, a cluster that is not there 1', async () => {
    for (const args of [
      ['produce'],
      ['consume', 'x', '--count', 'many'],
      ['topics', 'lss'],
      ['doctor', '-c', 'http://x'],
      ['consume', 'x', '-o', '5']
    ])
      assert.equal((await samsa(args)).code, 2, args.join(' '))
    assert.equal((await new Running(['topics', 'ls']).ended).code, 2)
    const nowhere = await new Running(['topics', 'ls', '-c', `kafka://127.0.0.1:${await freePort()}`, '--connect-timeout', '1s']).ended
    assert.equal(nowhere.code, 1)
    assert.match(nowhere.notes, /next: samsa doctor/)
  })
})
