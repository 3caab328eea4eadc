/**
 * The outbox: sealed batches in files, accepted before they are sent and kept until they are acknowledged, so that the death of the process loses and
 * doubles nothing. Frames of one moment are written together and share one fsync (group commit).
 *
 *   accept ──► pending ──group──► durable: the publish counts as accepted
 *   assign ──► pending ──group──► durable: it may be sent with this identity
 *   done   ──► written within DONE_AFTER_MS, or with the next group; if it is lost, the broker is asked
 */
import { SamsaError } from '../model/errors.ts'
import type { Timer, World } from '../model/world.ts'
import { type AssignedIdentity, type BatchMeta, bytesOf, type Chunks, type OutboxFrame } from './outbox-frames.ts'
import type { AppendError, OutboxSegments } from './outbox-segments.ts'

/** A batch that the outbox is to deliver. */
export interface OutboxEntry {
  readonly batch: BatchMeta
  /** As it was sealed; the bytes of its header are a copy. */
  readonly bytes: Chunks
  identity: AssignedIdentity | null
  /** The segment that holds it; 0: none yet. */
  segment: number
  /** The number of the last frame that tells of it. */
  lastFrame: number
}

export interface OutboxOptions {
  world: Pick<World, 'files' | 'setTimer' | 'clearTimer' | 'now' | 'random'>
  directory: string
  segments: OutboxSegments
  segmentBytes: number
  release: () => Promise<void>
  /** What earlier processes left, in the order in which it was accepted. */
  entries: readonly OutboxEntry[]
  nextId: number
  nextOrder: number
  /** These could not be written, and are forgotten. `certain`: no trace of them is left. */
  refused: (ids: readonly number[], error: SamsaError, certain: boolean) => void
  /** A write has failed (with the reason), or succeeds again (null). */
  health: (reason: string | null) => void
}

interface Pending {
  number: number
  frame: OutboxFrame
}

const DONE_AFTER_MS = 20

export class Outbox {
  readonly directory: string
  readonly #options: OutboxOptions
  readonly #entries = new Map<number, OutboxEntry>()
  /** Entries by segment: one without any may be deleted. */
  readonly #live = new Map<number, number>()
  #pending: Pending[] = []
  #done: number[] = []
  #waiters: { resolve: () => void; reject: (error: SamsaError) => void }[] = []
  #frames = 0
  #durable = 0
  #nextId: number
  #nextOrder: number
  #bytes = 0
  #work: Promise<void> | undefined
  #scheduled = false
  #timer: Timer | undefined
  #ill = false
  #closed = false

  constructor(options: OutboxOptions) {
    this.directory = options.directory
    this.#options = options
    this.#nextId = options.nextId
    this.#nextOrder = options.nextOrder
    for (const entry of options.entries) {
      this.#entries.set(entry.batch.id, entry)
      this.#bytes += bytesOf(entry.bytes)
      this.#count(entry.segment, 1)
    }
  }

  /** Of the batches that are accepted and not done. */
  get bytes(): number {
    return this.#bytes
  }

  /** What `accept` will return. */
  get nextId(): number {
    return this.#nextId
  }

  get size(): number {
    return this.#entries.size
  }

  /** Everything that is known of this batch is on disk. */
  isDurable(id: number): boolean {
    const entry = this.#entries.get(id)
    return entry !== undefined && entry.lastFrame <= this.#durable
  }

  identityOf(id: number): AssignedIdentity | null {
    return this.#entries.get(id)?.identity ?? null
  }

  /** Takes a batch; it is accepted once `whenDurable` says so. Returns its id. */
  accept(batch: Omit<BatchMeta, 'id'>, bytes: Chunks): number {
    const entry = this.#enter(batch, bytes, null)
    entry.lastFrame = this.#push({ type: 'accepted', batch: entry.batch, bytes })
    return entry.batch.id
  }

