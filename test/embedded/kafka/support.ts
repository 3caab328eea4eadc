/**
 * Embedded brokers for a test, and a bare connection to one: requests as objects or as bytes, answers in the order in which they come.
 */
import type { TestContext } from 'node:test'
import { Broker, type BrokerOptions } from '../../../src/embedded/kafka/broker.ts'
import type { ClusterStateOptions } from '../../../src/embedded/kafka/cluster-types.ts'
import { ERROR, type ErrorName } from '../../../src/embedded/kafka/errors.ts'
import { ClusterState } from '../../../src/embedded/kafka/state.ts'
import type { Transport } from '../../../src/model/world.ts'
import { type ApiName, type Frame, loadApi, type RequestOf, type ResponseOf } from '../../../src/wire/apis.ts'
import { FrameReader } from '../../../src/wire/frames.ts'
import { crc32c } from '../../../src/wire/records/crc32c.ts'
import { BatchWriter, stamp } from '../../../src/wire/records/index.ts'
import { ATTRIBUTES_AT, CRC_AT, TRANSACTIONAL_BIT } from '../../../src/wire/records/layout.ts'
import { nodeWorld } from '../../../src/world/node.ts'

export const world = nodeWorld()

export interface TestCluster {
  state: ClusterState
  brokers: Broker[]
  /** `kafka://…` of all brokers. */
  url: string
  broker(id: number): Broker
  /** Done when the test ends, while the brokers are still there. */
  before(end: () => Promise<unknown>): void
  /** A bare connection to a broker; closed with the test. */
  dial(id?: number): Promise<RawClient>
}

export interface TestClusterOptions extends Partial<ClusterStateOptions> {
  brokers?: number
  broker?: Partial<BrokerOptions>
}

/** Brokers 1, 2, … of one cluster, gone when the test ends; it fails if one of their handlers did. */
export async function startCluster(t: TestContext, options: TestClusterOptions = {}): Promise<TestCluster> {
  const { brokers: count = 1, broker: brokerOptions, ...stateOptions } = options
  const state = new ClusterState({ world, ...stateOptions })
  const brokers: Broker[] = []
  for (let id = 1; id <= count; id++) brokers.push(await Broker.start({ world, state, id, ...brokerOptions }))
  const clients: RawClient[] = []
  const endings: (() => Promise<unknown>)[] = []
  t.after(async () => {
    await Promise.all(endings.map(end => end()))
    for (const client of clients) client.close()
    for (const broker of brokers) broker.kill()
    state.close()
    for (const broker of brokers) if (broker.troubles.length > 0) throw broker.troubles[0]
  })
  const broker = (id: number) => brokers[id - 1]!
  return {
    state,
    brokers,
    url: `kafka://${brokers.map(({ address }) => address).join(',')}`,
    broker,
    before: end => void endings.push(end),
    async dial(id = 1) {
      const client = await RawClient.dial(broker(id).port)
      clients.push(client)
      return client
    }
  }
}

interface Waiting {
  resolve(frame: Buffer): void
  reject(error: Error): void
}

export class RawClient {
  /** When the other side has ended it. */
  readonly closed: Promise<void>
  isClosed = false
  #transport!: Transport
  #waiting: Waiting[] = []
  #correlationId = 0
  #sent: Promise<void> = Promise.resolve()
  #connected: Promise<void>

  private constructor(port: number) {
    let closed: () => void
    let connected: () => void
    this.closed = new Promise(resolve => {
      closed = resolve
    })
    this.#connected = new Promise(resolve => {
      connected = resolve
    })
    const reader = new FrameReader({ onFrame: frame => this.#waiting.shift()?.resolve(frame) })
    this.#transport = world.dial(
      { host: '127.0.0.1', port },
      {
        onConnect: () => connected(),
        onData: chunk => reader.push(chunk),
        onDrain: () => {},
        onClose: () => {
          this.isClosed = true
          for (const each of this.#waiting.splice(0)) each.reject(new Error('the broker has closed the connection'))
          closed()
        }
      }
    )
  }

  static async dial(port: number): Promise<RawClient> {
    const client = new RawClient(port)
    await client.#connected
    return client
  }

  close(): void {
    this.#transport.destroy()
  }

  /** Rejects when the connection ends first. */
  async ask<N extends ApiName>(name: N, version: number, body: RequestOf<N>): Promise<ResponseOf<N>> {
    // In the order in which they were asked, whichever definition is loaded first.
    const before = this.#sent
    let sent: () => void = () => {}
    this.#sent = new Promise(resolve => {
      sent = resolve
    })
    const { frame, correlationId } = await this.frame(name, version, body)
    await before
    const answer = this.next()
    this.send(frame.chunks)
    sent()
    const decoded = (await loadApi(name)).decodeResponse(version, await answer)
    if (decoded.correlationId !== correlationId) throw new Error(`asked as ${correlationId}, answered as ${decoded.correlationId}`)
    return decoded.body
  }

  async frame<N extends ApiName>(name: N, version: number, body: RequestOf<N>): Promise<{ frame: Frame; correlationId: number }> {
    const api = await loadApi(name)
    const correlationId = ++this.#correlationId
    return { correlationId, frame: api.encodeRequest(version, body, { correlationId, clientId: 'raw' }) }
  }

  /** Bytes as they are. */
  send(chunks: readonly Uint8Array[]): void {
    this.#transport.write(chunks)
  }

  /** The next answer, without its size. */
  next(): Promise<Buffer> {
    if (this.isClosed) return Promise.reject(new Error('the connection is closed'))
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }
}

