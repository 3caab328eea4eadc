/**
 * A World of its own: virtual time, a network in memory, chance from a seed. Nothing in it depends on the machine, so that the same seed gives the same
 * run; `digest` is a hash of everything that went over the network, with its time.
 */
import { createHash } from 'node:crypto'
import type { Timer, Transport, TransportHandlers, World } from '../../src/model/world.ts'

interface Entry {
  dueMs: number
  sequence: number
  callback: () => void
}

type Accept = Parameters<World['listen']>[1]

/** One way of a connection: bytes arrive in order, each after a delay of its own. */
interface Way {
  lastMs: number
  to: Endpoint
}

interface Endpoint {
  open: boolean
  /** Its side of the connection will send no more. */
  ended: boolean
  paused: boolean
  waiting: Buffer[]
  handlers: Omit<TransportHandlers, 'onConnect'>
}

export interface Link {
  readonly name: string
  readonly port: number
  /** Nothing arrives before, either way or one. */
  heldUntilMs: { up: number; down: number }
  /** Ends it with a reset, both ways. */
  cut(): void
}

export class SimWorld {
  nowMs = 1_700_000_000_000
  steps = 0
  readonly links = new Set<Link>()
  readonly world: World
  #heap: Entry[] = []
  #cancelled = new WeakSet<Entry>()
  #sequence = 0
  #chance: number
  #listeners = new Map<number, Accept>()
  #nextPort = 20_000
  #hash = createHash('sha256')
  #dialled = 0

  constructor(seed: number) {
    this.#chance = seed | 0
    const refuse = () => Promise.reject(new Error('there are no files here'))
    this.world = {
      now: () => Math.floor(this.nowMs),
      monotonicMs: () => this.nowMs,
      setTimer: (callback, delayMs) => this.#add(callback, delayMs),
      clearTimer: timer => void this.#cancelled.add(timer as unknown as Entry),
      defer: callback => void this.#add(callback, 0),
      random: () => this.random(),
      randomBytes: length => Buffer.from(Array.from({ length }, () => Math.floor(this.random() * 256))),
      resolve: host => Promise.resolve([host]),
      dial: ({ port }, handlers) => this.#dial(port, handlers),
      listen: async (port, accept) => this.#listen(port, accept),
      files: {
        read: refuse,
        write: refuse,
        append: refuse,
        rename: refuse,
        remove: refuse,
        makeDirectory: refuse,
        list: refuse,
        size: refuse,
        create: refuse,
        syncDirectory: refuse,
        lock: refuse
      },
      hostname: () => 'simulated'
    }
  }

