/**
 * Lines out of chunks of bytes: split at 0x0a and nothing else, so that what is not UTF-8 passes unchanged. Bounded: a line that is
 * longer than allowed is skipped to its end and reported, never collected.
 */

const NEWLINE = 0x0a

export interface LineHandlers {
  /** Valid until the next chunk is written to the splitter: copy what you keep longer. `number` counts from 1. */
  line: (bytes: Buffer, number: number) => void
  /** The line was longer than allowed and is dropped. */
  tooLong: (bytes: number, number: number) => void
}

export class LineSplitter {
  #handlers: LineHandlers
  #maxBytes: number
  /** Begin of a line whose end has not come yet. */
  #pieces: Buffer[] = []
  #bytes = 0
  #number = 0

  constructor(maxBytes: number, handlers: LineHandlers) {
    this.#maxBytes = maxBytes
    this.#handlers = handlers
  }

  write(chunk: Buffer): void {
    let from = 0
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      this.#finish(chunk.subarray(from, at))
      from = at + 1
    }
    if (from === chunk.length) return
    // A copy: a long-lived piece must not hold, or be overwritten with, the stream's chunk.
    const rest = chunk.subarray(from)
    if (this.#bytes + rest.length <= this.#maxBytes) this.#pieces.push(Buffer.from(rest))
    else this.#pieces = []
    this.#bytes += rest.length
  }

  /** The input has ended: a last line without a newline counts. */
  end(): void {
    if (this.#bytes > 0) this.#finish(Buffer.alloc(0))
  }

  #finish(last: Buffer): void {
    const bytes = this.#bytes + last.length
    const number = ++this.#number
    const line = this.#pieces.length === 0 ? last : Buffer.concat([...this.#pieces, last])
    this.#pieces = []
    this.#bytes = 0
    if (bytes > this.#maxBytes) this.#handlers.tooLong(bytes, number)
    else this.#handlers.line(line, number)
  }
}

/** Key and value of a line, split at the first separator; a line without one has no key. */
export function splitKey(line: Buffer, separator: Buffer | undefined): { key: Buffer | null; value: Buffer } {
  const at = separator === undefined ? -1 : line.indexOf(separator)
  return at < 0 ? { key: null, value: line } : { key: line.subarray(0, at), value: line.subarray(at + separator!.length) }
}
