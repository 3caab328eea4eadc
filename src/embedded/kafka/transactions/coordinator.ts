/**
 * All transactions of one cluster, and which broker may speak for which of them (Kafka's `TransactionCoordinator`). Brokers share this object; who is
 * asked is named by its id. Errors are thrown as KafkaFault.
 */
import type { Timer } from '../../../model/world.ts'
import { ERROR, KafkaFault } from '../errors.ts'
import type { Place } from '../groups/host.ts'
import { coordinatorFault, Placement } from '../groups/placement.ts'
import { TRANSACTION_DEFAULTS, type TransactionHost, type TransactionOptions } from './host.ts'
import { Markers } from './markers.ts'
import { EPOCH_MAX, mapping, type ProducerIdentity, type TopicPartition, Transaction } from './transaction.ts'

export interface InitRequest {
  transactionalId: string
  timeoutMs: number
  /** What the producer had before; undefined: it begins anew. */
  expected: ProducerIdentity | undefined
}

export interface EndRequest extends ProducerIdentity {
  transactionalId: string
  commit: boolean
  /** Version 2 of transactions: each end raises the epoch. */
  bump: boolean
}

export class TransactionCoordinator {
  /** May be changed while it runs. */
  readonly options: TransactionOptions
  readonly transactions = new Map<string, Transaction>()
  readonly placement: Placement
  #host: TransactionHost
  #markers: Markers
  /** Of transactions that run: when they are aborted. */
  #timeouts = new Map<Transaction, Timer>()

  constructor(host: TransactionHost, options: Partial<TransactionOptions> = {}) {
    this.#host = host
    this.options = { ...TRANSACTION_DEFAULTS, ...options }
    this.placement = new Placement({
      world: host.world,
      placeOf: id => host.placeOf(id),
      loadMs: () => this.options.loadMs,
      unload: partition => this.#unload(partition),
      load: partition => this.#load(partition)
    })
    this.#markers = new Markers(host, this.options, transaction => this.placement.leaderEpoch(host.placeOf(transaction.id).partition))
  }

  follow(place: Place): void {
    this.placement.follow(place)
  }

