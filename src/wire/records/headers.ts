/**
 * Headers of an outgoing record: their size, checked before anything is written, and their bytes.
 * Layout (`DefaultRecord.writeTo`): count varint, then key length, key, value length (-1 for null), value.
 */
import { UsageError } from '../../model/errors.ts'
import type { Headers, HeaderValue } from '../../model/message.ts'
import { varintBytes, writeVarint } from './varint.ts'

/** Bytes of `value` in UTF-8, or as they are; -1 for null. Throws UsageError on anything else. */
export function bytesOf(value: string | Uint8Array | null, what: string): number {
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (value === null) return -1
  if (ArrayBuffer.isView(value) && (value as Uint8Array).BYTES_PER_ELEMENT === 1) return (value as Uint8Array).length
  throw new UsageError('INVALID_MESSAGE', `A ${what} is ${kindOf(value)}; give a string, a Uint8Array (a Buffer is one) or null.`)
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'undefined'
  return typeof value === 'object' ? `an object (${value?.constructor?.name ?? 'without a prototype'})` : `a ${typeof value}`
}

/** Calls `visit` for each header in order. */
function each(headers: Headers, visit: (key: string, value: HeaderValue) => void): void {
  if (Array.isArray(headers)) {
    for (const pair of headers as readonly (readonly [string, HeaderValue])[]) {
      if (!Array.isArray(pair) || typeof pair[0] !== 'string')
        throw new UsageError('INVALID_MESSAGE', 'headers as a list take pairs: [[key, value], …], each key a string.')
      visit(pair[0], pair[1])
    }
    return
  }
  if (typeof headers !== 'object' || headers === null || ArrayBuffer.isView(headers))
    throw new UsageError('INVALID_MESSAGE', 'headers must be an object ({ key: value }) or a list of pairs ([[key, value]]).')
  for (const [key, value] of Object.entries(headers as Record<string, HeaderValue | readonly HeaderValue[]>)) {
    if (Array.isArray(value)) for (const one of value as readonly HeaderValue[]) visit(key, one)
    else visit(key, value as HeaderValue)
  }
}

/** Bytes that `writeHeaders` will write, the count included. Throws UsageError on what is not a header. */
export function headersBytes(headers: Headers): number {
  let count = 0
  let bytes = 0
  each(headers, (key, value) => {
    const keyBytes = Buffer.byteLength(key)
    const valueBytes = bytesOf(value, `header value (${key.slice(0, 60)})`)
    bytes += varintBytes(keyBytes) + keyBytes + varintBytes(valueBytes) + Math.max(0, valueBytes)
    count++
  })
  return varintBytes(count) + bytes
}

/** Writes the headers and returns the position after them. Room for `headersBytes` must be there. */
export function writeHeaders(buffer: Buffer, at: number, headers: Headers): number {
  let count = 0
  each(headers, () => count++)
  at = writeVarint(buffer, at, count)
  each(headers, (key, value) => {
    const keyBytes = Buffer.byteLength(key)
    at = writeVarint(buffer, at, keyBytes)
    at += buffer.write(key, at, 'utf8')
    at = writeVarint(buffer, at, bytesOf(value, 'header value'))
    if (typeof value === 'string') at += buffer.write(value, at, 'utf8')
    else if (value !== null) {
      buffer.set(value, at)
      at += value.length
    }
  })
  return at
}
