/**
 * Random values of any message in any version, the same for the same seed: what the codecs are judged by.
 * Made from the definition alone, with none of the codecs' code, so that a mistake there is not repeated here.
 */
import { type Definition, type FieldDefinition, within } from '../../src/wire/definition.ts'

/** `full`: everything is there. `bare`: null or empty wherever it can be. `random`: anything. */
export type Style = 'full' | 'bare' | 'random'
export type Value = Record<string, unknown>

export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

export class Random {
  #state: number

  constructor(seed: string) {
    let hash = 0x811c9dc5
    for (let i = 0; i < seed.length; i++) hash = Math.imul(hash ^ seed.charCodeAt(i), 0x01000193)
    this.#state = hash >>> 0
  }

  /** From 0 up to 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }

  /** Both ends included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1))
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(list: readonly T[]): T {
    return list[this.between(0, list.length - 1)]!
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.between(0, 255)))
  }

  /** An integer of so many bits, its ends and zero more often than chance has it. */
  integer(low: bigint, high: bigint): bigint {
    if (this.chance(0.2)) return this.pick([low, high, 0n, 1n])
    const wide = (BigInt(this.between(0, 0xffffffff)) << 32n) | BigInt(this.between(0, 0xffffffff))
    return low + (wide % (high - low + 1n))
  }
}

const INTEGERS: Record<string, [low: bigint, high: bigint]> = {
  int8: [-(2n ** 7n), 2n ** 7n - 1n],
  int16: [-(2n ** 15n), 2n ** 15n - 1n],
  uint16: [0n, 2n ** 16n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n]
}

/** One to four bytes a letter, and a length on either side of where its own length takes a second byte. */
const STRINGS = ['a', 'orders', 'zażółć', '訂單', '😀 k', '\0\n"\\', 'x'.repeat(126), 'x'.repeat(127)]

/** A whole message: what a decoder makes of its bytes, so fields that the version lacks hold their defaults. */
export function randomMessage(definition: Definition, version: number, random: Random, style: Style = 'random'): Value {
  return struct(definition.fields, version, random, style)
}

/** Has the message this field in this version? */
export function has(field: FieldDefinition, version: number): boolean {
  return within(field.versions, version) || within(field.tagged, version)
}

function struct(fields: readonly FieldDefinition[], version: number, random: Random, style: Style): Value {
  return Object.fromEntries(fields.map(field => [field.name, fieldValue(field, version, random, style)]))
}

function fieldValue(field: FieldDefinition, version: number, random: Random, style: Style): unknown {
  if (!has(field, version)) return defaultOf(field)
  if (within(field.tagged, version) && (style === 'bare' || (style === 'random' && random.chance(0.4)))) return defaultOf(field)
  if (within(field.nullable, version) && (style === 'bare' || (style === 'random' && random.chance(0.25)))) return null
  if (!field.array) return scalar(field, version, random, style)
  const count = style === 'bare' ? 0 : style === 'full' ? random.between(1, 2) : random.between(0, 3)
  return Array.from({ length: count }, () => scalar(field, version, random, style))
}

function scalar(field: FieldDefinition, version: number, random: Random, style: Style): unknown {
  const integer = INTEGERS[field.type]
  if (integer) {
    const value = random.integer(...integer)
    return field.type === 'int64' ? value : Number(value)
  }
  switch (field.type) {
    case 'struct':
      return struct(field.fields!, version, random, style)
    case 'bool':
      return random.chance(0.5)
    case 'float64':
      return random.pick([0, -1.5, 1e300, random.next()])
    case 'string':
      return style === 'bare' ? '' : random.pick(STRINGS)
    case 'uuid':
      return style === 'bare' ? ZERO_UUID : random.bytes(16).toString('base64url')
    default:
      return style === 'bare' ? Buffer.alloc(0) : random.bytes(random.between(0, 24))
  }
}

/** What Kafka's generator gives a field that nobody sets. */
export function defaultOf(field: FieldDefinition): unknown {
  if (field.default !== undefined) return field.default
  if (field.array) return []
  switch (field.type) {
    case 'struct':
      return Object.fromEntries(field.fields!.map(inner => [inner.name, defaultOf(inner)]))
    case 'bool':
      return false
    case 'string':
      return ''
    case 'uuid':
      return ZERO_UUID
    case 'bytes':
      return Buffer.alloc(0)
    case 'records':
      return null
    case 'int64':
      return 0n
    default:
      return 0
  }
}

/** The JSON that Kafka's own converters take: the version's fields, bytes as Base64, int64 as a number of any length. */
export function javaJson(fields: readonly FieldDefinition[], value: Value, version: number): string {
  const members = fields.filter(field => has(field, version)).map(field => `"${field.name}":${member(field, value[field.name], version)}`)
  return `{${members.join(',')}}`
}

function member(field: FieldDefinition, value: unknown, version: number): string {
  const one = (each: unknown): string => {
    if (each === null) return 'null'
    if (field.type === 'struct') return javaJson(field.fields!, each as Value, version)
    if (each instanceof Uint8Array) return JSON.stringify(Buffer.from(each).toString('base64'))
    // Java wants to see a floating point number where it expects one: 0 is none, 0e+0 is.
    if (field.type === 'float64') return (each as number).toExponential()
    return typeof each === 'bigint' ? String(each) : JSON.stringify(each)
  }
  return Array.isArray(value) ? `[${value.map(one).join(',')}]` : one(value)
}
