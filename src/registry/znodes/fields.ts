/**
 * JSON out of a znode, treated as input from a stranger: its size and depth are limited before it is parsed, and each field is
 * read by a method that says what it must be. Unknown fields are left alone, as later Kafka versions add some.
 */
import { RegistryError } from '../../model/errors.ts'

/** ZooKeeper's own limit for a node (`jute.maxbuffer`). */
export const maxZnodeBytes = 1024 * 1024
/** Kafka's deepest znode has four levels. */
const maxDepth = 16
export const maxInt32 = 0x7fff_ffff

/** The error for a node whose data cannot be used. `what` goes on after "the node <path>". */
export function invalidZnode(path: string, what: string): RegistryError {
  return new RegistryError('ZNODE_INVALID', `The node ${path} ${what}. It is left out, and what was known before stands.`, {
    details: { path, problem: what }
  })
}

/** @throws RegistryError ZNODE_INVALID */
export function parseObject(path: string, data: Uint8Array): Fields {
  return new Fields(path, '', parseJson(path, data))
}

function parseJson(path: string, data: Uint8Array): unknown {
  if (data.length === 0) throw invalidZnode(path, 'is empty')
  if (data.length > maxZnodeBytes) throw invalidZnode(path, `has ${data.length} bytes, more than ${maxZnodeBytes}`)
  if (depthOf(data) > maxDepth) throw invalidZnode(path, `is nested deeper than ${maxDepth} levels`)
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(data))
  } catch {
    const shown = Buffer.from(data.subarray(0, 40)).toString('latin1')
    throw invalidZnode(path, `is not JSON (it begins with ${JSON.stringify(shown)})`)
  }
}

/** Deepest nesting of brackets outside strings; right for every valid JSON, and cheap for what is not. */
function depthOf(data: Uint8Array): number {
  let depth = 0
  let deepest = 0
  let inString = false
  for (let i = 0; i < data.length; i++) {
    const byte = data[i]
    if (inString) {
      if (byte === 0x5c) i++
      else if (byte === 0x22) inString = false
    } else if (byte === 0x22) inString = true
    else if (byte === 0x7b || byte === 0x5b) deepest = Math.max(deepest, ++depth)
    else if (byte === 0x7d || byte === 0x5d) depth--
  }
  return deepest
}

/** An object of a znode. Only its own fields count, so `__proto__` is a field like any other and never a prototype. */
export class Fields {
  readonly path: string
  readonly #where: string
  readonly #object: Record<string, unknown>

  constructor(path: string, where: string, value: unknown) {
    this.path = path
    this.#where = where
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw invalidZnode(path, `${where ? `has at ${where}` : 'holds'} no JSON object`)
    }
    this.#object = value as Record<string, unknown>
  }

  /** Undefined: not there, or null. */
  #get(name: string): unknown {
    return Object.hasOwn(this.#object, name) ? (this.#object[name] ?? undefined) : undefined
  }

  #fail(name: string, what: string): never {
    throw invalidZnode(this.path, `has no valid ${this.#where ? `${this.#where}.` : ''}${name.slice(0, 80)}: ${what}`)
  }

  names(): string[] {
    return Object.keys(this.#object)
  }

  has(name: string): boolean {
    return this.#get(name) !== undefined
  }

  int(name: string, min: number, max: number = maxInt32): number {
    const value = this.#get(name)
    if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return value as number
    return this.#fail(name, `an integer from ${min} to ${max} is expected, not ${shown(value)}`)
  }

  optionalInt(name: string, min: number, fallback: number): number {
    return this.has(name) ? this.int(name, min) : fallback
  }

  text(name: string, maxLength = 1_024): string {
    const value = this.#get(name)
    if (typeof value === 'string' && value !== '' && value.length <= maxLength) return value
    return this.#fail(name, `a string of 1 to ${maxLength} characters is expected, not ${shown(value)}`)
  }

  optionalText(name: string, maxLength?: number): string | null {
    return this.has(name) ? this.text(name, maxLength) : null
  }

  texts(name: string, maxCount: number): string[] {
    const value = this.#get(name)
    if (!Array.isArray(value) || value.length > maxCount) this.#fail(name, `a list of at most ${maxCount} strings is expected`)
    const wrong = value.find(item => typeof item !== 'string' || item.length > 1_024)
    if (wrong !== undefined) this.#fail(name, `${shown(wrong)} is no string of a sane length`)
    return value
  }

  /** Broker ids: integers from 0, none twice. */
  ids(name: string): number[] {
    const value = this.#get(name)
    if (!Array.isArray(value)) return this.#fail(name, `a list of broker ids is expected, not ${shown(value)}`)
    const wrong = value.find(id => !Number.isInteger(id) || id < 0 || id > maxInt32)
    if (wrong !== undefined) this.#fail(name, `${shown(wrong)} is no broker id`)
    if (new Set(value).size !== value.length) this.#fail(name, 'a broker id stands there twice')
    return value
  }

  object(name: string): Fields {
    return new Fields(this.path, this.#where ? `${this.#where}.${name}` : name, this.#get(name))
  }

  optionalObject(name: string): Fields | undefined {
    return this.has(name) ? this.object(name) : undefined
  }
}

/** A non-negative decimal integer as Kafka writes it (no sign, no leading zero), or undefined. */
export function decimal(text: string): number | undefined {
  if (!/^(0|[1-9]\d{0,9})$/.test(text)) return undefined
  const value = Number(text)
  return value <= maxInt32 ? value : undefined
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing'
  return (JSON.stringify(value) ?? String(value)).slice(0, 80)
}

/** What a writer puts into a node. */
export function znodeJson(value: object): Buffer {
  return Buffer.from(JSON.stringify(value))
}
