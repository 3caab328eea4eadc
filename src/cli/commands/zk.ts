/**
 * `samsa zk ls|get|tree|watch PATH`: the znodes under the cluster's chroot, read only.
 */
import type { Stat, ZooKeeperSession } from '../../index.ts'
import { wholeNumber } from '../arguments.ts'
import { type Command, type CommandGroup, type Context, EXIT } from '../command.ts'
import { type Cell, jsonLine, printable } from '../table.ts'

/** More than this is no tree to look at. */
const TREE_MAX_NODES = 100_000

const join = (parent: string, name: string) => (parent === '/' ? `/${name}` : `${parent}/${name}`)

/** Slashes at the end, as the shell's completion leaves them, mean nothing. */
const pathOf = ({ args }: Context) => (args.positionals[0] ?? '/').replace(/(?<=.)\/+$/, '')

function statFields(stat: Stat): Record<string, Cell> {
  const { czxid, mzxid, ctime, mtime, version, cversion, ephemeralOwner, dataLength, numChildren } = stat
  const times = { ctime: new Date(ctime).toISOString(), mtime: new Date(mtime).toISOString() }
  const owner = ephemeralOwner === 0n ? null : `0x${ephemeralOwner.toString(16)}`
  return { czxid, mzxid, ...times, version, cversion, ephemeralOwner: owner, dataLength, numChildren }
}

const ls: Command = {
  summary: 'children of a znode',
  usage: '[PATH] [options]',
  takes: [0, 1],
  options: {},
  examples: [['samsa zk ls /brokers/ids', 'the live brokers']],
  async run(context) {
    const path = pathOf(context)
    const { children } = await (await context.zooKeeper()).getChildren(path)
    const rows = children.sort().map(name => ({ name, path: join(path, name) }))
    context.terminal.out.write(rows.map(row => (context.json ? jsonLine(row) : `${printable(row.name)}\n`)).join(''))
    return EXIT.ok
  }
}

const get: Command = {
  summary: 'data of a znode, unchanged',
  usage: 'PATH [options]',
  takes: [1, 1],
  options: { stat: { help: 'its status on stderr: versions, times, owner' } },
  examples: [
    ['samsa zk get /controller', 'which broker governs'],
    ['samsa zk get /brokers/ids/1 --stat', 'with its status']
  ],
  async run(context) {
    const path = pathOf(context)
    const { data, stat } = await (await context.zooKeeper()).getData(path)
    const { out } = context.terminal
    if (context.json) out.write(jsonLine({ path, data: data.toString('utf8'), ...statFields(stat) }))
    else {
      out.write(data)
      if (out.isTerminal) out.write('\n')
    }
    if (context.args.has('stat'))
      context.terminal.say(
        Object.entries(statFields(stat))
          .map(([name, value]) => `${name} ${String(value)}`)
          .join('\n')
      )
    return EXIT.ok
  }
}

const tree: Command = {
  summary: 'a znode and all below it',
  usage: '[PATH] [options]',
  takes: [0, 1],
  options: {
    depth: { value: 'N', short: 'd', help: 'so many levels below PATH' },
    data: { help: 'with the data of each' }
  },
  examples: [['samsa zk tree /consumers --depth 3', 'the groups and what they own']],
  async run(context) {
    const depth = context.args.one('depth')
    const session = await context.zooKeeper()
    const walk = new Walk(context, session, depth === undefined ? Number.POSITIVE_INFINITY : wholeNumber('depth', depth, 0))
    await walk.node(pathOf(context), 0, true)
    return EXIT.ok
  }
}

class Walk {
  #context: Context
  #session: ZooKeeperSession
  #depth: number
  #seen = 0

  constructor(context: Context, session: ZooKeeperSession, depth: number) {
    this.#context = context
    this.#session = session
    this.#depth = depth
  }

