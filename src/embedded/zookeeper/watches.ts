/**
 * Who watches what: once (data, existence, children), or until taken off (persistent, and persistent with all below). An event reaches a watcher
 * once, though it may have watched in two ways (`WatchManager`; persistent ones are there since ZooKeeper 3.6).
 */
import { upwards } from './path.ts'
import type { TreeEvent } from './tree.ts'

export type WatchKind = 'data' | 'children' | 'persistent' | 'recursive'

/** As the wire has them (`Watcher.Event.EventType`). */
export type WatchedType = 1 | 2 | 3 | 4

export interface WatchedEvent {
  type: WatchedType
  path: string
}

export interface Watcher {
  /** Hears of a change, in the order of zxids. */
  watched(event: WatchedEvent): void
}

const TYPES: Record<TreeEvent['type'], WatchedType> = { created: 1, deleted: 2, changed: 3, children: 4 }

export class Watches {
  #by: Record<WatchKind, Map<string, Set<Watcher>>> = {
    data: new Map(),
    children: new Map(),
    persistent: new Map(),
    recursive: new Map()
  }

  /** How many watches there are, by path and watcher. */
  get size(): number {
    let size = 0
    for (const table of Object.values(this.#by)) for (const watchers of table.values()) size += watchers.size
    return size
  }

  add(kind: WatchKind, path: string, watcher: Watcher): void {
    const table = this.#by[kind]
    table.set(path, (table.get(path) ?? new Set()).add(watcher))
  }

  has(kind: WatchKind, path: string, watcher: Watcher): boolean {
    return this.#by[kind].get(path)?.has(watcher) ?? false
  }

  /** False: there was none. */
  remove(kind: WatchKind, path: string, watcher: Watcher): boolean {
    const watchers = this.#by[kind].get(path)
    if (!watchers?.delete(watcher)) return false
    if (watchers.size === 0) this.#by[kind].delete(path)
    return true
  }

  /** The watcher is gone. */
  forget(watcher: Watcher): void {
    for (const table of Object.values(this.#by))
      for (const [path, watchers] of table) if (watchers.delete(watcher) && watchers.size === 0) table.delete(path)
  }

  /** What a transaction has changed, in order. */
  fire(events: readonly TreeEvent[]): void {
    for (const event of events) {
      const told = new Set<Watcher>()
      if (event.type !== 'children') this.#take('data', event.path, told)
      if (event.type === 'children' || event.type === 'deleted') this.#take('children', event.path, told)
      for (const watcher of this.#by.persistent.get(event.path) ?? []) told.add(watcher)
      if (event.type !== 'children' && this.#by.recursive.size > 0)
        for (const path of upwards(event.path)) for (const watcher of this.#by.recursive.get(path) ?? []) told.add(watcher)
      for (const watcher of told) watcher.watched({ type: TYPES[event.type], path: event.path })
    }
  }

  #take(kind: 'data' | 'children', path: string, told: Set<Watcher>): void {
    for (const watcher of this.#by[kind].get(path) ?? []) told.add(watcher)
    this.#by[kind].delete(path)
  }
}
