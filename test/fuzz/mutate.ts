/**
 * Changes valid inputs into hostile ones: numbers at their edges, lengths that lie, bits, cuts, inserted and doubled pieces, and the front of one
 * with the end of another. Mostly the lengths around a change and the checksums over it are made right again; now and then they are not.
 */
import type { Random } from '../wire/random-message.ts'
import { type Edit, edited, encoded, type Field, limitsOf, NONE, numberAt, type Seed } from './seed.ts'

/** Varints that no writer makes: without an end, of too many bits, longer than they need. */
const ODD_VARINTS = ['ffffffffff', 'ffffffff7f', '8080808000', '80808080808080808000', 'ffffffffffffffffff01', '80'].map(hex =>
  Buffer.from(hex, 'hex')
)
const PIECES = ['00', 'ff', '7fffffff', '80000000', 'ffffffff', 'fffffffe', '00000000', 'ffffffffffffffff', '0000ffff'].map(hex =>
  Buffer.from(hex, 'hex')
)

/** One hostile input out of these valid ones. */
export function mutated(pool: readonly Seed[], random: Random): Buffer {
  const seed = random.pick(pool)
  const bytes = edited(seed, editsOf(seed, pool, random), !random.chance(0.2))
  if (!random.chance(0.1)) seed.repair?.(bytes)
  return bytes
}

function editsOf(seed: Seed, pool: readonly Seed[], random: Random): Edit[] {
  const { bytes, fields } = seed
  const edits: Edit[] = []
  for (let left = random.pick([1, 1, 1, 2, 3]); left > 0; left--) {
    const edit = fields.length > 0 && random.chance(0.6) ? hostileField(random.pick(fields), bytes, random) : blindEdit(seed, pool, random)
    if (!edits.some(other => edit.from <= other.to && other.from <= edit.to)) edits.push(edit)
  }
  return edits
}

function hostileField(field: Field, bytes: Buffer, random: Random): Edit {
  const place = { from: field.at, to: field.at + field.bytes }
  const isVarint = field.kind === 'varint' || field.kind === 'uvarint'
  if (isVarint && random.chance(0.15)) return { ...place, bytes: random.pick(ODD_VARINTS) }
  const own = numberAt(field, bytes)
  const left = BigInt(bytes.length - field.at - field.bytes)
  const [least, most] = limitsOf(field.kind)
  const value = random.pick([
    ...[least, most, least + 1n, most - 1n, 0n, 1n, -1n, -2n],
    ...[own + 1n, own - 1n, own * 2n, own ^ (1n << BigInt(random.between(0, 31)))],
    ...[left, left + 1n, left - 1n, left / 2n, 65_536n, 1n << 24n, BigInt(random.between(0, 255))]
  ])
  return { ...place, bytes: encoded(field.kind, value) }
}

function blindEdit({ bytes, fields }: Seed, pool: readonly Seed[], random: Random): Edit {
  const at = random.between(0, Math.max(0, bytes.length - 1))
  const place = (size: number) => ({ from: at, to: Math.min(bytes.length, at + size) })
  switch (random.between(0, 6)) {
    case 0:
      return { ...place(1), bytes: Buffer.from([(bytes[at] ?? 0) ^ (1 << random.between(0, 7))]) }
    case 1:
      return { ...place(random.between(1, 8)), bytes: random.bytes(random.between(1, 8)) }
    case 2:
      return { ...place(0), bytes: random.pick(PIECES) }
    case 3:
      return { ...place(random.between(1, 16)), bytes: NONE }
    case 4:
      return { from: at, to: bytes.length, bytes: NONE }
    case 5: {
      // A piece of itself once more.
      const from = random.between(0, bytes.length)
      return { ...place(0), bytes: bytes.subarray(from, from + random.between(1, 64)) }
    }
    default: {
      // The front of this one, the end of another, each from where a field begins.
      const other = random.pick(pool)
      const boundary = (of: readonly Field[], length: number) => (of.length > 0 ? random.pick(of).at : random.between(0, length))
      return {
        from: boundary(fields, bytes.length),
        to: bytes.length,
        bytes: other.bytes.subarray(boundary(other.fields, other.bytes.length))
      }
    }
  }
}
