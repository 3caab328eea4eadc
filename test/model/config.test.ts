/**
 * Options: what is filled in, what is refused and in which words; the URL of a cluster; names of topics.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import {
  type ClusterOptions,
  checkTopicName,
  type PublishOptions,
  parseClusterUrl,
  resolveOptions,
  resolvePublishOptions
} from '../../src/model/config.ts'

const MiB = 1024 * 1024
const named = { brokers: 'localhost:9092' }
const refused = (given: object, option: string | undefined, words: RegExp, code = 'INVALID_OPTION') =>
  assert.throws(
    () => resolveOptions({ ...named, ...given } as ClusterOptions),
    (error: { name: string; code: string; message: string; details: { option?: string } }) => {
      assert.deepEqual([error.name, error.code, error.details.option], ['UsageError', code, option])
      assert.match(error.message, words)
      return true
    }
  )

/** name: default, least, most. Said a second time here, so that a default does not change by mistake. */
const NUMBERS: Record<string, readonly [number, number, number]> = {
  connectTimeoutMs: [30_000, 1, 3_600_000],
  sessionTimeoutMs: [6_000, 100, 3_600_000],
  dialTimeoutMs: [10_000, 1, 600_000],
  requestTimeoutMs: [30_000, 100, 3_600_000],
  reconnectBackoffMs: [50, 1, 60_000],
  reconnectBackoffMaxMs: [1_000, 1, 600_000],
  retryBackoffMs: [100, 1, 60_000],
  retryBackoffMaxMs: [1_000, 1, 600_000],
  metadataMaxAgeMs: [300_000, 100, 86_400_000],
  maxFrameBytes: [100 * MiB, 65_536, 1024 * MiB],
  maxDecompressedBytes: [128 * MiB, 65_536, 1024 * MiB],
  recorderMaxBytes: [4 * MiB, 0, 1024 * MiB],
  journalMaxBytes: [64 * MiB, 65_536, 16_384 * MiB],
  outboxMaxBytes: [64 * MiB, 65_536, 16_384 * MiB]
}
const PUBLISH_NUMBERS: Record<string, readonly [number, number, number]> = {
  lingerMs: [0, 0, 600_000],
  batchBytes: [131_072, 128, 100 * MiB],
  maxRequestBytes: [MiB, 1_024, 100 * MiB],
  bufferMemoryBytes: [64 * MiB, 65_536, 16_384 * MiB],
  maxBlockMs: [60_000, 0, 3_600_000],
  deliveryTimeoutMs: [120_000, 100, 86_400_000]
}
const defaults = (table: typeof NUMBERS) => Object.fromEntries(Object.entries(table).map(([name, [fallback]]) => [name, fallback]))

