/**
 * Turns a definition and a version into a codec, once: a list of closures per struct, without a look at a range afterwards.
 *
 * What is written: fields of the version in order, then the tagged section where the version is flexible. A field that is left out is
 * written as its default. What is read: an object with every field that any version knows, in the definition's order (one shape per message).
 */
import { ProtocolError, UsageError } from '../model/errors.ts'
import { type Definition, type FieldDefinition, within } from './definition.ts'
import type { Reader } from './reader.ts'
import { Misfit, Writer } from './writer.ts'

export interface Codec {
  /** Throws UsageError with the path of the field that cannot be written. */
  encode(writer: Writer, value: object): void
  /** Throws ProtocolError on bytes that are not this message. */
  decode(reader: Reader): object
}

type Plain = Record<string, unknown>
type Write = (writer: Writer, value: unknown) => void
type Read = (reader: Reader) => unknown

/** How one field of one version travels. */
interface Wire {
  write: Write
  read: Read
  /** The fewest bytes that it can take: what an array's count is checked by. */
  leastBytes: number
  /** A struct's own size in memory, about; undefined: it fits into the array. */
  madeBytes?: number
}

const NO_BYTES = Buffer.alloc(0)
/** An array is not made larger than this before its elements have come. */
const MADE_AT_ONCE = 4_096
const POINTER_BYTES = 8
/** An object's head. */
const OBJECT_BYTES = 24
const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

/** Fixed-size types: write, read, bytes. */
const FIXED: Record<string, Wire> = {
  bool: { write: (w, v) => w.bool(v as boolean), read: r => r.bool(), leastBytes: 1 },
  int8: { write: (w, v) => w.int8(v as number), read: r => r.int8(), leastBytes: 1 },
  int16: { write: (w, v) => w.int16(v as number), read: r => r.int16(), leastBytes: 2 },
  uint16: { write: (w, v) => w.uint16(v as number), read: r => r.uint16(), leastBytes: 2 },
  int32: { write: (w, v) => w.int32(v as number), read: r => r.int32(), leastBytes: 4 },
  uint32: { write: (w, v) => w.uint32(v as number), read: r => r.uint32(), leastBytes: 4 },
  int64: { write: (w, v) => w.int64(v as bigint), read: r => r.int64(), leastBytes: 8 },
  float64: { write: (w, v) => w.float64(v as number), read: r => r.float64(), leastBytes: 8 },
  uuid: { write: (w, v) => w.uuid(v as string), read: r => r.uuid(), leastBytes: 16 }
}

const ZEROS: Record<string, unknown> = {
  bool: false,
  int8: 0,
  int16: 0,
  uint16: 0,
  int32: 0,
  uint32: 0,
  int64: 0n,
  float64: 0,
  string: '',
  uuid: ZERO_UUID,
  bytes: NO_BYTES,
  records: null
}

/** What a field is when nobody says. Objects and arrays are made anew each time. */
function defaultOf(field: FieldDefinition): unknown {
  if (field.default !== undefined) return field.default
  if (field.array) return []
  if (field.type === 'struct') return defaultsOf(field.fields!)
  return ZEROS[field.type]
}

function defaultsOf(fields: readonly FieldDefinition[]): Plain {
  const out: Plain = {}
  for (const field of fields) out[field.name] = defaultOf(field)
  return out
}

/** Frozen to the bottom, but for buffers (which cannot be; those here are empty). */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  for (const inner of Object.values(value)) frozen(inner)
  return Object.freeze(value)
}

function isDefault(field: FieldDefinition, value: unknown): boolean {
  if (value === undefined) return true
  const fallback = field.default !== undefined ? field.default : field.array || field.type === 'struct' ? undefined : ZEROS[field.type]
  if (fallback !== undefined || value === null)
    return value === fallback || (value instanceof Uint8Array && fallback === NO_BYTES && value.length === 0)
  if (field.array) return (value as unknown[]).length === 0
  return field.fields!.every(inner => isDefault(inner, (value as Plain)[inner.name]))
}

function refuseNull(): never {
  throw new Misfit('NULL_FIELD', 'may not be null in this version')
}

