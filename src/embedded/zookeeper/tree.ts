/**
 * The tree of nodes, as a state machine: transactions change it whole or not at all, each under one zxid, and tell which watches they set off.
 */
import { type AclEntry, OPEN_ACL } from './acl.ts'
import { ZkFault } from './faults.ts'
import { nameOf, parentOf } from './path.ts'

/** Who a node belongs to: 0n nobody, a session, or one of the kinds that have their own numbers (`EphemeralType`). */
export const CONTAINER_OWNER = -(2n ** 63n)
const TTL_MASK = -(2n ** 56n)
export const ttlOwner = (ttlMs: bigint): bigint => TTL_MASK | ttlMs
export const isTtlOwner = (owner: bigint): boolean => owner < 0n && owner !== CONTAINER_OWNER && (owner & TTL_MASK) === TTL_MASK
export const ttlOf = (owner: bigint): number => Number(owner & 0xff_ffff_ffffn)

export interface Node {
  data: Buffer | null
  acl: readonly AclEntry[]
  czxid: bigint
  mzxid: bigint
  pzxid: bigint
  ctimeMs: number
  mtimeMs: number
  version: number
  aversion: number
  /** Children ever made: what sequence numbers count. */
  created: number
  owner: bigint
  children: Set<string>
}

export interface Stat {
  czxid: bigint
  mzxid: bigint
  ctime: bigint
  mtime: bigint
  version: number
  cversion: number
  aversion: number
  ephemeralOwner: bigint
  dataLength: number
  numChildren: number
  pzxid: bigint
}

export type TreeEvent = { type: 'created' | 'deleted' | 'changed' | 'children'; path: string }

export const isSession = (owner: bigint): boolean => owner > 0n

/** A container, or a node with a time of its own: what may go by itself. */
export const mayPass = (owner: bigint): boolean => owner < 0n && (owner === CONTAINER_OWNER || isTtlOwner(owner))

export function statOf(node: Node): Stat {
  return {
    czxid: node.czxid,
    mzxid: node.mzxid,
    ctime: BigInt(node.ctimeMs),
    mtime: BigInt(node.mtimeMs),
    version: node.version,
    // Deletions are not counted by the server either (`DataNode.copyStat`).
    cversion: (node.created * 2 - node.children.size) | 0,
    aversion: node.aversion,
    ephemeralOwner: node.owner,
    dataLength: node.data?.length ?? 0,
    numChildren: node.children.size,
    pzxid: node.pzxid
  }
}

export class Tree {
  readonly nodes = new Map<string, Node>()
  /** Paths of a session's ephemeral nodes, in the order in which they were made. */
  readonly ephemerals = new Map<bigint, Set<string>>()
  /** Paths of nodes that may go by themselves. */
  readonly passing = new Set<string>()
  zxid = 0n

  constructor(nowMs: number) {
    for (const path of ['/', '/zookeeper', '/zookeeper/config', '/zookeeper/quota']) {
      const node = blank(0n, nowMs)
      this.nodes.set(path, node)
      if (path === '/') continue
      const parent = this.nodes.get(parentOf(path))!
      parent.children.add(nameOf(path))
    }
  }

  /** Throws NO_NODE. */
  node(path: string): Node {
    const node = this.nodes.get(path)
    if (!node) throw new ZkFault('NO_NODE', path)
    return node
  }

  /** Among the nodes and among those that go together; its parent's children are the caller's matter. */
  put(path: string, node: Node): void {
    this.nodes.set(path, node)
    if (mayPass(node.owner)) this.passing.add(path)
    if (!isSession(node.owner)) return
    const owned = this.ephemerals.get(node.owner) ?? new Set()
    this.ephemerals.set(node.owner, owned.add(path))
  }

  drop(path: string, { owner }: Node): void {
    this.nodes.delete(path)
    this.passing.delete(path)
    const owned = this.ephemerals.get(owner)
    if (owned?.delete(path) && owned.size === 0) this.ephemerals.delete(owner)
  }

