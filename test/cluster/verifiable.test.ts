/**
 * `samsa verifiable-producer` and `verifiable-consumer` beside Kafka's own tools of these names: each reads what the other writes, they share
 * groups, and the history of all is checked.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { assertHistory, History } from '../checker/record.ts'
import { uniqueName, useCluster } from '../support/use-cluster.ts'
import { type ToolStart, VerifiableTool } from '../support/verifiable-tool.ts'
import { temporaryFolder } from '../support/watchdog.ts'

const [kraft, old] = [await useCluster('kraft'), await useCluster()]
const running = new Set<VerifiableTool>()
after(() => {
  for (const tool of running) tool.kill()
})

/** A topic, its tools and their history. */
class Run {
  readonly history = new History()
  readonly topic: string
  readonly group: string
  readonly bootstrap: string

  static async start(cluster = kraft, partitions = 3): Promise<Run> {
    const topic = uniqueName('verifiable')
    await cluster.createTopic(topic, { partitions })
    return new Run(topic, cluster.bootstrap.join(','))
  }

  private constructor(topic: string, bootstrap: string) {
    this.topic = topic
    this.group = `${topic}-group`
    this.bootstrap = bootstrap
  }

  async producer(whose: ToolStart['whose'], ...args: string[]): Promise<VerifiableTool> {
    return this.#start({ whose, tool: 'producer', args: [...this.#where(args), '--topic', this.topic, ...args] }, `${whose} producer`)
  }

  async consumer(name: string, whose: ToolStart['whose'], ...args: string[]): Promise<VerifiableTool> {
    const group = args[args.indexOf('--group-id') + 1]!
    const named = args.includes('--group-id') ? [] : ['--group-id', this.group]
    const all = [...this.#where(args), '--topic', this.topic, ...named, '--verbose', ...args]
    return this.#start({ whose, tool: 'consumer', args: all }, name, named.length > 0 ? this.group : group)
  }

  #where(args: readonly string[]): string[] {
    return args.includes('--cluster') ? [] : ['--bootstrap-server', this.bootstrap]
  }

  async #start(start: ToolStart, name: string, group?: string): Promise<VerifiableTool> {
    const sink = this.history.watchVerifiable(name, group === undefined ? {} : { group })
    const tool = await VerifiableTool.start({ ...start, sink })
    running.add(tool)
    tool.ended.then(() => running.delete(tool))
    return tool
  }

  /** Everything is acked, and read by each group once, in order, by whom it belongs to. */
  check(acked: number, groups = 1): void {
    const { summary } = assertHistory(this.history, { mode: 'idempotent', forbid: ['redelivery'] })
    assert.deepEqual([summary.acked, summary.read, summary.failed, summary.unknown], [acked, acked * groups, 0, 0])
  }
}

/** A configuration of Java's, for Java and for ours: members of a classic group hear of a rebalance by their heartbeats. */
function quickHeartbeats(): string {
  const file = join(temporaryFolder(), 'verifiable-consumer.properties')
  writeFileSync(file, '# for a test\nheartbeat.interval.ms=300\n')
  return file
}

const fields = (line: object | undefined) => Object.keys(line ?? {}).join()

function sameFields(ours: VerifiableTool, theirs: VerifiableTool, names: readonly string[]): void {
  for (const name of names) {
    const [one, other] = [ours.named(name)[0], theirs.named(name)[0]]
    assert.ok(one && other, name)
    assert.equal(fields(one), fields(other), name)
    for (const list of ['partitions', 'offsets'] as const) assert.equal(fields(one[list]?.[0]), fields(other[list]?.[0]), `${name}.${list}`)
  }
}

