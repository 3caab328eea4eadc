/**
 * Records as plain data, the shape in which tests compare what was written with what was read: bytes as Base64.
 */

import type { Message } from '../../../src/model/message.ts'
import type { BatchView } from '../../../src/wire/records/batch-view.ts'
import { type DecodeLimits, decodeRecords, readBatches } from '../../../src/wire/records/index.ts'

export interface PlainRecord {
  offset: number
  timestamp: number
  key: string | null
  value: string | null
  headers: [string, string | null][]
}

export const origin = { topic: 'example', partition: 3 }

export function plainMessage(message: Message): PlainRecord {
  return {
    offset: Number(message.offset),
    timestamp: Number(message.timestamp),
    key: message.key?.toString('base64') ?? null,
    value: message.value?.toString('base64') ?? null,
    headers: message.headerList.map(([key, value]) => [key, value?.toString('base64') ?? null])
  }
}

/** All messages of all batches, as a consumer walks them. */
export function decodeAll(records: Buffer, fromOffset = 0n, limits?: DecodeLimits): Message[] {
  return [...readBatches(records)].flatMap(batch => decodeRecords(batch, origin, fromOffset, limits))
}

export function onlyBatch(records: Buffer): BatchView {
  const batches = [...readBatches(records)]
  if (batches.length !== 1) throw new Error(`expected one batch, found ${batches.length}`)
  return batches[0]!
}

export function base64(text: string | Uint8Array | null): string | null {
  return text === null ? null : Buffer.from(text as string).toString('base64')
}

/** Bytes that compress about as records do, the same for the same seed. */
export function likeJson(bytes: number, seed = 1): Buffer {
  let state = seed
  const next = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return (state >>> 8) % below
  }
  const parts: string[] = []
  let length = 0
  while (length < bytes) {
    const part = `{"id":${next(1_000_000)},"user":"user-${next(500)}","kind":"${['click', 'view', 'buy'][next(3)]}","at":${1_700_000_000_000 + next(1e6)}}\n`
    parts.push(part)
    length += part.length
  }
  return Buffer.from(parts.join('')).subarray(0, bytes)
}
