/**
 * The transactions' coordinator under a virtual clock: identities, epochs, the way of a transaction, and each way of being fenced.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ERROR, KafkaFault } from '../../../src/embedded/kafka/errors.ts'
import { TransactionCoordinator } from '../../../src/embedded/kafka/transactions/coordinator.ts'
import type { Marker, TransactionOptions } from '../../../src/embedded/kafka/transactions/host.ts'
import type { ProducerIdentity, TopicPartition } from '../../../src/embedded/kafka/transactions/transaction.ts'
import { VirtualWorld } from '../../support/virtual-world.ts'
import { nameOf } from '../groups/support.ts'

const ID = 'tx'
const at = (partition = 0): TopicPartition => ({ topic: 't', partition })

class TestTransactions {
  readonly virtual = new VirtualWorld()
  readonly coordinator: TransactionCoordinator
  readonly markers: (TopicPartition & Marker)[] = []
  /** What the next writes of markers answer. */
  readonly failures: number[] = []
  leader = 1
  #producerIds = 100n

  constructor(options: Partial<TransactionOptions> = {}) {
    this.coordinator = new TransactionCoordinator(
      {
        world: this.virtual.world,
        placeOf: () => ({ partition: 3, leader: this.leader, leaderEpoch: this.leader * 10 }),
        nextProducerId: () => this.#producerIds++,
        appendMarker: (where, marker) => {
          const errorCode = this.failures.shift() ?? ERROR.NONE
          if (errorCode === ERROR.NONE) this.markers.push({ ...where, ...marker })
          return errorCode
        }
      },
      options
    )
  }

  init(expected?: ProducerIdentity, timeoutMs = 10_000): ProducerIdentity {
    return this.coordinator.init(this.leader, { transactionalId: ID, timeoutMs, expected })
  }

  add(producer: ProducerIdentity, ...partitions: TopicPartition[]): void {
    this.coordinator.add(this.leader, ID, producer, partitions)
  }

  end(producer: ProducerIdentity, commit: boolean, bump = false): ProducerIdentity {
    return this.coordinator.end(this.leader, { transactionalId: ID, commit, bump, ...producer })
  }

  advance(ms = 0): Promise<void> {
    return this.virtual.advance(ms)
  }

  get state() {
    return this.coordinator.transactions.get(ID)!.state
  }

  get transaction() {
    return this.coordinator.transactions.get(ID)!
  }
}

function refuses(run: () => unknown, name: string): void {
  assert.throws(run, (error: unknown) => error instanceof KafkaFault && nameOf(error.errorCode) === name, name)
}

test('a transaction is prepared, marked on each partition and complete; the same end again is the same', async () => {
  const its = new TestTransactions()
  const producer = its.init()
  assert.deepEqual(producer, { producerId: 100n, producerEpoch: 0 })
  refuses(() => its.end(producer, true), 'INVALID_TXN_STATE')
  its.add(producer, at(0), at(1))
  its.add(producer, at(1), { topic: 'u', partition: 5 })
  assert.deepEqual(its.end(producer, true), producer)
  assert.equal(its.state, 'PrepareCommit')
  refuses(() => its.end(producer, true), 'CONCURRENT_TRANSACTIONS')
  refuses(() => its.end(producer, false), 'INVALID_TXN_STATE')
  refuses(() => its.add(producer, at(0)), 'CONCURRENT_TRANSACTIONS')
  refuses(() => its.init(), 'CONCURRENT_TRANSACTIONS')
  await its.advance()
  assert.equal(its.state, 'CompleteCommit')
  const marker = { producerId: 100n, producerEpoch: 0, commit: true, coordinatorEpoch: 10 }
  assert.deepEqual(its.markers, [
    { ...at(0), ...marker },
    { ...at(1), ...marker },
    { topic: 'u', partition: 5, ...marker }
  ])
  assert.deepEqual(its.end(producer, true), producer)
  refuses(() => its.end(producer, false), 'INVALID_TXN_STATE')
  its.add(producer, at(0))
  its.end(producer, false)
  await its.advance()
  assert.deepEqual([its.state, its.markers.at(-1)!.commit], ['CompleteAbort', false])
  assert.equal(its.virtual.timers, 0)
})

test('who begins under the same id raises the epoch, fences the one before and aborts what it left open', async () => {
  const its = new TestTransactions()
  const old = its.init()
  its.add(old, at())
  refuses(() => its.init(), 'CONCURRENT_TRANSACTIONS')
  assert.equal(its.state, 'PrepareAbort')
  await its.advance()
  assert.deepEqual(its.markers, [{ ...at(), producerId: 100n, producerEpoch: 1, commit: false, coordinatorEpoch: 10 }])
  const next = its.init()
  assert.deepEqual(next, { producerId: 100n, producerEpoch: 2 })
  refuses(() => its.add(old, at()), 'PRODUCER_FENCED')
  refuses(() => its.end(old, true), 'PRODUCER_FENCED')
  refuses(() => its.add({ ...next, producerId: 5n }, at()), 'INVALID_PRODUCER_ID_MAPPING')
})

test('a producer that had an error raises its own epoch, once however often it asks', () => {
  const its = new TestTransactions()
  const first = its.init()
  const second = its.init(first)
  assert.deepEqual(second, { producerId: 100n, producerEpoch: 1 })
  assert.deepEqual(its.init(first), second, 'the answer was lost')
  assert.deepEqual(its.init(second), { producerId: 100n, producerEpoch: 2 })
  refuses(() => its.init(first), 'PRODUCER_FENCED')
  refuses(() => its.init({ producerId: 5n, producerEpoch: 0 }), 'PRODUCER_FENCED')
})

