/**
 * What a frame costs here: decoding Metadata of 1,000 partitions, encoding and decoding Produce and Fetch of 100, in µs of CPU per frame.
 * Run: `node --import tsx bench/micro/codec.ts [rounds, default 2000]`.
 */
import { type ApiName, loadApi, type RequestOf, type ResponseOf } from '../../src/wire/apis.ts'

const rounds = Number(process.argv[2] ?? 2_000)
const batch = Buffer.alloc(16_384, 'x')
const topicId = 'dGhpcy1pcy1hLXV1aWQtMA'
const meta = { correlationId: 1, clientId: 'bench' }
const list = <T>(count: number, one: (i: number) => T) => Array.from({ length: count }, (_, i) => one(i))

const metadata = {
  throttleTimeMs: 0,
  brokers: list(3, nodeId => ({ nodeId, host: `broker-${nodeId}.example.com`, port: 9092, rack: null })),
  clusterId: 'cluster',
  controllerId: 0,
  topics: list(10, topic => ({
    errorCode: 0,
    name: `topic-${topic}`,
    topicId,
    isInternal: false,
    partitions: list(100, partitionIndex => ({
      errorCode: 0,
      partitionIndex,
      leaderId: partitionIndex % 3,
      leaderEpoch: 7,
      replicaNodes: [0, 1, 2],
      isrNodes: [0, 1, 2],
      offlineReplicas: []
    })),
    topicAuthorizedOperations: -2147483648
  }))
} as unknown as ResponseOf<'Metadata'>

const produce = {
  transactionalId: null,
  acks: -1,
  timeoutMs: 30_000,
  topicData: list(10, topic => ({ name: `topic-${topic}`, partitionData: list(10, index => ({ index, records: batch })) }))
} as unknown as RequestOf<'Produce'>

const produced = {
  responses: list(10, topic => ({
    name: `topic-${topic}`,
    partitionResponses: list(10, index => ({ index, errorCode: 0, baseOffset: 123456n, logAppendTimeMs: -1n, logStartOffset: 0n }))
  }))
} as unknown as ResponseOf<'Produce'>

const fetch = {
  maxWaitMs: 500,
  minBytes: 1,
  topics: list(10, () => ({
    topicId,
    partitions: list(10, partition => ({ partition, currentLeaderEpoch: 5, fetchOffset: 123456n, partitionMaxBytes: 1_048_576 }))
  }))
} as unknown as RequestOf<'Fetch'>

const fetched = {
  sessionId: 0,
  responses: list(10, () => ({
    topicId,
    partitions: list(10, partitionIndex => ({
      partitionIndex,
      errorCode: 0,
      highWatermark: 123456n,
      lastStableOffset: 123456n,
      logStartOffset: 0n,
      abortedTransactions: null,
      records: batch
    }))
  }))
} as unknown as ResponseOf<'Fetch'>

function measure(name: string, run: () => unknown): void {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < 5; round++) {
    const before = process.cpuUsage()
    for (let i = 0; i < rounds; i++) run()
    const { user, system } = process.cpuUsage(before)
    best = Math.min(best, (user + system) / rounds)
  }
  console.log(`${name.padEnd(52)} ${best.toFixed(1)} µs CPU`)
}

async function request<N extends ApiName>(name: N, version: number, body: RequestOf<N>): Promise<void> {
  const api = await loadApi(name)
  measure(`${name} ${version} request, encode`, () => api.encodeRequest(version, body, meta))
}

async function response<N extends ApiName>(name: N, version: number, body: ResponseOf<N>): Promise<void> {
  const api = await loadApi(name)
  const { chunks } = api.encodeResponse(version, 1, body)
  const frame = Buffer.concat(chunks).subarray(4)
  measure(`${name} ${version} response, decode, ${frame.length} bytes`, () => api.decodeResponse(version, frame))
}

await response('Metadata', 12, metadata)
await request('Produce', 11, produce)
await response('Produce', 11, produced)
await request('Fetch', 17, fetch)
await response('Fetch', 17, fetched)
