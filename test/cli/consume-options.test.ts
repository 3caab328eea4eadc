import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CommandLineError, parseCommandLine } from '../../src/cli/arguments.ts'
import { checkSubscription, SUBSCRIBE_OPTIONS, subscriptionOf } from '../../src/cli/commands/consume-options.ts'
import type { Cluster } from '../../src/index.ts'

const offsets = (offset: bigint) => new Map([0, 1, 2].map(partition => [partition, offset]))
/** A topic of three partitions from 3 to 10. */
const cluster = {
  topic: () => ({ partitions: [0, 1, 2].map(number => ({ number })) }),
  admin: { listOffsets: async (_: string, at: string) => offsets(at === 'earliest' ? 3n : 10n) }
} as unknown as Cluster

const parse = (line: string) => {
  const args = parseCommandLine(line.split(' '), SUBSCRIBE_OPTIONS, 'consume')
  checkSubscription(args)
  return args
}
const read = (line: string) => subscriptionOf(parse(line), cluster)
const plain = { from: 'latest', isolation: 'read_uncommitted' }

test('topics, a group, and where to begin', async () => {
  assert.deepEqual(await read('t'), { ...plain, topic: 't' })
  assert.deepEqual(await read('t u -g g'), { ...plain, topics: ['t', 'u'], group: 'g' })
  assert.deepEqual((await read('t -b')).from, 'earliest')
  for (const [given, from] of [
    ['earliest', 'earliest'],
    ['fail', 'fail'],
    ['-90m', { durationMs: 5_400_000 }],
    ['1700000000000', new Date(1_700_000_000_000)],
    ['2026-03-01T12:00:00', new Date('2026-03-01T12:00:00Z')],
    ['2026-03-01', new Date('2026-03-01T00:00:00Z')]
  ] as const)
    assert.deepEqual((await read(`t --from ${given}`)).from, from)
})

test('how members meet, who they are, and who divides', async () => {
  assert.deepEqual(await read('t -g g --membership auto'), { ...plain, topic: 't', group: 'g', membership: 'auto' })
  assert.deepEqual(await read('t -g g --membership classic --group-instance-id a --assignor sticky --assignor range'), {
    ...plain,
    topic: 't',
    group: 'g',
    membership: 'classic',
    groupInstanceId: 'a',
    assignor: ['sticky', 'range']
  })
  assert.equal((await read('t -g g --membership consumer --assignor uniform')).remoteAssignor, 'uniform')
})

test('isolation by either name', async () => {
  for (const option of ['--committed', '--isolation read_committed', '--committed --isolation read_committed'])
    assert.equal((await read(`t ${option}`)).isolation, 'read_committed')
})

test('partitions in one list or several, with offsets that are looked up', async () => {
  const partitions = async (line: string) => (await read(line)).partitions!.map(({ partition, offset }) => [partition, offset])
  assert.deepEqual(await partitions('t -p 0,2'), [
    [0, undefined],
    [2, undefined]
  ])
  assert.deepEqual(await partitions('t -p 0 -p 1 -o 7'), [
    [0, 7n],
    [1, 7n]
  ])
  for (const [offset, expected] of [
    ['beginning', 3n],
    ['end', 10n],
    ['-4', 6n],
    ['-100', 3n]
  ] as const)
    assert.deepEqual(await partitions(`t -p 1 -o ${offset}`), [[1, expected]])
  await assert.rejects(read('t -p 9'), { message: /no partition 9; it has 3/ })
})

test('what contradicts itself, or is none of the words, is told before anything is asked', () => {
  for (const line of [
    't -o 5',
    't u -p 0',
    't -p 0,x',
    't -p 0,0',
    't -p 0 -o soon',
    't -b --from latest',
    't --from soon',
    't --from -soon',
    't --isolation none',
    't --committed --isolation read_uncommitted',
    't --membership classic',
    't --membership zk -g g',
    't --membership classic -g g -p 0',
    't --group-instance-id a',
    't --group-instance-id a -g g --membership zookeeper',
    't --assignor range',
    't --assignor best -g g',
    't --assignor range -g g --membership manual',
    't --assignor a --assignor b -g g --membership consumer'
  ])
    assert.throws(() => parse(line), CommandLineError, line)
})
