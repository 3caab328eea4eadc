/**
 * Opens an outbox: takes its directory for this process alone, and reads what earlier ones left there.
 */
import { SamsaError, UsageError } from '../model/errors.ts'
import { Outbox, type OutboxEntry, type OutboxOptions } from './outbox.ts'
import { type AssignedIdentity, type BatchMeta, type Damage, type OutboxFrame, readFrames } from './outbox-frames.ts'
import { listSegments, OutboxSegments, type Segment, segmentPath } from './outbox-segments.ts'

const SEGMENT_BYTES = 8 * 1024 * 1024

export interface OpenOutboxOptions extends Pick<OutboxOptions, 'world' | 'directory' | 'refused' | 'health'> {
  fsync: boolean
  /** For tests. */
  segmentBytes?: number
}

/** `needed`: false where the batch that is damaged is done, or lies elsewhere too. */
export type OutboxDamage = Damage & { file: string; needed: boolean }

export interface OpenedOutbox {
  outbox: Outbox
  /** What earlier processes left: those with an identity in the order of their identities, then the others as they were accepted. */
  entries: readonly OutboxEntry[]
  damages: readonly OutboxDamage[]
}

/**
 * Rejects with OUTBOX_LOCKED (another process has it), OUTBOX_PATH_TOO_LONG, or OUTBOX_UNUSABLE (the system's reason: rights, no directory, a disk
 * that cannot be read).
 */
export async function openOutbox(options: OpenOutboxOptions): Promise<OpenedOutbox> {
  const { directory } = options
  const { files } = options.world
  const segmentBytes = options.segmentBytes ?? SEGMENT_BYTES
  try {
    await files.makeDirectory(directory, { mode: 0o700 })
    const { release } = await files.lock(`${directory}/lock`)
    try {
      const reading = new Reading()
      const found = []
      for (const segment of await listSegments(files, directory)) {
        const path = segmentPath(directory, segment)
        const bytes = await files.read(path)
        const damaged = reading.read(segment, path, bytes)
        found.push({ ...segment, bytes: bytes.length, damaged })
      }
      const mark = () => Math.floor(options.world.random() * 2 ** 32)
      const segments = new OutboxSegments({ files, directory, segmentBytes, fsync: options.fsync, mark }, found)
      const entries = reading.inOrder()
      const outbox = new Outbox({
        ...options,
        segments,
        segmentBytes,
        release,
        entries,
        nextId: reading.nextId,
        nextOrder: reading.nextOrder
      })
      return { outbox, entries, damages: reading.damages() }
    } catch (error) {
      await release()
      throw error
    }
  } catch (error) {
    throw explained(directory, error as Error & { code?: string })
  }
}

function explained(directory: string, error: Error & { code?: string }): SamsaError {
  const details = { directory }
  if (error.code === 'ELOCKED') {
    const what = `The outbox ${directory} belongs to another process that runs. One process writes an outbox: end that one, or give this one a directory of its own.`
    return new SamsaError('OUTBOX_LOCKED', what, { cause: error, retriable: true, details })
  }
  if (error.code === 'ENAMETOOLONG') {
    const what = `The outbox ${directory} cannot be locked: ${error.message}. Give a shorter path, or a relative one.`
    return new UsageError('OUTBOX_PATH_TOO_LONG', what, { cause: error, details })
  }
  return new SamsaError('OUTBOX_UNUSABLE', `The outbox ${directory} cannot be used: ${error.message}.`, { cause: error, details })
}

/** Frames in the order in which they were written, and what they leave. */
class Reading {
  readonly #damages: (Damage & { file: string })[] = []
  readonly #done = new Set<number>()
  readonly #entries = new Map<number, OutboxEntry>()
  nextId = 1
  nextOrder = 1

  /** Answers whether bytes of it are damaged, by more than a death while they were written. */
  read({ number: segment, mark }: Segment, file: string, bytes: Buffer): boolean {
    let damaged = false
    for (const one of readFrames(bytes, mark))
      if ('damage' in one) {
        this.#damages.push({ ...one.damage, file })
        damaged ||= one.damage.kind === 'damaged'
        if (one.damage.kind === 'damaged' && one.damage.batch) this.#used(one.damage.batch.id)
      } else this.#take(segment, one.frame)
    return damaged
  }

  /** Once all is read: what is said to be done lies behind what it is said of. */
  damages(): OutboxDamage[] {
    const isElsewhere = ({ id }: BatchMeta) => this.#done.has(id) || this.#entries.has(id)
    return this.#damages.map(damage => ({ ...damage, needed: !(damage.kind === 'damaged' && damage.batch && isElsewhere(damage.batch)) }))
  }

  inOrder(): OutboxEntry[] {
    const entries = [...this.#entries.values()].sort((a, b) => a.batch.id - b.batch.id)
    const orderOf = ({ identity }: OutboxEntry) => identity?.order ?? Number.POSITIVE_INFINITY
    return entries.sort((a, b) => (orderOf(a) === orderOf(b) ? 0 : orderOf(a) - orderOf(b)))
  }

  #take(segment: number, frame: OutboxFrame): void {
    switch (frame.type) {
      case 'accepted': {
        // Written anew from an older segment, it keeps the identity that it has.
        const identity = this.#entries.get(frame.batch.id)?.identity ?? null
        return this.#enter(segment, frame.batch, frame.bytes, identity)
      }
      case 'assigned': {
        this.#used(frame.id, frame.identity)
        const entry = this.#entries.get(frame.id)
        if (entry) entry.identity = frame.identity
        return
      }
      case 'split':
        this.#used(frame.id)
        if (!this.#entries.delete(frame.id)) this.#done.add(frame.id)
        for (const { batch, identity, bytes } of frame.parts) this.#enter(segment, batch, bytes, identity)
        return
      case 'done':
        for (const id of frame.ids) {
          this.#used(id)
          if (!this.#entries.delete(id)) this.#done.add(id)
        }
    }
  }

  /** In memory of its own: the rest of the segment is free. */
  #enter(segment: number, batch: BatchMeta, bytes: readonly Uint8Array[], identity: AssignedIdentity | null): void {
    this.#used(batch.id, identity)
    this.#entries.set(batch.id, { batch, bytes: [Buffer.concat(bytes)], identity, segment, lastFrame: 0 })
  }

  #used(id: number, identity: AssignedIdentity | null = null): void {
    this.nextId = Math.max(this.nextId, id + 1)
    if (identity) this.nextOrder = Math.max(this.nextOrder, identity.order + 1)
  }
}
