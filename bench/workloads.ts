/**
 * What is measured, and with whom.
 */
export interface Workload {
  what: string
  /** A file of `bench/programs`. */
  work: 'lists' | 'singles' | 'latency' | 'consume' | 'end-to-end' | 'group' | 'start'
  /** Messages that count, and those before the clock starts. */
  count: number
  warm: number
  recordBytes: number
  compression?: 'lz4'
  /** Reads this topic, which is there; else each run has one of its own. */
  stored?: 'stored-100' | 'stored-1000-lz4'
  clients: string[]
  /** More for the worker. */
  more: Record<string, string | number>
  /** The figure that counts, and those beside it; see `figureOf` in report.ts. */
  figures: string[]
}

const peers = ['kafkajs', 'platformatic', 'confluent', 'confluent-events', 'node-rdkafka', 'java', 'franz-go']
const batching = peers.filter(name => name !== 'kafkajs')
/** Ours, with what it can do beside: frames of the recorder, batches on disk. */
const beside = ['samsa-unrecorded', 'samsa-journal', 'samsa-outbox', 'samsa-outbox-written']
const throughput = ['usPerMessage', 'kPerSecond', 'rssMb']

export const workloads: Record<string, Workload> = {
  P1: {
    ...{ what: 'publish 10⁶ x 100 B, lists of 1,000', work: 'lists', count: 1_000_000, warm: 100_000, recordBytes: 100 },
    ...{
      clients: ['samsa', 'samsa-actor', 'samsa-inspect', ...beside, 'samsa-node20', ...peers, 'raw'],
      more: { perList: 1_000, lanes: 5 }
    },
    figures: throughput
  },
  P1b: {
    ...{ what: 'publish 10⁶ x 100 B, lists of 2,000', work: 'lists', count: 1_000_000, warm: 100_000, recordBytes: 100 },
    ...{ clients: ['samsa', ...peers, 'raw'], more: { perList: 2_000, lanes: 5 }, figures: throughput }
  },
  P1s: {
    ...{
      what: 'publish 500,000 x 100 B, a promise each, 10,000 at a time',
      work: 'singles',
      count: 500_000,
      warm: 50_000,
      recordBytes: 100
    },
    ...{ clients: ['samsa', 'samsa-actor', ...batching, 'raw'], more: { atOnce: 10_000 }, figures: throughput }
  },
  P2: {
    ...{ what: 'publish 200,000 x 1 KB, lz4, lists of 500', work: 'lists', count: 200_000, warm: 20_000, recordBytes: 1_000 },
    ...{ compression: 'lz4', clients: ['samsa', 'samsa-node20', ...peers], more: { perList: 500, lanes: 5 }, figures: throughput }
  },
  P3: {
    ...{ what: 'publish, one in flight', work: 'latency', count: 5_000, warm: 500, recordBytes: 100 },
    ...{ clients: ['samsa', ...beside, ...peers, 'raw'], more: {}, figures: ['p50Ms', 'p99Ms', 'usPerMessage'] }
  },
  P4: {
    ...{ what: 'publish 50,000 x 100 B, all promises at once', work: 'singles', count: 50_000, warm: 1_000, recordBytes: 100 },
    ...{ clients: ['samsa', 'samsa-actor', ...batching, 'raw'], more: { atOnce: 50_000, lingerMs: 5 }, figures: throughput }
  },
  C1m: {
    ...{ what: 'consume 10⁶ x 100 B, message by message', work: 'consume', count: 1_000_000, warm: 100_000, recordBytes: 100 },
    ...{
      stored: 'stored-100',
      clients: ['samsa', 'samsa-zookeeper', 'samsa-inspect', 'samsa-node20', ...peers, 'raw'],
      more: { mode: 'message' }
    },
    figures: [...throughput, 'starvedMs']
  },
  C1b: {
    ...{ what: 'consume 10⁶ x 100 B, batch by batch', work: 'consume', count: 1_000_000, warm: 100_000, recordBytes: 100 },
    ...{
      stored: 'stored-100',
      clients: ['samsa', 'samsa-actor', 'kafkajs', 'confluent', 'confluent-events', 'node-rdkafka', 'java', 'franz-go', 'raw']
    },
    ...{ more: { mode: 'batch' }, figures: [...throughput, 'starvedMs'] }
  },
  C2: {
    ...{ what: 'consume 200,000 x 1 KB, lz4', work: 'consume', count: 200_000, warm: 20_000, recordBytes: 1_000, compression: 'lz4' },
    ...{
      stored: 'stored-1000-lz4',
      clients: ['samsa', 'samsa-node20', ...peers],
      more: { mode: 'batch' },
      figures: [...throughput, 'starvedMs']
    }
  },
  E1: {
    ...{ what: 'from publish to consume, 1,000 messages/s', work: 'end-to-end', count: 1, warm: 0, recordBytes: 100 },
    ...{ clients: ['samsa', ...peers], more: { rate: 1_000, warmSeconds: 2, seconds: 5 }, figures: ['p50Ms', 'p99Ms', 'usPerMessage'] }
  },
  G1: {
    ...{ what: 'a group: first message of a first member, of a second, longest silence of both', work: 'group', count: 1, warm: 0 },
    ...{ recordBytes: 100, clients: ['samsa', 'samsa-zookeeper', ...peers], more: { settleMs: 2_500 } },
    figures: ['firstMs', 'secondMs', 'silenceMs']
  },
  M1: {
    ...{ what: 'import, connect, send one, close, exit', work: 'start', count: 1, warm: 0, recordBytes: 100 },
    ...{
      clients: ['samsa', 'samsa-zookeeper', 'samsa-node20', 'samsa-cached', ...peers, 'raw'],
      more: {},
      figures: ['totalMs', 'totalCpuMs', 'rssMb']
    }
  }
}

/** The short cut. */
export const shortCut = {
  works: ['P1', 'P4', 'C1m', 'C1b'],
  clients: ['samsa', 'samsa-actor', 'kafkajs', 'platformatic', 'java', 'franz-go', 'raw']
}
