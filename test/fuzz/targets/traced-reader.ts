/**
 * Reads a message as `Reader` does and notes where its numbers, lengths and counts lie: the structure that changes are aimed at.
 */
import { Reader } from '../../../src/wire/reader.ts'
import type { Field, FieldKind } from '../seed.ts'

export class TracedReader extends Reader {
  readonly fields: Field[]

  constructor(buffer: Buffer, at = 0, end = buffer.length, fields: Field[] = []) {
    super(buffer, at, end)
    this.fields = fields
  }

  #noted<T>(kind: FieldKind, read: () => T): T {
    const { at } = this
    const value = read()
    this.fields.push({ at, bytes: this.at - at, kind })
    return value
  }

  override int8(): number {
    return this.#noted('int8', () => super.int8())
  }

  override uint16(): number {
    return this.#noted('int16', () => super.uint16())
  }

  override int32(): number {
    return this.#noted('int32', () => super.int32())
  }

  override int64(): bigint {
    return this.#noted('int64', () => super.int64())
  }

  override uvarint(): number {
    return this.#noted('uvarint', () => super.uvarint())
  }

  override string(bytes: number): string {
    this.#covered(bytes)
    return super.string(bytes)
  }

  override bytes(length: number): Buffer {
    this.#covered(length)
    return super.bytes(length)
  }

  /** The size of each tagged field covers its content. */
  override tags(read: (tag: number, reader: Reader) => boolean): void {
    super.tags((tag, reader) => {
      this.#cover(reader.at, reader.end)
      const traced = new TracedReader(reader.buffer, reader.at, reader.end, this.fields)
      const known = read(tag, traced)
      reader.at = traced.at
      return known
    })
  }

  #covered(bytes: number): void {
    this.#cover(this.at, this.at + bytes)
  }

  /** The number that was read last is the length of these bytes. */
  #cover(from: number, to: number): void {
    const length = this.fields.at(-1)!
    this.fields[this.fields.length - 1] = { ...length, covers: [from, to] }
  }
}