test('a new transactional id takes a producer that it does not know', () => {
  assert.deepEqual(new TestTransactions().init({ producerId: 5n, producerEpoch: 3 }), { producerId: 100n, producerEpoch: 0 })
})

test('when epochs are used up there is a new producer id, also at the end of a transaction of version 2', async () => {
  const its = new TestTransactions()
  its.init()
  assert.equal(its.coordinator.exhaustEpochs(ID), true)
  assert.deepEqual(its.init(), { producerId: 101n, producerEpoch: 0 })
  const last = { producerId: 101n, producerEpoch: 32_766 }
  its.transaction.epoch = 32_766
  its.add(last, at())
  assert.deepEqual(its.end(last, true, true), { producerId: 102n, producerEpoch: 0 })
  await its.advance()
  assert.deepEqual(its.markers[0], { ...at(), producerId: 101n, producerEpoch: 32_767, commit: true, coordinatorEpoch: 10 })
  assert.deepEqual(its.end(last, true, true), { producerId: 102n, producerEpoch: 0 }, 'again')
  its.add({ producerId: 102n, producerEpoch: 0 }, at())
})

test('in version 2 each end raises the epoch, and may be an abort of nothing', async () => {
  const its = new TestTransactions()
  const first = its.init()
  its.add(first, at())
  const second = its.end(first, true, true)
  assert.equal(second.producerEpoch, 1)
  await its.advance()
  assert.equal(its.markers[0]!.producerEpoch, 1)
  assert.deepEqual(its.end(first, true, true), second, 'the answer was lost')
  refuses(() => its.end(first, false, true), 'INVALID_TXN_STATE')
  refuses(() => its.add(first, at()), 'PRODUCER_FENCED')
  refuses(() => its.end(second, true, true), 'INVALID_TXN_STATE')
  const third = its.end(second, false, true)
  assert.equal(third.producerEpoch, 2)
  await its.advance()
  assert.equal(its.state, 'CompleteAbort')
})

test('a transaction that takes too long is aborted, and its producer fenced', async () => {
  const its = new TestTransactions({ maxTimeoutMs: 5_000 })
  refuses(() => its.init(undefined, 5_001), 'INVALID_TRANSACTION_TIMEOUT')
  refuses(() => its.init(undefined, 0), 'INVALID_TRANSACTION_TIMEOUT')
  const producer = its.init(undefined, 5_000)
  its.add(producer, at(0))
  await its.advance(4_000)
  its.add(producer, at(1))
  await its.advance(1_000)
  assert.equal(its.state, 'CompleteAbort')
  assert.equal(its.markers.length, 2)
  refuses(() => its.end(producer, true), 'PRODUCER_FENCED')
})

test('a marker is tried again while its partition has no leader, and given up where the partition is gone', async () => {
  const its = new TestTransactions({ markerRetryMs: 50 })
  const producer = its.init()
  its.add(producer, at(0), at(1), at(2))
  its.failures.push(ERROR.NOT_LEADER_OR_FOLLOWER, ERROR.UNKNOWN_TOPIC_OR_PARTITION, ERROR.NONE)
  its.end(producer, true)
  await its.advance()
  assert.deepEqual([its.state, its.transaction.partitions], ['PrepareCommit', [at(0)]])
  await its.advance(50)
  assert.equal(its.state, 'CompleteCommit')
  assert.deepEqual(
    its.markers.map(({ partition }) => partition),
    [2, 0]
  )
})

test('another coordinator finishes what was decided, and lets go on what was not', async () => {
  const its = new TestTransactions({ markerDelayMs: 1_000, loadMs: 200 })
  its.coordinator.follow({ partition: 3, leader: 1, leaderEpoch: 10 })
  refuses(() => its.init(), 'COORDINATOR_LOAD_IN_PROGRESS')
  await its.advance(200)
  const producer = its.init()
  its.add(producer, at())
  its.leader = 2
  refuses(() => its.coordinator.add(1, ID, producer, [at(1)]), 'NOT_COORDINATOR')
  refuses(() => its.add(producer, at(1)), 'COORDINATOR_LOAD_IN_PROGRESS')
  await its.advance(200)
  its.add(producer, at(1))
  its.end(producer, true)
  its.leader = 3
  its.coordinator.follow({ partition: 3, leader: 3, leaderEpoch: 30 })
  await its.advance(1_199)
  assert.equal(its.state, 'PrepareCommit')
  await its.advance(1)
  assert.equal(its.state, 'CompleteCommit')
  assert.deepEqual(
    its.markers.map(({ coordinatorEpoch }) => coordinatorEpoch),
    [30, 30]
  )
  its.add(producer, at())
  its.leader = 1
  its.coordinator.follow({ partition: 3, leader: 1, leaderEpoch: 40 })
  await its.advance(11_000)
  assert.equal(its.state, 'CompleteAbort', 'its time goes on at the new one')
})

test('what is not in the transaction is told to whoever verifies it, and joins it where writing is joining', () => {
  const its = new TestTransactions()
  const producer = its.init()
  const asked = (join: boolean, who = producer) => nameOf(its.coordinator.mayWrite(ID, who, at(), join))
  assert.equal(asked(false), 'TRANSACTION_ABORTABLE')
  assert.equal(asked(true), 'NONE')
  assert.equal(asked(false), 'NONE')
  assert.equal(asked(true, { ...producer, producerEpoch: 7 }), 'PRODUCER_FENCED')
  assert.equal(nameOf(its.coordinator.mayWrite('other', producer, at(), true)), 'INVALID_PRODUCER_ID_MAPPING')
  refuses(() => its.coordinator.init(1, { transactionalId: '', timeoutMs: 1, expected: undefined }), 'INVALID_REQUEST')
  its.coordinator.close()
  assert.equal(its.virtual.timers, 0)
})