  /** mulberry32. */
  random(): number {
    this.#chance = (this.#chance + 0x6d2b79f5) | 0
    let t = Math.imul(this.#chance ^ (this.#chance >>> 15), 1 | this.#chance)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }

  /** Runs what is due, in order, until `done` or the limit of virtual time; false: the limit. */
  async run(done: () => boolean, limitMs: number): Promise<boolean> {
    const untilMs = this.nowMs + limitMs
    for (;;) {
      await settled()
      if (done()) return true
      const next = this.#pop()
      if (!next || next.dueMs > untilMs) return false
      this.nowMs = Math.max(this.nowMs, next.dueMs)
      this.steps++
      next.callback()
    }
  }

  /** Resolves after so much virtual time. */
  sleep(ms: number): Promise<void> {
    return new Promise(resolve => void this.#add(resolve, ms))
  }

  /** Hash of all that was sent so far. */
  digest(): string {
    return this.#hash.copy().digest('hex').slice(0, 16)
  }

  #listen(port: number, accept: Accept) {
    const own = port === 0 ? this.#nextPort++ : port
    if (this.#listeners.has(own)) throw Object.assign(new Error(`port ${own} is taken`), { code: 'EADDRINUSE' })
    this.#listeners.set(own, accept)
    return { host: '127.0.0.1', port: own, close: () => void (this.#listeners.get(own) === accept && this.#listeners.delete(own)) }
  }

  #dial(port: number, handlers: TransportHandlers): Transport {
    const near: Endpoint = { open: true, ended: false, paused: false, waiting: [], handlers }
    const nothing = { onData: () => {}, onDrain: () => {}, onClose: () => {} }
    const far: Endpoint = { open: false, ended: false, paused: false, waiting: [], handlers: nothing }
    const up: Way = { lastMs: 0, to: far }
    const down: Way = { lastMs: 0, to: near }
    const name = `${++this.#dialled}:${port}`
    const link: Link = {
      name,
      port,
      heldUntilMs: { up: 0, down: 0 },
      cut: () => {
        this.#close(link, near, reset())
        this.#close(link, far, reset())
      }
    }
    this.#add(() => {
      const accept = this.#listeners.get(port)
      if (!near.open) return
      if (!accept)
        return this.#close(link, near, Object.assign(new Error(`connect ECONNREFUSED 127.0.0.1:${port}`), { code: 'ECONNREFUSED' }))
      this.links.add(link)
      far.open = true
      far.handlers = accept(this.#transport(link, far, near, down, 'down'))
      handlers.onConnect()
    }, this.#latencyMs())
    return this.#transport(link, near, far, up, 'up')
  }

  #transport(link: Link, mine: Endpoint, other: Endpoint, way: Way, direction: 'up' | 'down'): Transport {
    const arrive = (what: () => void) => {
      way.lastMs = Math.max(way.lastMs, this.nowMs + this.#latencyMs(), link.heldUntilMs[direction])
      this.#add(what, way.lastMs - this.nowMs)
    }
    return {
      write: chunks => {
        if (!mine.open || mine.ended) return true
        const bytes = Buffer.concat(chunks)
        this.#hash.update(`${this.nowMs.toFixed(3)} ${link.name} ${direction} ${bytes.length} `).update(bytes)
        arrive(() => this.#deliver(link, other, bytes))
        return true
      },
      bufferedBytes: 0,
      pause: () => {
        mine.paused = true
      },
      resume: () => {
        mine.paused = false
        for (const bytes of mine.waiting.splice(0)) this.#add(() => this.#deliver(link, mine, bytes), 0)
      },
      end: () => {
        if (!mine.open || mine.ended) return
        mine.ended = true
        arrive(() => {
          this.#close(link, other, undefined)
          this.#close(link, mine, undefined)
        })
      },
      destroy: error => {
        this.#close(link, mine, error)
        arrive(() => this.#close(link, other, reset()))
      }
    }
  }

  #deliver(link: Link, to: Endpoint, bytes: Buffer): void {
    if (!to.open) return
    if (to.paused) {
      to.waiting.push(bytes)
      return
    }
    try {
      // Its memory is only good during the call.
      const lent = Buffer.from(bytes)
      to.handlers.onData(lent)
      lent.fill(0xdd)
    } catch (error) {
      this.#close(link, to, error as Error)
    }
  }

  #close(link: Link, endpoint: Endpoint, error: Error | undefined): void {
    if (!endpoint.open) return
    endpoint.open = false
    this.links.delete(link)
    this.#add(() => endpoint.handlers.onClose(error), 0)
  }

  #latencyMs(): number {
    return 0.1 + this.random() * 0.9
  }

  #add(callback: () => void, delayMs: number): Timer {
    const entry = { dueMs: this.nowMs + Math.max(0, delayMs), sequence: this.#sequence++, callback }
    const heap = this.#heap
    heap.push(entry)
    for (let at = heap.length - 1; at > 0; ) {
      const above = (at - 1) >> 1
      if (!before(heap[at]!, heap[above]!)) break
      swap(heap, at, above)
      at = above
    }
    return entry
  }

  #pop(): Entry | undefined {
    for (;;) {
      const heap = this.#heap
      const first = heap[0]
      const last = heap.pop()
      if (first === undefined || last === undefined) return undefined
      if (heap.length > 0) {
        heap[0] = last
        sink(heap)
      }
      if (!this.#cancelled.has(first)) return first
    }
  }
}

/** Promises, and what they lead to, have run. */
const settled = () => new Promise<void>(resolve => setImmediate(resolve))

const reset = () => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
const before = (a: Entry, b: Entry) => a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.sequence < b.sequence)

function swap(heap: Entry[], a: number, b: number): void {
  const entry = heap[a]!
  heap[a] = heap[b]!
  heap[b] = entry
}

function sink(heap: Entry[]): void {
  for (let at = 0; ; ) {
    const [left, right] = [2 * at + 1, 2 * at + 2]
    let least = at
    if (left < heap.length && before(heap[left]!, heap[least]!)) least = left
    if (right < heap.length && before(heap[right]!, heap[least]!)) least = right
    if (least === at) return
    swap(heap, at, least)
    at = least
  }
}
