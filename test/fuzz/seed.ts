/**
 * A valid input that knows its own structure: where its lengths, counts and numbers lie, what each length covers, and how its checksums are made
 * right again. What is changed inside it can then stay valid around the change, so that the damage reaches the readers behind the checks.
 */

/** How a number is written. `uvarint` is Kafka's unsigned one (compact lengths, one more than they say), `varint` the zigzag one of records. */
export type FieldKind = 'int8' | 'int16' | 'int32' | 'int64' | 'uint16le' | 'uint24le' | 'uint32le' | 'uvarint' | 'varint'

export interface Field {
  at: number
  bytes: number
  kind: FieldKind
  /** It is a length: of what lies from here to there. */
  covers?: readonly [from: number, to: number]
}

export interface Seed {
  /** For who reads a failure. */
  what: string
  bytes: Buffer
  /** In the order in which they lie. */
  fields: readonly Field[]
  /** It is hostile already, and may be refused as it is. */
  hostile?: boolean
  /** Makes checksums right, in place, as far as the lengths still lead to them. */
  repair?: (bytes: Buffer) => void
}

/** In place of `from` to `to`. */
export interface Edit {
  from: number
  to: number
  bytes: Buffer
}

/** Nothing. */
export const NONE = Buffer.alloc(0)

/** The bytes with these changes, which do not overlap. `adjust`: lengths that cover a place that grew or shrank say so. */
export function edited(seed: Seed, edits: readonly Edit[], adjust: boolean): Buffer {
  const all = [...edits]
  if (adjust) {
    // From the innermost, whose own size may change, outwards.
    for (let i = seed.fields.length - 1; i >= 0; i--) {
      const field = seed.fields[i]!
      if (!field.covers || edits.some(edit => edit.from < field.at + field.bytes && edit.to > field.at)) continue
      const grown = all.reduce((sum, edit) => sum + growthWithin(field.covers!, edit), 0)
      if (grown === 0) continue
      const bytes = encoded(field.kind, numberAt(field, seed.bytes) + BigInt(grown))
      all.push({ from: field.at, to: field.at + field.bytes, bytes })
    }
  }
  const parts: Buffer[] = []
  let at = 0
  for (const edit of all.sort((a, b) => a.from - b.from)) {
    if (edit.from > at) parts.push(seed.bytes.subarray(at, edit.from))
    parts.push(edit.bytes)
    at = Math.max(at, edit.to)
  }
  parts.push(seed.bytes.subarray(at))
  return Buffer.concat(parts)
}

function growthWithin([from, to]: readonly [number, number], edit: Edit): number {
  if (edit.from < from || edit.from > to) return 0
  return edit.bytes.length - (Math.min(edit.to, to) - edit.from)
}

const BITS = { int8: 8, int16: 16, int32: 32, int64: 64, uint16le: 16, uint24le: 24, uint32le: 32 } as const

export function numberAt({ at, bytes, kind }: Field, buffer: Buffer): bigint {
  const raw = buffer.subarray(at, at + bytes)
  if (kind === 'uvarint' || kind === 'varint') {
    let value = 0n
    for (let i = raw.length - 1; i >= 0; i--) value = (value << 7n) | BigInt(raw[i]! & 127)
    return kind === 'uvarint' ? value : (value >> 1n) ^ -(value & 1n)
  }
  const ordered = kind.endsWith('le') ? Buffer.from(raw).reverse() : raw
  const value = BigInt(`0x${ordered.toString('hex') || '0'}`)
  return kind.startsWith('int') ? BigInt.asIntN(BITS[kind], value) : value
}

/** Cut to what the kind can hold. */
export function encoded(kind: FieldKind, value: bigint): Buffer {
  if (kind === 'uvarint' || kind === 'varint') return varint(kind === 'varint' ? (value << 1n) ^ (value >> 63n) : value)
  const bits = BITS[kind]
  const hex = BigInt.asUintN(bits, value)
    .toString(16)
    .padStart(bits / 4, '0')
  const bytes = Buffer.from(hex, 'hex')
  return kind.endsWith('le') ? bytes.reverse() : bytes
}

function varint(value: bigint): Buffer {
  const out: number[] = []
  let rest = BigInt.asUintN(64, value)
  do {
    out.push(Number(rest & 127n) | (rest > 127n ? 128 : 0))
    rest >>= 7n
  } while (rest > 0n)
  return Buffer.from(out)
}

/** The largest and the least that a kind can hold. */
export function limitsOf(kind: FieldKind): [least: bigint, most: bigint] {
  if (kind === 'uvarint') return [0n, 2n ** 32n - 1n]
  if (kind === 'varint') return [-(2n ** 31n), 2n ** 31n - 1n]
  const bits = BigInt(BITS[kind])
  return kind.startsWith('int') ? [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n] : [0n, 2n ** bits - 1n]
}
