/**
 * What the coordinator writes into `__transaction_state`, in Kafka's own form (`TransactionLog`), and what it makes of it when it finds it again.
 */
import { compile } from '../../../wire/compile.ts'
import type { Definition, FieldDefinition } from '../../../wire/definition.ts'
import { Reader } from '../../../wire/reader.ts'
import { Writer } from '../../../wire/writer.ts'
import type { LogRecord } from '../groups/records.ts'
import { Transaction, type TransactionState } from './transaction.ts'

/** Kafka's numbers of the states. */
const STATES: readonly TransactionState[] = [
  ...(['Empty', 'Ongoing', 'PrepareCommit', 'PrepareAbort', 'CompleteCommit', 'CompleteAbort', 'Dead', 'PrepareEpochFence'] as const)
]
const VALUE_VERSION = 1
/** Of transactions that end with a new epoch. */
const BUMPING = 2

const plain = (type: FieldDefinition['type'], name: string): FieldDefinition => ({ name, type, versions: [0, 1] })
const tagged = (type: FieldDefinition['type'], name: string, tag: number, value: bigint | number): FieldDefinition => ({
  ...{ name, type, tag, default: value },
  ...{ versions: [1, 1], tagged: [1, 1] }
})
const keyDefinition: Definition = {
  ...{ name: 'TransactionLogKey', flexible: null },
  ...{ versions: [0, 0], fields: [{ name: 'transactionalId', type: 'string', versions: [0, 0] }] }
}
const valueDefinition: Definition = {
  name: 'TransactionLogValue',
  versions: [0, 1],
  flexible: [1, 1],
  fields: [
    plain('int64', 'producerId'),
    tagged('int64', 'previousProducerId', 0, -1n),
    tagged('int64', 'nextProducerId', 1, -1n),
    plain('int16', 'producerEpoch'),
    plain('int32', 'transactionTimeoutMs'),
    plain('int8', 'transactionStatus'),
    {
      ...{ name: 'transactionPartitions', type: 'struct', array: true, versions: [0, 1], nullable: [0, 1] },
      fields: [plain('string', 'topic'), { name: 'partitionIds', type: 'int32', array: true, versions: [0, 1] }]
    },
    plain('int64', 'transactionLastUpdateTimestampMs'),
    plain('int64', 'transactionStartTimestampMs'),
    tagged('int16', 'clientTransactionVersion', 2, 0)
  ]
}
const keys = compile(keyDefinition, 0)
const values = [0, 1].map(version => compile(valueDefinition, version))

interface Value {
  producerId: bigint
  previousProducerId: bigint
  nextProducerId: bigint
  producerEpoch: number
  transactionTimeoutMs: number
  transactionStatus: number
  transactionPartitions: { topic: string; partitionIds: number[] }[] | null
  transactionStartTimestampMs: bigint
  clientTransactionVersion: number
}

export function writeTransaction(transaction: Transaction, now: number): LogRecord {
  const { id, producerId, previousProducerId, nextProducerId, epoch, timeoutMs, state, partitions, startedAt } = transaction
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of partitions) topics.set(topic, [...(topics.get(topic) ?? []), partition])
  const value = {
    ...{ producerId, previousProducerId, nextProducerId, producerEpoch: epoch, transactionTimeoutMs: timeoutMs },
    transactionStatus: STATES.indexOf(state),
    transactionPartitions: state === 'Empty' ? null : [...topics].map(([topic, partitionIds]) => ({ topic, partitionIds })),
    transactionLastUpdateTimestampMs: BigInt(now),
    transactionStartTimestampMs: BigInt(startedAt),
    clientTransactionVersion: transaction.endedWithBump ? BUMPING : 0
  }
  return { key: bytes(0, keys, { transactionalId: id }), value: bytes(VALUE_VERSION, values[VALUE_VERSION]!, value) }
}

/** Undefined: none of ours, or deleted. Throws ProtocolError on bytes that are no transaction. */
export function readTransaction({ key, value }: LogRecord): Transaction | undefined {
  const version = value?.readInt16BE(0) ?? -1
  if (!value || key.readInt16BE(0) !== 0 || !values[version]) return undefined
  const { transactionalId } = keys.decode(new Reader(key, 2)) as { transactionalId: string }
  const found = values[version].decode(new Reader(value, 2)) as Value
  const transaction = new Transaction(transactionalId, found.producerId, found.transactionTimeoutMs)
  const partitions = (found.transactionPartitions ?? []).flatMap(({ topic, partitionIds }) =>
    partitionIds.map(partition => ({ topic, partition }))
  )
  transaction.add(partitions, Number(found.transactionStartTimestampMs))
  return Object.assign(transaction, {
    ...{ previousProducerId: found.previousProducerId, nextProducerId: found.nextProducerId, epoch: found.producerEpoch },
    ...{ state: STATES[found.transactionStatus] ?? 'Empty', endedWithBump: found.clientTransactionVersion >= BUMPING }
  })
}

function bytes(version: number, codec: { encode(writer: Writer, value: object): void }, value: object): Buffer {
  const writer = new Writer()
  writer.int16(version)
  codec.encode(writer, value)
  return Buffer.concat(writer.finish())
}