  async node(path: string, level: number, root: boolean): Promise<void> {
    const { out } = this.#context.terminal
    if (out.broken) return
    if (++this.#seen > TREE_MAX_NODES) throw new Error(`There are more than ${TREE_MAX_NODES} znodes here; give a deeper path, or --depth.`)
    try {
      const { data, stat } = await this.#session.getData(path)
      out.write(this.#line(path, level, root, data, stat))
      await out.room()
      if (level >= this.#depth || stat.numChildren === 0) return
      const { children } = await this.#session.getChildren(path)
      for (const name of children.sort()) await this.node(join(path, name), level + 1, false)
    } catch (error) {
      // It was there when its parent was read: gone meanwhile is no error.
      if (root || (error as { code?: string }).code !== 'ZK_NO_NODE') throw error
    }
  }

  #line(path: string, level: number, root: boolean, data: Buffer, stat: Stat): string {
    if (this.#context.json) return jsonLine({ path, data: data.toString('utf8'), ...statFields(stat) })
    const text = this.#context.args.has('data') && data.length > 0 ? ` ${printable(data.toString('utf8'))}` : ''
    const ephemeral = stat.ephemeralOwner === 0n ? '' : ' (ephemeral)'
    if (!indented(this.#context)) return `${printable(path)}${ephemeral}${text}\n`
    return `${'  '.repeat(level)}${printable(root ? path : path.slice(path.lastIndexOf('/') + 1))}${ephemeral}${text}\n`
  }
}

/** On a terminal a tree is indented; in a pipe each line is a whole path. */
const indented = (context: Context) => context.terminal.out.isTerminal

const watch: Command = {
  summary: 'tell each change of a znode and its children, until Ctrl-C',
  usage: 'PATH [options]',
  takes: [1, 1],
  handlesInterrupt: true,
  options: { count: { value: 'N', short: 'n', help: 'end after so many lines' } },
  notes: ['The first line tells what is there now. Changes that follow each other quickly may be told as one.'],
  examples: [['samsa zk watch /brokers/ids', 'brokers coming and going']],
  async run(context) {
    const count = context.args.one('count')
    const most = count === undefined ? Number.POSITIVE_INFINITY : wholeNumber('count', count, 1)
    const session = await context.zooKeeper()
    const path = pathOf(context)
    const { out: output } = context.terminal
    for (let told = 0, before = ''; told < most && !output.broken; ) {
      const changed = new Changed(session, context.interrupted, output)
      const level = await levelOf(session, path, changed.heard)
      const line = context.json ? jsonLine({ path, ...level }) : plainLevel(path, level)
      if (line !== before) {
        output.write(line)
        told++
      }
      before = line
      if (told >= most) break
      await changed.promise
      changed.end()
      if (context.interruptCode !== undefined) return context.interruptCode
      if (changed.over) throw new Error(`The ZooKeeper session ended (${session.state}); nothing more is heard.`)
    }
    return EXIT.ok
  }
}

/** Resolves at the first watch that fires, at an interrupt, when nobody reads any more, and at the end of the session. */
class Changed {
  over = false
  readonly promise: Promise<void>
  heard: () => void = () => {}
  #remove: () => void

  constructor(session: ZooKeeperSession, interrupted: AbortSignal, output: { whenBroken: (callback: () => void) => void }) {
    this.promise = new Promise(resolve => {
      this.heard = resolve
    })
    this.#remove = session.on(({ type }) => {
      this.over = type === 'expired' || type === 'failed' || type === 'closed'
      if (this.over) this.heard()
    })
    if (interrupted.aborted) this.heard()
    else interrupted.addEventListener('abort', () => this.heard(), { once: true })
    output.whenBroken(() => this.heard())
  }

  end(): void {
    this.#remove()
  }
}

type Level = { exists: boolean; version: number | null; data: string | null; children: string[] }

async function levelOf(session: ZooKeeperSession, path: string, heard: () => void): Promise<Level> {
  const absent: Level = { exists: false, version: null, data: null, children: [] }
  if (!(await session.exists(path, heard))) return absent
  try {
    const [{ data, stat }, { children }] = await Promise.all([session.getData(path, heard), session.getChildren(path, heard)])
    return { exists: true, version: stat.version, data: data.toString('utf8'), children: children.sort() }
  } catch (error) {
    if ((error as { code?: string }).code === 'ZK_NO_NODE') return absent
    throw error
  }
}

function plainLevel(path: string, { exists, version, data, children }: Level): string {
  if (!exists) return `${printable(path)}\tabsent\n`
  return `${printable(path)}\tversion ${version}\t${printable(data ?? '')}\t[${children.map(printable).join(',')}]\n`
}

export const zk: CommandGroup = { summary: "the znodes under the cluster's chroot, read only", commands: { ls, get, tree, watch } }
