/**
 * What can be asked, in plain values: each operation checks rights and paths in the order in which a real server does (`PrepRequestProcessor`,
 * `FinalRequestProcessor`), so that the same wrong request gets the same error.
 */
import { type AclEntry, allows, checkAcl, fixAcl, type Identity, masked, PERM } from './acl.ts'
import { type Core, sequenced } from './core.ts'
import { ZkFault } from './faults.ts'
import { checkPath, parentOf } from './path.ts'
import { CONTAINER_OWNER, type Node, type Stat, statOf, type Transaction, ttlOwner } from './tree.ts'
import type { Watcher, WatchKind } from './watches.ts'

/** Who asks. */
export interface Asker {
  readonly sessionId: bigint
  readonly identities: readonly Identity[]
  readonly watcher: Watcher
}

/** The flags of a creation (`CreateMode`). */
export const MODE = {
  persistent: 0,
  ephemeral: 1,
  sequential: 2,
  ephemeralSequential: 3,
  container: 4,
  ttl: 5,
  sequentialTtl: 6
} as const

const SEQUENTIAL: readonly number[] = [MODE.sequential, MODE.ephemeralSequential, MODE.sequentialTtl]
const MAX_TTL_MS = 0xff_ffff_ffffn

export type Change =
  | { type: 'create'; path: string; data: Buffer | null; acl: readonly AclEntry[]; mode: number; ttlMs?: bigint }
  | { type: 'delete'; path: string; version: number }
  | { type: 'setData'; path: string; data: Buffer | null; version: number }
  | { type: 'check'; path: string; version: number }

export interface Changed {
  path: string
  stat: Stat | undefined
}

/** One change. Throws ZkFault. */
export function change(core: Core, asker: Asker, wanted: Change): Changed {
  return core.transact(transaction => apply(core, asker, transaction, wanted))
}

export type MultiResult = { done: Changed[] } | { failedAt: number; fault: ZkFault }

/** All of them, or none: then which one failed, and why. */
export function multi(core: Core, asker: Asker, wanted: readonly Change[]): MultiResult {
  let at = 0
  try {
    return {
      done: core.transact(transaction =>
        wanted.map((each, index) => {
          at = index
          return apply(core, asker, transaction, each)
        })
      )
    }
  } catch (error) {
    if (error instanceof ZkFault) return { failedAt: at, fault: error }
    throw error
  }
}

function apply(core: Core, asker: Asker, transaction: Transaction, wanted: Change): Changed {
  const { tree } = core
  if (wanted.type === 'create') return create(core, asker, transaction, wanted)
  checkPath(wanted.path)
  const { path, version } = wanted
  if (wanted.type === 'delete') {
    if (path === '/') throw new ZkFault('BAD_ARGUMENTS', path)
    const parent = tree.node(parentOf(path))
    tree.node(path)
    checkAcl(parent.acl, PERM.delete, asker.identities, path)
    transaction.delete(path, version)
    return { path, stat: undefined }
  }
  if (wanted.type === 'setData') {
    checkAcl(tree.node(path).acl, PERM.write, asker.identities, path)
    return { path, stat: statOf(transaction.setData(path, wanted.data, version)) }
  }
  checkAcl(tree.node(path).acl, PERM.read, asker.identities, path)
  transaction.check(path, version)
  return { path, stat: undefined }
}

function create(core: Core, asker: Asker, transaction: Transaction, wanted: Extract<Change, { type: 'create' }>): Changed {
  const { mode, data, ttlMs = 0n } = wanted
  if (mode < 0 || mode > MODE.sequentialTtl) throw new ZkFault('BAD_ARGUMENTS', wanted.path)
  const timed = mode === MODE.ttl || mode === MODE.sequentialTtl
  if (timed && (ttlMs <= 0n || ttlMs > MAX_TTL_MS)) throw new ZkFault('BAD_ARGUMENTS', wanted.path)
  const sequential = SEQUENTIAL.includes(mode)
  checkPath(wanted.path, sequential)
  if (wanted.path === '/' && !sequential) throw new ZkFault('NODE_EXISTS', wanted.path)
  const acl = fixAcl(wanted.acl, asker.identities, wanted.path)
  const parent = core.tree.node(parentOf(wanted.path))
  checkAcl(parent.acl, PERM.create, asker.identities, wanted.path)
  const path = sequential ? sequenced(core.tree, wanted.path) : wanted.path
  checkPath(path)
  const ephemeral = mode === MODE.ephemeral || mode === MODE.ephemeralSequential
  const owner = ephemeral ? asker.sessionId : mode === MODE.container ? CONTAINER_OWNER : timed ? ttlOwner(ttlMs) : 0n
  return { path, stat: statOf(transaction.create(path, data, acl, owner)) }
}