  /** One zxid for all that `change` does. When it throws nothing of it stays, but the zxid is used up, as on a real server. */
  transact<T>(nowMs: number, change: (transaction: Transaction) => T): { result: T; events: TreeEvent[] } {
    this.zxid++
    const transaction = new Transaction(this, this.zxid, nowMs)
    try {
      return { result: change(transaction), events: transaction.events }
    } catch (error) {
      transaction.undo()
      throw error
    }
  }
}

/** What changes the tree. Rights are the caller's matter. */
export class Transaction {
  readonly events: TreeEvent[] = []
  readonly zxid: bigint
  readonly nowMs: number
  #tree: Tree
  #undo: (() => void)[] = []

  constructor(tree: Tree, zxid: bigint, nowMs: number) {
    this.#tree = tree
    this.zxid = zxid
    this.nowMs = nowMs
  }

  create(path: string, data: Buffer | null, acl: readonly AclEntry[], owner: bigint): Node {
    const above = parentOf(path)
    const parent = this.#tree.node(above)
    if (this.#tree.nodes.has(path)) throw new ZkFault('NODE_EXISTS', path)
    if (isSession(parent.owner)) throw new ZkFault('NO_CHILDREN_FOR_EPHEMERALS', path)
    const node = { ...blank(this.zxid, this.nowMs), data, acl, owner }
    const { pzxid, created } = parent
    this.#add(path, node, parent)
    parent.created++
    parent.pzxid = this.zxid
    this.#undo.push(() => {
      this.#remove(path, node, parent)
      Object.assign(parent, { pzxid, created })
    })
    this.events.push({ type: 'created', path }, { type: 'children', path: above })
    return node
  }

  /** `version` -1: any. */
  delete(path: string, version: number): void {
    const above = parentOf(path)
    const parent = this.#tree.node(above)
    const node = this.#tree.node(path)
    checkVersion(version, node.version, path)
    if (node.children.size > 0) throw new ZkFault('NOT_EMPTY', path)
    const { pzxid } = parent
    this.#remove(path, node, parent)
    parent.pzxid = this.zxid
    // It comes back as the last of its siblings: their order is nowhere promised, and to keep it would cost each deletion a copy of all of them.
    this.#undo.push(() => {
      this.#add(path, node, parent)
      parent.pzxid = pzxid
    })
    this.events.push({ type: 'deleted', path }, { type: 'children', path: above })
  }

  setData(path: string, data: Buffer | null, version: number): Node {
    const node = this.#tree.node(path)
    checkVersion(version, node.version, path)
    const before = { data: node.data, version: node.version, mzxid: node.mzxid, mtimeMs: node.mtimeMs }
    Object.assign(node, { data, version: (node.version + 1) | 0, mzxid: this.zxid, mtimeMs: this.nowMs })
    this.#undo.push(() => void Object.assign(node, before))
    this.events.push({ type: 'changed', path })
    return node
  }

  setAcl(path: string, acl: readonly AclEntry[], version: number): Node {
    const node = this.#tree.node(path)
    checkVersion(version, node.aversion, path)
    const before = { acl: node.acl, aversion: node.aversion }
    Object.assign(node, { acl, aversion: (node.aversion + 1) | 0 })
    this.#undo.push(() => void Object.assign(node, before))
    return node
  }

  check(path: string, version: number): void {
    checkVersion(version, this.#tree.node(path).version, path)
  }

  undo(): void {
    for (const step of this.#undo.splice(0).reverse()) step()
  }

  #add(path: string, node: Node, parent: Node): void {
    this.#tree.put(path, node)
    parent.children.add(nameOf(path))
  }

  #remove(path: string, node: Node, parent: Node): void {
    this.#tree.drop(path, node)
    parent.children.delete(nameOf(path))
  }
}

function blank(zxid: bigint, nowMs: number): Node {
  return {
    ...{ data: Buffer.alloc(0), acl: OPEN_ACL, czxid: zxid, mzxid: zxid, pzxid: zxid, ctimeMs: nowMs, mtimeMs: nowMs },
    ...{ version: 0, aversion: 0, created: 0, owner: 0n, children: new Set() }
  }
}

function checkVersion(wanted: number, is: number, path: string): void {
  if (wanted !== -1 && wanted !== is) throw new ZkFault('BAD_VERSION', path)
}