export interface BatchOptions {
  producerId?: bigint
  producerEpoch?: number
  baseSequence?: number
  transactional?: boolean
  timestamp?: number
  compression?: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  keyless?: boolean
}

/** A batch of these values. */
export function batchOf(values: readonly string[], options: BatchOptions = {}): Buffer {
  const { producerId = -1n, producerEpoch = -1, baseSequence = -1, timestamp = 1_700_000_000_000, keyless = true } = options
  const writer = new BatchWriter({ limitBytes: 1 << 24 })
  for (const [at, value] of values.entries()) writer.append(timestamp + at, keyless ? null : `k${at}`, value, undefined)
  const sealed = writer.seal(options.compression ?? 'none')
  stamp(sealed, { producerId, producerEpoch, baseSequence })
  const bytes = Buffer.from(sealed.buffer)
  return options.transactional
    ? resealed(bytes, copy => copy.writeInt16BE(copy.readInt16BE(ATTRIBUTES_AT) | TRANSACTIONAL_BIT, ATTRIBUTES_AT))
    : bytes
}

/** The batch with something changed, and its CRC right again. */
export function resealed(batch: Buffer, change: (copy: Buffer) => unknown): Buffer {
  const copy = Buffer.from(batch)
  change(copy)
  copy.writeUInt32BE(crc32c(copy, ATTRIBUTES_AT, copy.length), CRC_AT)
  return copy
}

/** One partition's answer to a Produce of one batch. */
export async function produce(
  client: RawClient,
  topic: string,
  records: Buffer,
  options: { version?: number; acks?: number; partition?: number; transactionalId?: string; timeoutMs?: number } = {}
) {
  const { version = 9, acks = -1, partition = 0, transactionalId = null, timeoutMs = 5_000 } = options
  const topicData = [{ name: topic, partitionData: [{ index: partition, records }] }]
  const answer = await client.ask('Produce', version, { acks, timeoutMs, transactionalId, topicData })
  return answer.responses[0]!.partitionResponses[0]!
}

export interface FetchOptions {
  version?: number
  partition?: number
  maxWaitMs?: number
  minBytes?: number
  maxBytes?: number
  partitionMaxBytes?: number
  isolationLevel?: number
  sessionId?: number
  sessionEpoch?: number
  currentLeaderEpoch?: number
  lastFetchedEpoch?: number
  topicId?: string
}

export function fetchRequest(topic: string, offset: number, options: FetchOptions = {}): RequestOf<'Fetch'> {
  const { partition = 0, partitionMaxBytes = 1 << 20, currentLeaderEpoch = -1, lastFetchedEpoch = -1, topicId } = options
  const { maxWaitMs = 0, minBytes = 1, maxBytes = 1 << 24, isolationLevel = 0, sessionId = 0, sessionEpoch = -1 } = options
  const asked = { partition, fetchOffset: BigInt(offset), partitionMaxBytes, currentLeaderEpoch, lastFetchedEpoch }
  const topics = [{ topic, ...(topicId === undefined ? {} : { topicId }), partitions: [asked] }]
  return { maxWaitMs, minBytes, maxBytes, isolationLevel, sessionId, sessionEpoch, topics, forgottenTopicsData: [] }
}

export async function fetch(client: RawClient, topic: string, offset: number, options: FetchOptions = {}) {
  const answer = await client.ask('Fetch', options.version ?? 12, fetchRequest(topic, offset, options))
  return answer.responses[0]!.partitions[0]!
}

/** `{ code, name }` of an error, for readable assertions. */
export function nameOf(code: number): ErrorName | string {
  return Object.entries(ERROR).find(([, each]) => each === code)?.[0] ?? String(code)
}
