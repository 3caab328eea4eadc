/**
 * Every message that `src/wire` knows, for tests that go through all of them in all versions.
 */
import { API_NAMES } from '../../src/wire/apis.ts'
import { compile } from '../../src/wire/compile.ts'
import type { Definition } from '../../src/wire/definition.ts'
import { consumerProtocolAssignment } from '../../src/wire/messages/consumer-protocol-assignment.ts'
import { consumerProtocolSubscription } from '../../src/wire/messages/consumer-protocol-subscription.ts'
import { API_TABLE } from '../../src/wire/messages/index.ts'
import { requestHeader } from '../../src/wire/messages/request-header.ts'
import { responseHeader } from '../../src/wire/messages/response-header.ts'
import { Reader } from '../../src/wire/reader.ts'
import { Writer } from '../../src/wire/writer.ts'

export async function allDefinitions(): Promise<Definition[]> {
  const apis = await Promise.all(API_NAMES.map(name => API_TABLE[name].load()))
  const others = [requestHeader, responseHeader, consumerProtocolSubscription, consumerProtocolAssignment]
  return [...apis.flatMap(({ request, response }) => [request, response]), ...others]
}

/** Every message in every version. */
export async function allVersions(): Promise<{ definition: Definition; version: number }[]> {
  return (await allDefinitions()).flatMap(definition => {
    const [low, high] = definition.versions
    return Array.from({ length: high - low + 1 }, (_, i) => ({ definition, version: low + i }))
  })
}

export function encode(definition: Definition, version: number, value: object): Buffer {
  const writer = new Writer()
  compile(definition, version).encode(writer, value)
  return Buffer.concat(writer.finish())
}

/** Also checks that nothing is left over. */
export function decode(definition: Definition, version: number, bytes: Buffer): object {
  const reader = new Reader(bytes)
  const value = compile(definition, version).decode(reader)
  if (reader.remaining > 0) throw new Error(`${definition.name} ${version}: ${reader.remaining} bytes are left`)
  return value
}
