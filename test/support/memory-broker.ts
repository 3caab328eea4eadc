/**
 * A broker without a network: a World whose connections end in this process, where whole frames are decoded, answered and counted. Everything
 * above the socket is the real client, so that what it does for each request can be counted exactly.
 */
import type { Transport, TransportHandlers, World } from '../../src/model/world.ts'
import { API_NAMES, type ApiName, apiNameOf, loadApi, loadedApi, type RequestOf, readRequestHead } from '../../src/wire/apis.ts'
import { API_TABLE } from '../../src/wire/messages/index.ts'
import { nodeWorld } from '../../src/world/node.ts'

/** What it offers, as Kafka 3.9 does; no group coordinator. */
const OFFERED: Partial<Record<ApiName, [min: number, max: number]>> = {
  ApiVersions: [0, 4],
  Metadata: [0, 12],
  InitProducerId: [0, 5],
  Produce: [3, 11],
  Fetch: [4, 17],
  ListOffsets: [1, 9]
}
const TOPIC_ID = 'uKL0dQXkRR2SsSTNmwGNHg'
const CLUSTER_ID = 'memory'
/** As much as the real World reads at once. */
const READ_BYTES = 256 * 1024
const HEAD_BYTES = 61

/** Of one partition: batches with their bases stamped, as they lie in a log. */
interface Log {
  batches: { base: number; end: number; bytes: Buffer }[]
  end: number
}

/** Bytes taken so far: of the JavaScript heap, and of buffers outside of it. They only grow while nothing is collected. */
export interface Taken {
  heap: number
  buffers: number
}

export function takenNow(): Taken {
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return { heap: heapUsed, buffers: arrayBuffers }
}

export class MemoryBroker {
  readonly world: World
  readonly topic: string
  readonly partitions: number
  /** Calls of `write`: each is one system call, whatever number of chunks it has. */
  writes = 0
  requests = new Map<string, number>()
  /** Batches and records that were produced. */
  batches = 0
  records = 0
  /** What this side has taken itself: not the client's. */
  readonly taken: Taken = { heap: 0, buffers: 0 }
  /** Bytes of records in one answer to a Fetch, at most. */
  fetchBytes = 512 * 1024
  #logs: Log[]
  #keep: boolean

  constructor(topic: string, partitions: number, options: { keep?: boolean } = {}) {
    this.topic = topic
    this.partitions = partitions
    this.#keep = options.keep ?? true
    this.#logs = Array.from({ length: partitions }, () => ({ batches: [], end: 0 }))
    this.world = { ...nodeWorld(), dial: (_, handlers) => this.#dial(handlers), resolve: host => Promise.resolve([host]) }
  }

  /** Loads what it speaks. */
  async prepare(): Promise<void> {
    await Promise.all(Object.keys(OFFERED).map(name => loadApi(name as ApiName)))
  }

  requestsOf(api: ApiName): number {
    return this.requests.get(api) ?? 0
  }

  /** Of one partition's log. */
  endOf(partition: number): number {
    return this.#logs[partition]!.end
  }

  #dial(handlers: TransportHandlers): Transport {
    let open = true
    const waiting: Uint8Array[] = []
    let rest: Buffer = Buffer.alloc(0)
    const close = () => {
      if (!open) return
      open = false
      setImmediate(() => handlers.onClose(undefined))
    }
    const answer = () => {
      for (const bytes of waiting.splice(0)) {
        const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
        for (let at = 0; open && at < whole.length; at += READ_BYTES) handlers.onData(whole.subarray(at, at + READ_BYTES))
      }
    }
    const say = (bytes: Buffer) => {
      waiting.push(bytes)
      if (waiting.length === 1) setImmediate(answer)
    }
    setImmediate(() => handlers.onConnect())
    return {
      write: chunks => {
        this.writes++
        // What a socket would do with them is no matter of the client's: its bytes are counted apart.
        const from = takenNow()
        rest = this.#take(Buffer.concat([rest, ...chunks]), say)
        const to = takenNow()
        this.taken.heap += to.heap - from.heap
        this.taken.buffers += to.buffers - from.buffers
        return true
      },
      bufferedBytes: 0,
      pause: () => {},
      resume: () => {},
      end: close,
      destroy: close
    }
  }

