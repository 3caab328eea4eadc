/**
 * Bytes from a peer that lies, against every message in every version: what comes out is the value or a ProtocolError, never another
 * error, and never more memory than the frame itself accounts for.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ProtocolError } from '../../src/model/errors.ts'
import { type Codec, compile } from '../../src/wire/compile.ts'
import { type Definition, type FieldDefinition, within } from '../../src/wire/definition.ts'
import { request as apiVersionsRequest, response as apiVersionsResponse } from '../../src/wire/messages/api-versions.ts'
import { response as fetchResponse } from '../../src/wire/messages/fetch.ts'
import { response as metadataResponse } from '../../src/wire/messages/metadata.ts'
import { Reader } from '../../src/wire/reader.ts'
import { allVersions, encode } from './definitions.ts'
import { sampleOf } from './golden.ts'
import { Random } from './random-message.ts'

/** Per message and version; about 10,000 in all. SAMSA_MUTANTS asks for more. */
const mutants = Number(process.env.SAMSA_MUTANTS ?? 15)

/** The error that decoding ends with; anything but a ProtocolError fails the test. */
function errorOf(codec: Codec, bytes: Buffer, what: () => string): ProtocolError | undefined {
  try {
    codec.decode(new Reader(bytes))
    return undefined
  } catch (error) {
    if (error instanceof ProtocolError) return error
    throw new Error(`${what()}: ${(error as Error).stack} on ${bytes.toString('hex')}`)
  }
}

function refused(definition: Definition, version: number, bytes: string | Buffer, code: string): void {
  const frame = typeof bytes === 'string' ? Buffer.from(bytes, 'hex') : bytes
  assert.equal(errorOf(compile(definition, version), frame, () => definition.name)?.code, code)
}

describe('every message in every version', async () => {
  const all = (await allVersions()).map(({ definition, version }) => ({
    what: `${definition.name} ${version}`,
    fields: definition.fields,
    version,
    codec: compile(definition, version),
    bytes: encode(definition, version, sampleOf(definition, version, 0))
  }))

  it('is a ProtocolError when it is cut, at every byte', () => {
    for (const { what, codec, bytes } of all)
      for (let length = 0; length < bytes.length; length++) {
        const error = errorOf(codec, bytes.subarray(0, length), () => `${what} cut at ${length}`)
        assert.ok(error, `${what} cut at ${length} of ${bytes.length} bytes is taken`)
        assert.match(error.code, /^(TRUNCATED|ARRAY_TOO_LONG)$/, what)
      }
  })

  it('ends as a value or a ProtocolError when bytes are changed', () => {
    let broken = 0
    let total = 0
    for (const { what, codec, bytes } of all) {
      const random = new Random(`mutants of ${what}`)
      for (let i = 0; i < mutants; i++) {
        total++
        if (errorOf(codec, mutate(bytes, random), () => `${what}, mutant ${i}`)) broken++
      }
    }
    assert.ok(broken > total / 10 && broken < total, `${broken} of ${total} mutants were refused: they test nothing`)
  })

  it('makes no more of a lying length than its frame can hold', () => {
    for (const { what, fields, version, codec, bytes } of all) {
      const random = new Random(`lengths of ${what}`)
      for (let i = 0; i < 10; i++) {
        const lying = Buffer.from(bytes)
        for (let at = random.between(0, 40); at + 5 <= lying.length; at += random.between(5, 60))
          LONG_LENGTHS[i % LONG_LENGTHS.length]!.copy(lying, at)
        let made: unknown
        if (!errorOf({ encode: codec.encode, decode: reader => (made = codec.decode(reader) as object) }, lying, () => what))
          assert.ok(elements(fields, version, made as Record<string, unknown>) <= lying.length, what)
      }
    }
  })
})

const LONG_LENGTHS = ['7fffffff', '7fff', 'ffffffff0f', 'ffffff7f', '00ffffff', '80808080'].map(hex => Buffer.from(hex, 'hex'))
/** What mutations put in: lengths at the edges. */
const EDGES = ['00', 'ff', '80', '7f', '01', ...LONG_LENGTHS.map(each => each.toString('hex')), 'fffffffe', '80000000', 'ffffffffff'].map(
  hex => Buffer.from(hex, 'hex')
)

function mutate(bytes: Buffer, random: Random): Buffer {
  const out = Buffer.from(bytes)
  const at = random.between(0, Math.max(0, out.length - 1))
  switch (random.between(0, 4)) {
    case 0:
      if (out.length > 0) out[at]! ^= 1 << random.between(0, 7)
      return out
    case 1:
      random.pick(EDGES).copy(out, at)
      return out
    case 2:
      return Buffer.concat([out.subarray(0, at), random.pick(EDGES), out.subarray(at)])
    case 3:
      return Buffer.concat([out.subarray(0, at), out.subarray(Math.min(out.length, at + random.between(1, 8)))])
    default:
      for (let i = random.between(1, 8); i > 0 && out.length > 0; i--) out[random.between(0, out.length - 1)] = random.between(0, 255)
      return out
  }
}

/** How many array elements a decoded message has. */
function elements(fields: readonly FieldDefinition[], version: number, value: Record<string, unknown>): number {
  let count = 0
  for (const field of fields) {
    const own = value[field.name]
    if (own === null || !(within(field.versions, version) || within(field.tagged, version))) continue
    const list = field.array ? (own as unknown[]) : [own]
    if (field.array) count += list.length
    if (field.type === 'struct')
      for (const each of list) if (each) count += elements(field.fields!, version, each as Record<string, unknown>)
  }
  return count
}

