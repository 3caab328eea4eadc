/**
 * Kafka's znodes: every version as brokers write it, round trips, and data that no broker would write.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { RegistryError } from '../../../src/model/errors.ts'
import {
  type BrokerRegistration,
  chooseEndpoint,
  parseBrokerId,
  parseBrokerRegistration,
  writeBrokerRegistration
} from '../../../src/registry/znodes/broker.ts'
import {
  parseClusterId,
  parseController,
  parseControllerEpoch,
  writeClusterId,
  writeController
} from '../../../src/registry/znodes/cluster.ts'
import { parsePartitionState, writePartitionState } from '../../../src/registry/znodes/partition-state.ts'
import { isTopicName, parseTopicAssignment, writeTopicAssignment } from '../../../src/registry/znodes/topic.ts'

const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
const plain = (host: string, port: number) => ({ listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host, port })

describe('a broker registration', () => {
  it('of each version says where the broker listens', () => {
    const v1 = { jmx_port: -1, timestamp: '1', host: 'b1.example.org', version: 1, port: 9092 }
    assert.deepEqual(parseBrokerRegistration(1, bytes(v1)), { id: 1, version: 1, endpoints: [plain('b1.example.org', 9092)], rack: null })
    const v2 = { ...v1, version: 2, endpoints: ['PLAINTEXT://b1:9092', 'SSL://b1:9093'] }
    assert.deepEqual(parseBrokerRegistration(1, bytes(v2)).endpoints, [
      plain('b1', 9092),
      { listenerName: 'SSL', securityProtocol: 'SSL', host: 'b1', port: 9093 }
    ])
    assert.equal(parseBrokerRegistration(1, bytes({ ...v2, version: 3, rack: 'r1' })).rack, 'r1')
    const live =
      '{"features":{},"listener_security_protocol_map":{"INSIDE":"PLAINTEXT","OUT":"SASL_SSL"},"endpoints":["OUT://[2001:db8::1]:9094","INSIDE://127.0.0.1:29091"],"jmx_port":-1,"port":-1,"host":null,"version":5,"timestamp":"1795369998055"}'
    const v5 = parseBrokerRegistration(7, bytes(live))
    assert.deepEqual(v5.endpoints[0], { listenerName: 'OUT', securityProtocol: 'SASL_SSL', host: '2001:db8::1', port: 9094 })
    assert.equal(v5.rack, null)
    assert.equal(parseBrokerRegistration(7, bytes({ ...JSON.parse(live), version: 6, more: [[]] })).version, 6)
  })

  it('is dialled at the listener that was asked for, else at the first PLAINTEXT one', () => {
    const broker: BrokerRegistration = {
      id: 3,
      version: 5,
      rack: null,
      endpoints: [
        { listenerName: 'OUT', securityProtocol: 'SSL', host: 'o', port: 1 },
        { listenerName: 'IN', securityProtocol: 'PLAINTEXT', host: 'i', port: 2 },
        { listenerName: 'IN2', securityProtocol: 'PLAINTEXT', host: 'j', port: 3 }
      ]
    }
    assert.equal(chooseEndpoint(broker, null).host, 'i')
    assert.equal(chooseEndpoint(broker, 'IN2').host, 'j')
    assert.equal(chooseEndpoint(broker, 'OUT').host, 'o')
    assert.throws(() => chooseEndpoint(broker, 'in'), { code: 'LISTENER_NOT_FOUND', message: /OUT \(SSL\), IN \(PLAINTEXT\)/ })
    assert.throws(() => chooseEndpoint({ ...broker, endpoints: broker.endpoints.slice(0, 1) }, null), { code: 'LISTENER_NOT_FOUND' })
  })

  it('comes back as it was written', () => {
    const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6())
    const endpoint = fc.record(
      {
        listenerName: fc.stringMatching(/^[A-Z_]{1,20}$/),
        securityProtocol: fc.constantFrom('PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'),
        host,
        port: fc.integer({ min: 1, max: 65_535 })
      },
      { noNullPrototype: true }
    )
    const endpoints = fc.uniqueArray(endpoint, { selector: each => each.listenerName, minLength: 1, maxLength: 5 })
    const rack = fc.option(fc.string({ minLength: 1, maxLength: 30 }))
    fc.assert(
      fc.property(endpoints, rack, (given, rackName) => {
        const written = writeBrokerRegistration({ endpoints: given, rack: rackName }, 1)
        assert.deepEqual(parseBrokerRegistration(9, written), { id: 9, version: 5, endpoints: given, rack: rackName })
      })
    )
  })

  const v2 = { version: 2, endpoints: ['PLAINTEXT://b1:9092'] }
  const hostile: Record<string, unknown> = {
    nothing: '',
    'no JSON': 'localhost:9092',
    'a list': [],
    null: 'null',
    'no version': { endpoints: ['PLAINTEXT://b:1'] },
    'version 0': { ...v2, version: 0 },
    'a version that is a string': { ...v2, version: '5' },
    'version 1 without a host': { version: 1, port: 9092 },
    'version 1 with a null host': { version: 1, host: null, port: -1 },
    'port 99999': { version: 1, host: 'b', port: 99_999 },
    'port 0': { version: 1, host: 'b', port: 0 },
    'a port that is a string': { version: 1, host: 'b', port: '9092' },
    'a fractional port': { version: 1, host: 'b', port: 9092.5 },
    'no endpoints': { version: 5 },
    'an empty list of endpoints': { version: 5, endpoints: [] },
    'an endpoint that is an object': { version: 5, endpoints: [{}] },
    'an endpoint with port 99999': { version: 5, endpoints: ['PLAINTEXT://b:99999'] },
    'an endpoint with port 0': { version: 5, endpoints: ['PLAINTEXT://b:0'] },
    'an endpoint without a host': { version: 5, endpoints: ['PLAINTEXT://:9092'] },
    'an endpoint without a scheme': { version: 5, endpoints: ['b:9092'] },
    'an endpoint with a path': { version: 5, endpoints: ['PLAINTEXT://b:9092/x'] },
    'an endpoint with credentials': { version: 5, endpoints: ['PLAINTEXT://u:p@b:9092'] },
    'a host with a line break': { version: 1, host: 'b\nc', port: 1 },
    'the same listener twice': { version: 5, endpoints: ['A://b:1', 'A://b:2'] },
    'ten thousand endpoints': { version: 5, endpoints: Array.from({ length: 10_000 }, (_, i) => `L${i}://b:1`) },
    'an endpoint of a megabyte': { version: 5, endpoints: [`PLAINTEXT://${'b'.repeat(900_000)}:1`] },
    'a protocol map that is a list': { ...v2, listener_security_protocol_map: [] },
    'a protocol that is a number': { ...v2, listener_security_protocol_map: { PLAINTEXT: 1 } },
    'a rack that is an object': { ...v2, rack: {} },
    'broken UTF-8': Buffer.from([0x7b, 0xff, 0xfe, 0x7d]).toString('latin1'),
    '10,000 levels': `${'['.repeat(10_000)}${']'.repeat(10_000)}`,
    '10,000 levels in a field': `{"version":5,"endpoints":["PLAINTEXT://b:1"],"x":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}`,
    'more than a megabyte': `{"version":5,"endpoints":["PLAINTEXT://b:1"],"x":"${'x'.repeat(1 << 20)}"}`
  }
  for (const [name, value] of Object.entries(hostile)) {
    it(`with ${name} is refused with its path`, () => {
      assert.throws(() => parseBrokerRegistration(4, bytes(value)), { code: 'ZNODE_INVALID', message: /\/brokers\/ids\/4 / })
    })
  }

  it('cannot reach a prototype', () => {
    const text = '{"__proto__":{"version":5,"endpoints":["PLAINTEXT://evil:1"],"polluted":1},"constructor":{"prototype":{"polluted":1}}}'
    assert.throws(() => parseBrokerRegistration(4, bytes(text)), { code: 'ZNODE_INVALID' })
    const mapped = '{"version":5,"endpoints":["__proto__://b:1","toString://b:2"],"listener_security_protocol_map":{"__proto__":"SSL"}}'
    assert.deepEqual(
      parseBrokerRegistration(4, bytes(mapped)).endpoints.map(endpoint => endpoint.securityProtocol),
      ['SSL', 'UNKNOWN']
    )
    assert.equal(({} as { polluted?: number }).polluted, undefined)
  })

  it('is named by a plain number', () => {
    assert.equal(parseBrokerId('0'), 0)
    assert.equal(parseBrokerId('2147483647'), 2_147_483_647)
    for (const child of ['', '-1', '01', '1.0', '1e3', '2147483648', '99999999999', 'seed', '__proto__', ' 1']) {
      assert.throws(() => parseBrokerId(child), { code: 'ZNODE_INVALID' })
    }
  })
})

describe('a topic', () => {
  it('of each version says who keeps what', () => {
    const expected = { partition: 0, replicas: [3, 1, 2], addingReplicas: [], removingReplicas: [] }
    assert.deepEqual(parseTopicAssignment('t', bytes('{"version":1,"partitions":{"0":[3,1,2]}}')), {
      version: 1,
      topicId: null,
      partitions: [expected]
    })
    const v2 = '{"version":2,"partitions":{"10":[1],"2":[1,2],"0":[3,1,2]},"adding_replicas":{"2":[2]},"removing_replicas":{"2":[1]}}'
    const parsed = parseTopicAssignment('t', bytes(v2))
    assert.deepEqual(
      parsed.partitions.map(each => each.partition),
      [0, 2, 10]
    )
    assert.deepEqual(parsed.partitions[1], { partition: 2, replicas: [1, 2], addingReplicas: [2], removingReplicas: [1] })
    const v3 = '{"partitions":{"0":[3,1,2]},"topic_id":"8miJSYERRa-uwvV_gvg6qw","adding_replicas":{},"removing_replicas":{},"version":3}'
    assert.equal(parseTopicAssignment('t', bytes(v3)).topicId, '8miJSYERRa-uwvV_gvg6qw')
  })

  it('comes back as it was written', () => {
    const ids = fc.uniqueArray(fc.integer({ min: 0, max: 0x7fff_ffff }), { maxLength: 5 })
    const partition = fc.record(
      { partition: fc.nat(100_000), replicas: ids, addingReplicas: ids, removingReplicas: ids },
      { noNullPrototype: true }
    )
    const partitions = fc.uniqueArray(partition, { selector: each => each.partition, maxLength: 20 })
    const topicId = fc.option(fc.stringMatching(/^[A-Za-z0-9_-]{22}$/))
    fc.assert(
      fc.property(partitions, topicId, (given, id) => {
        const sorted = [...given].sort((a, b) => a.partition - b.partition)
        const written = writeTopicAssignment({ topicId: id, partitions: sorted })
        assert.deepEqual(parseTopicAssignment('t', written), { version: 3, topicId: id, partitions: sorted })
      })
    )
  })

  const hostile: Record<string, unknown> = {
    'no partitions': { version: 3 },
    'partitions that are a list': { version: 3, partitions: [[1]] },
    'a negative partition': { version: 3, partitions: { '-1': [1] } },
    'a partition with a leading zero': { version: 3, partitions: { '00': [1] } },
    'a partition named __proto__': '{"version":3,"partitions":{"__proto__":[1]}}',
    'a replica twice': { version: 3, partitions: { 0: [1, 1] } },
    'a negative replica': { version: 3, partitions: { 0: [-1] } },
    'a replica that is a string': { version: 3, partitions: { 0: ['1'] } },
    'a replica over int32': { version: 3, partitions: { 0: [2 ** 31] } },
    'replicas that are no list': { version: 3, partitions: { 0: 1 } },
    'a topic id that is none': { version: 3, partitions: {}, topic_id: '../../etc' },
    'adding replicas that are none': { version: 3, partitions: { 0: [1] }, adding_replicas: { 0: 'x' } }
  }
  for (const [name, value] of Object.entries(hostile)) {
    it(`with ${name} is refused with its path`, () => {
      assert.throws(() => parseTopicAssignment('orders', bytes(value)), { code: 'ZNODE_INVALID', message: /\/brokers\/topics\/orders / })
    })
  }

  it('has a name that can be part of a path', () => {
    for (const name of ['a', 'A.b_c-9', '__consumer_offsets', 'x'.repeat(249)]) assert.ok(isTopicName(name))
    for (const name of ['', '.', '..', '../x', 'a/b', 'a\u0000', 'ü', 'x'.repeat(250)]) assert.ok(!isTopicName(name))
  })
})

describe('a partition state', () => {
  it('says who leads', () => {
    const live = '{"controller_epoch":1,"leader":3,"version":1,"leader_epoch":0,"isr":[3,1,2]}'
    const state = { leader: 3, leaderEpoch: 0, inSync: [3, 1, 2], controllerEpoch: 1 }
    assert.deepEqual(parsePartitionState('t', 0, bytes(live)), state)
    assert.deepEqual(parsePartitionState('t', 0, writePartitionState(state)), state)
    const none = '{"controller_epoch":1,"leader":-1,"version":1,"leader_epoch":7,"isr":[],"leader_recovery_state":1}'
    assert.equal(parsePartitionState('t', 0, bytes(none)).leader, -1)
    assert.equal(parsePartitionState('t', 0, bytes(none.replace('-1', '-2'))).leader, -1)
  })

  for (const change of [
    { leader: -3 },
    { leader: null },
    { leader_epoch: -1 },
    { leader_epoch: 1.5 },
    { isr: 3 },
    { isr: [1, 1] },
    { version: 0 }
  ]) {
    it(`with ${JSON.stringify(change)} is refused with its path`, () => {
      const state = { controller_epoch: 1, leader: 3, version: 1, leader_epoch: 0, isr: [3], ...change }
      assert.throws(() => parsePartitionState('t', 5, bytes(state)), { code: 'ZNODE_INVALID', message: /t\/partitions\/5\/state / })
    })
  }
})

describe('what there is once', () => {
  it('is read as Kafka writes it', () => {
    assert.equal(parseController(bytes('{"version":2,"brokerid":2,"timestamp":"1","kraftControllerEpoch":-1}')).brokerId, 2)
    assert.equal(parseController(writeController(0, 1)).brokerId, 0)
    assert.equal(parseControllerEpoch(bytes('12')), 12)
    assert.equal(parseClusterId(bytes('{"version":"1","id":"abc-_"}')), 'abc-_')
    assert.equal(parseClusterId(writeClusterId('x')), 'x')
  })

  it('is refused when it is something else', () => {
    for (const text of ['', '-1', '1 ', '99999999999999', 'x'])
      assert.throws(() => parseControllerEpoch(bytes(text)), { code: 'ZNODE_INVALID' })
    for (const value of ['{}', '{"version":1,"brokerid":-1}', '{"version":1,"brokerid":"2"}']) {
      assert.throws(() => parseController(bytes(value)), { code: 'ZNODE_INVALID' })
    }
    for (const value of ['{}', '{"id":""}', '{"id":7}', 'abc']) assert.throws(() => parseClusterId(bytes(value)), { code: 'ZNODE_INVALID' })
  })
})

it('whatever bytes a node holds, the parsers answer or refuse, and nothing else', () => {
  const parsers = [
    (data: Uint8Array) => parseBrokerRegistration(1, data),
    (data: Uint8Array) => parseTopicAssignment('t', data),
    (data: Uint8Array) => parsePartitionState('t', 0, data),
    parseController,
    parseControllerEpoch,
    parseClusterId
  ]
  const field = fc.constantFrom(
    'version',
    'endpoints',
    'host',
    'port',
    'partitions',
    'leader',
    'isr',
    'brokerid',
    'id',
    '__proto__',
    'toString'
  )
  const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.dictionary(field, fc.jsonValue({ maxDepth: 1 }), { maxKeys: 4 }))
  const tree = fc.dictionary(field, value, { maxKeys: 6 })
  const data = fc.oneof(fc.uint8Array({ maxLength: 300 }), tree.map(bytes))
  fc.assert(
    fc.property(data, given => {
      for (const parse of parsers) {
        try {
          parse(given)
        } catch (error) {
          assert.ok(error instanceof RegistryError && error.code === 'ZNODE_INVALID', String(error))
        }
      }
    }),
    { numRuns: 1_000, seed: 1 }
  )
})
