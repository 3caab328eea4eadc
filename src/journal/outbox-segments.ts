/**
 * The files of an outbox: `0000000001.log`, and so on. What is appended is there, or was cut off again and the append fails. A new file is begun when
 * one is full, and after a failed fsync, of which nobody can say what it left behind. They are deleted oldest first, so that what says "done" outlives
 * what it is said of.
 */
import type { AppendFile, World } from '../model/world.ts'
import { bytesOf, type Chunks } from './outbox-frames.ts'

export interface OutboxSegmentsOptions {
  files: World['files']
  directory: string
  /** A file that has so many bytes is full. */
  segmentBytes: number
  /** False: appends do not wait for the disk. */
  fsync: boolean
}

const NAME = /^(\d{10})\.log$/

/** The numbers of the segments that lie in a directory, ascending. */
export async function listSegments(files: World['files'], directory: string): Promise<number[]> {
  const names = await files.list(directory)
  return names.flatMap(name => NAME.exec(name)?.[1] ?? []).map(Number)
}

export const segmentPath = (directory: string, segment: number) => `${directory}/${String(segment).padStart(10, '0')}.log`

export class OutboxSegments {
  /** number -> bytes; in the order of their numbers, the last is the one that grows. */
  readonly #sizes = new Map<number, number>()
  readonly #options: OutboxSegmentsOptions
  #next: number
  #open: { file: AppendFile; segment: number } | undefined

  /** `found`: what lies there already, and is never appended to: its end may be torn. */
  constructor(options: OutboxSegmentsOptions, found: ReadonlyMap<number, number>) {
    this.#options = options
    for (const [segment, bytes] of found) this.#sizes.set(segment, bytes)
    this.#next = Math.max(0, ...found.keys()) + 1
  }

  get bytes(): number {
    let bytes = 0
    for (const size of this.#sizes.values()) bytes += size
    return bytes
  }

  /** The oldest that is not appended to any more. */
  get oldest(): number | undefined {
    const [first] = this.#sizes.keys()
    return first === this.#open?.segment ? undefined : first
  }

  /**
   * Writes in order, and waits for the disk if `sync`. Returns the segment. Rejects with what the system said; `certain` then tells whether nothing of it
   * is left in the file.
   */
  async append(chunks: Chunks, sync: boolean): Promise<number> {
    const { file, segment } = await this.#current()
    const before = this.#sizes.get(segment)!
    let written = false
    try {
      await file.append(chunks)
      written = true
      if (sync && this.#options.fsync) await file.sync()
    } catch (error) {
      const certain = await this.#cut(before, written)
      throw new AppendError(error as Error, certain)
    }
    this.#sizes.set(segment, before + bytesOf(chunks))
    if (this.#sizes.get(segment)! >= this.#options.segmentBytes) await this.#finish()
    return segment
  }

  async remove(segment: number): Promise<void> {
    await this.#options.files.remove(segmentPath(this.#options.directory, segment))
    this.#sizes.delete(segment)
  }

  /** `empty`: nothing in any of them is needed any more. */
  async close(empty: boolean): Promise<void> {
    await this.#finish()
    if (empty) for (const segment of [...this.#sizes.keys()]) await this.remove(segment)
  }

  async #current(): Promise<{ file: AppendFile; segment: number }> {
    if (this.#open) return this.#open
    const { files, directory, fsync } = this.#options
    const segment = this.#next
    try {
      const file = await files.create(segmentPath(directory, segment), { mode: 0o600 })
      this.#next++
      this.#open = { file, segment }
      this.#sizes.set(segment, 0)
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
