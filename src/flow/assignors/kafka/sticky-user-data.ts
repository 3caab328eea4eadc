/**
 * What members of the sticky assignors tell their leader in the subscription's user data: `sticky` what it owned and in which generation
 * (StickyAssignor, user data v0 and v1), `cooperative-sticky` the generation only (CooperativeStickyAssignor).
 */
import { ProtocolError } from '../../../model/errors.ts'
import type { TopicPartition } from '../../../model/events.ts'
import { compile } from '../../../wire/compile.ts'
import type { Definition } from '../../../wire/definition.ts'
import { Reader } from '../../../wire/reader.ts'
import { Writer } from '../../../wire/writer.ts'
import { JavaHashSet } from './java-order.ts'
import { type MemberData, NO_GENERATION } from './sticky-claims.ts'

const STICKY: Definition = {
  name: 'StickyUserData',
  versions: [0, 1],
  flexible: null,
  fields: [
    {
      name: 'previousAssignment',
      type: 'struct',
      array: true,
      versions: [0, 1],
      fields: [
        { name: 'topic', type: 'string', versions: [0, 1] },
        { name: 'partitions', type: 'int32', array: true, versions: [0, 1] }
      ]
    },
    { name: 'generation', type: 'int32', versions: [1, 1], default: NO_GENERATION }
  ]
}

interface StickyUserData {
  previousAssignment: { topic: string; partitions: number[] }[]
  generation: number
}

const V0 = compile(STICKY, 0)
const V1 = compile(STICKY, 1)

/** Topics in the order of the HashMap that Java groups them by. */
export function encodeStickyUserData(owned: readonly TopicPartition[], generation: number): Buffer {
  const order = JavaHashSet.ofTexts()
  const byTopic = new Map<string, number[]>()
  for (const { topic, partition } of owned) {
    order.computeIfAbsent(topic)
    const partitions = byTopic.get(topic)
    if (partitions) partitions.push(partition)
    else byTopic.set(topic, [partition])
  }
  const writer = new Writer()
  V1.encode(writer, { previousAssignment: [...order].map(topic => ({ topic, partitions: byTopic.get(topic)! })), generation })
  return Buffer.concat(writer.finish())
}

/** Nothing tells which version it is: what cannot be read as v1 is v0, and what is neither tells nothing. */
export function decodeStickyUserData(bytes: Uint8Array | null): MemberData {
  if (bytes === null || bytes.length === 0) return { partitions: [], generation: null }
  const v1 = attempt(() => V1.decode(readerOf(bytes)) as StickyUserData)
  const data = v1 ?? attempt(() => V0.decode(readerOf(bytes)) as StickyUserData)
  if (!data) return { partitions: [], generation: NO_GENERATION }
  const partitions = data.previousAssignment.flatMap(({ topic, partitions }) => partitions.map(partition => ({ topic, partition })))
  return { partitions, generation: v1 ? v1.generation : null }
}

export function encodeGeneration(generation: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(generation)
  return bytes
}

/** Null: the member does not say. Bytes that are too few say that it has none. */
export function decodeGeneration(bytes: Uint8Array | null): number | null {
  if (bytes === null) return null
  return attempt(() => readerOf(bytes).int32()) ?? NO_GENERATION
}

const readerOf = (bytes: Uint8Array) => new Reader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))

function attempt<T>(read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    if (error instanceof ProtocolError) return null
    throw error
  }
}