/** A watch is left on what is not there, too: it hears of its creation. */
export function exists(core: Core, asker: Asker, path: string, watch: boolean): Stat {
  checkPath(path)
  if (watch) core.watches.add('data', path, asker.watcher)
  return statOf(core.tree.node(path))
}

export function getData(core: Core, asker: Asker, path: string, watch: boolean): { data: Buffer | null; stat: Stat } {
  const node = readable(core, asker, path)
  if (watch) core.watches.add('data', path, asker.watcher)
  return { data: node.data, stat: statOf(node) }
}

export function getChildren(core: Core, asker: Asker, path: string, watch: boolean): { children: string[]; stat: Stat } {
  const node = readable(core, asker, path)
  if (watch) core.watches.add('children', path, asker.watcher)
  return { children: [...node.children], stat: statOf(node) }
}

export function getAcl(core: Core, asker: Asker, path: string): { acl: readonly AclEntry[]; stat: Stat } {
  checkPath(path)
  const node = core.tree.node(path)
  checkAcl(node.acl, PERM.read | PERM.admin, asker.identities, path)
  return { acl: allows(node.acl, PERM.admin, asker.identities) ? node.acl : masked(node.acl), stat: statOf(node) }
}

export function setAcl(core: Core, asker: Asker, path: string, acl: readonly AclEntry[], version: number): Stat {
  checkPath(path)
  return core.transact(transaction => {
    const fixed = fixAcl(acl, asker.identities, path)
    checkAcl(core.tree.node(path).acl, PERM.admin, asker.identities, path)
    return statOf(transaction.setAcl(path, fixed, version))
  })
}

/** Below a path, its own not among them. */
export function countBelow(core: Core, asker: Asker, path: string): number {
  readable(core, asker, path)
  const prefix = path === '/' ? '/' : `${path}/`
  let count = 0
  for (const each of core.tree.nodes.keys()) if (each !== '/' && each.startsWith(prefix)) count++
  return count
}

export function ephemeralsBelow(core: Core, asker: Asker, prefix: string): string[] {
  return [...(core.tree.ephemerals.get(asker.sessionId) ?? [])].filter(path => path.startsWith(prefix)).sort()
}

/** What a client had watched before it connected anew, and the last change that it saw. */
export interface WatchesBefore {
  zxid: bigint
  data: readonly string[]
  exist: readonly string[]
  children: readonly string[]
  persistent?: readonly string[]
  recursive?: readonly string[]
}

/** Tells what has changed since, and watches on where nothing has (`DataTree.setWatches`). */
export function setWatches({ tree, watches }: Core, { watcher }: Asker, before: WatchesBefore): void {
  const missed = (type: 1 | 2 | 3 | 4, path: string) => watcher.watched({ type, path })
  for (const path of before.data) {
    const node = tree.nodes.get(path)
    if (!node) missed(2, path)
    else if (node.mzxid > before.zxid) missed(3, path)
    else watches.add('data', path, watcher)
  }
  for (const path of before.exist) {
    if (tree.nodes.has(path)) missed(1, path)
    else watches.add('data', path, watcher)
  }
  for (const path of before.children) {
    const node = tree.nodes.get(path)
    if (!node) missed(2, path)
    else if (node.pzxid > before.zxid) missed(4, path)
    else watches.add('children', path, watcher)
  }
  for (const path of before.persistent ?? []) watches.add('persistent', path, watcher)
  for (const path of before.recursive ?? []) watches.add('recursive', path, watcher)
}

/** `WatcherType`: children 1, data 2, any 3, persistent 4, recursive 5. */
const KINDS: Readonly<Record<number, readonly WatchKind[]>> = {
  1: ['children'],
  2: ['data'],
  3: ['children', 'data', 'persistent', 'recursive'],
  4: ['persistent'],
  5: ['recursive']
}

/** Throws NO_WATCHER where there is none. */
export function checkWatches({ watches }: Core, { watcher }: Asker, path: string, type: number, remove: boolean): void {
  const kinds = KINDS[type]
  if (!kinds) throw new ZkFault('BAD_ARGUMENTS', path)
  const found = kinds.filter(kind => (remove ? watches.remove(kind, path, watcher) : watches.has(kind, path, watcher)))
  if (found.length === 0) throw new ZkFault('NO_WATCHER', path)
}

function readable(core: Core, asker: Asker, path: string): Node {
  checkPath(path)
  const node = core.tree.node(path)
  checkAcl(node.acl, PERM.read, asker.identities, path)
  return node
}
