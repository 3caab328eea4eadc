/**
 * The files of an outbox: `0000000001-5f3a99c1.log`, and so on, a number and a mark (see outbox-frames.ts). What is appended is there, or was cut off
 * again and the append fails. A new file is begun when one is full, and after a failed fsync, of which nobody can say what it left behind. They are
 * deleted oldest first, so that what says "done" outlives what it is said of. One with damaged bytes is not deleted, but renamed to `….log.damaged`:
 * what it held may be all that is left of it.
 */
import type { AppendFile, World } from '../model/world.ts'
import { bytesOf, encodeFrame, type OutboxFrame } from './outbox-frames.ts'

export interface OutboxSegmentsOptions {
  files: World['files']
  directory: string
  /** A file that has so many bytes is full. */
  segmentBytes: number
  /** False: appends do not wait for the disk. */
  fsync: boolean
  /** 32 bits by chance. */
  mark: () => number
}

/** One that lies there. */
export interface Segment {
  number: number
  mark: number
}

type Kept = Segment & { bytes: number; damaged: boolean }

const NAME = /^(\d{10})-([0-9a-f]{8})\.log$/

/** The segments that lie in a directory, oldest first. */
export async function listSegments(files: World['files'], directory: string): Promise<Segment[]> {
  const names = await files.list(directory)
  return names.flatMap(name => {
    const found = NAME.exec(name)
    return found ? [{ number: Number(found[1]), mark: Number.parseInt(found[2]!, 16) }] : []
  })
}

export const segmentPath = (directory: string, { number, mark }: Segment) =>
  `${directory}/${String(number).padStart(10, '0')}-${mark.toString(16).padStart(8, '0')}.log`

export class OutboxSegments {
  /** By number, in order; the last is the one that grows. */
  readonly #kept = new Map<number, Kept>()
  readonly #options: OutboxSegmentsOptions
  #next: number
  #open: { file: AppendFile; segment: Kept } | undefined

  /** `found`: what lies there already, and is never appended to: its end may be torn. */
  constructor(options: OutboxSegmentsOptions, found: readonly Kept[]) {
    this.#options = options
    for (const segment of found) this.#kept.set(segment.number, segment)
    this.#next = Math.max(0, ...this.#kept.keys()) + 1
  }

  get bytes(): number {
    let bytes = 0
    for (const segment of this.#kept.values()) bytes += segment.bytes
    return bytes
  }

  /** The oldest that is not appended to any more. */
  get oldest(): number | undefined {
    const [first] = this.#kept.keys()
    return first === this.#open?.segment.number ? undefined : first
  }

  /**
   * Writes in order, and waits for the disk if `sync`. Returns the segment's number. Rejects with AppendError: what the system said; `certain` then tells
   * whether nothing of it is left in the file.
   */
  async append(frames: readonly OutboxFrame[], sync: boolean): Promise<number> {
    const { file, segment } = await this.#current()
    const chunks = frames.flatMap(frame => encodeFrame(frame, segment.mark))
    let written = false
    try {
      await file.append(chunks)
      written = true
      if (sync && this.#options.fsync) await file.sync()
    } catch (error) {
      const certain = await this.#cut(segment.bytes, written)
      throw new AppendError(error as Error, certain)
    }
    segment.bytes += bytesOf(chunks)
    if (segment.bytes >= this.#options.segmentBytes) await this.#finish()
    return segment.number
  }

  async remove(number: number): Promise<void> {
    const { files, directory } = this.#options
    const segment = this.#kept.get(number)!
    const path = segmentPath(directory, segment)
    await (segment.damaged ? files.rename(path, `${path}.damaged`) : files.remove(path))
    this.#kept.delete(number)
  }

  /** `empty`: nothing in any of them is needed any more. */
  async close(empty: boolean): Promise<void> {
    await this.#finish()
    if (empty) for (const number of [...this.#kept.keys()]) await this.remove(number)
  }

  async #current(): Promise<{ file: AppendFile; segment: Kept }> {
    if (this.#open) return this.#open
    const { files, directory, fsync, mark } = this.#options
    const segment = { number: this.#next, mark: mark(), bytes: 0, damaged: false }
    try {
      const file = await files.create(segmentPath(directory, segment), { mode: 0o600 })
      this.#next++
      this.#open = { file, segment }
      this.#kept.set(segment.number, segment)
      if (fsync) await files.syncDirectory(directory)
      return this.#open
    } catch (error) {
      if ((error as { code?: string }).code === 'EEXIST') this.#next++ // not ours, or left by a try whose answer was lost
      await this.#finish()
      throw new AppendError(error as Error, true)
    }
  }

  /** Takes back what an append has left. True: nothing of it is there. */
  async #cut(bytes: number, synced: boolean): Promise<boolean> {
    const { file } = this.#open!
    try {
      await file.cut(bytes)
      if (!synced) return true
      await this.#finish()
      return true
    } catch {
      await this.#finish()
      return false
    }
  }

  async #finish(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    await open?.file.close().catch(() => {}) // what had to be on disk is: closing adds nothing
  }
}

/** Why nothing was appended. `certain`: and nothing of it lies in a file. */
export class AppendError extends Error {
  readonly certain: boolean

  constructor(cause: Error, certain: boolean) {
    super(cause.message, { cause })
    this.certain = certain
  }
}
