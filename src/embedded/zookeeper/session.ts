/**
 * A session in this process, for the embedded brokers: the same operations through the same state as one on a socket, answered at once. Its watches are
 * called back behind the turn in which they were set off, as events from a socket would be.
 */
import { OPEN_ACL } from './acl.ts'
import type { Core } from './core.ts'
import { ZkFault } from './faults.ts'
import * as operations from './operations.ts'
import type { Holder, Session } from './sessions.ts'
import type { Stat } from './tree.ts'
import type { WatchedEvent, Watcher } from './watches.ts'

export interface CreateOptions {
  ephemeral?: boolean
  sequential?: boolean
}

/** A step of a `multi`; `version` -1 or none: any. */
export type LocalChange =
  | { type: 'create'; path: string; data: Buffer; ephemeral?: boolean; sequential?: boolean }
  | { type: 'delete' | 'check'; path: string; version?: number }
  | { type: 'setData'; path: string; data: Buffer; version?: number }

export class LocalSession implements Holder, Watcher {
  #core: Core
  #session: Session
  #callbacks = new Map<string, Set<() => void>>()
  #expired: (() => void)[] = []
  #over = false

  /** Made by `EmbeddedZooKeeper.session()`. */
  constructor(core: Core) {
    this.#core = core
    this.#session = core.sessions.open(undefined)
    this.#session.holder = this
    core.opened()
  }

  get id(): bigint {
    return this.#session.id
  }

  /** The path, with its number where it is sequential. */
  create(path: string, data: Buffer, { ephemeral = false, sequential = false }: CreateOptions = {}): string {
    return operations.change(this.#core, this.#asker(), changeOf({ type: 'create', path, data, ephemeral, sequential })).path
  }

  delete(path: string, version = -1): void {
    operations.change(this.#core, this.#asker(), { type: 'delete', path, version })
  }

  setData(path: string, data: Buffer, version = -1): Stat {
    return operations.change(this.#core, this.#asker(), { type: 'setData', path, data, version }).stat!
  }

  /** All of them or none, under one zxid. Throws the fault of the first that cannot be done. */
  multi(changes: readonly LocalChange[]): { path: string; stat: Stat | undefined }[] {
    const result = operations.multi(this.#core, this.#asker(), changes.map(changeOf))
    if ('fault' in result) throw result.fault
    return result.done
  }

  /** Undefined: it is not there. `changed` is called once, when it is made, changed or deleted. */
  exists(path: string, changed?: () => void): Stat | undefined {
    this.#watch('data', path, changed)
    try {
      return operations.exists(this.#core, this.#asker(), path, changed !== undefined)
    } catch (error) {
      if (error instanceof ZkFault && error.code === 'NO_NODE') return undefined
      throw error
    }
  }

  getData(path: string, changed?: () => void): { data: Buffer; stat: Stat } {
    const { data, stat } = operations.getData(this.#core, this.#asker(), path, changed !== undefined)
    this.#watch('data', path, changed)
    return { data: data ?? Buffer.alloc(0), stat }
  }

  getChildren(path: string, changed?: () => void): string[] {
    const { children } = operations.getChildren(this.#core, this.#asker(), path, changed !== undefined)
    this.#watch('children', path, changed)
    return children
  }

  /** Called when it is over without having been closed here. */
  onExpired(callback: () => void): void {
    this.#expired.push(callback)
  }

  /** Its ephemerals go. */
  close(): void {
    if (this.#over) return
    this.#over = true
    this.#core.watches.forget(this)
    this.#core.sessions.end(this.id, this)
  }

  moved(): void {
    this.expired()
  }

  expired(): void {
    if (this.#over) return
    this.#over = true
    this.#core.watches.forget(this)
    for (const callback of this.#expired.splice(0)) callback()
  }

  watched({ type, path }: WatchedEvent): void {
    // Deletion ends both kinds.
    const keys = type === 4 ? [`children ${path}`] : type === 2 ? [`data ${path}`, `children ${path}`] : [`data ${path}`]
    const called = keys.flatMap(key => {
      const callbacks = [...(this.#callbacks.get(key) ?? [])]
      this.#callbacks.delete(key)
      return callbacks
    })
    for (const callback of new Set(called))
      this.#core.world.defer(() => {
        if (!this.#over) callback()
      })
  }

  #watch(kind: 'data' | 'children', path: string, changed: (() => void) | undefined): void {
    if (!changed) return
    const key = `${kind} ${path}`
    this.#callbacks.set(key, (this.#callbacks.get(key) ?? new Set()).add(changed))
  }

  #asker(): operations.Asker {
    if (this.#over) throw new ZkFault('SESSION_EXPIRED')
    return { sessionId: this.id, identities: this.#session.identities, watcher: this }
  }
}

function changeOf(wanted: LocalChange): operations.Change {
  if (wanted.type !== 'create') return { ...wanted, version: wanted.version ?? -1 }
  const { path, data, ephemeral, sequential } = wanted
  return { type: 'create', path, data, acl: OPEN_ACL, mode: (ephemeral ? 1 : 0) + (sequential ? 2 : 0) }
}
