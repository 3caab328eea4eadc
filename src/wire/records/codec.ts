/**
 * What the codecs share: the shape of one, the errors for bytes that cannot be unpacked and for bombs, and the loading of a
 * prebuilt native package only when its codec is first used.
 */
import { createRequire } from 'node:module'
import { LimitError, ProtocolError, SamsaError } from '../../model/errors.ts'

export interface Codec {
  compress(input: Uint8Array): Buffer
  /** Never makes more than `limitBytes`; throws LimitError DECOMPRESSION_LIMIT or ProtocolError CORRUPT_COMPRESSION. */
  decompress(input: Uint8Array, limitBytes: number): Buffer
}

export function corrupt(codec: string, why: string, cause?: unknown): ProtocolError {
  return new ProtocolError('CORRUPT_COMPRESSION', `These bytes are not ${codec}: ${why}.`, { cause, details: { codec } })
}

export function overLimit(codec: string, limitBytes: number): LimitError {
  return new LimitError(
    'DECOMPRESSION_LIMIT',
    `A ${codec} batch unpacks to more than ${limitBytes} bytes and was refused. If it is meant to be that large, raise maxDecompressedBytes; ` +
      'if not, seek past it.',
    { details: { codec, limitBytes } }
  )
}

const require = createRequire(import.meta.url)

/** A native package, or a SamsaError COMPRESSION_UNAVAILABLE that names it. */
export function loadPackage<T>(codec: string, name: string): T {
  try {
    return require(name) as T
  } catch (cause) {
    throw new SamsaError(
      'COMPRESSION_UNAVAILABLE',
      `${codec} needs the package ${name}, which did not load on this platform (${process.platform} ${process.arch}). ` +
        `Run \`npm install ${name}\` with its optional dependencies, or use another compression.`,
      { cause, details: { codec, package: name } }
    )
  }
}

/** Loaded when first used, as the packages are. */
export const nodeZlib = () => require('node:zlib') as typeof import('node:zlib')

/** The bytes as a Buffer over the same memory: native packages want no other kind. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Joins parts whose total is known; one part is answered as it is. */
export function join(parts: Buffer[], totalBytes: number): Buffer {
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts, totalBytes)
}

/** Output is made in chunks of this size at most, so that what a header promises is believed only as far as it comes true. */
const MOST_CHUNK_BYTES = 4 * 1024 * 1024

/** Size of zlib's first output chunk: one byte more than what is expected, so that one chunk is enough. */
export function firstChunkBytes(expectedBytes: number): number {
  return Math.max(1024, Math.min(expectedBytes + 1, MOST_CHUNK_BYTES))
}
