/**
 * What may lie in a recording: plain data. Errors become plain, live things and bytes become a marker that names them, and what
 * stands under the name of a credential is never written. Clean values are returned as they are, without a copy.
 */
import { plainError } from '../model/errors.ts'

export const REDACTED = '[redacted]'

const MAX_DEPTH = 64

/** Names, lower case and without `_` and `-`, under which nothing is ever written. */
const SECRET_NAMES = new Set(
  (
    'password passwd passphrase secret token auth authorization sasl credential credentials apikey privatekey ' +
    'clientsecret accesstoken refreshtoken sessionpassword'
  ).split(' ')
)
/** `sslKeyPassword`, `bearerToken`, … */
const SECRET_SUFFIX = /[a-z0-9_](Password|Passwd|Passphrase|Secret|Token|Credentials?|PrivateKey|ApiKey)$/

/** Key -> is it a credential's name. Keys repeat, and a lookup is cheaper than the pattern; bounded, as keys may be topic names. */
const judged = new Map<string, boolean>()
const MAX_JUDGED = 4096

/** Is this the name of a credential? */
export function isSecretName(name: string): boolean {
  const known = judged.get(name)
  if (known !== undefined) return known
  const secret = SECRET_NAMES.has(name.toLowerCase().replace(/[_-]/g, '')) || SECRET_SUFFIX.test(name)
  if (judged.size >= MAX_JUDGED) judged.clear()
  judged.set(name, secret)
  return secret
}

const isPlain = (value: object): boolean => {
  const prototype = Object.getPrototypeOf(value) as unknown
  return prototype === Object.prototype || prototype === null
}

/** True when the value can be written as it is. */
export function isClean(value: unknown, depth = 0): boolean {
  if (typeof value === 'object') {
    if (value === null) return true
    if (depth >= MAX_DEPTH) return false
    if (Array.isArray(value)) {
      for (let i = 0; i < value.length; i++) if (!isClean(value[i], depth + 1)) return false
      return true
    }
    if (!isPlain(value)) return false
    for (const key in value) {
      if (isSecretName(key) || key === '__proto__') return false
      const item = (value as Record<string, unknown>)[key]
      if (typeof item !== 'string' && typeof item !== 'number' && !isClean(item, depth + 1)) return false
    }
    return true
  }
  return typeof value !== 'function' && typeof value !== 'symbol'
}

/** The value as it may be written: itself when it is clean, else a cleaned copy. */
export function sanitise(value: unknown): unknown {
  return isClean(value) ? value : copy(value, 0)
}

function copy(value: unknown, depth: number): unknown {
  if (typeof value === 'function') return '[function]'
  if (typeof value === 'symbol') return '[symbol]'
  if (typeof value !== 'object' || value === null) return value
  if (depth >= MAX_DEPTH) return '[too deep]'
  if (Array.isArray(value)) return value.map(item => copy(item, depth + 1))
  if (value instanceof Error) return copy(plainError(value), depth + 1)
  if (!isPlain(value)) return marker(value)
  const out: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) {
    if (key === '__proto__') continue
    out[key] = isSecretName(key) && item !== null && item !== undefined ? REDACTED : copy(item, depth + 1)
  }
  return out
}

function marker(value: object): string {
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if ('sessionId' in value && 'send' in value) return '[actor]'
  return `[${value.constructor?.name ?? 'object'}]`
}
