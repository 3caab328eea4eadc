/**
 * A group laid together from ZooKeeper and Kafka: which copy counts, who owns, who is alive; and one moment of it as text and as data.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { liveMembers, refuseLive } from '../../src/cli/group-live.ts'
import { kindOf, lagOf, layGroup, stateOf } from '../../src/cli/group-view.ts'
import { momentLines, momentRecords } from '../../src/cli/group-watch.ts'
import { jsonText } from '../../src/cli/table.ts'
import { type GroupDescription, type GroupOffset, SamsaError, type ZooKeeperGroup } from '../../src/index.ts'

const SESSION = '100abc'

const tree = (fields: Partial<ZooKeeperGroup> = {}): ZooKeeperGroup => ({
  group: 'g',
  moved: false,
  moving: false,
  members: [],
  partitions: [],
  ...fields
})
const node = (memberId: string, fields: Partial<ZooKeeperGroup['members'][number]> = {}): ZooKeeperGroup['members'][number] => ({
  memberId,
  host: 'h1',
  timestampMs: 5,
  subscription: { kind: 'static', topics: { t: 1 } },
  problem: null,
  session: SESSION,
  ...fields
})
const part = (partition: number, offset: bigint | null, thread: string | null = null): ZooKeeperGroup['partitions'][number] => ({
  topic: 't',
  partition,
  offset,
  offsetVersion: offset === null ? null : 0,
  owner: thread === null ? null : { thread, memberId: thread.slice(0, -2), session: SESSION }
})
const kafka = (fields: Partial<GroupDescription> = {}): GroupDescription => ({
  group: 'g',
  type: 'classic',
  state: 'Empty',
  coordinator: 1,
  protocolType: '',
  assignor: '',
  groupEpoch: null,
  assignmentEpoch: null,
  members: [],
  ...fields
})
const member = (memberId: string, partitions: number[], fields: Partial<GroupDescription['members'][number]> = {}) => ({
  memberId,
  groupInstanceId: null,
  clientId: 'c',
  host: '10.0.0.1',
  rackId: null,
  memberEpoch: null,
  subscription: { topics: ['t'], regex: null },
  assignment: partitions.length === 0 ? [] : [{ topic: 't', partitions }],
  target: null,
  protocol: 'classic' as const,
  problem: null,
  ...fields
})
const offset = (partition: number, at: bigint): GroupOffset => ({ topic: 't', partition, offset: at, leaderEpoch: null, metadata: '' })

describe('which copy of an offset counts', () => {
  const offsets = [offset(0, 3n), offset(1, 4n)]
  const partitions = [part(0, 7n), part(2, 9n)]

  test("ZooKeeper's, and Kafka's where it has none", () => {
    const view = layGroup('g', tree({ partitions }), kafka(), offsets)
    assert.deepEqual(
      view.partitions.map(({ partition, committed, zookeeper, kafka: copy }) => [partition, committed, zookeeper, copy]),
      [
        [0, 7n, 7n, 3n],
        [1, 4n, null, 4n],
        [2, 9n, 9n, null]
      ]
    )
  })

  test("Kafka's once the group has moved, and in a group that only Kafka knows", () => {
    const moved = layGroup('g', tree({ partitions, moved: true }), kafka(), offsets)
    assert.deepEqual(
      moved.partitions.map(({ committed }) => committed),
      [3n, 4n, 9n]
    )
    assert.deepEqual(
      layGroup('g', null, kafka(), offsets).partitions.map(({ committed }) => committed),
      [3n, 4n]
    )
  })
})

describe('where a group is, and its state', () => {
  const states: [string, ReturnType<typeof layGroup>, string, string][] = [
    ['only offsets in ZooKeeper', layGroup('g', tree({ partitions: [part(0, 1n)] }), null, []), 'zookeeper', 'Empty'],
    ['with its mirror', layGroup('g', tree(), kafka(), [offset(0, 1n)]), 'zookeeper+kafka', 'Empty'],
    ['members in ZooKeeper', layGroup('g', tree({ members: [node('m')] }), kafka(), []), 'zookeeper+kafka', 'Active'],
    [
      'a node without a session is no member',
      layGroup('g', tree({ members: [node('m', { session: null })] }), null, []),
      'zookeeper',
      'Empty'
    ],
    [
      'moved to Kafka',
      layGroup('g', tree({ moved: true }), kafka({ state: 'Stable', members: [member('k', [0])] }), []),
      'zookeeper+kafka',
      'Stable'
    ],
    ['only Kafka', layGroup('g', null, kafka({ state: 'Assigning', type: 'consumer' }), []), 'kafka', 'Assigning']
  ]
  for (const [what, view, kind, state] of states)
    test(what, () => {
      assert.equal(kindOf(view), kind)
      assert.equal(stateOf(view), state)
    })
})

test('owners are threads of ZooKeeper members with their hosts, or member ids of Kafka', () => {
  const inZooKeeper = layGroup('g', tree({ members: [node('m')], partitions: [part(0, 1n, 'm-0'), part(1, null)] }), null, [])
  assert.deepEqual(
    inZooKeeper.partitions.map(({ owner, host }) => [owner, host]),
    [
      ['m-0', 'h1'],
      [null, null]
    ]
  )
  assert.deepEqual(inZooKeeper.members[0]!.owns, ['t/0'])
  const inKafka = layGroup('g', null, kafka({ state: 'Stable', members: [member('k1', [0, 2]), member('k2', [])] }), [offset(0, 5n)])
  assert.deepEqual(
    inKafka.partitions.map(({ partition, committed, owner, host, clientId }) => [partition, committed, owner, host, clientId]),
    [
      [0, 5n, 'k1', '10.0.0.1', 'c'],
      [2, null, 'k1', '10.0.0.1', 'c']
    ]
  )
  assert.deepEqual(
    inKafka.members.map(({ owns }) => owns),
    [['t/0', 't/2'], []]
  )
})

test('a member of the new protocol waits for what it is to own and others have not let go of', () => {
  const target = [{ topic: 't', partitions: [0, 1, 2] }]
  const view = layGroup('g', null, kafka({ type: 'consumer', members: [member('k', [1], { target, memberEpoch: 4 })] }), [])
  assert.deepEqual(view.members[0]!.awaits, ['t/0', 't/2'])
})

describe('who is alive', () => {
  test('members of both places, and a holder of partitions whose own node is missing', () => {
    const members = [
      node('m1'),
      node('gone', { session: null, host: null }),
      node('odd', { host: null, subscription: null, problem: 'junk' })
    ]
    const view = layGroup(
      'g',
      tree({ members, partitions: [part(0, null, 'm1-0'), part(1, null, 'ghost-0')] }),
      kafka({ members: [member('k', [])] }),
      []
    )
    assert.deepEqual(liveMembers(view), ['m1 (h1)', 'odd', 'k (10.0.0.1)', 'ghost'])
  })

  test('they are named when something is refused on their account', () => {
    assert.throws(
      () => refuseLive(layGroup('g', tree({ members: [node('m1')] }), null, []), 'reset'),
      (error: unknown) =>
        error instanceof SamsaError &&
        error.code === 'NON_EMPTY_GROUP' &&
        error.message.startsWith('Group g cannot be reset while it has a live member: m1 (h1). Stop')
    )
    assert.doesNotThrow(() => refuseLive(layGroup('g', tree({ partitions: [part(0, 1n)] }), kafka(), []), 'reset'))
  })
})

describe('one moment', () => {
  const members = [node('m1'), node('m2'), node('bad', { subscription: null, timestampMs: null, problem: 'it is\nnot JSON' })]
  const view = layGroup('g', tree({ members, partitions: [part(0, 90n, 'm1-0')] }), null, [])
  const ends = new Map([['t', new Map([[0, 100n]])]])
  const groups = [
    { group: 'g', view },
    { group: 'absent', view: null },
    { group: 'broken', error: new SamsaError('LINK_TIMEOUT', 'No connection.') }
  ]

  test('as lines of JSON: every number exact, every group with its own', () => {
    const lines = momentRecords({ groups, ends, trouble: new Error('half of it') }, 0).map(record => JSON.parse(jsonText(record)))
    assert.deepEqual(
      lines.map(({ time, group, state, lag, error }) => [time, group, state, lag, error?.code]),
      [
        ['1970-01-01T00:00:00.000Z', 'g', 'Active', 10, undefined],
        ['1970-01-01T00:00:00.000Z', 'absent', 'Absent', null, undefined],
        ['1970-01-01T00:00:00.000Z', 'broken', undefined, undefined, 'LINK_TIMEOUT'],
        ['1970-01-01T00:00:00.000Z', null, undefined, undefined, 'UNEXPECTED']
      ]
    )
    assert.deepEqual(lines[0].partitions, [{ topic: 't', partition: 0, committed: 90, end: 100, lag: 10, owner: 'm1-0' }])
    assert.deepEqual(
      lines[0].members.map((each: { member: string; owns: string[] }) => [each.member, each.owns]),
      [
        ['m1', ['t/0']],
        ['m2', []],
        ['bad', []]
      ]
    )
    assert.equal(
      jsonText({ far: 9_007_199_254_740_993n, list: [null, true, { a: 'ü"' }] }),
      '{"far":9007199254740993,"list":[null,true,{"a":"ü\\""}]}'
    )
  })

  test('as a picture: who owns what, who owns nothing, what is wrong with whom', () => {
    assert.deepEqual(
      momentLines({ groups, ends, trouble: null }).map(({ text }) => text),
      [
        'g  zookeeper  Active  3 members  lag 10',
        '  TOPIC  PARTITION  COMMITTED  END  LAG  OWNER  HOST',
        '  t              0         90  100   10  m1-0   h1',
        '  without partitions: m2, bad',
        '  ! bad: it is\\x0anot JSON',
        '',
        'absent  is not there',
        '',
        'broken',
        '  No connection.'
      ]
    )
  })

  test('without ZooKeeper it is told why', () => {
    const half = { ...layGroup('g', null, kafka(), [offset(0, 5n)]), trouble: new SamsaError('NO_SESSION', 'There is none.') }
    const moment = { groups: [{ group: 'g', view: half }], ends, trouble: null }
    assert.deepEqual(JSON.parse(jsonText(momentRecords(moment, 0)[0])).trouble, { code: 'NO_SESSION', message: 'There is none.' })
    assert.equal(momentLines(moment).at(-1)!.text, '  ! ZooKeeper cannot be read: There is none.')
  })

  test('a topic that is gone has no end and no lag', () => {
    assert.deepEqual(lagOf(view.partitions[0]!, new Map()), { end: null, lag: null })
  })
})
