/**
 * The answers to one API, in all of its versions: as they come out of the framer, header and all.
 */
import assert from 'node:assert/strict'
import { type Api, type ApiName, loadApi } from '../../../src/wire/apis.ts'
import { compile } from '../../../src/wire/compile.ts'
import { within } from '../../../src/wire/definition.ts'
import { API_TABLE } from '../../../src/wire/messages/index.ts'
import { type Random, randomMessage } from '../../wire/random-message.ts'
import type { Seed } from '../seed.ts'
import type { Target } from '../target.ts'
import { TracedReader } from './traced-reader.ts'

const SEEDS = 24

export async function responseOf(name: ApiName): Promise<Target> {
  const api = (await loadApi(name)) as Api<ApiName>
  const { response } = await API_TABLE[name].load()
  const version = (random: Random) => random.between(api.minVersion, api.maxVersion)

  const valid = (random: Random): Seed => {
    const of = version(random)
    const body = randomMessage(response, of, random, random.pick(['full', 'random', 'random'] as const))
    const bytes = Buffer.concat(api.encodeResponse(of, random.between(0, 1_000), body as never).chunks).subarray(4)
    const reader = new TracedReader(bytes)
    reader.int32()
    if (within(response.flexible, of) && name !== 'ApiVersions') reader.tags(() => false)
    compile(response, of).decode(reader)
    assert.equal(reader.remaining, 0)
    return { what: `${name} ${of}`, bytes, fields: reader.fields.sort((a, b) => a.at - b.at) }
  }

  // The first byte says which version it is read as: a hostile answer may be of another one than was asked for.
  const tagged = (seed: Seed): Seed => {
    const number = Number(/\d+$/.exec(seed.what)![0])
    const moved = seed.fields.map(field => ({
      ...field,
      at: field.at + 1,
      ...(field.covers ? { covers: [field.covers[0] + 1, field.covers[1] + 1] as const } : {})
    }))
    return { ...seed, bytes: Buffer.concat([Buffer.from([number]), seed.bytes]), fields: moved }
  }

  return {
    name: `response:${name}`,
    oneOfMany: true,
    pool: random => Array.from({ length: SEEDS }, () => tagged(valid(random))),
    read(bytes) {
      if (bytes.length === 0) return
      const of = Math.min(Math.max(bytes[0]!, api.minVersion), api.maxVersion)
      api.decodeResponse(of, bytes.subarray(1))
    }
  }
}
