/**
 * `samsa groups` and `samsa watch` on real clusters, beside real members: Scala's in ZooKeeper, Java's in Kafka, of both protocols. Kafka's own
 * admin client and its own tool are the judges.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, describe, test } from 'node:test'
import type { Cluster } from '../support/cluster.ts'
import { compileJava, quickStart } from '../support/java.ts'
import { startJavaMember } from '../support/java-member.ts'
import { jarsFor } from '../support/maven.ts'
import { Running, samsa } from '../support/samsa-command.ts'
import { ScalaMember } from '../support/scala-member.ts'
import { until } from '../support/until.ts'
import { uniqueName, useCluster } from '../support/use-cluster.ts'
import { temporaryFolder } from '../support/watchdog.ts'

const old = await useCluster()
const kraft = await useCluster('kraft')
const folder = mkdtempSync(join(temporaryFolder(), 'groups-'))
const urlOf = (cluster: Cluster) => (cluster.facts.zookeeper ? `zookeeper://${cluster.zookeeper}` : `kafka://${cluster.bootstrap[0]}`)
const on = (cluster: Cluster, ...args: string[]) => samsa(args, { SAMSA_CLUSTER: urlOf(cluster) })
/** A command that must end well, and its rows as data. */
async function rows(cluster: Cluster, ...args: string[]) {
  const { code, lines, notes } = await on(cluster, ...args, '--json')
  assert.equal(code, 0, `${args.join(' ')}: ${notes}`)
  return lines.map(line => JSON.parse(line))
}
async function refused(cluster: Cluster, code: number, says: RegExp, ...args: string[]) {
  const ended = await on(cluster, ...args)
  assert.equal(ended.code, code, `${args.join(' ')}: ${ended.text}${ended.notes}`)
  assert.match(ended.notes, says)
}
/** A topic with so many messages, an hour and a half apart, in each partition. */
async function filled(cluster: Cluster, partitions: number, count: number, firstAt = Date.now() - 86_400_000) {
  const topic = uniqueName('groups')
  await cluster.createTopic(topic, { partitions })
  for (let partition = 0; partition < partitions; partition++)
    await cluster.tool.produce(topic, {
      records: Array.from({ length: count }, (_, i) => ({ partition, value: `v${i}`, timestamp: firstAt + i * 5_400_000 }))
    })
  return topic
}
const znode = async (path: string) => (await old.tool.znodes(path))[path]?.data