  /** It is about to be sent with this identity, once that is durable. */
  assign(id: number, identity: Omit<AssignedIdentity, 'order'>): void {
    const entry = this.#entries.get(id)
    if (!entry) return
    entry.identity = { ...identity, order: this.#nextOrder++ }
    entry.lastFrame = this.#push({ type: 'assigned', id, identity: entry.identity })
  }

  /** Several take the place of one. Returns their ids. */
  split(
    id: number,
    parts: readonly { batch: Omit<BatchMeta, 'id'>; identity: Omit<AssignedIdentity, 'order'> | null; bytes: Chunks }[]
  ): number[] {
    const order = this.#entries.get(id)?.identity?.order ?? this.#nextOrder++
    const entries = parts.map(({ batch, identity, bytes }) => this.#enter(batch, bytes, identity && { ...identity, order }))
    const frame = { type: 'split' as const, id, parts: entries.map(({ batch, identity, bytes }) => ({ batch, identity, bytes })) }
    const number = this.#push(frame)
    for (const entry of entries) entry.lastFrame = number
    this.#forget(id)
    return entries.map(entry => entry.batch.id)
  }

  /** Nothing more is to do for it. */
  done(id: number): void {
    if (!this.#forget(id)) return
    this.#done.push(id)
    this.#timer ??= this.#options.world.setTimer(() => {
      this.#timer = undefined
      this.#start()
    }, DONE_AFTER_MS)
  }

  /** Resolves when all that was given to it until now is on disk. Rejects with OUTBOX_WRITE_FAILED; what was not refused can be waited for again. */
  whenDurable(): Promise<void> {
    if (this.#closed) return Promise.reject(new SamsaError('CLUSTER_CLOSED', 'The cluster is closed.'))
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject })
      if (this.#scheduled || this.#work) return
      this.#scheduled = true
      // What this turn still brings (an identity, other partitions) shares the write.
      queueMicrotask(() => {
        this.#scheduled = false
        this.#start()
      })
    })
  }

  /** The broker will never take it: it is put aside into `rejected/`, with the reason. Returns the file. Rejects when it cannot be written; then it is kept. */
  async reject(id: number, reason: Record<string, unknown>): Promise<string | undefined> {
    const entry = this.#entries.get(id)
    if (!entry) return undefined
    const { files, now } = this.#options.world
    const directory = `${this.directory}/rejected`
    const name = `${directory}/${now()}-${id}`
    const told = { ...reason, batch: entry.batch, identity: entry.identity }
    await files.makeDirectory(directory, { mode: 0o700 })
    for (const [path, chunks] of [
      [`${name}.batch`, entry.bytes],
      [`${name}.json`, [Buffer.from(`${JSON.stringify(told, null, 2)}\n`)]]
    ] as const) {
      const file = await files.create(path, { mode: 0o600 })
      try {
        await file.append(chunks)
        await file.sync()
      } finally {
        await file.close()
      }
    }
    await files.syncDirectory(directory)
    this.done(id)
    return `${name}.json`
  }

  /** Writes what is left to write, and lets the directory go. What is not done stays in it for the next one. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    if (this.#timer !== undefined) this.#options.world.clearTimer(this.#timer)
    this.#timer = undefined
    this.#start()
    while (this.#work) await this.#work
    try {
      await this.#options.segments.close(this.#entries.size === 0)
    } finally {
      await this.#options.release()
    }
  }

  #enter(batch: Omit<BatchMeta, 'id'>, bytes: Chunks, identity: AssignedIdentity | null): OutboxEntry {
    const entry: OutboxEntry = { batch: { ...batch, id: this.#nextId++ }, bytes, identity, segment: 0, lastFrame: 0 }
    this.#entries.set(entry.batch.id, entry)
    this.#bytes += bytesOf(bytes)
    return entry
  }

  #forget(id: number): boolean {
    const entry = this.#entries.get(id)
    if (!entry) return false
    this.#entries.delete(id)
    this.#bytes -= bytesOf(entry.bytes)
    this.#count(entry.segment, -1)
    return true
  }

  #count(segment: number, by: number): void {
    if (segment > 0) this.#live.set(segment, (this.#live.get(segment) ?? 0) + by)
  }

  #push(frame: OutboxFrame): number {
    this.#pending.push({ number: ++this.#frames, frame })
    return this.#frames
  }

  #start(): void {
    this.#work ??= this.#run().finally(() => {
      this.#work = undefined
      if (this.#waiters.length > 0) this.#start() // came while files were tidied
    })
  }

  async #run(): Promise<void> {
    while (this.#pending.length > 0 || this.#done.length > 0 || this.#waiters.length > 0) {
      const waiters = this.#waiters.splice(0)
      const error = await this.#write(waiters.length > 0)
      for (const { resolve, reject } of waiters) error ? reject(error) : resolve()
      if (error && this.#waiters.length === 0) return // what is left goes with the next that waits
    }
    await this.#tidy().catch(() => {}) // a file that cannot be deleted now is so later, or at the next start
  }

  /** One group. What it returns is why it could not be written. */
  async #write(sync: boolean): Promise<SamsaError | undefined> {
    const group = this.#pending.splice(0)
    const done = this.#done.splice(0)
    if (group.length + done.length === 0) return undefined
    const frames =
      done.length > 0 ? [...group.map(({ frame }) => frame), { type: 'done' as const, ids: done }] : group.map(({ frame }) => frame)
    try {
      const segment = await this.#options.segments.append(frames, sync)
      for (const { frame } of group) this.#settle(frame, segment)
      this.#durable = group.at(-1)?.number ?? this.#durable
      if (this.#ill) this.#options.health(null)
      this.#ill = false
      return undefined
    } catch (error) {
      return this.#failed(group, done, error as AppendError)
    }
  }

  /** These lie in this segment now. */
  #settle(frame: OutboxFrame, segment: number): void {
    const ids = frame.type === 'accepted' ? [frame.batch.id] : frame.type === 'split' ? frame.parts.map(part => part.batch.id) : []
    for (const id of ids) {
      const entry = this.#entries.get(id)
      if (!entry) continue
      this.#count(entry.segment, -1)
      entry.segment = segment
      this.#count(segment, 1)
    }
  }

  /** What was new is refused; what tells of batches that are in the outbox already is written with the next group. */
  #failed(group: Pending[], done: number[], { message, certain }: AppendError): SamsaError {
    const isNew = ({ frame }: Pending) => frame.type === 'accepted' && this.#entries.get(frame.batch.id)?.segment === 0
    const refused = new Set(group.filter(isNew).map(({ frame }) => (frame as { batch: BatchMeta }).batch.id))
    const kept = group.filter(
      ({ frame }) => !(frame.type === 'accepted' && refused.has(frame.batch.id)) && !('id' in frame && refused.has(frame.id))
    )
    for (const id of refused) this.#forget(id)
    this.#pending.unshift(...kept)
    // Where a trace of them may be left in a file, a later frame says that they are not to be sent.
    this.#done.unshift(...done, ...(certain ? [] : refused))
    const what = `The outbox ${this.directory} cannot be written: ${message}. Nothing is accepted until it can; make room, or see to its rights.`
    const error = new SamsaError('OUTBOX_WRITE_FAILED', what, { retriable: true, details: { directory: this.directory } })
    this.#ill = true
    this.#options.health(message)
    if (refused.size > 0) this.#options.refused([...refused], error, certain)
    return error
  }

  /** Deletes what nobody needs; where little is needed of much, that little is written anew. */
  async #tidy(): Promise<void> {
    const { segments, segmentBytes } = this.#options
    for (let oldest = segments.oldest; oldest !== undefined && !this.#live.get(oldest); oldest = segments.oldest) {
      await segments.remove(oldest)
      this.#live.delete(oldest)
    }
    const { oldest } = segments
    if (oldest === undefined || segments.bytes <= 2 * this.#bytes + 2 * segmentBytes) return
    for (const entry of this.#entries.values()) if (entry.segment === oldest) this.#writeAnew(entry)
    if (!(await this.#write(true))) await this.#tidy()
  }

  #writeAnew({ batch, bytes, identity }: OutboxEntry): void {
    this.#push({ type: 'accepted', batch, bytes })
    if (identity) this.#push({ type: 'assigned', id: batch.id, identity })
  }
}
