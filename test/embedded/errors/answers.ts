/**
 * An error code as the answer to each API that samsa sends. What only reads is answered by its handler, and the code is put in; what changes
 * something is not carried out: the error is the whole answer.
 */

import type { Verdict } from '../../../src/embedded/kafka/control.ts'
import type { SentApi } from '../../../src/model/error-classes.ts'

// biome-ignore lint/suspicious/noExplicitAny: one function for the bodies of two dozen APIs
type Body = any

const NOBODY = { throttleTimeMs: 0, nodeEndpoints: [] }
const noLeader = { leaderId: -1, leaderEpoch: -1 }

/** In place of the handler's. */
const REFUSALS: Partial<Record<SentApi, (body: Body, code: number, version: number) => Body>> = {
  Produce: ({ topicData }, errorCode) => ({
    ...NOBODY,
    responses: topicData.map(({ name, topicId, partitionData }: Body) => ({
      ...{ name, topicId },
      partitionResponses: partitionData.map(({ index }: Body) => ({
        ...{ index, errorCode, baseOffset: -1n, logAppendTimeMs: -1n, logStartOffset: -1n },
        ...{ recordErrors: [], errorMessage: null, currentLeader: noLeader }
      }))
    }))
  }),
  InitProducerId: (_, errorCode) => ({ throttleTimeMs: 0, errorCode, producerId: -1n, producerEpoch: -1 }),
  JoinGroup: ({ memberId }, errorCode) => ({
    ...{ throttleTimeMs: 0, errorCode, generationId: -1, protocolType: null, protocolName: '', leader: '', skipAssignment: false },
    // KIP-394: this error brings the id with which to join again.
    memberId: errorCode === 79 ? 'given-by-the-coordinator' : memberId,
    members: []
  }),
  SyncGroup: (_, errorCode) => ({ throttleTimeMs: 0, errorCode, protocolType: null, protocolName: null, assignment: Buffer.alloc(0) }),
  Heartbeat: (_, errorCode) => ({ throttleTimeMs: 0, errorCode }),
  LeaveGroup: ({ members = [] }, errorCode) => ({
    ...{ throttleTimeMs: 0, errorCode: 0 },
    members: members.map(({ memberId, groupInstanceId }: Body) => ({ memberId, groupInstanceId: groupInstanceId ?? null, errorCode }))
  }),
  ConsumerGroupHeartbeat: ({ memberId }, errorCode) => ({
    ...{ throttleTimeMs: 0, errorCode, errorMessage: null, memberId, memberEpoch: 0, heartbeatIntervalMs: 0, assignment: null }
  }),
  OffsetCommit: ({ topics }, errorCode) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, topicId, partitions }: Body) => ({
      ...{ name, topicId },
      partitions: partitions.map(({ partitionIndex }: Body) => ({ partitionIndex, errorCode }))
    }))
  }),
  OffsetDelete: ({ topics }, errorCode) => ({
    ...{ errorCode: 0, throttleTimeMs: 0 },
    topics: topics.map(({ name, partitions }: Body) => ({
      name,
      partitions: partitions.map(({ partitionIndex }: Body) => ({ partitionIndex, errorCode }))
    }))
  }),
  DeleteGroups: ({ groupsNames }, errorCode) => ({
    throttleTimeMs: 0,
    results: groupsNames.map((groupId: string) => ({ groupId, errorCode }))
  }),
  CreateTopics: ({ topics }, errorCode) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name }: Body) => ({
      ...{ name, topicId: 'AAAAAAAAAAAAAAAAAAAAAA', errorCode, errorMessage: null, topicConfigErrorCode: 0 },
      ...{ numPartitions: -1, replicationFactor: -1, configs: [] }
    }))
  }),
  DeleteTopics: ({ topics }, errorCode) => ({
    throttleTimeMs: 0,
    responses: topics.map(({ name, topicId }: Body) => ({ name, topicId, errorCode, errorMessage: null }))
  })
}

/** Where the error stands in what only reads. */
const READS: Partial<Record<SentApi, (answer: Body, code: number) => void>> = {
  ApiVersions: (answer, code) => void (answer.errorCode = code),
  Metadata: ({ topics }, code) => {
    for (const topic of topics) Object.assign(topic, { errorCode: code, partitions: [] })
  },
  Fetch: (answer, code) => {
    // The errors of a session are those of the whole answer.
    if ([70, 71, 106].includes(code)) Object.assign(answer, { errorCode: code, responses: [], sessionId: 0 })
    for (const { partitions } of answer.responses) for (const one of partitions) Object.assign(one, { errorCode: code, records: null })
  },
  ListOffsets: ({ topics }, code) => {
    for (const { partitions } of topics) for (const one of partitions) Object.assign(one, { errorCode: code, offset: -1n })
  },
  OffsetForLeaderEpoch: ({ topics }, code) => {
    for (const { partitions } of topics)
      for (const one of partitions) Object.assign(one, { errorCode: code, endOffset: -1n, leaderEpoch: -1 })
  },
  DescribeProducers: ({ topics }, code) => {
    for (const { partitions } of topics) for (const one of partitions) Object.assign(one, { errorCode: code, activeProducers: [] })
  },
  FindCoordinator: ({ coordinators }, code) => {
    for (const one of coordinators) Object.assign(one, { errorCode: code, nodeId: -1, host: '', port: -1 })
  },
  OffsetFetch: ({ groups }, code) => {
    for (const group of groups ?? []) Object.assign(group, { errorCode: code, topics: [] })
  },
  DescribeGroups: ({ groups }, code) => {
    for (const group of groups) Object.assign(group, { errorCode: code, groupState: '', members: [] })
  },
  ConsumerGroupDescribe: ({ groups }, code) => {
    for (const group of groups) Object.assign(group, { errorCode: code, members: [] })
  },
  ListGroups: (answer, code) => void Object.assign(answer, { errorCode: code, groups: [] }),
  DescribeConfigs: ({ results }, code) => {
    for (const result of results) Object.assign(result, { errorCode: code, configs: [] })
  }
}

export function verdictFor(api: SentApi, body: Body, code: number, version: number): Verdict {
  const refusal = REFUSALS[api]
  if (refusal) return { answer: refusal(body, code, version) }
  return {
    change: answer => {
      READS[api]!(answer, code)
      return undefined
    }
  }
}