describe('a group of ZooKeeper', { timeout: 120_000 }, () => {
  test('with a Scala member, one that cannot be read and one that is gone is described, watched, and not written', async () => {
    const topic = await filled(old, 3, 10)
    const group = uniqueName('scala')
    const watching = new Running(['watch', group, '--interval', '60s'], { SAMSA_CLUSTER: urlOf(old) })
    await until('the first look', () => watching.text.includes('\n'))
    const member = await ScalaMember.start({ zookeeper: old.zookeeper, group, topics: { [topic]: 2 } })
    after(() => member.kill())
    await member.waitForRecords(30)
    await member.commit()
    await old.tool.putZnode(`/consumers/${group}/ids/gone`, '{"version":1,"subscription":{"x":1},"pattern":"static","timestamp":"1"}')

    const members = await rows(old, 'groups', 'describe', group, '--members')
    const { memberId } = member
    assert.deepEqual(
      members.map(({ member: id, alive, subscription, partitions, problem }) => [id, alive, subscription, partitions, problem !== null]),
      [
        ['gone', false, ['x'], 0, true],
        [memberId, true, [`${topic}:2`], 3, false]
      ]
    )
    assert.ok(Math.abs(Date.parse(members[1].since) - Date.now()) < 60_000)
    const described = await rows(old, 'groups', 'describe', group)
    assert.deepEqual(
      described
        .filter(row => row.topic === topic)
        .map(({ partition, committed, zookeeper, end, lag, owner }) => [partition, committed, zookeeper, end, lag, owner]),
      [
        [0, 10, 10, 10, 0, `${memberId}-0`],
        [1, 10, 10, 10, 0, `${memberId}-0`],
        [2, 10, 10, 10, 0, `${memberId}-1`]
      ]
    )
    assert.ok(described.every(row => row.host === members[1].host && row.host !== null))
    const [state] = await rows(old, 'groups', 'describe', group, '--state')
    assert.deepEqual([state.place, state.state, state.members, state.moved], ['zookeeper', 'Active', 1, false])

    const toStart = ['groups', 'reset', group, '--topic', topic, '--to-earliest']
    const dry = await on(old, ...toStart)
    assert.deepEqual([dry.code, dry.lines], [0, [0, 1, 2].map(partition => `${topic}\t${partition}\t10\t0`)])
    assert.match(dry.notes, new RegExp(`Nothing was written.*\n--execute will refuse: group ${group} has a live member: ${memberId}`))
    await refused(old, 1, new RegExp(`cannot be reset while it has a live member: ${memberId}.*NON_EMPTY_GROUP`), ...toStart, '--execute')
    await refused(old, 1, new RegExp(`cannot be removed while it has a live member: ${memberId}`), 'groups', 'rm', group)
    await refused(old, 1, new RegExp(memberId), 'groups', 'rm', group, '--topic', topic)
    assert.equal(await znode(`/consumers/${group}/offsets/${topic}/1`), '10')

    // The interval is a minute: what came, came because ZooKeeper told.
    await until('the member to be seen', () => watching.text.includes(memberId))
    watching.child.kill('SIGINT')
    const { code, lines, notes } = await watching.ended
    assert.deepEqual([code, notes], [130, ''])
    const looks = lines.map(line => JSON.parse(line))
    assert.deepEqual([looks[0].state, looks.at(-1).state], ['Absent', 'Active'])

    await member.close()
    const reset = await on(old, ...toStart, '--execute')
    assert.equal(reset.code, 0, reset.notes)
    assert.match(reset.notes, /3 offsets in ZooKeeper and Kafka/)
    assert.equal(await znode(`/consumers/${group}/offsets/${topic}/2`), '0')
    assert.deepEqual((await old.tool.groupOffsets(group))[topic], { 0: 0, 1: 0, 2: 0 })
  })

  test('begins where it was reset to', async () => {
    const topic = await filled(old, 1, 10)
    const group = uniqueName('begins')
    const set = await on(old, 'groups', 'reset', group, '--topic', topic, '--to-offset', '7', '--execute')
    assert.equal(set.code, 0, set.notes)
    const read = () => on(old, 'consume', topic, '-g', group, '--membership', 'zookeeper', '--count', '1', '--timeout', '20s')
    assert.deepEqual((await read()).lines, ['v7'])
    assert.equal((await on(old, 'groups', 'reset', group, '--all-topics', '--shift-by', '-5', '--execute')).code, 0)
    assert.deepEqual((await read()).lines, ['v3'])
  })

  test('is removed from both places, or only one topic of it, and nothing beside it', async () => {
    const [kept, gone] = [await filled(old, 1, 3), await filled(old, 1, 3)]
    const [group, neighbour] = [uniqueName('rm'), uniqueName('rm')]
    for (const each of [group, neighbour]) {
      const made = await on(old, 'groups', 'reset', each, '--topic', kept, '--topic', gone, '--to-offset', '2', '--execute')
      assert.equal(made.code, 0, made.notes)
    }
    const partly = await on(old, 'groups', 'rm', group, '--topic', gone)
    assert.equal(partly.code, 0, partly.notes)
    assert.deepEqual(await old.tool.groupOffsets(group), { [kept]: { 0: 2 } })
    assert.equal(await znode(`/consumers/${group}/offsets/${gone}`), undefined)
    assert.equal(await znode(`/consumers/${group}/offsets/${kept}/0`), '2')
    const wholly = await on(old, 'groups', 'rm', group)
    assert.equal(wholly.code, 0, wholly.notes)
    assert.match(wholly.notes, /from ZooKeeper and Kafka/)
    assert.deepEqual(await old.tool.znodes(`/consumers/${group}`), {})
    assert.deepEqual([(await old.tool.groups())[group], (await old.tool.groups())[neighbour]], [undefined, 'Empty'])
    assert.equal(await znode(`/consumers/${neighbour}/offsets/${kept}/0`), '2')
    await refused(old, 1, new RegExp(`did you mean ${group}\\?|did you mean|has committed nothing`), 'groups', 'rm', group)
  })
})

/** A group of Kafka with one live Java member of two partitions of three, named as the judge names it. */
async function besideJava(cluster: Cluster, protocol: 'classic' | 'consumer') {
  const topic = await filled(cluster, 3, 10)
  const group = uniqueName(protocol)
  const member = await startJavaMember({
    bootstrap: cluster.bootstrap,
    group,
    topics: [topic],
    protocol,
    clientId: 'java-one'
  })
  after(() => member.kill())
  await member.waitForRecords(30)
  await member.commit()
  return { topic, group, member }
}