describe('options', () => {
  it('are filled with their defaults', () => {
    assert.deepEqual(resolveOptions(named), {
      zookeeper: null,
      brokers: 'localhost:9092',
      clientId: 'samsa',
      rack: null,
      listenerName: null,
      journal: null,
      outbox: null,
      outboxFsync: true,
      createTopics: false,
      ...defaults(NUMBERS),
      publish: {
        ...defaults(PUBLISH_NUMBERS),
        partitioner: undefined,
        compression: 'none',
        idempotent: true,
        acks: 'all',
        onUnknown: 'reroute'
      }
    })
  })

  it('are plain data, that a recording can keep', () => {
    const options = resolveOptions(named)
    assert.deepEqual(structuredClone(options), options)
  })

  it('that are numbers are taken from their least to their most, and refused beyond', () => {
    for (const [name, [, least, most]] of Object.entries(NUMBERS)) {
      for (const value of [least, most]) assert.equal((resolveOptions({ ...named, [name]: value }) as never)[name], value)
      for (const value of [least - 1, most + 1, Number.NaN, Number.POSITIVE_INFINITY, '5', {}])
        refused({ [name]: value }, name, new RegExp(`${name} is .*from ${least} to ${most}`))
    }
    for (const [name, [, least, most]] of Object.entries(PUBLISH_NUMBERS)) {
      for (const value of [least, most]) assert.equal((resolvePublishOptions({ [name]: value }) as never)[name], value)
      for (const value of [least - 1, most + 1, Number.NaN, '5'])
        refused({ publish: { [name]: value } }, name, new RegExp(`publish\\.${name} is .*from ${least} to ${most}`))
    }
  })

  it('that are undefined, or null, are as if they were not given', () => {
    assert.deepEqual(resolveOptions({ ...named, requestTimeoutMs: undefined, clientId: undefined } as never), resolveOptions(named))
    assert.deepEqual(resolvePublishOptions({ lingerMs: undefined, acks: undefined } as never), resolvePublishOptions())
  })

  it('that do not exist are refused with those that do', () => {
    refused({ requestTimeout: 5 }, 'requestTimeout', /no option requestTimeout\. Known: .*requestTimeoutMs/, 'UNKNOWN_OPTION')
    refused({ publish: { linger: 5 } }, 'linger', /no option publish\.linger\. Known: .*lingerMs/, 'UNKNOWN_OPTION')
    refused(JSON.parse('{ "constructor": 1 }'), 'constructor', /constructor/, 'UNKNOWN_OPTION')
    assert.throws(() => resolveOptions(JSON.parse('{ "__proto__": 1, "brokers": "h" }')), { code: 'UNKNOWN_OPTION' })
  })

  it('name the cluster, by ZooKeeper, brokers or both', () => {
    assert.throws(() => resolveOptions({}), { name: 'UsageError', code: 'INVALID_OPTION', message: /or by both/ })
    const { zookeeper, brokers } = resolveOptions({ zookeeper: 'h:2181', brokers: 'h:9092' })
    assert.deepEqual([zookeeper, brokers], ['h:2181', 'h:9092'])
    assert.equal(resolveOptions({ zookeeper: 'h:2181/kafka' }).zookeeper, 'h:2181/kafka')
  })

  it('of the wrong type are refused, by their name', () => {
    for (const option of ['rack', 'listenerName', 'zookeeper', 'brokers']) refused({ [option]: 7 }, option, /must be a string/)
    refused({ createTopics: 'yes' }, 'createTopics', /must be a boolean/)
    refused({ publish: { idempotent: 1 } }, 'publish.idempotent', /must be a boolean/)
    refused({ publish: 'fast' }, undefined, /publish options must be an object/)
    for (const given of [undefined, null, 'localhost:9092'])
      assert.throws(() => resolveOptions(given as never), { name: 'UsageError', message: /must be an object/ })
  })

  it('that count bytes are whole numbers', () => {
    refused({ maxFrameBytes: 100_000.5 }, 'maxFrameBytes', /whole number/)
    refused({ publish: { batchBytes: 1_000.5 } }, 'batchBytes', /whole number/)
  })

  it('have a client id of 1 to 249 characters', () => {
    for (const clientId of ['', 'x'.repeat(250), 7, {}]) refused({ clientId }, 'clientId', /clientId/)
    assert.equal(resolveOptions({ ...named, clientId: 'x'.repeat(249) }).clientId.length, 249)
  })
})

describe('publish options', () => {
  const of = (given: PublishOptions) => resolvePublishOptions(given)

  it('are idempotent only with acks all', () => {
    assert.equal(of({ acks: 'all' }).idempotent, true)
    assert.equal(of({ acks: 'leader' }).idempotent, false)
    assert.equal(of({ acks: 'none' }).idempotent, false)
    assert.equal(of({ idempotent: false }).idempotent, false)
    for (const acks of ['leader', 'none'] as const) refused({ publish: { acks, idempotent: true } }, 'acks', /needs publish\.acks 'all'/)
  })

  it('take one of what there is', () => {
    for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) assert.equal(of({ compression }).compression, compression)
    assert.equal(of({ onUnknown: 'wait' }).onUnknown, 'wait')
    refused({ publish: { compression: 'brotli' } }, 'publish.compression', /none, gzip, snappy, lz4, zstd/)
    refused({ publish: { acks: -1 } }, 'publish.acks', /all, leader, none/)
    refused({ publish: { onUnknown: 'drop' } }, 'publish.onUnknown', /reroute, wait/)
  })

  it('take a partitioner that is a function', () => {
    const partitioner = () => 0
    assert.equal(of({ partitioner }).partitioner, partitioner)
    refused({ publish: { partitioner: 'sticky' } }, 'partitioner', /must be a function/)
  })
})

