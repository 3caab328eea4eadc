/**
 * Bugs planted on purpose, most of them after ones that real clients had: each is one change in `src`, and each must be caught, by the test files that are
 * named, or by so many seeds of the simulation at most. `npm run mutants` plants and catches them; `table.test.ts` holds that each still has its place.
 */
import { BAD_INPUT } from './bad-input.ts'
import { OUTBOX } from './outbox.ts'

export interface Mutant {
  name: string
  /** What it stands for. */
  after: string
  file: string
  /** There exactly once. */
  find: string
  replace: string
  /** Test files, or a number of seeds. */
  caughtBy: readonly string[] | number
}

const SEEDS = 200

const PUBLISHING: Mutant[] = [
  {
    name: 'a new leader resets the sequence',
    after:
      'librdkafka 1.9.0: a topic that was missing from metadata for a moment reset the sequence; acked messages were dropped as duplicates',
    file: 'src/flow/partition-queue.ts',
    find: 'this.term = term\n    this.#refusal = undefined',
    replace: 'this.term = term\n    this.#nextSequence = 0\n    this.#refusal = undefined',
    caughtBy: SEEDS
  },
  {
    name: 'flights are sent again in the wrong order',
    after: 'sarama 2619, 2860: messages reordered by a retry',
    file: 'src/flow/partition-queue.ts',
    find: 'for (const flight of [...this.flights]) {\n      if (flying === window)',
    replace: 'for (const flight of [...this.flights].reverse()) {\n      if (flying === window)',
    caughtBy: ['test/flow/partition-queue.test.ts']
  },
  {
    name: 'sealed batches go out newest first',
    after: 'kafkajs 598: concurrent sends out of order',
    file: 'src/flow/partition-queue.ts',
    find: 'const batch = this.sealed.shift()!\n      this.#assign(batch)',
    replace: 'const batch = this.sealed.pop()!\n      this.#assign(batch)',
    caughtBy: SEEDS
  },
  {
    name: 'a repeated batch gets a new sequence',
    after: 'librdkafka 4438: a batch that was possibly written is sent under another number, and lies there twice',
    file: 'src/flow/partition-queue.ts',
    find: '    batch.maybeWritten = true\n    if (attempt !== batch.attempt) return\n    batch.onWire = false',
    replace: '    if (attempt !== batch.attempt) return\n    batch.onWire = false\n    batch.sequence = -1',
    caughtBy: SEEDS
  },
  {
    name: 'a lost connection drops its batch as written',
    after: 'the promise of every client: unknown is not acked',
    file: 'src/flow/partition-queue.ts',
    find: '    if (batch.settled) return\n    batch.maybeWritten = true\n    if (attempt !== batch.attempt) return',
    replace:
      '    if (batch.settled) return\n    this.#remove(batch)\n    batch.acked(this.partition, -1n, -1n)\n    this.#events.done(batch)\n    return this.#report()',
    caughtBy: SEEDS
  },
  {
    name: 'an unknown outcome is told as failed',
    after: 'timeouts are no failures: what was sent and not answered may lie there (facts: three outcomes)',
    file: 'src/actors/publish-deadlines.ts',
    find: 'const unknown = flight.maybeWritten || flight.onWire\n',
    replace: 'const unknown = false\n',
    caughtBy: SEEDS
  },
  {
    name: 'the epoch is not raised after flights were given up',
    after: 'KIP-360: what follows a batch that was given up collides with its sequence, and is dropped as a duplicate of it',
    file: 'src/flow/partition-queue.ts',
    find: '    if (out.length + waiting.length > 0) this.#bumpEpoch()',
    replace: '    if (out.length + waiting.length > 0) this.#nextSequence = 0',
    // Under seeds only where the next batch has the size of the one that was given up, and that is still among the broker's five: in 1,400 of them never.
    caughtBy: ['test/flow/partition-queue.test.ts']
  },
  {
    name: 'the leader is never sought again',
    after: 'kafkajs 919, 950: metadata not refreshed after a broker died',
    file: 'src/machines/topic.ts',
    find: "              { guard: 'knowsBetter' },\n              {\n                target: 'seeking',",
    replace: "              { guard: () => true },\n              {\n                target: 'seeking',",
    caughtBy: SEEDS
  }
]