for (const [cluster, protocol, what] of [
  [old, 'classic', 'a classic group on 3.9.1'],
  [kraft, 'consumer', 'a group of the new protocol on Kafka 4']
] as const)
  describe(what, { timeout: 120_000 }, () => {
    test('is described as Java sees it, watched, and neither written nor removed while it has a member', async () => {
      const { topic, group, member } = await besideJava(cluster, protocol)
      const judged = await cluster.tool.describeGroup(group)
      const [one] = await rows(cluster, 'groups', 'describe', group, '--members')
      assert.deepEqual(
        [one.member, one.clientId, one.owns.map((key: string) => key.replace('/', '-')), one.subscription],
        [judged.members[0]!.memberId, 'java-one', judged.members[0]!.partitions, [topic]]
      )
      assert.deepEqual([one.instanceId, one.alive, one.host], [null, true, '127.0.0.1'])
      assert.equal(one.epoch === null, protocol === 'classic')
      const [state] = await rows(cluster, 'groups', 'describe', group, '--state')
      assert.deepEqual(
        [state.place, state.type, state.state, state.members, state.assignor],
        ['kafka', protocol, 'Stable', 1, judged.assignor]
      )
      const expected = [0, 1, 2].map(partition => `${topic}\t${partition}\t10\t10\t0\t${one.member}`)
      assert.deepEqual((await on(cluster, 'groups', 'lag', group)).lines, expected)
      assert.ok(
        (await rows(cluster, 'groups', 'ls')).some(each => each.group === group && each.type === protocol && each.state === 'Stable')
      )

      const [look] = await rows(cluster, 'watch', group, '--count', '1')
      assert.deepEqual([look.kind, look.type, look.state, look.lag, look.members.length], ['kafka', protocol, 'Stable', 0, 1])
      const picture = await samsa(['watch', group, '-n', '2', '-i', '50ms', '--no-color'], { SAMSA_CLUSTER: urlOf(cluster) }, true)
      assert.match(picture.text, new RegExp(`\r\x1b\\[J\\d\\d:\\d\\d:\\d\\dZ\n${group}  kafka  Stable  1 member  lag 0\n`))
      assert.ok(picture.text.includes('\x1b[6A\r\x1b[J'), picture.text)

      const toStart = ['groups', 'reset', group, '--all-topics', '--to-earliest', '--execute']
      await refused(cluster, 1, new RegExp(`while it has a live member: ${one.member}`), ...toStart)
      await refused(cluster, 1, new RegExp(`while it has a live member: ${one.member}`), 'groups', 'rm', group)
      await refused(cluster, 1, /GROUP_SUBSCRIBED_TO_TOPIC/, 'groups', 'rm', group, '--topic', topic)
      assert.deepEqual((await cluster.tool.groupOffsets(group))[topic], { 0: 10, 1: 10, 2: 10 })

      await member.close()
      await until('the group is empty', async () => (await cluster.tool.describeGroup(group)).state === 'Empty')
      const reset = await on(cluster, ...toStart)
      assert.equal(reset.code, 0, reset.notes)
      assert.match(reset.notes, /3 offsets in Kafka\./)
      assert.deepEqual((await cluster.tool.groupOffsets(group))[topic], { 0: 0, 1: 0, 2: 0 })
      if (cluster === old) assert.deepEqual(await old.tool.znodes(`/consumers/${group}`), {}, 'nothing of it belongs into ZooKeeper')
      assert.equal((await on(cluster, 'groups', 'rm', group, '--topic', topic)).code, 0)
      assert.deepEqual(await cluster.tool.groupOffsets(group), {})
      // A classic group that has nothing left is gone by itself.
      assert.equal((await on(cluster, 'groups', 'reset', group, '--topic', topic, '--to-latest', '--execute')).code, 0)
      const removed = await on(cluster, 'groups', 'rm', group)
      assert.equal(removed.code, 0, removed.notes)
      assert.equal((await cluster.tool.groups())[group], undefined)
    })
  })

