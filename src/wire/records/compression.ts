/**
 * Compression of record batches: gzip, snappy, lz4 and zstd as Kafka frames them, both ways, with a limit on what unpacking may
 * make. All synchronous, pure functions of their input; native packages are loaded when their codec is first used.
 */
import type { Compression } from '../../model/config.ts'
import { type Codec, corrupt, firstChunkBytes, nodeZlib, overLimit } from './codec.ts'
import { lz4 } from './lz4.ts'
import { snappy } from './snappy.ts'
import { zstd } from './zstd.ts'

/** Deflate never unpacks to more than 1032 times its input (258 bytes from two bits). */
const DEFLATE_MOST_RATIO = 1032

const gzip: Codec = {
  compress: input => nodeZlib().gzipSync(input),
  decompress(input, limitBytes) {
    if (input.length < 18) throw corrupt('gzip', 'too short')
    // The last four bytes: the size of the last member, modulo 2^32. Believed as far as it can be; what cannot be is for zlib to refuse.
    const view = new DataView(input.buffer, input.byteOffset, input.byteLength)
    const mostBytes = input.length * DEFLATE_MOST_RATIO
    const said = view.getUint32(input.length - 4, true)
    if (said > limitBytes && said <= mostBytes) throw overLimit('gzip', limitBytes)
    const chunkSize = firstChunkBytes(Math.min(said, mostBytes))
    let plain: Buffer
    try {
      plain = nodeZlib().gunzipSync(input, { maxOutputLength: Math.max(1, limitBytes), chunkSize })
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') throw overLimit('gzip', limitBytes)
      throw corrupt('gzip', (error as Error).message, error)
    }
    // zlib knows no limit of nothing.
    if (plain.length > limitBytes) throw overLimit('gzip', limitBytes)
    return plain
  }
}

const codecs: Record<Exclude<Compression, 'none'>, Codec> = { gzip, snappy, lz4, zstd }

/**
 * Packs the records of a batch. `none` answers the input itself. Throws SamsaError COMPRESSION_UNAVAILABLE, naming the package,
 * where a native codec does not exist for this platform.
 */
export function compress(codec: Compression, input: Uint8Array): Uint8Array {
  return codec === 'none' ? input : codecs[codec].compress(input)
}

/**
 * Unpacks. Never makes more than `limitBytes`: refused before anything is allocated where the format tells the size, stopped
 * on the way where it does not. Throws LimitError DECOMPRESSION_LIMIT, ProtocolError CORRUPT_COMPRESSION, or as `compress`.
 */
export function decompress(codec: Compression, input: Uint8Array, limits: { limitBytes: number }): Buffer {
  if (codec === 'none') {
    if (input.length > limits.limitBytes) throw overLimit('plain', limits.limitBytes)
    return Buffer.from(input.buffer, input.byteOffset, input.byteLength)
  }
  return codecs[codec].decompress(input, limits.limitBytes)
}