  /** A producer begins under its transactional id: everybody who had it before is fenced, and what they left open is aborted. */
  init(brokerId: number, { transactionalId, timeoutMs, expected }: InitRequest): ProducerIdentity {
    this.#check(brokerId, transactionalId)
    if (timeoutMs <= 0 || timeoutMs > this.options.maxTimeoutMs)
      throw new KafkaFault('INVALID_TRANSACTION_TIMEOUT', `The transaction timeout must be between 1 and ${this.options.maxTimeoutMs} ms.`)
    let transaction = this.transactions.get(transactionalId)
    if (!transaction) {
      transaction = new Transaction(transactionalId, this.#host.nextProducerId(), timeoutMs)
      this.transactions.set(transactionalId, transaction)
    }
    if (expected && !transaction.accepts(expected))
      throw new KafkaFault('PRODUCER_FENCED', `Producer id ${expected.producerId} is not the one of ${transactionalId}.`)
    if (transaction.isPrepared) throw concurrent()
    if (transaction.state === 'Ongoing') {
      this.#abort(transaction)
      throw concurrent()
    }
    transaction.begin(expected, timeoutMs, () => this.#host.nextProducerId())
    this.#host.journal?.(transaction)
    return transaction.identity
  }

  /** Partitions join the transaction; the first ones begin it. */
  add(brokerId: number, transactionalId: string, producer: ProducerIdentity, partitions: readonly TopicPartition[]): void {
    const transaction = this.#of(brokerId, transactionalId)
    transaction.check(producer)
    if (transaction.isPrepared) throw concurrent()
    if (transaction.state === 'Ongoing' && partitions.every(({ topic, partition }) => transaction.has(topic, partition))) return
    const began = transaction.state !== 'Ongoing'
    transaction.add(partitions, this.#host.world.now())
    this.#host.journal?.(transaction)
    if (began) this.#startTimeout(transaction, transaction.timeoutMs)
  }

  /** Are these in the transaction? Error codes, one for each (KIP-890's verification). */
  verify(brokerId: number, transactionalId: string, producer: ProducerIdentity, partitions: readonly TopicPartition[]): number[] {
    const transaction = this.#of(brokerId, transactionalId)
    transaction.check(producer)
    if (transaction.isPrepared) throw concurrent()
    return partitions.map(({ topic, partition }) => (transaction.has(topic, partition) ? ERROR.NONE : ERROR.TRANSACTION_ABORTABLE))
  }

  /** The producer's identity from now on. Markers are on their way. */
  end(brokerId: number, { transactionalId, commit, bump, ...producer }: EndRequest): ProducerIdentity {
    const transaction = this.#of(brokerId, transactionalId)
    const isRepeated = transaction.isRepeatedEnd(producer)
    if (!isRepeated) transaction.check(producer)
    const { state } = transaction
    const isOver = state === 'Empty' || state === 'CompleteCommit' || state === 'CompleteAbort'
    // In version 2 a producer cannot know whether anything of its transaction has arrived: it may abort what has not begun.
    if (state === 'Ongoing' || (bump && !isRepeated && !commit && isOver)) return this.#end(transaction, commit, bump)
    const isSame = state === (commit ? 'CompleteCommit' : 'CompleteAbort')
    if (isSame && (isRepeated || !bump)) return transaction.identity
    if (state === (commit ? 'PrepareCommit' : 'PrepareAbort')) throw concurrent()
    throw stateFault(transaction, commit)
  }

  /** Undefined: nobody knows it. */
  describe(brokerId: number, transactionalId: string): Transaction | undefined {
    this.#check(brokerId, transactionalId)
    return this.transactions.get(transactionalId)
  }

  /** Those that this broker coordinates. */
  list(brokerId: number): Transaction[] {
    return [...this.transactions.values()].filter(({ id }) => this.placement.check(brokerId, id) === ERROR.NONE)
  }

  /**
   * May a batch be written? Asked by whoever leads the partition, so it is the coordinator that is asked, whichever broker it is. `join`: writing is
   * joining.
   */
  mayWrite(transactionalId: string, producer: ProducerIdentity, at: TopicPartition, join: boolean): number {
    const { leader } = this.#host.placeOf(transactionalId)
    try {
      if (leader < 0) return ERROR.COORDINATOR_NOT_AVAILABLE
      if (!join) return this.verify(leader, transactionalId, producer, [at])[0]!
      this.add(leader, transactionalId, producer, [at])
      return ERROR.NONE
    } catch (fault) {
      if (fault instanceof KafkaFault) return fault.errorCode
      throw fault
    }
  }

  /** A fault: its producer has the last epoch that there is. False: nobody knows it. */
  exhaustEpochs(transactionalId: string): boolean {
    const transaction = this.transactions.get(transactionalId)
    if (!transaction) return false
    transaction.epoch = EPOCH_MAX
    return true
  }

  /** A fault: its coordinator reads its partition anew, for so long. */
  reload(transactionalId: string, loadMs: number): void {
    const place = this.#host.placeOf(transactionalId)
    this.follow(place)
    this.placement.reload(place.partition, loadMs)
  }

  /** All timers end. */
  close(): void {
    this.placement.close()
    this.#markers.close()
    for (const transaction of [...this.#timeouts.keys()]) this.#stopTimeout(transaction)
  }

  #check(brokerId: number, transactionalId: string): void {
    if (transactionalId === '') throw new KafkaFault('INVALID_REQUEST', 'The transactional id must not be empty.')
    const error = this.placement.check(brokerId, transactionalId)
    if (error) throw coordinatorFault(error)
  }

  #of(brokerId: number, transactionalId: string): Transaction {
    this.#check(brokerId, transactionalId)
    const transaction = this.transactions.get(transactionalId)
    if (!transaction) throw mapping()
    return transaction
  }

  #end(transaction: Transaction, commit: boolean, bump: boolean): ProducerIdentity {
    this.#stopTimeout(transaction)
    transaction.prepare(commit, bump, () => this.#host.nextProducerId())
    this.#host.journal?.(transaction)
    this.#markers.write(transaction)
    return transaction.nextProducerId < 0n ? transaction.identity : { producerId: transaction.nextProducerId, producerEpoch: 0 }
  }

  /** Not because its producer wants it: the epoch is raised, so that the producer hears of it. */
  #abort(transaction: Transaction): void {
    transaction.fence()
    this.#end(transaction, false, false)
  }

  #startTimeout(transaction: Transaction, delayMs: number): void {
    this.#stopTimeout(transaction)
    const timer = this.#host.world.setTimer(() => {
      this.#timeouts.delete(transaction)
      if (transaction.state === 'Ongoing') this.#abort(transaction)
    }, delayMs)
    this.#timeouts.set(transaction, timer)
  }

  #stopTimeout(transaction: Transaction): void {
    const timer = this.#timeouts.get(transaction)
    if (timer) this.#host.world.clearTimer(timer)
    this.#timeouts.delete(transaction)
  }

  #unload(partition: number): void {
    for (const transaction of this.#in(partition)) {
      this.#stopTimeout(transaction)
      this.#markers.stop(transaction)
    }
  }

  /** What was decided is carried out, what runs runs on. */
  #load(partition: number): void {
    for (const transaction of this.#in(partition)) {
      if (transaction.isPrepared) this.#markers.write(transaction)
      else if (transaction.state === 'Ongoing')
        this.#startTimeout(transaction, Math.max(0, transaction.startedAt + transaction.timeoutMs - this.#host.world.now()))
    }
  }

  #in(partition: number): Transaction[] {
    return [...this.transactions.values()].filter(({ id }) => this.#host.placeOf(id).partition === partition)
  }
}

function concurrent(): KafkaFault {
  return new KafkaFault(
    'CONCURRENT_TRANSACTIONS',
    'The producer attempted to update a transaction while another concurrent operation on the same transaction was ongoing.'
  )
}

function stateFault({ state }: Transaction, commit: boolean): KafkaFault {
  return new KafkaFault('INVALID_TXN_STATE', `A transaction that is ${state} cannot be ${commit ? 'committed' : 'aborted'}.`)
}
