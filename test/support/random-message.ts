/**
 * Random messages from our own definitions, and the form in which Kafka's JSON converters take them. Seeded: the same seed makes the same
 * messages on every machine.
 */
import { type Definition, type FieldDefinition, within } from '../../src/wire/definition.ts'

export type Random = () => number
type Plain = Record<string, unknown>

/** Uniform in [0, 1), from a seed (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export const between = (random: Random, low: number, high: number): number => low + Math.floor(random() * (high - low + 1))
const oneOf = <T>(random: Random, list: readonly T[]): T => list[between(random, 0, list.length - 1)]!
const bytes = (random: Random, most: number) => Buffer.from(Array.from({ length: between(random, 0, most) }, () => between(random, 0, 255)))

const INTEGERS: Record<string, readonly [number, number]> = {
  int8: [-128, 127],
  int16: [-32_768, 32_767],
  uint16: [0, 65_535],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1]
}
const TEXTS = ['', 'a', 'topic-1', 'héllo', '😀k', 'x'.repeat(127), 'y'.repeat(128), '"quoted"\n']

function integer(random: Random, [low, high]: readonly [number, number]): number {
  const kind = random()
  if (kind < 0.15) return low
  if (kind < 0.3) return high
  return kind < 0.5 ? Math.max(low, between(random, -3, 3)) : between(random, low, high)
}

function long(random: Random): bigint {
  const kind = random()
  if (kind < 0.1) return -(2n ** 63n)
  if (kind < 0.2) return 2n ** 63n - 1n
  if (kind < 0.4) return BigInt(between(random, -3, 3))
  return BigInt.asIntN(64, (BigInt(between(random, 0, 2 ** 32 - 1)) << 32n) | BigInt(between(random, 0, 2 ** 32 - 1)))
}

function single(field: FieldDefinition, version: number, flexible: boolean, random: Random): unknown {
  switch (field.type) {
    case 'bool':
      return random() < 0.5
    case 'int64':
      return long(random)
    case 'float64':
      return oneOf(random, [0, 1, -1.5, 1e300, 5e-324, random() * 1e6])
    case 'string':
      return oneOf(random, TEXTS)
    case 'uuid':
      return Buffer.from(Array.from({ length: 16 }, () => between(random, 0, 255))).toString('base64url')
    case 'bytes':
    case 'records':
      return bytes(random, 40)
    case 'struct':
      return struct(field.fields!, version, flexible, random)
    default:
      return integer(random, INTEGERS[field.type]!)
  }
}

function fieldValue(field: FieldDefinition, version: number, flexible: boolean, random: Random): unknown {
  if (within(field.nullable, version) && random() < 0.25) return null
  if (!field.array) return single(field, version, flexible, random)
  return Array.from({ length: between(random, 0, 3) }, () => single(field, version, flexible, random))
}

export const isTagged = (field: FieldDefinition, version: number, flexible: boolean): boolean => flexible && within(field.tagged, version)

function struct(fields: readonly FieldDefinition[], version: number, flexible: boolean, random: Random): Plain {
  const out: Plain = {}
  for (const field of fields) {
    if (!within(field.versions, version) || (isTagged(field, version, flexible) && random() < 0.4)) continue
    out[field.name] = fieldValue(field, version, flexible, random)
  }
  return out
}

/** Every field that the version carries, with boundaries, nulls and empty lists among the values; tagged fields now and then. */
export function randomMessage(definition: Definition, version: number, random: Random): Plain {
  return struct(definition.fields, version, within(definition.flexible, version), random)
}

function singleJson(field: FieldDefinition, value: unknown): string {
  if (value === null) return 'null'
  if (field.type === 'struct') return structJson(field.fields!, value as Plain)
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64'))
  // Java wants a point or an exponent in it.
  if (field.type === 'float64') return /^-?\d+$/.test(String(value)) ? `${value}.0` : String(value)
  return typeof value === 'bigint' ? String(value) : JSON.stringify(value)
}

function structJson(fields: readonly FieldDefinition[], value: Plain): string {
  const parts: string[] = []
  for (const field of fields) {
    const own = value[field.name]
    if (own === undefined) continue
    const json = field.array && own !== null ? `[${(own as unknown[]).map(one => singleJson(field, one)).join()}]` : singleJson(field, own)
    parts.push(`${JSON.stringify(field.name)}:${json}`)
  }
  return `{${parts.join()}}`
}

/** As Java's `<Message>JsonConverter.read` takes it: bytes in Base64, int64 as a number of any length. */
export const javaJson = (definition: Definition, value: object): string => structJson(definition.fields, value as Plain)