/** Adds a step to the path of what cannot be written. */
function stepOut(error: unknown, step: string): Misfit {
  const misfit = error instanceof Misfit ? error : new Misfit('INVALID_FIELD', `cannot be written: ${(error as Error).message}`)
  misfit.path = step + misfit.path
  return misfit
}

const notNull = (where: string): never => {
  throw new ProtocolError('UNEXPECTED_NULL', `${where} is null.`)
}

function stringWire(where: string, compact: boolean, nullable: boolean): Wire {
  return {
    leastBytes: compact ? 1 : 2,
    write(writer, value) {
      if (value !== null) return writer.string(value as string, compact)
      if (!nullable) refuseNull()
      return compact ? writer.uvarint(0) : writer.int16(-1)
    },
    read(reader) {
      const length = reader.length(compact, false)
      return length >= 0 ? reader.string(length) : nullable ? null : notNull(where)
    }
  }
}

function chunksOf(value: unknown): readonly Uint8Array[] {
  if (value instanceof Uint8Array) return [value]
  if (Array.isArray(value) && value.every(chunk => chunk instanceof Uint8Array)) return value
  throw new Misfit('INVALID_FIELD', `is ${Array.isArray(value) ? 'a list of other things' : typeof value}, not bytes`)
}

/** `bytes` and `records`. What is written may be a list of chunks (a batch each), which are not joined. */
function bytesWire(where: string, compact: boolean, nullable: boolean): Wire {
  return {
    leastBytes: compact ? 1 : 4,
    write(writer, value) {
      if (value === null) {
        if (!nullable) refuseNull()
        return compact ? writer.uvarint(0) : writer.int32(-1)
      }
      const chunks = chunksOf(value)
      const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
      if (compact) writer.uvarint(length + 1)
      else writer.int32(length)
      for (const chunk of chunks) writer.raw(chunk)
    },
    read(reader) {
      const length = reader.length(compact, true)
      return length >= 0 ? reader.bytes(length) : nullable ? null : notNull(where)
    }
  }
}

/** Grows as elements come, so that a count alone makes nothing large. */
function readMany(reader: Reader, element: Wire, count: number): unknown[] {
  const out: unknown[] = []
  for (let i = 0; i < count; i++) out.push(element.read(reader))
  return out
}

function arrayWire(where: string, element: Wire, compact: boolean, nullable: boolean): Wire {
  const madeBytes = POINTER_BYTES + (element.madeBytes ?? 0)
  return {
    leastBytes: compact ? 1 : 4,
    write(writer, value) {
      if (value === null) {
        if (!nullable) refuseNull()
        return compact ? writer.uvarint(0) : writer.int32(-1)
      }
      if (!Array.isArray(value)) throw new Misfit('INVALID_FIELD', `is ${typeof value}, not an array`)
      if (compact) writer.uvarint(value.length + 1)
      else writer.int32(value.length)
      let at = 0
      try {
        for (; at < value.length; at++) element.write(writer, value[at])
      } catch (error) {
        throw stepOut(error, `[${at}]`)
      }
    },
    read(reader) {
      const count = reader.count(compact, element.leastBytes, madeBytes)
      if (count < 0) return nullable ? null : notNull(where)
      if (count > MADE_AT_ONCE) return readMany(reader, element, count)
      const out = new Array(count)
      for (let i = 0; i < count; i++) out[i] = element.read(reader)
      return out
    }
  }
}

/** A struct that may be null has a byte in front: -1 null, 1 there. */
function nullableStructWire(struct: Wire): Wire {
  return {
    leastBytes: 1,
    write(writer, value) {
      if (value === null) return writer.int8(-1)
      writer.int8(1)
      return struct.write(writer, value)
    },
    read: reader => (reader.int8() < 0 ? null : struct.read(reader))
  }
}

function fieldWire(field: FieldDefinition, version: number, flexible: boolean, where: string): Wire {
  const compact = flexible && !field.rigid
  const nullable = within(field.nullable, version)
  const one = (mayBeNull: boolean): Wire => {
    if (field.type === 'string') return stringWire(where, compact, mayBeNull)
    if (field.type === 'bytes' || field.type === 'records') return bytesWire(where, compact, mayBeNull)
    if (field.type === 'struct') return structWire(field.fields!, version, flexible, where)
    return FIXED[field.type]!
  }
  if (field.array) return arrayWire(where, one(false), compact, nullable)
  return field.type === 'struct' && nullable ? nullableStructWire(one(false)) : one(nullable)
}

