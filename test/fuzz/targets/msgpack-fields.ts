/**
 * Where the numbers of a msgpack value lie: the type bytes, which carry counts and lengths, and the lengths behind them.
 */
import type { Field, FieldKind } from '../seed.ts'

/** Behind the type byte: how many bytes of length or number. */
const SIZES: Readonly<Record<number, number>> = {
  ...{ 199: 1, 204: 1, 205: 2, 206: 4, 207: 8, 208: 1, 209: 2, 210: 4, 211: 8, 217: 1 },
  ...{ 218: 2, 219: 4, 220: 2, 221: 4, 222: 2, 223: 4 }
}
const TEXTS = new Set([0xd9, 0xda, 0xdb])
const KINDS: Readonly<Record<number, FieldKind>> = { 1: 'int8', 2: 'int16', 4: 'int32', 8: 'int64' }

/** Goes through it without understanding it: a type byte, its number, the bytes of a text, and on. */
export function msgpackFields(bytes: Buffer, from: number, to: number): Field[] {
  const fields: Field[] = []
  for (let at = from; at < to; ) {
    const token = bytes[at]!
    fields.push({ at, bytes: 1, kind: 'int8' })
    const size = SIZES[token] ?? 0
    if (size > 0 && at + 1 + size <= to) fields.push({ at: at + 1, bytes: size, kind: KINDS[size]! })
    const text = token >= 0xa0 && token < 0xc0 ? token & 0x1f : TEXTS.has(token) ? bytes.readUIntBE(at + 1, size) : 0
    const floats = token === 0xca ? 4 : token === 0xcb ? 8 : 0
    at += 1 + size + text + floats
  }
  return fields.filter(field => field.at + field.bytes <= to)
}