describe('the plan of a reset', { timeout: 120_000 }, () => {
  test("is that of Kafka's own tool, whatever is asked", async () => {
    const firstAt = Date.now() - 36_000_000
    const topic = await filled(old, 2, 20, firstAt)
    const group = uniqueName('plans')
    await old.tool.addPartitions(topic, 3)
    await old.waitForLeader(topic, 2)
    await old.tool.deleteRecords(topic, 0, 5)
    for (const partition of [0, 1, 2]) await old.tool.setGroupOffset(group, topic, partition, partition === 2 ? 0 : 12)
    const file = join(folder, 'offsets.csv')
    writeFileSync(file, `${topic},0,2\n"${topic}",1,15\n${topic},2,99\n`)
    const at = (ms: number) => new Date(firstAt + ms).toISOString().replace('Z', '')
    const whole = ['--topic', topic]
    const cases = [
      [...whole, '--to-earliest'],
      [...whole, '--to-latest'],
      [...whole, '--to-current'],
      ['--all-topics', '--to-current'],
      ['--topic', `${topic}:0,2`, '--to-latest'],
      ...['5', '-5', '1000', '-1000'].map(by => [...whole, '--shift-by', by]),
      ...['3', '17'].map(to => [...whole, '--to-offset', to]),
      ...[7 * 5_400_000 + 1, -5_000, 99 * 5_400_000].map(ms => [...whole, '--to-datetime', at(ms)]),
      [...whole, '--by-duration', 'PT3H15M'],
      ['--from-file', file]
    ]
    const common = ['--bootstrap-server', old.bootstrap[0]!, '--group', group, '--reset-offsets', '--dry-run']
    const judging = oracle(cases.map(each => [...common, ...each]))
    const plans: Record<string, number>[] = []
    for (const args of cases) {
      const plan = await rows(old, 'groups', 'reset', group, ...args)
      plans.push(Object.fromEntries(plan.map(row => [`${row.topic}/${row.partition}`, row.new])))
    }
    const judged = await judging
    for (const [index, args] of cases.entries()) assert.deepEqual(plans[index], judged[index], args.join(' '))
  })

  test('can be exported and put back', async () => {
    const topic = await filled(kraft, 2, 10)
    const group = uniqueName('export')
    await kraft.tool.setGroupOffset(group, topic, 0, 4)
    await kraft.tool.setGroupOffset(group, topic, 1, 6)
    const kept = await on(kraft, 'groups', 'reset', group, '--all-topics', '--to-current', '--export')
    assert.deepEqual([kept.text, kept.notes], [`${topic},0,4\n${topic},1,6\n`, ''])
    const file = join(folder, 'kept.csv')
    writeFileSync(file, kept.out)
    assert.equal((await on(kraft, 'groups', 'reset', group, '--all-topics', '--to-latest', '--execute')).code, 0)
    assert.deepEqual((await kraft.tool.groupOffsets(group))[topic], { 0: 10, 1: 10 })
    assert.equal((await on(kraft, 'groups', 'reset', group, '--from-file', file, '--execute')).code, 0)
    assert.deepEqual((await kraft.tool.groupOffsets(group))[topic], { 0: 4, 1: 6 })
  })

  test('is refused with what to do: wrong use 2, what cannot be done 1', async () => {
    const topic = await filled(kraft, 1, 1)
    const group = uniqueName('wrong')
    const reset = (code: number, says: RegExp, ...args: string[]) => refused(kraft, code, says, 'groups', 'reset', ...args)
    await reset(2, /of which topics\?/, group, '--to-earliest')
    await reset(2, /to where\?/, group, '--topic', topic)
    await reset(2, /cannot both be/, group, '--topic', topic, '--to-earliest', '--dry-run', '--execute')
    await reset(2, /has no partition 7; it has 1, from 0/, group, '--topic', `${topic}:7`, '--to-earliest')
    await reset(2, /cannot be read/, group, '--from-file', join(folder, 'none'))
    await reset(1, /does not exist.*\n.*next: samsa topics ls/, group, '--topic', `${topic}x`, '--to-earliest')
    await reset(1, /has committed nothing, or does not exist/, group, '--all-topics', '--to-earliest')
    await reset(1, /Nothing is committed of .*\/0, so it cannot be shifted/, group, '--topic', topic, '--shift-by', '1', '--execute')
    assert.equal((await kraft.tool.groups())[group], undefined, 'none of that has made a group')
  })
})

/** The plans of kafka-consumer-groups.sh, one for each list of its arguments. */
async function oracle(commands: string[][]): Promise<Record<string, number>[]> {
  const jars = await jarsFor('kafka-3.9.1')
  const classes = await compileJava(['ResetOracle.java'], jars)
  const program = 'org.apache.kafka.tools.consumer.group.ResetOracle'
  const child = spawn('java', [...quickStart, '-Xmx128m', '-cp', `${classes}:${join(jars, '*')}`, program], {
    stdio: ['pipe', 'pipe', 'ignore']
  })
  const ended = once(child, 'close')
  child.stdin.end(commands.map(args => `${JSON.stringify(args)}\n`).join(''))
  const answers = await text(child.stdout)
  await ended
  return answers
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
}
