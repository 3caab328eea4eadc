/**
 * Planted bugs of what a client believes: lengths, sizes, and errors that brokers answer with.
 */
import type { Mutant } from './table.ts'

export const BAD_INPUT: Mutant[] = [
  {
    name: 'an array of any length is allocated',
    after: 'kafka-go 1439: the array length of a peer that is no Kafka ran the process out of memory',
    file: 'src/wire/reader.ts',
    find: 'if (elementBytes === 0 ? count > EMPTY_ELEMENTS_MAX : count * elementBytes > this.remaining)',
    replace: 'if (elementBytes === 0 && count > EMPTY_ELEMENTS_MAX)',
    caughtBy: ['test/wire/hostile.test.ts']
  },
  {
    name: 'a frame of any size is waited for',
    after: 'neither JavaScript peer caps frames',
    file: 'src/wire/frames.ts',
    find: 'if (size < PREFIX_BYTES || size > this.maxFrameBytes) throw',
    replace: 'if (size < PREFIX_BYTES) throw',
    caughtBy: ['test/wire/frames.test.ts']
  },
  {
    name: 'a decompression bomb is opened',
    after: 'kafkajs 1795: 522 KB of gzip became 512 MiB',
    file: 'src/wire/records/snappy.ts',
    find: 'if (total > limitBytes) throw',
    replace: 'if (total < 0) throw',
    caughtBy: ['test/wire/records/compression.test.ts']
  },
  {
    name: 'a ZooKeeper frame of any length is taken',
    after: 'node-zookeeper-client 1.1.3: a frame of length -5 kills the process, one of 0x7fffffff allocates 2 GiB',
    file: 'src/registry/zookeeper/frames.ts',
    find: 'if (length >= 0 && length <= this.#maxBytes) return length',
    replace: 'if (length >= 0) return length',
    caughtBy: ['test/registry/zookeeper/frames.test.ts']
  },
  {
    name: 'a failed fetch is swallowed',
    after: 'brod 422, 441: a swallowed fetch error stalled silently',
    file: 'src/flow/fetcher.ts',
    find: 'if (answer.errorCode !== 0) return this.#refused(partition, answer.errorCode)',
    replace: 'if (answer.errorCode !== 0) return',
    caughtBy: ['test/flow/fetcher.test.ts']
  },
  {
    name: 'an error that leaves the outcome open counts as a refusal',
    after: 'sarama 1430, librdkafka 4438: a batch that may have been written is treated as one that was not',
    file: 'src/model/error-classes.ts',
    find: "return errorClass(api, code) === 'unknown' || (api === 'Produce'",
    replace: "return errorClass(api, code) === 'unknown' && (api === 'Produce'",
    caughtBy: ['test/model/error-classes.test.ts']
  },
  {
    name: 'a batch that was sent is rerouted without its flag',
    after: 'facts: what was sent and is written elsewhere may lie there twice, and must say so',
    file: 'src/actors/publisher.ts',
    find: 'this.#moveTo(this.plane(from.topic), from, target, [batch], maybeDoubled, reason)',
    replace: 'this.#moveTo(this.plane(from.topic), from, target, [batch], maybeDoubled && false, reason)',
    caughtBy: ['test/actors/publisher.test.ts']
  }
]
