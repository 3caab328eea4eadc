/**
 * The one state behind all listeners: tree, watches, sessions. Whoever asks (a socket's session, one in this process) comes through here, so that both see
 * the same order: a change, then its events, then its answer.
 */
import type { World } from '../../model/world.ts'
import { parentOf } from './path.ts'
import { Sessions } from './sessions.ts'
import { CONTAINER_OWNER, type Node, type Transaction, Tree, ttlOf } from './tree.ts'
import { Watches } from './watches.ts'

export interface CoreOptions {
  world: World
  /** Sessions' timeouts are bound to this range, ms. Default 100 to 40,000 (a real server with its default tick: 4,000 to 40,000). */
  minSessionTimeoutMs?: number
  maxSessionTimeoutMs?: number
  /** Empty containers and nodes whose time is over are looked for that often, ms. Default 60,000, as `znode.container.checkIntervalMs`. */
  containerCheckMs?: number
}

export class Core {
  readonly world: World
  readonly watches = new Watches()
  readonly sessions: Sessions
  tree: Tree
  #checkMs: number
  #timer: object | undefined
  #closed = false

  constructor(options: CoreOptions) {
    const { world, minSessionTimeoutMs = 100, maxSessionTimeoutMs = 40_000, containerCheckMs = 60_000 } = options
    this.world = world
    this.tree = new Tree(world.now())
    this.#checkMs = containerCheckMs
    this.sessions = new Sessions(world, { minSessionTimeoutMs, maxSessionTimeoutMs }, id => this.#end(id))
  }

  /** Changes the tree whole or not at all, and tells who watches. Throws ZkFault. */
  transact<T>(change: (transaction: Transaction) => T): T {
    const { result, events } = this.tree.transact(this.world.now(), change)
    this.watches.fire(events)
    this.#watchClock()
    return result
  }

  /** A session is opened by a transaction too. */
  opened(): void {
    this.tree.zxid++
  }

  close(): void {
    this.#closed = true
    this.sessions.close()
    if (this.#timer) this.world.clearTimer(this.#timer)
  }

  /** A session is over: its ephemerals go, in one transaction. */
  #end(id: bigint): void {
    const paths = [...(this.tree.ephemerals.get(id) ?? [])]
    this.transact(transaction => {
      for (const path of paths) transaction.delete(path, -1)
    })
  }

  /** Runs only while there is something that time could take. */
  #watchClock(): void {
    if (this.#timer || this.#closed || this.tree.passing.size === 0) return
    this.#timer = this.world.setTimer(() => {
      this.#timer = undefined
      const nowMs = this.world.now()
      for (const path of [...this.tree.passing])
        if (isPast(this.tree.node(path), nowMs)) this.transact(transaction => transaction.delete(path, -1))
      this.#watchClock()
    }, this.#checkMs)
  }
}

/** A container that has had children and has none; a node that nobody has touched for its time. */
function isPast(node: Node, nowMs: number): boolean {
  if (node.children.size > 0) return false
  if (node.owner === CONTAINER_OWNER) return node.created > 0
  return nowMs - node.mtimeMs > ttlOf(node.owner)
}

/** The name that a sequential node gets: its parent's count in ten digits. */
export function sequenced(tree: Tree, path: string): string {
  const parent = tree.node(parentOf(path))
  return `${path}${String(parent.created | 0).padStart(10, '0')}`
}
