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
    const all = [...this.#where(args), '--topic', this.topic, '--group-id', this.group, '--verbose', ...args]
    return this.#start({ whose, tool: 'consumer', args: all }, name, this.group)
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

  /** Everything is acked, read in order by whom it belongs to, once. */
  check(acked: number): void {
    const { summary } = assertHistory(this.history, { mode: 'idempotent', forbid: ['redelivery'] })
    assert.deepEqual([summary.acked, summary.read, summary.failed, summary.unknown], [acked, acked, 0, 0])
  }
}

/** A configuration of Java's, for Java and for ours: members of a classic group hear of a rebalance by their heartbeats. */
function quickHeartbeats(): string {
  const file = join(temporaryFolder(), 'verifiable-consumer.properties')
  writeFileSync(file, '# for a test\nheartbeat.interval.ms=300\n')
  return file
}

const fields = (line: object | undefined) => Object.keys(line ?? {}).join()

describe('verifiable tools', { timeout: 240_000 }, () => {
  test('ours produces, and Java consumes all of it', async () => {
    const run = await Run.start()
    const producer = await run.producer('samsa', '--max-messages', '2000', '--repeating-keys', '50', '--value-prefix', '3')
    const consumer = await run.consumer('java', 'java', '--max-messages', '2000')
    assert.equal(await producer.ended, 0, producer.notes)
    assert.equal(await consumer.ended, 0, consumer.notes)
    run.check(2_000)
    const [{ sent, acked } = {}] = producer.named('tool_data')
    assert.deepEqual({ sent, acked }, { sent: 2_000, acked: 2_000 })
    const { records } = await kraft.tool.consume(run.topic, { records: true })
    for (const { key, value } of records) {
      const [prefix, number] = String(value).split('.')
      assert.deepEqual([prefix, String(key)], ['3', String(Number(number) % 50)])
    }
  })

  test('Java produces, and ours consumes all of it; their lines have the same fields', async () => {
    const run = await Run.start()
    const producer = await run.producer('java', '--max-messages', '2000', '--repeating-keys', '50')
    const consumer = await run.consumer('samsa', 'samsa')
    await consumer.waitForConsumed(2_000)
    assert.equal(await producer.ended, 0, producer.notes)
    await consumer.waitFor('a commit', ({ name }) => name === 'offsets_committed')
    assert.equal(await consumer.stop(), 143, consumer.notes)
    run.check(2_000)
    assert.deepEqual(
      consumer.lines.slice(-3).map(({ name }) => name),
      ['shutdown_requested', 'partitions_revoked', 'shutdown_complete']
    )
    // Java goes on where ours has committed: nothing is left.
    const more = await run.producer('java', '--max-messages', '30', '--value-prefix', '9')
    const java = await run.consumer('java', 'java', '--max-messages', '30')
    assert.deepEqual([await more.ended, await java.ended], [0, 0])
    run.check(2_030)
    for (const name of [
      'startup_complete',
      'partitions_assigned',
      'record_data',
      'records_consumed',
      'offsets_committed',
      'shutdown_complete'
    ]) {
      const [ours, theirs] = [consumer.named(name)[0], java.named(name)[0]]
      assert.equal(fields(ours), fields(theirs), name)
      for (const list of ['partitions', 'offsets'] as const)
        assert.equal(fields(ours?.[list]?.[0]), fields(theirs?.[list]?.[0]), `${name}.${list}`)
    }
  })

  test('Java and ours share a group of the classic protocol: they come and go, and nothing is lost or comes twice', async () => {
    const run = await Run.start(kraft, 4)
    const options = ['--assignment-strategy', 'org.apache.kafka.clients.consumer.RangeAssignor', '--command-config', quickHeartbeats()]
    const java = await run.consumer('java', 'java', ...options)
    const producer = await run.producer('samsa', '--throughput', '400')
    await java.waitForOwned(4)
    const first = await run.consumer('first', 'samsa', ...options)
    await first.waitForConsumed(100)
    await java.waitForOwned(2)
    const second = await run.consumer('second', 'samsa', ...options)
    await second.waitForConsumed(50)
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
    const producer = await run.producer('samsa', '--throughput', '400')
    await java.waitForOwned(4)
    const ours = await run.consumer('ours', 'samsa', '--group-protocol', 'consumer')
    await ours.waitForConsumed(100)
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
    const producer = await run.producer('samsa', '--throughput', '400')
    const second = await run.consumer('second', 'samsa', ...options)
    await second.waitForConsumed(50)
    assert.equal(await first.stop(), 143, first.notes)
    await second.waitForOwned(3)
    assert.equal(await producer.stop(), 143, producer.notes)
    const sent = producer.named('tool_data')[0]!.acked!
    await second.until('every message', () => first.consumed + second.consumed >= sent)
    assert.equal(await second.stop(), 143, second.notes)
    run.check(sent)
  })
})
