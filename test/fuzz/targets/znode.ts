/**
 * The JSON of znodes, changed as text and as a tree: fields of other types, doubled, nested far too deep, with names that mean something to
 * JavaScript. Every parser gets every node: which one a path belongs to is ZooKeeper's word.
 */
import assert from 'node:assert/strict'
import { parseMember, parseOffset, parseOwner, partitionsOf } from '../../../src/registry/group/znodes.ts'
import { chooseEndpoint, parseBrokerId, parseBrokerRegistration, writeBrokerRegistration } from '../../../src/registry/znodes/broker.ts'
import {
  parseClusterId,
  parseController,
  parseControllerEpoch,
  writeClusterId,
  writeController
} from '../../../src/registry/znodes/cluster.ts'
import { parsePartitionState, writePartitionState } from '../../../src/registry/znodes/partition-state.ts'
import { parseTopicAssignment, writeTopicAssignment } from '../../../src/registry/znodes/topic.ts'
import type { Random } from '../../wire/random-message.ts'
import type { Field, Seed } from '../seed.ts'
import { isTyped, type Target } from '../target.ts'

const NAMES = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'length', 'version', '0', '-1', '4294967296']
const VALUES = [
  null,
  true,
  -1,
  0,
  99_999,
  65_536,
  2 ** 31,
  2 ** 53,
  1e308,
  '',
  '0',
  'x'.repeat(3_000),
  [],
  [[]],
  {},
  [0, 0],
  [-1],
  ['0'],
  0.5
]

function nodeOf(random: Random): Buffer {
  const ids = () => Array.from({ length: random.between(0, 4) }, (_, i) => i + random.between(0, 1) * 10)
  const endpoint = (listenerName: string) => ({
    ...{ listenerName, securityProtocol: listenerName, host: random.pick(['a.example', '10.0.0.1', '::1']) },
    port: random.between(1, 65_535)
  })
  const partition = (number: number) => ({ partition: number, replicas: ids(), addingReplicas: ids(), removingReplicas: [] })
  return random.pick([
    () => writeBrokerRegistration({ endpoints: [endpoint('PLAINTEXT'), endpoint('SSL')], rack: random.pick([null, 'r']) }, 1),
    () => writeTopicAssignment({ topicId: random.pick([null, 'A'.repeat(22)]), partitions: [0, 1, 2].map(partition) }),
    () => writePartitionState({ leader: 1, leaderEpoch: 2, inSync: ids(), controllerEpoch: 3 }),
    () => writeController(3, 1),
    () => writeClusterId('abc'),
    () => Buffer.from('17'),
    () => Buffer.from(JSON.stringify({ version: 1, subscription: { orders: 1 }, pattern: 'static', timestamp: '1' })),
    () => Buffer.from(JSON.stringify({ version: 1, subscription: { 'or.*|x': 2 }, pattern: 'white_list', timestamp: '1' }))
  ])()
}

/** Another tree: one of its places holds something else, or has another name. */
function twisted(value: unknown, random: Random): unknown {
  if (random.chance(0.15)) return random.pick(VALUES)
  if (Array.isArray(value)) {
    const out = value.map(each => (random.chance(0.3) ? twisted(each, random) : each))
    return random.chance(0.2) ? [...out, ...out] : out
  }
  if (typeof value !== 'object' || value === null) return random.chance(0.3) ? random.pick(VALUES) : value
  const entries = Object.entries(value).map(([name, each]) => [
    random.chance(0.1) ? random.pick(NAMES) : name,
    random.chance(0.4) ? twisted(each, random) : each
  ])
  return Object.fromEntries(entries)
}

function textOf(random: Random): Buffer {
  const bytes = nodeOf(random)
  if (random.chance(0.1)) return deep(random)
  const text = JSON.stringify(twisted(JSON.parse(String(bytes)), random))
  // A name twice, which JSON allows: the last one counts.
  return Buffer.from(random.chance(0.1) ? text.replace('{', '{"version":{"__proto__":1},') : text)
}

function deep(random: Random): Buffer {
  const depth = random.pick([15, 16, 17, 1_000, 10_000])
  const [open, close] = random.pick([
    ['[', ']'],
    ['{"a":', '}']
  ] as const)
  const middle = random.pick(['', '1', '"]}"'])
  return Buffer.from(open.repeat(depth) + (middle || (open === '[' ? '' : '1')) + close.repeat(random.pick([depth, depth - 1, 0])))
}

/** Its numbers, as text: one digit each is enough to be changed. */
function fieldsOf(bytes: Buffer): Field[] {
  const fields: Field[] = []
  for (const { index } of String(bytes.subarray(0, 4_000)).matchAll(/[\d{}[\]":,]/g)) fields.push({ at: index, bytes: 1, kind: 'int8' })
  return fields
}

/** The last ones answer anything. */
const PARSERS: ((data: Buffer) => unknown)[] = [
  data => {
    const broker = parseBrokerRegistration(1, data)
    return [null, 'SSL', '__proto__'].map(name => attempt(() => chooseEndpoint(broker, name)))
  },
  data => parseTopicAssignment('t', data),
  data => parsePartitionState('t', 0, data),
  parseController,
  parseControllerEpoch,
  parseClusterId,
  data => parseMember('/consumers/g/ids/m', 'm', data),
  data => parseBrokerId(String(data)),
  data => [parseOwner(data), parseOffset(data), partitionsOf([String(data)])]
]

function attempt(read: () => unknown): unknown {
  try {
    return read()
  } catch (error) {
    if (!isTyped(error)) throw error
    return error
  }
}

export const znode: Target = {
  name: 'znode',
  // Nine readings of one node, each with its own copy as text and as objects.
  timesInput: 400,
  pool(random): Seed[] {
    return Array.from({ length: 32 }, () => {
      const hostile = random.chance(0.6)
      const bytes = hostile ? textOf(random) : nodeOf(random)
      return { what: 'a node', bytes, fields: fieldsOf(bytes), hostile }
    })
  },
  read(bytes) {
    const answers = PARSERS.map(parse => attempt(() => parse(bytes)))
    assert.equal((Object.prototype as { version?: unknown }).version, undefined)
    assert.equal(({} as { a?: unknown }).a, undefined)
    const refused = answers.slice(0, -1).filter(isTyped)
    if (refused.length === PARSERS.length - 1) throw refused[0]
  }
}
