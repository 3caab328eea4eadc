/**
 * What members of a classic group tell each other through the coordinator, which never looks inside: subscriptions, assignments, and what the
 * sticky assignors put into them. Another client wrote it.
 */
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  type ProtocolVersion
} from '../../../src/flow/assignors/kafka/consumer-protocol.ts'
import {
  decodeGeneration,
  decodeStickyUserData,
  encodeGeneration,
  encodeStickyUserData
} from '../../../src/flow/assignors/kafka/sticky-user-data.ts'
import { compile } from '../../../src/wire/compile.ts'
import { consumerProtocolAssignment } from '../../../src/wire/messages/consumer-protocol-assignment.ts'
import { consumerProtocolSubscription } from '../../../src/wire/messages/consumer-protocol-subscription.ts'
import type { Random } from '../../wire/random-message.ts'
import type { Seed } from '../seed.ts'
import { isTyped, type Target } from '../target.ts'
import { TracedReader } from './traced-reader.ts'

function valid(random: Random): Seed {
  const version = random.between(0, 3) as ProtocolVersion
  const topics = ['orders', 'audit', '__proto__'].slice(0, random.between(1, 3))
  const partitions = topics.flatMap(topic => Array.from({ length: random.between(0, 4) }, (_, partition) => ({ topic, partition })))
  const generationId = random.between(-1, 9)
  const userData = random.pick([null, encodeStickyUserData(partitions, generationId), encodeGeneration(generationId)])
  const asked = random.chance(0.5)
  const bytes = asked
    ? encodeSubscription({ topics, userData, ownedPartitions: partitions, generationId, rackId: 'r' }, version)
    : encodeAssignment({ partitions, userData }, version)
  const reader = new TracedReader(bytes)
  reader.int16()
  compile(asked ? consumerProtocolSubscription : consumerProtocolAssignment, version).decode(reader)
  return { what: `${asked ? 'a subscription' : 'an assignment'} of version ${version}`, bytes, fields: reader.fields }
}

export const groupMetadata: Target = {
  name: 'group-metadata',
  // Read as the version that it says, and as each older one.
  timesInput: 400,
  pool: random => Array.from({ length: 24 }, () => valid(random)),
  read(bytes) {
    decodeStickyUserData(bytes)
    decodeGeneration(bytes)
    const refusals: unknown[] = []
    for (const decode of [decodeSubscription, decodeAssignment]) {
      try {
        const { userData } = decode(bytes, 'a member')
        decodeStickyUserData(userData)
        decodeGeneration(userData)
      } catch (error) {
        if (!isTyped(error)) throw error
        refusals.push(error)
      }
    }
    if (refusals.length === 2) throw refusals[0]
  }
}
