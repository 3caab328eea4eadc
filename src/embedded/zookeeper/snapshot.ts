/**
 * The tree as bytes and back: what outlives the process. Nodes that belong to a session are left out, as sessions do not outlive it.
 */
import { SamsaError } from '../../model/errors.ts'
import { readAcl, writeAcl } from './acl.ts'
import { ZkFault } from './faults.ts'
import { JuteReader, JuteWriter } from './jute.ts'
import { nameOf, parentOf } from './path.ts'
import { isSession, type Node, Tree } from './tree.ts'

const MAGIC = 0x735a4b31

export function snapshotOf({ nodes, zxid }: Tree): Buffer {
  const kept = [...nodes].filter(([, { owner }]) => !isSession(owner))
  const out = new JuteWriter().int(MAGIC).long(zxid)
  out.vector(kept, ([path, node]) => {
    writeAcl(out.string(path).buffer(node.data), node.acl)
    out.long(node.czxid).long(node.mzxid).long(node.pzxid).long(BigInt(node.ctimeMs)).long(BigInt(node.mtimeMs))
    out.int(node.version).int(node.aversion).int(node.created).long(node.owner)
  })
  return out.bytes()
}

/** Throws SamsaError BAD_SNAPSHOT. */
export function restoreTree(bytes: Buffer): Tree {
  const bad = (why: string) => new SamsaError('BAD_SNAPSHOT', `This is no state of an embedded ZooKeeper: ${why}.`)
  try {
    const reader = new JuteReader(bytes)
    if (reader.int() !== MAGIC) throw bad('it begins with something else')
    const tree = new Tree(0)
    tree.zxid = reader.long()
    tree.nodes.clear()
    for (const [path, node] of reader.vector(() => readNode(reader))) {
      tree.put(path, node)
      if (path === '/') continue
      const parent = tree.nodes.get(parentOf(path))
      if (!parent) throw bad(`${path} has no parent`)
      parent.children.add(nameOf(path))
    }
    if (!tree.nodes.has('/')) throw bad('it has no root')
    return tree
  } catch (error) {
    throw error instanceof ZkFault ? bad('it is cut') : error
  }
}

function readNode(reader: JuteReader): [string, Node] {
  const [path, data, acl] = [reader.string(), reader.buffer(), readAcl(reader)]
  const [czxid, mzxid, pzxid, ctime, mtime] = [reader.long(), reader.long(), reader.long(), reader.long(), reader.long()]
  const [version, aversion, created, owner] = [reader.int(), reader.int(), reader.int(), reader.long()]
  const times = { ctimeMs: Number(ctime), mtimeMs: Number(mtime) }
  return [path, { data, acl, czxid, mzxid, pzxid, ...times, version, aversion, created, owner, children: new Set() }]
}