const FETCHING: Mutant[] = [
  {
    name: 'the offset moves past a checksum that is wrong',
    after: 'neither JavaScript peer checks it; facts: CORRUPT_MESSAGE is fetched again, the offset is not advanced',
    file: 'src/flow/fetch-partition.ts',
    find: '    this.#buffer.dropUnverified()\n    this.generation++\n    this.fetchOffset = this.#buffer.readyEnd ?? this.#handedOut',
    replace: '    this.#buffer.dropUnverified()\n    this.generation++',
    caughtBy: SEEDS
  },
  {
    name: 'an error that comes with records skips them',
    after: 'mimir 9963: error and records in one fetch, and the records were skipped',
    file: 'src/flow/fetcher.ts',
    find: 'if (answer.errorCode !== 0) return this.#refused(partition, answer.errorCode)',
    replace:
      'if (answer.errorCode !== 0) {\n          partition.accept(answer.records ?? Buffer.alloc(0), null)\n          partition.drop()\n          return this.#refused(partition, answer.errorCode)\n        }',
    caughtBy: SEEDS
  },
  {
    name: 'out of range jumps to the end',
    after: 'kafkajs 1119: an out-of-range jump skipped a backlog',
    file: 'src/machines/consumed-partition-base.ts',
    find: 'export const policyOf = ({ target, from }: ConsumedPartitionContext): ResetPolicy => target ?? from',
    replace:
      "export const policyOf = ({ target, from, fetchedEpoch, term }: ConsumedPartitionContext): ResetPolicy => target ?? (term > 1 && fetchedEpoch === null ? { at: 'latest' } : from)",
    caughtBy: SEEDS
  },
  {
    name: 'the marker of an aborted transaction is not looked at',
    after: 'librdkafka 1.7.0: an empty aborted transaction hid committed messages',
    file: 'src/flow/fetch-aborted.ts',
    find: "if (batch.count > 0 && batch.controlMarker(limits)?.type === 'abort') this.#hidden.delete(producerId)",
    replace: '',
    caughtBy: SEEDS
  },
  {
    name: 'one aborted range for each producer',
    after: 'platformatic: keeps one aborted range per producer, and delivers what a second one has aborted',
    file: 'src/flow/fetch-aborted.ts',
    find: 'this.#coming = [...list].sort(',
    replace: 'this.#coming = [...new Map(list.map(each => [each.producerId, each] as const)).values()].sort(',
    caughtBy: SEEDS
  },
  {
    name: 'aborted messages are handed out',
    after: 'platformatic: aborted records were delivered',
    file: 'src/flow/fetch-aborted.ts',
    find: 'return batch.isTransactional && this.#hidden.has(producerId)',
    replace: 'return false',
    caughtBy: SEEDS
  },
  {
    name: 'a whole batch is handed out, whatever offset was asked for',
    after: 'a broker answers with the whole batch that holds the offset; its head came again after each seek',
    file: 'src/flow/fetch-buffer.ts',
    find: 'this.#open ??= held.batch.open(this.#origin, fromOffset, this.#limits)',
    replace: 'this.#open ??= held.batch.open(this.#origin, 0n, this.#limits)',
    caughtBy: SEEDS
  }
]

