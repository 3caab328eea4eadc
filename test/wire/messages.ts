/**
 * Every message that we have a definition of, and helpers to encode and decode one alone, without header and frame.
 */
import { API_NAMES } from '../../src/wire/apis.ts'
import { type Codec, compile } from '../../src/wire/compile.ts'
import type { Definition } from '../../src/wire/definition.ts'
import { consumerProtocolAssignment } from '../../src/wire/messages/consumer-protocol-assignment.ts'
import { consumerProtocolSubscription } from '../../src/wire/messages/consumer-protocol-subscription.ts'
import { API_TABLE } from '../../src/wire/messages/index.ts'
import { requestHeader } from '../../src/wire/messages/request-header.ts'
import { responseHeader } from '../../src/wire/messages/response-header.ts'
import { Reader } from '../../src/wire/reader.ts'
import { Writer } from '../../src/wire/writer.ts'

const loaded = await Promise.all(API_NAMES.map(name => API_TABLE[name].load()))

export const DEFINITIONS: readonly Definition[] = [
  ...loaded.flatMap(({ request, response }) => [request, response]),
  requestHeader,
  responseHeader,
  consumerProtocolSubscription,
  consumerProtocolAssignment
]

/** Every message in every version, with its codec. */
export const MESSAGE_VERSIONS: readonly { definition: Definition; version: number; codec: Codec }[] = DEFINITIONS.flatMap(definition =>
  Array.from({ length: definition.versions[1] - definition.versions[0] + 1 }, (_, i) => {
    const version = definition.versions[0] + i
    return { definition, version, codec: compile(definition, version) }
  })
)

export function encodeWith(codec: Codec, value: object): Buffer {
  const writer = new Writer()
  codec.encode(writer, value)
  return Buffer.concat(writer.finish())
}

/** Decodes it and expects that nothing is left over. */
export function decodeWith(codec: Codec, bytes: Buffer): { value: object; left: number } {
  const reader = new Reader(bytes)
  const value = codec.decode(reader)
  return { value, left: reader.remaining }
}
