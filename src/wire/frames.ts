/**
 * Cuts what a socket delivers into frames. A size is checked before anything is made by it; each frame is one contiguous buffer of its own
 * memory, which the receiver may keep.
 */
import { ProtocolError } from '../model/errors.ts'

export interface FrameReaderOptions {
  /** Default 100 MiB. */
  maxFrameBytes?: number
  /** Called for each whole frame, without its size prefix, inside `push`. */
  onFrame: (frame: Buffer) => void
}

const PREFIX_BYTES = 4
/** Small frames share slabs of this size. */
const SLAB_BYTES = 64 * 1024
const SMALL_BYTES = 8 * 1024

export class FrameReader {
  /** May be changed between frames: a peer is trusted with more once it has said something sensible. */
  maxFrameBytes: number
  #onFrame: (frame: Buffer) => void
  #prefix = Buffer.alloc(PREFIX_BYTES)
  #prefixAt = 0
  #frame: Buffer | undefined
  #frameAt = 0
  #slab = Buffer.alloc(0)

  constructor(options: FrameReaderOptions) {
    this.maxFrameBytes = options.maxFrameBytes ?? 100 * 1024 * 1024
    this.#onFrame = options.onFrame
  }

  /** Takes a chunk whose memory is only good during the call. Throws ProtocolError; the stream is then of no use any more. */
  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (!this.#frame) {
        at = this.#readPrefix(chunk, at)
        if (!this.#frame) return
      }
      const frame: Buffer = this.#frame
      const part = Math.min(frame.length - this.#frameAt, chunk.length - at)
      chunk.copy(frame, this.#frameAt, at, at + part)
      this.#frameAt += part
      at += part
      if (this.#frameAt < frame.length) return
      this.#frame = undefined
      this.#onFrame(frame)
    }
  }

  #readPrefix(chunk: Buffer, at: number): number {
    while (this.#prefixAt < PREFIX_BYTES && at < chunk.length) this.#prefix[this.#prefixAt++] = chunk[at++]!
    if (this.#prefixAt < PREFIX_BYTES) return at
    this.#prefixAt = 0
    const size = this.#prefix.readInt32BE(0)
    if (size < PREFIX_BYTES || size > this.maxFrameBytes) throw this.#badSize(size)
    this.#frame = this.#allocate(size)
    this.#frameAt = 0
    return at
  }

  #allocate(size: number): Buffer {
    if (size > SMALL_BYTES) return Buffer.allocUnsafeSlow(size)
    if (this.#slab.length < size) this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
    const frame = this.#slab.subarray(0, size)
    this.#slab = this.#slab.subarray(size)
    return frame
  }

  #badSize(size: number): ProtocolError {
    const [first, second] = this.#prefix
    if ((first === 0x15 || first === 0x16) && second === 3)
      return new ProtocolError(
        'TLS_PEER',
        'The peer speaks TLS on this port; this listener needs a TLS connection. Name a PLAINTEXT listener (listenerName).'
      )
    if (this.#prefix.toString('latin1') === 'HTTP') return new ProtocolError('HTTP_PEER', 'The peer speaks HTTP: this is not a Kafka port.')
    return new ProtocolError(
      'BAD_FRAME_SIZE',
      `A frame of ${size} bytes was announced; ${PREFIX_BYTES} to ${this.maxFrameBytes} are taken. This is not a Kafka port, or maxFrameBytes is too small.`
    )
  }
}