describe('a hostile length', () => {
  it('is refused before anything is made by it', () => {
    const bombs: [Definition, number, string][] = [
      // Two thousand million brokers, classic and compact.
      [metadataResponse, 1, '7fffffff'],
      [metadataResponse, 9, '00000000ffffffff0f'],
      // One topic of two thousand million partitions.
      [metadataResponse, 1, '0000000000000000000000010000000161007fffffff'],
      // Records of 2 GiB.
      [fetchResponse, 4, `00000000000000010001610000000100000000${'00'.repeat(18)}000000007fffffff`]
    ]
    for (const [definition, version, hex] of bombs) {
      const codec = compile(definition, version)
      const bytes = Buffer.from(hex, 'hex')
      const before = process.memoryUsage()
      for (let i = 0; i < 100; i++)
        assert.match(
          errorOf(codec, bytes, () => definition.name)?.code ?? 'taken',
          /^(ARRAY_TOO_LONG|TRUNCATED)$/,
          `${definition.name} ${version}`
        )
      const after = process.memoryUsage()
      const grown = after.heapUsed + after.arrayBuffers + after.external - before.heapUsed - before.arrayBuffers - before.external
      assert.ok(grown < 32 << 20, `${definition.name} ${version} took ${grown} bytes`)
    }
  })

  it('is counted by what each element must take', () => {
    // 200 topics of at least 6 bytes each are due (an empty name, no partitions), and 400 bytes are there.
    const frame = Buffer.alloc(8 + 400)
    frame.writeInt32BE(200, 4)
    refused(fetchResponse, 4, frame.toString('hex'), 'ARRAY_TOO_LONG')
  })

  it('is refused when its elements are there, and would take far more memory than their bytes', () => {
    // As many brokers, of 12 bytes each and without a name, as the framer would let through.
    const brokers = 8_700_000
    const frame = Buffer.alloc(8 + brokers * 12)
    frame.writeInt32BE(brokers, 4)
    refused(metadataResponse, 3, frame.subarray(0, -1), 'ARRAY_TOO_LONG')
    refused(metadataResponse, 3, frame, 'MESSAGE_TOO_LARGE')
  })

  it('is refused when it is negative, but for the -1 of null', () => {
    refused(metadataResponse, 1, 'fffffffe', 'NEGATIVE_LENGTH')
    refused(metadataResponse, 1, 'ffffffff', 'UNEXPECTED_NULL')
    refused(metadataResponse, 9, '0000000000', 'UNEXPECTED_NULL')
    // A broker whose host is of length -2, then null.
    refused(metadataResponse, 1, `0000000100000000fffe${'00'.repeat(20)}`, 'NEGATIVE_LENGTH')
    refused(metadataResponse, 1, `0000000100000000ffff${'00'.repeat(20)}`, 'UNEXPECTED_NULL')
  })

  it('is refused as a varint of more than 32 bits', () => {
    for (const varint of ['ffffffff10', 'ffffffffff01', '808080808000', '80808080808080808080'])
      refused(metadataResponse, 9, `00000000${varint}${'00'.repeat(20)}`, 'VARINT_TOO_LONG')
  })

  it('is refused of a string that is longer than Kafka has them', () => {
    // The client's name: 40,000 letters.
    const frame = Buffer.concat([Buffer.from('c1b802', 'hex'), Buffer.alloc(40_010, 'x')])
    refused(apiVersionsRequest, 3, frame.toString('hex'), 'STRING_TOO_LONG')
  })
})

describe('tagged fields', () => {
  // ApiVersions 3 without an error, without APIs, not throttled; then its tagged section.
  const answer = (tags: string) => `000001${'00000000'}${tags}`
  const read = (tags: string) =>
    compile(apiVersionsResponse, 3).decode(new Reader(Buffer.from(answer(tags), 'hex'))) as Record<string, unknown>

  it('are skipped when nobody knows them', () => {
    const plain = read('00')
    // Tag 90 of three bytes, tag 1,000 of none.
    assert.deepEqual(read('025a03aabbcce80700'), plain)
    // On both sides of one that is known: tag 1, finalizedFeaturesEpoch.
    assert.deepEqual(read('02010800000000000000070900'), { ...plain, finalizedFeaturesEpoch: 7n })
  })

  it('are refused when there are more than anybody would send', () => {
    refused(apiVersionsResponse, 3, answer('ffffffff0f'), 'TAG_FLOOD')
    refused(apiVersionsResponse, 3, answer(`e907${'00'.repeat(4_000)}`), 'TAG_FLOOD')
  })

  it('are refused out of order, and twice', () => {
    refused(apiVersionsResponse, 3, answer('025b005a00'), 'TAG_ORDER')
    refused(apiVersionsResponse, 3, answer('025a005a00'), 'TAG_ORDER')
  })

  it('are refused when their size is not that of what they hold', () => {
    // Tag 1 is an int64.
    refused(apiVersionsResponse, 3, answer('010109000000000000000700'), 'TAG_SIZE')
    refused(apiVersionsResponse, 3, answer('01010700000000000007'), 'TRUNCATED')
    refused(apiVersionsResponse, 3, answer('015affffff7f'), 'TRUNCATED')
  })
})
