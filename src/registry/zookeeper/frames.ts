/**
 * Cuts a byte stream into ZooKeeper's frames (`int32 length, bytes`) and judges each length before anything is kept for it.
 * It stands in front of the library's parser, which would trust them.
 */
import { ZooKeeperError } from './errors.ts'

/** Largest answer that is accepted. A server sends up to its `jute.maxbuffer`, 1 MiB by default, and somewhat more for child lists. */
export const defaultMaxFrameBytes = 4 * 1024 * 1024

const headBytes = 4
/** Memory for a frame grows with what has really come, not with what was announced. */
const firstBodyBytes = 16 * 1024

export class FrameReader {
  readonly #onFrame: (frame: Buffer) => void
  #maxBytes: number
  /** The frame at hand, head included; a copy, as the transport reuses its memory. */
  #frame = Buffer.alloc(headBytes)
  #filled = 0
  /** Head and body; unknown until the head is whole. */
  #size: number | undefined

  constructor(maxBytes: number, onFrame: (frame: Buffer) => void) {
    this.#maxBytes = maxBytes
    this.#onFrame = onFrame
  }

  /** Another limit from the next frame on. */
  limit(maxBytes: number): void {
    this.#maxBytes = maxBytes
  }

  /**
   * Hands every whole frame, length head included, to `onFrame`, which may keep it.
   * @throws ZooKeeperError ZK_PROTOCOL for a length that no frame has. The connection is then of no use.
   */
  push(chunk: Buffer): void {
    let offset = 0
    while (offset < chunk.length) offset += this.#take(chunk, offset)
  }

  #take(chunk: Buffer, offset: number): number {
    const wanted = (this.#size ?? headBytes) - this.#filled
    const taken = Math.min(wanted, chunk.length - offset)
    this.#room(this.#filled + taken)
    chunk.copy(this.#frame, this.#filled, offset, offset + taken)
    this.#filled += taken
    if (taken === wanted) this.#complete()
    return taken
  }

  #complete(): void {
    if (this.#size === undefined) this.#size = headBytes + this.#checkedLength()
    if (this.#filled < this.#size) return
    const frame = this.#frame.subarray(0, this.#size)
    this.#frame = Buffer.alloc(headBytes)
    this.#filled = 0
    this.#size = undefined
    this.#onFrame(frame)
  }

  #room(bytes: number): void {
    if (bytes <= this.#frame.length) return
    const larger = Buffer.alloc(Math.min(this.#size ?? bytes, Math.max(bytes, this.#frame.length * 2, firstBodyBytes)))
    this.#frame.copy(larger, 0, 0, this.#filled)
    this.#frame = larger
  }

  #checkedLength(): number {
    const length = this.#frame.readInt32BE(0)
    if (length >= 0 && length <= this.#maxBytes) return length
    throw new ZooKeeperError('ZK_PROTOCOL', `${describe(this.#frame, length, this.#maxBytes)} The connection is closed.`, {
      retriable: true,
      details: { length, maxFrameBytes: this.#maxBytes }
    })
  }
}

/** Names what the bytes probably are. */
function describe(head: Buffer, length: number, maxBytes: number): string {
  const text = head.toString('latin1', 0, headBytes)
  if (text === 'HTTP') return 'The peer answers with HTTP: this port is not a ZooKeeper client port (2181 by default).'
  if (head[0] === 0x15 && head[1] === 3) return 'The peer answers with TLS: this is a secure client port, use the plain one.'
  if (length < 0) return `The peer announced a frame of ${length} bytes, which no ZooKeeper does.`
  return `The peer announced a frame of ${length} bytes, more than the ${maxBytes} that are accepted here.`
}
