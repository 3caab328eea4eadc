/**
 * The declarative form of a Kafka message: what `scripts/import-schemas.ts` writes and `compile.ts` turns into codecs.
 * Versions are inclusive ranges. Rules: Kafka's message generator (KIP-482 for tagged fields and compact forms).
 */

/** Both ends included. */
export type VersionRange = readonly [low: number, high: number]

export type FieldType =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'float64'
  | 'string'
  | 'uuid'
  | 'bytes'
  | 'records'
  | 'struct'

export interface FieldDefinition {
  name: string
  type: FieldType
  array?: true
  /** Versions that have the field; a value other than its default is refused elsewhere, unless it is `ignorable`. */
  versions: VersionRange
  /** Versions in which it may be null. */
  nullable?: VersionRange
  /** Its tag, in the versions in which it is a tagged field. */
  tag?: number
  tagged?: VersionRange
  /** Never compact, though its message is (the header's client id, so that any broker can read it). */
  rigid?: true
  default?: null | string | number | bigint | boolean
  ignorable?: true
  /** Of a struct. */
  fields?: readonly FieldDefinition[]
}

export interface Definition {
  name: string
  versions: VersionRange
  /** Versions with compact lengths and tagged fields; null: none. */
  flexible: VersionRange | null
  fields: readonly FieldDefinition[]
}

export const within = (range: VersionRange | null | undefined, version: number): boolean =>
  range !== null && range !== undefined && version >= range[0] && version <= range[1]