  /** Any number of frames; answers with the rest, of which more is to come. */
  #take(bytes: Buffer, say: (bytes: Buffer) => void): Buffer {
    let at = 0
    while (at + 4 <= bytes.length && at + 4 + bytes.readInt32BE(at) <= bytes.length) {
      const size = bytes.readInt32BE(at)
      this.#answer(bytes.subarray(at + 4, at + 4 + size), say)
      at += 4 + size
    }
    return bytes.subarray(at)
  }

  #answer(frame: Buffer, say: (bytes: Buffer) => void): void {
    const { apiKey, apiVersion } = readRequestHead(frame)
    const name = apiNameOf(apiKey)!
    const api = loadedApi(name)
    this.requests.set(name, this.requestsOf(name) + 1)
    const { body, correlationId } = api.decodeRequest(apiVersion, frame)
    const respond = (answer: object) => say(Buffer.concat(api.encodeResponse(apiVersion, correlationId, answer as never).chunks))
    if (name === 'ApiVersions') respond(versions())
    else if (name === 'Metadata') respond(this.#metadata(body as never))
    else if (name === 'InitProducerId') respond({ throttleTimeMs: 0, errorCode: 0, producerId: 7n, producerEpoch: 0 })
    else if (name === 'Produce') respond(this.#produce(body as never))
    else if (name === 'ListOffsets') respond(this.#listOffsets(body as never))
    else if (name === 'Fetch') this.#fetch(body as never, respond)
    else throw new Error(`the memory broker does not speak ${name}`)
  }

  #metadata({ topics }: RequestOf<'Metadata'>): object {
    const mine = {
      ...{ errorCode: 0, name: this.topic, topicId: TOPIC_ID, isInternal: false, topicAuthorizedOperations: -2147483648 },
      partitions: Array.from({ length: this.partitions }, (_, partitionIndex) => ({
        ...{ errorCode: 0, partitionIndex, leaderId: 1, leaderEpoch: 0 },
        ...{ replicaNodes: [1], isrNodes: [1], offlineReplicas: [] }
      }))
    }
    const asked = topics === null || topics.some(({ name }) => name === this.topic)
    return {
      ...{ throttleTimeMs: 0, clusterId: CLUSTER_ID, controllerId: 1, clusterAuthorizedOperations: -2147483648, errorCode: 0 },
      brokers: [{ nodeId: 1, host: 'memory', port: 1, rack: null }],
      topics: asked ? [mine] : []
    }
  }

  #produce({ topicData }: RequestOf<'Produce'>): object {
    const responses = topicData.map(({ name, partitionData }) => ({
      ...{ name: name ?? '', topicId: TOPIC_ID },
      partitionResponses: partitionData.map(({ index, records }) => ({
        ...{ index, errorCode: 0, baseOffset: BigInt(this.#append(index, records as Buffer)), logAppendTimeMs: -1n, logStartOffset: 0n },
        ...{ recordErrors: [], errorMessage: null, currentLeader: { leaderId: -1, leaderEpoch: -1 } }
      }))
    }))
    return { responses, throttleTimeMs: 0, nodeEndpoints: [] }
  }

  #append(partition: number, batch: Buffer): number {
    const log = this.#logs[partition]!
    const count = batch.readInt32BE(HEAD_BYTES - 4)
    const base = log.end
    log.end += count
    this.batches++
    this.records += count
    if (this.#keep) {
      const bytes = Buffer.from(batch)
      bytes.writeBigInt64BE(BigInt(base), 0)
      log.batches.push({ base, end: log.end, bytes })
    }
    return base
  }

  #listOffsets({ topics }: RequestOf<'ListOffsets'>): object {
    const offsets = topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, timestamp }) => ({
        ...{ partitionIndex, errorCode: 0, oldStyleOffsets: [], timestamp: -1n, leaderEpoch: 0 },
        offset: timestamp === -2n ? 0n : BigInt(this.endOf(partitionIndex))
      }))
    }))
    return { throttleTimeMs: 0, topics: offsets }
  }

  /** No sessions: every request says all of its partitions. One that finds nothing is answered when a broker's longest wait is over. */
  #fetch({ topics, maxWaitMs }: RequestOf<'Fetch'>, respond: (answer: object) => void): void {
    let left = this.fetchBytes
    const responses = topics.map(({ partitions }) => ({
      ...{ topic: this.topic, topicId: TOPIC_ID },
      partitions: partitions.map(({ partition, fetchOffset, partitionMaxBytes }) => {
        const log = this.#logs[partition]!
        const found: Buffer[] = []
        let most = Math.min(left, partitionMaxBytes)
        for (const { end, bytes } of log.batches) {
          if (end <= fetchOffset) continue
          if (bytes.length > most) break
          found.push(bytes)
          most -= bytes.length
          left -= bytes.length
        }
        const end = BigInt(log.end)
        return {
          ...{ partitionIndex: partition, errorCode: 0, highWatermark: end, lastStableOffset: end, logStartOffset: 0n },
          ...{ divergingEpoch: { epoch: -1, endOffset: -1n }, currentLeader: { leaderId: -1, leaderEpoch: -1 } },
          ...{ snapshotId: { endOffset: -1n, epoch: -1 }, abortedTransactions: null, preferredReadReplica: -1 },
          records: Buffer.concat(found)
        }
      })
    }))
    const answer = { throttleTimeMs: 0, errorCode: 0, sessionId: 0, responses, nodeEndpoints: [] }
    if (left < this.fetchBytes) respond(answer)
    else setTimeout(() => respond(answer), maxWaitMs).unref()
  }
}

function versions(): object {
  const apiKeys = API_NAMES.flatMap(name => {
    const range = OFFERED[name]
    return range ? [{ apiKey: API_TABLE[name].key, minVersion: range[0], maxVersion: range[1] }] : []
  })
  const finalized = { supportedFeatures: [], finalizedFeaturesEpoch: -1n, finalizedFeatures: [], zkMigrationReady: false }
  return { errorCode: 0, apiKeys, throttleTimeMs: 0, ...finalized }
}
