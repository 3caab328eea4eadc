/**
 * The journal on disk, beside the ring in memory: what the recorder takes, in files of a bounded size and number. Each file is a recording by itself, as
 * it begins with all living actors as they are then; so the oldest can go, and any moment that a file holds can be replayed from that file alone.
 *
 *   idle ──an input──► waiting (FLUSH_AFTER_MS) ──► writing ──► idle     what the last moment brought is written together, without fsync
 *                                                     └─ fails ─► broken: nothing is kept for RETRY_AFTER_MS, then a new file is begun
 */
import { plainError, SamsaError } from '../model/errors.ts'
import type { AppendFile, Timer, World } from '../model/world.ts'
import type { Followed, Recorder } from './recorder.ts'

export interface JournalOptions {
  world: Pick<World, 'files' | 'setTimer' | 'clearTimer'>
  directory: string
  /** All files together; the oldest go. A file is an eighth of it. */
  maxBytes: number
  recorder: Recorder
  /** It cannot be written; it will be tried again. */
  onTrouble: (error: SamsaError) => void
}

const FLUSH_AFTER_MS = 100
const RETRY_AFTER_MS = 5_000
const FILES = 8
/** More than this waits for no slow disk. */
const QUEUE_BYTES_MAX = 8 * 1024 * 1024
const NAME = /^(\d{10})\.journal$/

/** The files of a journal that lie in a directory, oldest first. */
export async function listJournal(files: World['files'], directory: string): Promise<string[]> {
  return (await files.list(directory)).filter(name => NAME.test(name)).map(name => `${directory}/${name}`)
}

export class DiskJournal {
  #options: JournalOptions
  #followed: Followed
  /** What the first file begins with: nobody lives yet. */
  #start: Uint8Array[] | undefined
  #queue: Uint8Array[] = []
  #queueBytes = 0
  /** The present file; undefined: one must be begun. */
  #file: { file: AppendFile; bytes: number } | undefined
  /** path -> bytes, oldest first. */
  #kept = new Map<string, number>()
  #next = 1
  #listed = false
  #timer: Timer | undefined
  #work: Promise<void> | undefined
  #brokenUntil: Timer | undefined
  #closed = false

  constructor(options: JournalOptions) {
    this.#options = options
    this.#followed = options.recorder.follow({ frame: frame => this.#take(frame), waiting: () => this.#arm() })
    this.#start = this.#followed.begin()
  }

  /** Writes what is left. */
  async close(): Promise<void> {
    if (this.#closed) return
    const { world } = this.#options
    if (this.#timer) world.clearTimer(this.#timer)
    if (this.#brokenUntil) world.clearTimer(this.#brokenUntil)
    while (this.#work) await this.#work
    this.#tick()
    while (this.#work) await this.#work
    this.#closed = true
    await this.#file?.file.close().catch(() => {})
  }

  #take(frame: Uint8Array): void {
    if (this.#closed || this.#brokenUntil) return
    this.#queue.push(frame)
    this.#queueBytes += frame.length
    if (this.#queueBytes > QUEUE_BYTES_MAX) this.#break(new Error(`the disk is too slow: ${this.#queueBytes} bytes wait for it`))
  }

  #arm(): void {
    if (this.#closed) return
    this.#timer ??= this.#options.world.setTimer(() => {
      this.#timer = undefined
      this.#tick()
    }, FLUSH_AFTER_MS)
  }

  /** Between transitions: what came since the last time goes into the file, or a new one is begun. */
  #tick(): void {
    if (this.#work) return this.#arm()
    const full = this.#file && this.#file.bytes >= this.#options.maxBytes / FILES
    this.#followed.flush()
    const frames = this.#queue
    this.#queue = []
    this.#queueBytes = 0
    let begin: Uint8Array[] | undefined
    if (this.#start) begin = [...this.#start, ...frames]
    // Without a file these frames are in the states with which the next one begins, or would stand on nothing.
    else if ((!this.#file || full) && !this.#brokenUntil) begin = this.#followed.begin()
    const last = this.#file ? frames : []
    this.#start = undefined
    if (!begin && !this.#file) return this.#brokenUntil ? undefined : this.#arm()
    this.#work = this.#write(last, begin)
      .catch(error => this.#break(error as Error))
      .finally(() => {
        this.#work = undefined
      })
  }

  async #write(last: readonly Uint8Array[], begin: Uint8Array[] | undefined): Promise<void> {
    if (this.#file && last.length > 0) await this.#append(last)
    if (!begin) return
    await this.#file?.file.close()
    await this.#begin(begin)
  }

  async #begin(chunks: readonly Uint8Array[]): Promise<void> {
    const { files } = this.#options.world
    if (!this.#listed) await this.#list()
    for (;;) {
      const path = `${this.#options.directory}/${String(this.#next++).padStart(10, '0')}.journal`
      try {
        this.#file = { file: await files.create(path, { mode: 0o600 }), bytes: 0 }
        this.#kept.set(path, 0)
        break
      } catch (error) {
        if ((error as { code?: string }).code !== 'EEXIST') throw error // another process writes here too
      }
    }
    await this.#append(chunks)
    await this.#trim()
  }

  async #append(chunks: readonly Uint8Array[]): Promise<void> {
    const present = this.#file!
    await present.file.append(chunks)
    present.bytes += chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    const newest = [...this.#kept.keys()].at(-1)!
    this.#kept.set(newest, present.bytes)
  }

  /** What earlier processes have left counts. */
  async #list(): Promise<void> {
    const { world, directory } = this.#options
    await world.files.makeDirectory(directory, { mode: 0o700 })
    for (const path of await listJournal(world.files, directory)) {
      this.#kept.set(path, await world.files.size(path))
      this.#next = Number(path.slice(path.lastIndexOf('/') + 1, -'.journal'.length)) + 1
    }
    this.#listed = true
  }

  async #trim(): Promise<void> {
    const room = this.#options.maxBytes - this.#options.maxBytes / FILES
    const bytes = () => [...this.#kept.values()].reduce((sum, size) => sum + size, 0)
    for (const path of [...this.#kept.keys()].slice(0, -1)) {
      if (bytes() <= room) return
      await this.#options.world.files.remove(path)
      this.#kept.delete(path)
    }
  }

  #break(error: Error): void {
    const { world, directory, onTrouble } = this.#options
    void this.#file?.file.close().catch(() => {})
    this.#file = undefined
    this.#queue = []
    this.#queueBytes = 0
    this.#brokenUntil ??= world.setTimer(() => {
      this.#brokenUntil = undefined
      this.#tick()
    }, RETRY_AFTER_MS)
    const what = `The journal in ${directory} cannot be written: ${plainError(error).message}. It is tried again in ${RETRY_AFTER_MS / 1_000} s; what happens until then is not in it.`
    onTrouble(new SamsaError('JOURNAL_WRITE_FAILED', what, { cause: error, retriable: true, details: { directory } }))
  }
}
