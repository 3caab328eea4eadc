/**
 * A ZooKeeper session over a tree in memory: reads and one-shot watches as a server has them, writes made by the test, and answers that can
 * be held back, refused or counted. For tests of what reads ZooKeeper; the session itself is tested against real and hostile servers.
 */
import { errorOfCode, ZooKeeperError } from '../../src/registry/zookeeper/errors.ts'
import type { Stat, Watch, WatchEvent, ZooKeeperSession } from '../../src/registry/zookeeper/session.ts'

interface Node {
  data: Buffer
  czxid: bigint
  version: number
}

const noNode = -101

export class MemorySession implements ZooKeeperSession {
  readonly state = 'connected'
  readonly sessionId = 1n
  readonly negotiatedTimeoutMs = 6_000
  readonly lastHeardMs = 0
  readonly leaseFromMs = 0
  /** Paths read, in order. */
  readonly reads: string[] = []
  /** Most reads that were under way at once. */
  busiest = 0
  /** Answers with an error for reads of a path, as long as it is set. */
  refuse: ((path: string) => Error | undefined) | undefined
  /** Every read waits for it. */
  gate: Promise<void> | undefined
  #busy = 0
  #zxid = 0n
  #nodes = new Map<string, Node>()
  #watches = { data: new Map<string, Set<Watch>>(), children: new Map<string, Set<Watch>>(), existence: new Map<string, Set<Watch>>() }

  /** Makes or changes a node, and its parents. */
  put(path: string, data: Buffer | string | object = ''): void {
    const bytes = Buffer.isBuffer(data) ? data : Buffer.from(typeof data === 'string' ? data : JSON.stringify(data))
    const known = this.#nodes.get(path)
    this.#zxid++
    if (known) {
      known.data = bytes
      known.version++
      this.#fire(this.#watches.data, path, 'changed')
      return
    }
    const parent = path.slice(0, path.lastIndexOf('/'))
    if (parent !== '' && !this.#nodes.has(parent)) this.put(parent)
    this.#nodes.set(path, { data: bytes, czxid: this.#zxid, version: 0 })
    this.#fire(this.#watches.existence, path, 'created')
    this.#fire(this.#watches.children, parent || '/', 'children')
  }

  /** Removes a node and all under it. */
  drop(path: string): void {
    for (const under of [...this.#nodes.keys()]
      .filter(each => each.startsWith(`${path}/`))
      .sort()
      .reverse())
      this.drop(under)
    if (!this.#nodes.delete(path)) return
    this.#zxid++
    this.#fire(this.#watches.data, path, 'deleted')
    this.#fire(this.#watches.children, path, 'deleted')
    this.#fire(this.#watches.children, path.slice(0, path.lastIndexOf('/')) || '/', 'children')
  }

  async getData(path: string, watch?: Watch): Promise<{ data: Buffer; stat: Stat }> {
    return this.#read(path, () => {
      const node = this.#nodes.get(path)
      if (!node) throw errorOfCode(noNode, 'getData', path)
      arm(this.#watches.data, path, watch)
      return { data: node.data, stat: this.#stat(path, node) }
    })
  }

  async exists(path: string, watch?: Watch): Promise<Stat | undefined> {
    return this.#read(path, () => {
      const node = this.#nodes.get(path)
      arm(node ? this.#watches.data : this.#watches.existence, path, watch)
      return node && this.#stat(path, node)
    })
  }

  async getChildren(path: string, watch?: Watch): Promise<{ children: string[]; stat: Stat }> {
    return this.#read(path, () => {
      const node = this.#nodes.get(path)
      if (!node) throw errorOfCode(noNode, 'getChildren', path)
      arm(this.#watches.children, path, watch)
      return { children: this.#children(path), stat: this.#stat(path, node) }
    })
  }

  /** Watches that are armed. */
  get armed(): number {
    return Object.values(this.#watches).reduce((sum, table) => sum + [...table.values()].reduce((all, set) => all + set.size, 0), 0)
  }

  on(): () => void {
    return () => {}
  }
  create(): Promise<string> {
    return this.#unused()
  }
  setData(): Promise<Stat> {
    return this.#unused()
  }
  remove(): Promise<void> {
    return this.#unused()
  }
  multi(): Promise<void> {
    return this.#unused()
  }
  makePath(): Promise<void> {
    return this.#unused()
  }
  async close(): Promise<void> {}

  #unused(): Promise<never> {
    return Promise.reject(new ZooKeeperError('ZK_BAD_ARGUMENTS', 'This session only reads.'))
  }

  async #read<T>(path: string, answer: () => T): Promise<T> {
    this.reads.push(path)
    this.busiest = Math.max(this.busiest, ++this.#busy)
    try {
      await new Promise(resolve => setImmediate(resolve))
      await this.gate
      const refusal = this.refuse?.(path)
      if (refusal) throw refusal
      return answer()
    } finally {
      this.#busy--
    }
  }

  #children(path: string): string[] {
    return [...this.#nodes.keys()]
      .filter(each => each.startsWith(`${path}/`) && !each.slice(path.length + 1).includes('/'))
      .map(each => each.slice(path.length + 1))
  }

  #stat(path: string, node: Node): Stat {
    const zero = { ctime: 0, mtime: 0, cversion: 0, aversion: 0, ephemeralOwner: 0n, pzxid: 0n }
    return {
      ...zero,
      czxid: node.czxid,
      mzxid: node.czxid,
      version: node.version,
      dataLength: node.data.length,
      numChildren: this.#children(path).length
    }
  }

  #fire(table: Map<string, Set<Watch>>, path: string, type: WatchEvent['type']): void {
    const armed = table.get(path)
    table.delete(path)
    for (const watch of armed ?? []) watch({ type, path })
  }
}

function arm(table: Map<string, Set<Watch>>, path: string, watch: Watch | undefined): void {
  if (!watch) return
  const armed = table.get(path) ?? new Set()
  table.set(path, armed.add(watch))
}