const GROUPS: Mutant[] = [
  {
    name: 'what is fetched counts as processed',
    after: 'platformatic: autocommit commits a whole fetched batch once it is pushed; franz-go 57: records lost on an unclean kill',
    file: 'src/flow/ledger.ts',
    find: '    const head = this.#entries[this.#head]\n    if (!head || head.processed === 0) return this.#base',
    replace:
      '    const head = this.#entries[this.#head]\n    if (head) return this.#entries[this.#entries.length - 1]!.nextOffset\n    if (!head) return this.#base',
    caughtBy: SEEDS
  },
  {
    name: 'a gap in what is processed is committed over',
    after: 'the same, by acks out of order',
    file: 'src/flow/ledger.ts',
    find: 'while (head < entries.length && entries[head]!.processed === entries[head]!.messages.length) {',
    replace: 'while (head < entries.length && entries[head]!.processed > 0) {',
    caughtBy: ['test/flow/ledger.test.ts']
  },
  {
    name: 'records of revoked partitions are handed out',
    after: 'librdkafka 3340: records of revoked partitions delivered',
    file: 'src/actors/consumer-plane.ts',
    find: '    flow.abort(reason)\n    flow.drop()\n    this.#flows.delete(keyOf(flow))',
    replace: '    this.#flows.delete(keyOf(flow))',
    caughtBy: SEEDS
  },
  {
    name: 'handlers overlap after a rebalance',
    after: 'kafkajs 1097: two handlers of one partition at a time',
    file: 'src/actors/consumer-delivery.ts',
    find: '    if (pending === undefined) return this.done(delivery)\n',
    replace: '    this.done(delivery)\n    if (pending === undefined) return\n',
    caughtBy: ['test/actors/consumer-delivery.test.ts']
  },
  {
    name: 'a blocked consumer keeps its membership',
    after: 'kafkajs 1616: a blocked consumer keeps its membership',
    file: 'src/actors/consumer-delivery.ts',
    find: '    this.#options.onStuck(flow, sinceMs)\n',
    replace: '',
    caughtBy: SEEDS
  },
  {
    name: 'commits go on while nobody knows who owns',
    after: 'commit after LOST, commit while suspended: pykafka 204',
    file: 'src/actors/consumer-commits.ts',
    find: "if (!allowed) throw new SamsaError('SUSPENDED'",
    replace: "if (!allowed && !store) throw new SamsaError('SUSPENDED'",
    caughtBy: ['test/actors/consumer-delivery.test.ts']
  },
  {
    name: 'a claim does not look whose node it is',
    after: 'KAFKA-12984: two claimants of one partition; brod 649: zombies owned the same partitions for up to an hour',
    file: 'src/registry/group/claims.ts',
    find: 'return owner !== undefined && owner.thread !== this.#thread',
    replace: 'return false',
    caughtBy: SEEDS
  },
  {
    name: 'a partial claim is not undone',
    after: 'facts: claims are all or nothing; the part that stays owned keeps others out for ever',
    file: 'src/registry/group/claims.ts',
    find: '    if (stat && stat.ephemeralOwner === this.#session.sessionId)\n      await this.#session.remove(path)',
    replace: '    if (stat && stat.ephemeralOwner === undefined)\n      await this.#session.remove(path)',
    caughtBy: SEEDS
  },
  {
    name: 'a lost session goes on fetching',
    after: 'pykafka 204: session lost, still fetching; kafkajs 1277: never recovers after a session timeout',
    file: 'src/machines/group-member.ts',
    find: "target: '.waiting', actions: ['forgetSession', lost] },\n        SESSION_SUSPENDED",
    replace: "target: '.waiting', actions: ['forgetSession'] },\n        SESSION_SUSPENDED",
    // Its member hears of the loss by the next answer: others must be quicker.
    caughtBy: 3 * SEEDS
  },
  {
    name: 'the coordinator is never found again',
    after: 'platformatic 206, 377: retries to a dead leader; the coordinator is never re-found',
    file: 'src/actors/coordinator.ts',
    find: 'if (this.#node === node) this.#node = undefined',
    replace: 'if (this.#node === -1) this.#node = undefined',
    caughtBy: SEEDS
  },
  {
    name: 'a watch is not armed again',
    after: 'facts, ZooKeeper: watches fire once; the next change is never heard of',
    file: 'src/registry/zookeeper/level.ts',
    find: 'return (await session.getChildren(path, watch)).children',
    replace: 'return (await session.getChildren(path)).children',
    caughtBy: SEEDS
  },
  {
    name: 'positions of a topic that was made again are kept',
    after: 'stale offsets of a re-made topic',
    file: 'src/machines/consumed-partition.ts',
    find: "guard: 'recreated',",
    replace: 'guard: () => false,',
    caughtBy: SEEDS
  },
  {
    name: 'offsets of an older topic are believed',
    after: 'the same, by what is committed in ZooKeeper',
    file: 'src/registry/group/claims.ts',
    find: 'stale: offset.stat.mzxid < (born.get(topic) ?? 0n) }',
    replace: 'stale: false }',
    caughtBy: ['test/embedded/recreated.test.ts']
  }
]

export const MUTANTS: readonly Mutant[] = [...PUBLISHING, ...OUTBOX, ...FETCHING, ...GROUPS, ...BAD_INPUT]
