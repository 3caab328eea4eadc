/**
 * `verifiable-producer` and `verifiable-consumer` on a cluster that is only played: the lines are those that Kafka 4.3.1's own tools print, and the
 * options mean what theirs mean.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseCommandLine } from '../../src/cli/arguments.ts'
import { COMMON, type Command, Context } from '../../src/cli/command.ts'
import { verifiableConsumer } from '../../src/cli/commands/verifiable-consumer.ts'
import { verifiableProducer } from '../../src/cli/commands/verifiable-producer.ts'
import { javaSettings, parseProperties } from '../../src/cli/java-properties.ts'
import type { Terminal } from '../../src/cli/terminal.ts'
import { type ConnectOptions, type ConsumerEmitted, type OutgoingRecord, PublishError, type SubscribeOptions } from '../../src/index.ts'
import { VirtualWorld } from '../support/virtual-world.ts'

/** What the command is given, and what it says. */
class Played {
  readonly virtual: VirtualWorld
  readonly notes: string[] = []
  readonly interrupt = new AbortController()
  out = ''
  url: string | undefined
  options: ConnectOptions | undefined
  readonly #files: Record<string, string>

  constructor(files: Record<string, string> = {}) {
    this.#files = files
    const read = async (path: string) => Buffer.from(this.#files[path] ?? assert.fail(`there is no ${path}`))
    this.virtual = new VirtualWorld({ world: { files: { read } as never } })
  }

  run(command: Command, args: readonly string[], cluster: unknown, env: Record<string, string> = {}): Promise<number> {
    const output = {
      broken: false,
      whenBroken: () => {},
      write: (text: string) => void (this.out += text),
      room: async () => {},
      flush: async () => {}
    }
    const terminal = { env, out: output, notesAreTerminal: false, say: (line: string) => void this.notes.push(line), progress: () => {} }
    const parsed = parseCommandLine(args, { ...command.options, ...COMMON })
    const context = new Context(parsed, terminal as unknown as Terminal, this.virtual.world, this.interrupt.signal)
    context.connect = async (options = {}, url = context.clusterUrl) => {
      this.url = url
      this.options = options
      return cluster as never
    }
    return command.run(context)
  }

  /** The lines without their times, which must be there. */
  get lines(): Record<string, unknown>[] {
    return this.out
      .split('\n')
      .slice(0, -1)
      .map(line => {
        const { timestamp, ...rest } = JSON.parse(line) as Record<string, unknown>
        assert.ok(line.startsWith('{"timestamp":') && typeof timestamp === 'number', line)
        return rest
      })
  }
}

const cluster = { cluster: 'kafka://h:9092' }
const at = ['--cluster', 'kafka://h:9092']

/** Lets virtual time pass until a command has ended. */
async function ended(played: Played, code: Promise<number>, limitMs = 10_000): Promise<number> {
  let done = false
  code.finally(() => (done = true)).catch(() => {})
  for (let ms = 0; !done && ms < limitMs; ms += 10) await played.virtual.advance(10)
  return code
}

describe('verifiable-producer', () => {
  const topicOf = (records: OutgoingRecord[], answer: (record: OutgoingRecord, number: number) => unknown = () => undefined) => ({
    topic: (name: string) => ({
      name,
      publish: async (record: OutgoingRecord) => {
        records.push(record)
        const error = answer(record, records.length - 1)
        if (error) throw error
        return { topic: name, partition: 1, offset: BigInt(records.length - 1), timestamp: 0n }
      }
    })
  })

  test('each message is a line, in the words of Java’s tool', async () => {
    const played = new Played()
    const records: OutgoingRecord[] = []
    const args = [...at, '--topic', 't', '--max-messages', '3', '--repeating-keys', '2', '--value-prefix', '7']
    assert.equal(await ended(played, played.run(verifiableProducer, args, topicOf(records))), 0)
    assert.deepEqual(records, [
      { key: '0', value: '7.0' },
      { key: '1', value: '7.1' },
      { key: '0', value: '7.2' }
    ])
    assert.deepEqual(
      played.out.split('\n')[1]!.replace(/\d{7,}/, 'T'),
      '{"timestamp":T,"name":"producer_send_success","key":"0","value":"7.0","offset":0,"topic":"t","partition":1}'
    )
    const names = played.lines.map(({ name }) => name)
    assert.deepEqual(names, ['startup_complete', ...Array(3).fill('producer_send_success'), 'shutdown_complete', 'tool_data'])
    const { name, avg_throughput: average, ...rest } = played.lines.at(-1)!
    assert.deepEqual({ name, ...rest }, { name: 'tool_data', sent: 3, acked: 3, target_throughput: -1 })
    assert.equal(typeof average, 'number')
  })

  test('what fails is a line, and says whether it is certain', async () => {
    const played = new Played()
    const failures = [new PublishError('A', 'refused', 'failed'), new PublishError('B', 'silence', 'unknown')]
    const args = [...at, '--topic', 't', '--max-messages', '2']
    assert.equal(
      await ended(
        played,
        played.run(
          verifiableProducer,
          args,
          topicOf([], (_, number) => failures[number])
        )
      ),
      1
    )
    assert.deepEqual(played.lines.slice(1, 3), [
      { name: 'producer_send_error', topic: 't', key: null, value: '0', exception: 'PublishError', message: 'refused', outcome: 'failed' },
      { name: 'producer_send_error', topic: 't', key: null, value: '1', exception: 'PublishError', message: 'silence', outcome: 'unknown' }
    ])
    assert.deepEqual(played.notes, ['samsa: 0 of 2 messages were acked'])
  })

  test('it goes no faster than asked for, until it is interrupted', async () => {
    const played = new Played()
    const records: OutgoingRecord[] = []
    const code = played.run(verifiableProducer, [...at, '--topic', 't', '--throughput', '50'], topicOf(records))
    await played.virtual.advance(2_000)
    assert.ok(records.length >= 95 && records.length <= 105, String(records.length))
    played.interrupt.abort({ code: 143 })
    assert.equal(await ended(played, code), 143)
    assert.deepEqual(
      played.lines.slice(-2).map(({ name }) => name),
      ['shutdown_complete', 'tool_data']
    )
    assert.equal(played.lines.at(-1)!.sent, records.length)
  })

  test('a throughput of 0 sends one message and waits', async () => {
    const played = new Played()
    const records: OutgoingRecord[] = []
    const code = played.run(verifiableProducer, [...at, '--topic', 't', '--throughput', '0'], topicOf(records))
    await played.virtual.advance(60_000)
    assert.equal(records.length, 1)
    played.interrupt.abort({ code: 130 })
    assert.equal(await ended(played, code), 130)
  })

  test('messages are of the time that is given, and later ones of later', async () => {
    const played = new Played()
    const records: OutgoingRecord[] = []
    const args = [...at, '--topic', 't', '--max-messages', '3', '--throughput', '10', '--message-create-time', '5000']
    await ended(played, played.run(verifiableProducer, args, topicOf(records)))
    assert.deepEqual(
      records.map(({ timestamp }) => timestamp),
      [5000, 5100, 5200]
    )
  })

  test('acks are Java’s numbers; the command line wins over the configuration', async () => {
    const config = { 'producer.properties': 'acks=1\nlinger.ms=7\nclient.id=me\nmetrics.recording.level=INFO\n' }
    const settingsOf = async (...args: string[]) => {
      const played = new Played(config)
      await ended(played, played.run(verifiableProducer, [...at, '--topic', 't', '--max-messages', '0', ...args], topicOf([])))
      return { options: played.options, notes: played.notes }
    }
    assert.deepEqual((await settingsOf('--acks', '-1')).options, { publish: { acks: 'all' } })
    assert.deepEqual((await settingsOf('--acks', '0')).options, { publish: { acks: 'none' } })
    for (const option of ['--producer.config', '--command-config']) {
      const { options, notes } = await settingsOf(option, 'producer.properties')
      assert.deepEqual(options, { clientId: 'me', publish: { acks: 'leader', lingerMs: 7 } })
      assert.deepEqual(notes, ['Of the configuration this has no meaning here: metrics.recording.level'])
    }
    const { options } = await settingsOf('--acks', '0', '--producer.config', 'producer.properties')
    assert.deepEqual(options?.publish, { acks: 'none', lingerMs: 7 })
  })

  test('wrong use is refused before anything is opened', async () => {
    const wrong = [[], ['--topic', 't', '--acks', '2'], ['--topic', 't', '--max-messages', '-2'], ['--topic', 't', '--repeating-keys', '0']]
    for (const args of wrong)
      await assert.rejects(new Played().run(verifiableProducer, [...at, ...args], cluster), /--(topic|acks|max-messages|repeating-keys) is/)
  })
})

describe('verifiable-consumer', () => {
  type Batch = { topic: string; partition: number; messages: { offset: bigint; key: Buffer | null; value: Buffer | null }[] }
  const batch = (partition: number, from: number, ...values: (string | null)[]): Batch => ({
    topic: 't',
    partition,
    messages: values.map((value, index) => ({ offset: BigInt(from + index), key: null, value: value === null ? null : Buffer.from(value) }))
  })

  /** A consumer that plays a script: events, and batches that are handed out. */
  class Consumer {
    subscription: SubscribeOptions | undefined
    readonly acked: string[] = []
    commits: (() => Promise<void>) | undefined
    closed = 0
    #listener: (event: ConsumerEmitted) => void = () => {}
    readonly #script: (ConsumerEmitted | Batch)[]
    /** After the script: ends it as its signal does. */
    #signal: AbortSignal | undefined

    constructor(...script: (ConsumerEmitted | Batch)[]) {
      this.#script = script
    }

    readonly cluster = {
      subscribe: ({ signal, ...subscription }: SubscribeOptions & { signal: AbortSignal }) => {
        this.subscription = subscription
        this.#signal = signal
        return this
      }
    }

    on(_type: '*', listener: (event: ConsumerEmitted) => void): void {
      this.#listener = listener
    }

    emit(event: ConsumerEmitted): void {
      this.#listener(event)
    }

    async *batches() {
      for (const step of this.#script) {
        if ('type' in step) this.emit(step)
        else yield { ...step, ack: (message: { offset: bigint }) => void this.acked.push(`${step.partition}@${message.offset}`) }
      }
      if (!this.#signal!.aborted) await new Promise(resolve => this.#signal!.addEventListener('abort', resolve))
    }

    async commit(): Promise<void> {
      await this.commits?.()
    }

    async close(): Promise<void> {
      if (this.closed++ === 0) this.emit({ type: 'partition.revoked', partitions: [{ topic: 't', partition: 0 }], epoch: 1 })
    }
  }

  const here = { topic: 't', partition: 0 }
  const assigned: ConsumerEmitted = { type: 'partition.assigned', partitions: [here], epoch: 1 }
  const group = [...at, '--topic', 't', '--group-id', 'g']

  test('what happens to a member, in the words of Java’s tool', async () => {
    const played = new Played()
    const consumer = new Consumer(assigned, batch(0, 5, 'a', null), batch(0, 7, 'c', 'd'))
    const commits: ConsumerEmitted[] = [7, 8].map(offset => ({ type: 'committed', offsets: [{ ...here, offset: String(offset) }] }))
    consumer.commits = async () => consumer.emit(commits.shift()!)
    const args = [...group, '--verbose', '--max-messages', '3']
    assert.equal(await ended(played, played.run(verifiableConsumer, args, consumer.cluster)), 0)
    const record = (offset: number, value: string | null) => ({ name: 'record_data', key: null, value, ...here, offset })
    const consumed = (count: number, minOffset: number, maxOffset: number) => ({
      name: 'records_consumed',
      count,
      partitions: [{ ...here, count, minOffset, maxOffset }]
    })
    assert.deepEqual(played.lines, [
      { name: 'startup_complete' },
      { name: 'partitions_assigned', partitions: [here] },
      record(5, 'a'),
      record(6, null),
      consumed(2, 5, 6),
      { name: 'offsets_committed', offsets: [{ ...here, offset: 7 }], success: true },
      record(7, 'c'),
      consumed(1, 7, 7),
      { name: 'offsets_committed', offsets: [{ ...here, offset: 8 }], success: true },
      { name: 'partitions_revoked', partitions: [here] },
      { name: 'shutdown_complete' }
    ])
    assert.deepEqual(consumer.acked, ['0@6', '0@7'])
    const order = played.out.split('\n').map(line => Object.keys(line ? JSON.parse(line) : {}).join())
    assert.deepEqual([order[2], order[5]], ['timestamp,name,key,value,topic,partition,offset', 'timestamp,name,offsets,success'])
  })

  test('an interrupt ends it in order', async () => {
    const played = new Played()
    const consumer = new Consumer(assigned, batch(0, 0, 'a'))
    const code = played.run(verifiableConsumer, group, consumer.cluster)
    await played.virtual.advance(10)
    played.interrupt.abort({ code: 143 })
    assert.equal(await ended(played, code), 143)
    assert.deepEqual(
      played.lines.map(({ name }) => name),
      ['startup_complete', 'partitions_assigned', 'records_consumed', 'shutdown_requested', 'partitions_revoked', 'shutdown_complete']
    )
  })

  test('commits that fail say what was to be committed; where it begins is no commit of its own', async () => {
    const played = new Played()
    const consumer = new Consumer(assigned, batch(0, 0, 'a'))
    consumer.commits = async () => {
      consumer.emit({ type: 'committed', offsets: [{ topic: 't', partition: 1, offset: '4' }] })
      throw new Error('no coordinator')
    }
    await ended(played, played.run(verifiableConsumer, [...group, '--max-messages', '1'], consumer.cluster))
    assert.deepEqual(
      played.lines.filter(({ name }) => name === 'offsets_committed'),
      [{ name: 'offsets_committed', offsets: [{ ...here, offset: 1 }], error: 'no coordinator', success: false }]
    )
  })

  test('a loss is told as Java tells it, and one that has nothing is a member all the same', async () => {
    const played = new Played()
    const steady: ConsumerEmitted = { type: 'member.state', state: 'steady', reason: '' }
    const lost: ConsumerEmitted = { type: 'partition.lost', partitions: [here], epoch: 1, reason: 'x' }
    const consumer = new Consumer(steady, steady, assigned, steady, lost, steady)
    const code = played.run(verifiableConsumer, group, consumer.cluster)
    await played.virtual.advance(10)
    played.interrupt.abort({ code: 130 })
    assert.equal(await ended(played, code), 130)
    assert.deepEqual(played.lines.slice(1, 5), [
      { name: 'partitions_assigned', partitions: [] },
      { name: 'partitions_assigned', partitions: [here] },
      { name: 'partitions_revoked', partitions: [here] },
      { name: 'partitions_assigned', partitions: [] }
    ])
  })

  test('with automatic commits nothing is said of them', async () => {
    const played = new Played()
    const consumer = new Consumer(assigned, batch(0, 0, 'a'))
    consumer.commits = () => assert.fail('it commits by itself')
    await ended(played, played.run(verifiableConsumer, [...group, '--enable-autocommit', '--max-messages', '1'], consumer.cluster))
    assert.equal(consumer.subscription?.autoCommitIntervalMs, undefined)
    assert.ok(!played.out.includes('offsets_committed'))
  })

  test('what ends the consumer ends the command, with shutdown_complete', async () => {
    const played = new Played()
    const consumer = new Consumer(assigned)
    consumer.batches = async function* () {
      yield* []
      throw new Error('fenced')
    }
    assert.equal(await ended(played, played.run(verifiableConsumer, group, consumer.cluster)), 1)
    assert.equal(played.lines.at(-1)!.name, 'shutdown_complete')
    assert.match(played.notes[0]!, /fenced/)
  })

  test('options and configuration become a subscription', async () => {
    const file =
      'group.instance.id=static\nmax.poll.records=50\nisolation.level=read_committed\nauto.offset.reset=latest\nsession.timeout.ms=9000\n'
    const subscriptionOf = async (...args: string[]) => {
      const played = new Played({ 'c.properties': file })
      const consumer = new Consumer()
      await ended(played, played.run(verifiableConsumer, [...group, '--max-messages', '0', ...args], consumer.cluster))
      return consumer.subscription
    }
    const common = { topic: 't', group: 'g', autoCommitIntervalMs: 86_400_000 }
    assert.deepEqual(await subscriptionOf(), {
      ...common,
      membership: 'classic',
      from: 'earliest',
      groupSessionTimeoutMs: 30_000,
      assignor: ['range']
    })
    assert.deepEqual(await subscriptionOf('--consumer.config', 'c.properties', '--session-timeout', '7000'), {
      ...common,
      membership: 'classic',
      from: 'latest',
      groupSessionTimeoutMs: 7_000,
      groupInstanceId: 'static',
      batchMaxMessages: 50,
      isolation: 'read_committed',
      assignor: ['range']
    })
    const strategy = 'org.apache.kafka.clients.consumer.CooperativeStickyAssignor,org.apache.kafka.clients.consumer.RangeAssignor'
    const { assignor } = (await subscriptionOf('--assignment-strategy', strategy))!
    assert.deepEqual(assignor, ['cooperative-sticky', 'range'])
    const modern = (await subscriptionOf('--group-protocol', 'CONSUMER', '--group-remote-assignor', 'uniform'))!
    assert.deepEqual([modern.membership, modern.remoteAssignor, modern.assignor], ['consumer', 'uniform', undefined])
    assert.equal((await subscriptionOf('--reset-policy', 'none'))!.from, 'fail')
    assert.deepEqual((await subscriptionOf('--reset-policy', 'by_duration:P1DT2H3M4.5S'))!.from, { durationMs: 93_784_500 })
  })

  test('the cluster is named as Java’s tools name it, or as ours do', async () => {
    const urlOf = async (args: string[], env: Record<string, string> = {}, files: Record<string, string> = {}) => {
      const played = new Played(files)
      const consumer = new Consumer()
      const all = ['--topic', 't', '--group-id', 'g', '--max-messages', '0', ...args]
      await ended(played, played.run(verifiableConsumer, all, consumer.cluster, env))
      return played.url
    }
    const env = { SAMSA_CLUSTER: 'zookeeper://z:2181' }
    const files = { c: 'bootstrap.servers=f:9092\n' }
    assert.equal(await urlOf(['--bootstrap-server', 'a:1,b:2'], env), 'kafka://a:1,b:2')
    assert.equal(await urlOf(['--broker-list', 'a:1'], env), 'kafka://a:1')
    assert.equal(await urlOf(['--command-config', 'c'], env, files), 'zookeeper://z:2181')
    assert.equal(await urlOf(['--command-config', 'c'], {}, files), 'kafka://f:9092')
    await assert.rejects(urlOf([]), /no cluster is named/)
    await assert.rejects(urlOf([...at, '--bootstrap-server', 'a:1']), /not both/)
  })

  test('wrong use is refused before anything is opened', async () => {
    for (const args of [
      ['--topic', 't'],
      ['--group-id', 'g'],
      ['--topic', 't', '--group-id', 'g', '--group-protocol', 'eager'],
      ['--topic', 't', '--group-id', 'g', '--assignment-strategy', 'org.example.Mine'],
      ['--topic', 't', '--group-id', 'g', '--reset-policy', 'by_duration:soon'],
      ['--topic', 't', '--group-id', 'g', '--session-timeout', 'long']
    ])
      await assert.rejects(new Played().run(verifiableConsumer, [...at, ...args], cluster), /--[a-z-]+ is /, args.join(' '))
  })
})

describe('a properties file of Java', () => {
  test('is read as Java reads it', () => {
    const text =
      '# a comment\n! another\n\n  a = 1 \nb:2\nc 3\nd=one,\\\n    two\ne=a\\=b\\u00fc\\n\nf\\ g=h\nlast=\\\\\\\\\nk=' +
      'x\r\nempty=\nalone\na=2'
    assert.deepEqual(Object.fromEntries(parseProperties(text)), {
      a: '2',
      b: '2',
      c: '3',
      d: 'one,two',
      e: 'a=bü\n',
      'f g': 'h',
      last: '\\\\',
      k: 'x',
      empty: '',
      alone: ''
    })
  })

  test('its settings are checked, and what has no meaning is named', () => {
    const settings = (text: string) => javaSettings(parseProperties(text), 'consumer', ['group.id'])
    assert.deepEqual(settings('group.id=g\nsecurity.protocol=PLAINTEXT\nfetch.min.bytes=5\nclient.rack=r\ninterceptor.classes=x'), {
      cluster: { rack: 'r' },
      publish: {},
      subscribe: { fetchMinBytes: 5 },
      unknown: ['interceptor.classes']
    })
    assert.throws(() => settings('security.protocol=SASL_SSL'), /only PLAINTEXT/)
    assert.throws(() => settings('fetch.min.bytes=many'), /whole number/)
    assert.throws(() => javaSettings(parseProperties('enable.idempotence=yes'), 'producer', []), /true or false/)
  })
})