interface Tagged {
  field: FieldDefinition
  wire: Wire
}

function writeTags(writer: Writer, tagged: readonly Tagged[], value: Plain): void {
  if (tagged.length === 0) return writer.uvarint(0)
  const present = tagged.filter(({ field }) => !isDefault(field, value[field.name]))
  writer.uvarint(present.length)
  for (const { field, wire } of present) {
    const body = new Writer(64)
    try {
      wire.write(body, value[field.name])
    } catch (error) {
      throw stepOut(error, `.${field.name}`)
    }
    writer.uvarint(field.tag!)
    writer.uvarint(body.bytes)
    for (const chunk of body.finish()) writer.raw(chunk)
  }
}

function readTags(reader: Reader, byTag: ReadonlyMap<number, Tagged>, out: Plain): void {
  reader.tags((tag, content) => {
    const known = byTag.get(tag)
    if (known) out[known.field.name] = known.wire.read(content)
    return known !== undefined
  })
}

function refuseUnsupported(field: FieldDefinition, version: number): never {
  throw stepOut(new Misfit('UNSUPPORTED_FIELD', `is set, and version ${version} cannot carry it`), `.${field.name}`)
}

function structWire(fields: readonly FieldDefinition[], version: number, flexible: boolean, where: string): Wire {
  const place = (field: FieldDefinition) => `${where}.${field.name}`
  const isTagged = (field: FieldDefinition) => flexible && within(field.tagged, version)
  const plain = fields.filter(field => within(field.versions, version) && !isTagged(field))
  const wires = plain.map(field => ({ field, name: field.name, wire: fieldWire(field, version, flexible, place(field)) }))
  const tagged = fields
    .filter(isTagged)
    .map(field => ({ field, wire: fieldWire(field, version, flexible, place(field)) }))
    .sort((a, b) => a.field.tag! - b.field.tag!)
  const byTag = new Map(tagged.map(one => [one.field.tag!, one]))
  const absent = fields.filter(field => !within(field.versions, version))
  const strict = absent.filter(field => !field.ignorable)
  // A copy of this is what is read into, so that the shape is always the same. What it holds is shared, therefore frozen.
  const template = frozen(defaultsOf(fields))
  return {
    leastBytes: wires.reduce((sum, { wire }) => sum + wire.leastBytes, 0) + (flexible ? 1 : 0),
    madeBytes: OBJECT_BYTES + fields.length * POINTER_BYTES,
    write(writer, given) {
      if (typeof given !== 'object' || given === null)
        throw new Misfit('INVALID_FIELD', `is ${given === null ? 'null' : typeof given}, not an object`)
      const value = given as Plain
      let at = 0
      try {
        for (; at < wires.length; at++) {
          const { field, name, wire } = wires[at]!
          const own = value[name]
          wire.write(writer, own === undefined ? defaultOf(field) : own)
        }
      } catch (error) {
        throw stepOut(error, `.${wires[at]!.name}`)
      }
      for (const field of strict) if (!isDefault(field, value[field.name])) refuseUnsupported(field, version)
      if (flexible) writeTags(writer, tagged, value)
    },
    read(reader) {
      const out: Plain = { ...template }
      for (const { name, wire } of wires) out[name] = wire.read(reader)
      if (flexible) readTags(reader, byTag, out)
      return out
    }
  }
}

/** Throws UsageError when the definition has no such version. */
export function compile(definition: Definition, version: number): Codec {
  if (!within(definition.versions, version))
    throw new UsageError('UNSUPPORTED_VERSION', `${definition.name} has the versions ${definition.versions.join(' to ')}, not ${version}.`)
  const wire = structWire(definition.fields, version, within(definition.flexible, version), definition.name)
  return {
    encode(writer, value) {
      try {
        wire.write(writer, value)
      } catch (error) {
        const { code, path, message } = stepOut(error, definition.name)
        throw new UsageError(code, `${path} ${message}.`, { cause: error, details: { field: path } })
      }
    },
    decode: reader => wire.read(reader) as object
  }
}
