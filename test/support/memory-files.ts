/**
 * Files in memory that lose power: what was not synced is then kept or lost by the page, in any order, as disks do. They also fill up, fail a
 * sync, and lie about one.
 */
import type { AppendFile, Files } from '../../src/model/world.ts'

interface Stored {
  bytes: Buffer
  /** What a loss of power leaves for sure. */
  synced: Buffer
}

const coded = (code: string, what: string) => Object.assign(new Error(`${code}: ${what}`), { code })

export class MemoryFiles implements Files {
  readonly stored = new Map<string, Stored>()
  readonly #locks = new Set<string>()
  /** All files together hold so much; a write beyond it leaves what fits, and fails. */
  capacityBytes = Number.POSITIVE_INFINITY
  /** So many syncs from now on fail; the pages are lost. */
  failSyncs = 0
  failCuts = false
  /** Syncs that answer and do nothing. */
  lyingSyncs = false
  syncs = 0
  /** How long a write or a sync takes. */
  pause: () => Promise<void> = async () => {}

  get #usedBytes(): number {
    return [...this.stored.values()].reduce((sum, { bytes }) => sum + bytes.length, 0)
  }

  async read(path: string): Promise<Buffer> {
    return Buffer.from(this.#file(path).bytes)
  }

  async size(path: string): Promise<number> {
    return this.#file(path).bytes.length
  }

  async write(path: string, data: Uint8Array): Promise<void> {
    this.stored.set(path, { bytes: Buffer.from(data), synced: Buffer.alloc(0) })
  }

  async append(path: string, data: Uint8Array): Promise<void> {
    const file = this.stored.get(path) ?? { bytes: Buffer.alloc(0), synced: Buffer.alloc(0) }
    file.bytes = Buffer.concat([file.bytes, data])
    this.stored.set(path, file)
  }

  async rename(from: string, to: string): Promise<void> {
    this.stored.set(to, this.#file(from))
    this.stored.delete(from)
  }

  async remove(path: string): Promise<void> {
    this.stored.delete(path)
  }

  async makeDirectory(): Promise<void> {}

  async list(directory: string): Promise<string[]> {
    const prefix = `${directory}/`
    return [...this.stored.keys()]
      .filter(path => path.startsWith(prefix) && !path.slice(prefix.length).includes('/'))
      .map(path => path.slice(prefix.length))
      .sort()
  }

  async create(path: string): Promise<AppendFile> {
    if (this.stored.has(path)) throw coded('EEXIST', path)
    const file: Stored = { bytes: Buffer.alloc(0), synced: Buffer.alloc(0) }
    this.stored.set(path, file)
    return {
      append: async chunks => {
        const data = Buffer.concat(chunks)
        await this.pause()
        const room = Math.max(0, this.capacityBytes - this.#usedBytes)
        file.bytes = Buffer.concat([file.bytes, data.subarray(0, room)])
        if (room < data.length) throw coded('ENOSPC', 'no space left on device')
      },
      sync: async () => {
        this.syncs++
        const { bytes } = file
        await this.pause()
        if (this.failSyncs > 0) {
          this.failSyncs--
          throw coded('EIO', 'i/o error, fsync')
        }
        if (!this.lyingSyncs) file.synced = bytes
      },
      cut: async bytes => {
        if (this.failCuts) throw coded('EIO', 'i/o error, ftruncate')
        file.bytes = file.bytes.subarray(0, bytes)
        file.synced = file.synced.subarray(0, bytes)
      },
      close: async () => {}
    }
  }

  async syncDirectory(): Promise<void> {}

  async lock(path: string): Promise<{ release(): Promise<void> }> {
    if (this.#locks.has(path)) throw coded('ELOCKED', path)
    this.#locks.add(path)
    return { release: async () => void this.#locks.delete(path) }
  }

  /** What another process finds after this one was killed: everything that was written, and no lock. */
  afterKill(): MemoryFiles {
    return this.#copy(({ bytes }) => bytes)
  }

  /** What is found after the power was lost: of what was not synced some pages, each whole, torn or gone. `random`: in [0, 1). */
  afterPowerLoss(random: () => number, pageBytes = 64): MemoryFiles {
    return this.#copy(({ bytes, synced }) => {
      const tail = Buffer.from(bytes.subarray(synced.length))
      const length = Math.floor(random() * (tail.length + 1))
      for (let at = 0; at < length; at += pageBytes) {
        const fate = random()
        if (fate < 0.3) tail.fill(0, at, Math.min(length, at + pageBytes))
        else if (fate < 0.4) tail.fill(0, at + Math.floor(random() * pageBytes), Math.min(length, at + pageBytes))
      }
      return Buffer.concat([synced, tail.subarray(0, length)])
    })
  }

  #copy(left: (file: Stored) => Buffer): MemoryFiles {
    const files = new MemoryFiles()
    for (const [path, file] of this.stored) {
      const bytes = Buffer.from(left(file))
      files.stored.set(path, { bytes, synced: bytes })
    }
    return files
  }

  #file(path: string): Stored {
    const file = this.stored.get(path)
    if (!file) throw coded('ENOENT', path)
    return file
  }
}