describe('the documented default', () => {
  it('of every number is the one in the table', () => {
    const source = readFileSync(new URL('../../src/model/config.ts', import.meta.url), 'utf8')
    for (const [name, [fallback]] of Object.entries({ ...NUMBERS, ...PUBLISH_NUMBERS })) {
      const comment = new RegExp(`/\\*\\*([^\\n]*)\\*/\\n  ${name}\\?:`).exec(source)?.[1]
      const said = /Default ([\d,]+)( MiB)?/.exec(comment ?? '')
      assert.ok(said, `${name} has a documented default`)
      assert.equal(Number(said[1]!.replaceAll(',', '')) * (said[2] ? MiB : 1), fallback, name)
    }
  })
})

describe('the URL of a cluster', () => {
  it('names ZooKeeper with its chroot, or brokers', () => {
    const good: [string, object][] = [
      ['zookeeper://h:2181', { zookeeper: 'h:2181' }],
      ['zookeeper://h:2181/', { zookeeper: 'h:2181' }],
      ['zookeeper://a:2181,b:2181/kafka/one', { zookeeper: 'a:2181,b:2181/kafka/one' }],
      ['zookeeper://[::1]:2181/kafka', { zookeeper: '[::1]:2181/kafka' }],
      ['kafka://h:9092', { brokers: 'h:9092' }],
      ['kafka://a:9092,b:9093/', { brokers: 'a:9092,b:9093' }],
      ['zookeeper://a:2181,b:2181/kafka,kafka://a:9092,b:9093', { zookeeper: 'a:2181,b:2181/kafka', brokers: 'a:9092,b:9093' }],
      ['kafka://a:9092,zookeeper://a:2181', { zookeeper: 'a:2181', brokers: 'a:9092' }]
    ]
    for (const [url, options] of good) assert.deepEqual(parseClusterUrl(url), options, url)
  })

  it('is refused with the two forms that there are', () => {
    for (const url of [
      '',
      'localhost:9092',
      'http://h:80',
      'kafka://',
      'kafka://h:9092/topic',
      'zookeeper://h:2181/a?b',
      'kafka:// h',
      'kafka://h:9092,kafka://i:9092',
      'KAFKA://h'
    ])
      assert.throws(
        () => parseClusterUrl(url),
        { name: 'UsageError', code: 'INVALID_CLUSTER_URL', message: /zookeeper:\/\/host:2181.*kafka:\/\// },
        url
      )
  })
})

describe('the name of a topic', () => {
  it('is what Kafka takes', () => {
    for (const name of ['a', 'A.b_c-9', '...', '.a', '__consumer_offsets', 'x'.repeat(249)]) checkTopicName(name)
  })

  it('is never a path, nothing, too long or of other characters', () => {
    const bad = ['', '.', '..', '../x', 'a/b', 'a\\b', 'a\0', 'a b', 'é', 'a\n', 'x'.repeat(250), 'a:b', 7, null, undefined, ['a'], {}]
    for (const name of bad)
      assert.throws(() => checkTopicName(name as string), { name: 'UsageError', code: 'INVALID_TOPIC', message: /1 to 249/ }, String(name))
  })

  it('that is refused is quoted, not repeated at length', () => {
    assert.throws(
      () => checkTopicName('x'.repeat(1_000_000)),
      (error: Error) => error.message.length < 400
    )
  })
})

it('an address with a user or a password is refused, and neither is repeated', () => {
  const refused = { name: 'UsageError', code: 'CREDENTIALS_IN_ADDRESS' }
  for (const user of ['anna:canary@', 'canary@', ':can@ary@', 'anna:can/ary?@']) {
    for (const make of [
      () => parseClusterUrl(`zookeeper://${user}h:2181/kafka`),
      () => parseClusterUrl(`kafka://h:1,${user}h:9092`),
      () => resolveOptions({ zookeeper: `${user}h:2181` }),
      () => resolveOptions({ brokers: `${user}h:9092` })
    ]) {
      assert.throws(make, refused, user)
      assert.throws(make, (error: Error) => !/anna|can|ary/.test(error.message), user)
    }
  }
})