describe('verifiable tools', { timeout: 240_000 }, () => {
  test('each consumes all that the other produces, and their lines have the same fields', async () => {
    const run = await Run.start()
    const [theirGroup, ourGroup] = [`${run.group}-java`, `${run.group}-samsa`]
    const theirs = await run.producer('java', '--max-messages', '1500', '--repeating-keys', '50')
    const ours = await run.producer('samsa', '--max-messages', '1500', '--repeating-keys', '50', '--value-prefix', '3')
    const java = await run.consumer('java', 'java', '--group-id', theirGroup, '--max-messages', '3000')
    const samsa = await run.consumer('samsa', 'samsa', '--group-id', ourGroup)
    for (const tool of [theirs, ours, java]) assert.equal(await tool.ended, 0, tool.notes)
    await samsa.waitForConsumed(3_000)
    const committed = async () =>
      Object.values((await kraft.tool.groupOffsets(ourGroup))[run.topic] ?? {}).reduce((sum, each) => sum + each, 0)
    assert.equal(await samsa.stop(), 143, samsa.notes)
    assert.equal(await committed(), 3_000)
    run.check(3_000, 2)
    assert.deepEqual(
      samsa.lines.slice(-3).map(({ name }) => name),
      ['shutdown_requested', 'partitions_revoked', 'shutdown_complete']
    )
    const { name, sent, acked } = ours.named('tool_data')[0]!
    assert.deepEqual({ name, sent, acked }, { name: 'tool_data', sent: 1_500, acked: 1_500 })
    sameFields(samsa, java, ['startup_complete', 'partitions_assigned', 'record_data', 'records_consumed', 'offsets_committed'])
    sameFields(ours, theirs, ['startup_complete', 'producer_send_success', 'shutdown_complete', 'tool_data'])
    for (const { key, value } of samsa.named('record_data')) assert.equal(key, String(Number(value!.split('.').at(-1)) % 50))
  })

  test('Java and ours share a group of the classic protocol: they come and go, and nothing is lost or comes twice', async () => {
    const run = await Run.start(kraft, 4)
    const options = ['--assignment-strategy', 'org.apache.kafka.clients.consumer.RangeAssignor', '--command-config', quickHeartbeats()]
    const java = await run.consumer('java', 'java', ...options)
    const producer = await run.producer('samsa', '--throughput', '100')
    await java.waitForOwned(4)
    const first = await run.consumer('first', 'samsa', ...options)
    await first.waitForConsumed(30)
    await java.waitForOwned(2)
    const second = await run.consumer('second', 'samsa', ...options)
    await second.waitForConsumed(20)
    assert.equal(await first.stop(), 143, first.notes)
    await second.waitForOwned(2)
    assert.equal(await java.stop(), 143, java.notes)
    await second.waitForOwned(4)
    assert.equal(await producer.stop(), 143, producer.notes)
    const sent = producer.named('tool_data')[0]!.acked!
    await second.until('every message', () => first.consumed + second.consumed + java.consumed >= sent)
    assert.equal(await second.stop(), 143, second.notes)
    run.check(sent)
  })

  test('Java and ours share a group of the new protocol', async () => {
    const run = await Run.start(kraft, 4)
    const java = await run.consumer('java', 'java', '--group-protocol', 'consumer')
    const producer = await run.producer('samsa', '--throughput', '100')
    await java.waitForOwned(4)
    const ours = await run.consumer('ours', 'samsa', '--group-protocol', 'consumer')
    await ours.waitForConsumed(30)
    assert.equal(await java.stop(), 143, java.notes)
    await ours.waitForOwned(4)
    assert.equal(await producer.stop(), 143, producer.notes)
    const sent = producer.named('tool_data')[0]!.acked!
    await ours.until('every message', () => ours.consumed + java.consumed >= sent)
    assert.equal(await ours.stop(), 143, ours.notes)
    run.check(sent)
  })

  test('a group that meets in ZooKeeper', async () => {
    const run = await Run.start(old)
    const options = ['--cluster', `zookeeper://${old.zookeeper}`, '--group-protocol', 'zookeeper']
    const first = await run.consumer('first', 'samsa', ...options)
    await first.waitForOwned(3)
    const producer = await run.producer('samsa', '--throughput', '100')
    const second = await run.consumer('second', 'samsa', ...options)
    await second.waitForConsumed(20)
    assert.equal(await first.stop(), 143, first.notes)
    await second.waitForOwned(3)
    assert.equal(await producer.stop(), 143, producer.notes)
    const sent = producer.named('tool_data')[0]!.acked!
    await second.until('every message', () => first.consumed + second.consumed >= sent)
    assert.equal(await second.stop(), 143, second.notes)
    run.check(sent)
  })
})
