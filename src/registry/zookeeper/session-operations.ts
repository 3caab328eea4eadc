/**
 * The operations of a session as calls of the library: arguments checked before, results turned into plain values after.
 */
import { pathProblem } from './connect-string.ts'
import { errorOfCode, isZooKeeperError, ZooKeeperError } from './errors.ts'
import type { HardenedClient } from './hardened-client.ts'
import {
  type LibraryClient,
  type LibraryError,
  type LibraryEvent,
  type LibraryStat,
  loadLibrary,
  type MultiResult,
  opcode
} from './library.ts'
import type { Operation } from './operations.ts'
import type { CreateMode, MultiOp, Stat, Watch, WatchEvent } from './session.ts'

/** Runs one operation to its end: `call` gets the library's client and the operation to settle. */
export type Runner = <T>(name: string, path: string, call: (client: LibraryClient, operation: Operation) => void) => Promise<T>

const modes: Readonly<Record<CreateMode, number>> = {
  persistent: 0,
  ephemeral: 1,
  'persistent-sequential': 2,
  'ephemeral-sequential': 3
}
const eventTypes: Readonly<Record<number, WatchEvent['type']>> = { 1: 'created', 2: 'deleted', 3: 'changed', 4: 'children' }

export class SessionOperations {
  readonly #client: HardenedClient
  readonly #run: Runner
  readonly #contain: (call: () => void) => void
  /** One function of ours for each of the caller's: the library arms the same function only once per path. */
  readonly #watchers = new WeakMap<Watch, (event: LibraryEvent) => void>()

  constructor(client: HardenedClient, run: Runner, contain: (call: () => void) => void) {
    this.#client = client
    this.#run = run
    this.#contain = contain
  }

  getData(path: string, watch?: Watch): Promise<{ data: Buffer; stat: Stat }> {
    return this.#run('getData', path, (client, operation) =>
      client.getData(path, this.#watcher(watch), (error, data, stat) => {
        this.#settle(operation, error, () => ({ data: data ?? Buffer.alloc(0), stat: toStat(stat) }))
      })
    )
  }

  exists(path: string, watch?: Watch): Promise<Stat | undefined> {
    return this.#run('exists', path, (client, operation) =>
      client.exists(path, this.#watcher(watch), (error, stat) => {
        this.#settle(operation, error, () => (stat ? toStat(stat) : undefined))
      })
    )
  }

  getChildren(path: string, watch?: Watch): Promise<{ children: string[]; stat: Stat }> {
    return this.#run('getChildren', path, (client, operation) =>
      client.getChildren(path, this.#watcher(watch), (error, children, stat) => {
        this.#settle(operation, error, () => ({ children: children ?? [], stat: toStat(stat) }))
      })
    )
  }

  create(path: string, data: Buffer | null, mode: CreateMode): Promise<string> {
    return this.#run('create', path, (client, operation) =>
      client.create(path, data, modeNumber(mode), (error, made) => this.#settle(operation, error, () => made))
    )
  }

  setData(path: string, data: Buffer | null, version = -1): Promise<Stat> {
    return this.#run('setData', path, (client, operation) =>
      client.setData(path, data ?? Buffer.alloc(0), checkedVersion(version), (error, stat) => {
        this.#settle(operation, error, () => toStat(stat))
      })
    )
  }

  remove(path: string, version = -1): Promise<void> {
    return this.#run('remove', path, (client, operation) =>
      client.remove(path, checkedVersion(version), error => this.#settle(operation, error, () => undefined))
    )
  }

  multi(ops: readonly MultiOp[]): Promise<void> {
    if (ops.length === 0) return Promise.resolve()
    return this.#run('multi', ops[0]!.path, (client, operation) => {
      const transaction = client.transaction()
      // Its own builder methods turn version 0 into "any version".
      transaction.ops.push(...ops.map(libraryOp))
      transaction.commit((error, results) => {
        const refusal = error && results ? this.#refusal(ops, results) : undefined
        if (refusal) operation.reject(refusal)
        else this.#settle(operation, error, () => undefined)
      })
    })
  }

  async makePath(path: string): Promise<void> {
    try {
      await this.create(path, null, 'persistent')
    } catch (error) {
      if (isZooKeeperError(error, 'ZK_NODE_EXISTS')) return
      if (!isZooKeeperError(error, 'ZK_NO_NODE')) throw error
      const parent = path.slice(0, path.lastIndexOf('/'))
      if (parent === '') throw this.#chrootMissing(path)
      await this.makePath(parent)
      await this.makePath(path)
    }
  }

  #chrootMissing(path: string): ZooKeeperError {
    const chroot = this.#client.manager.chrootPath ?? '/'
    return new ZooKeeperError('ZK_CHROOT_MISSING', `makePath ${path}: the chroot ${chroot} does not exist in this ZooKeeper.`, {
      details: { path, chroot }
    })
  }

  /** Which step failed: the first with an error of its own. Those before say 0, those after -2. */
  #refusal(ops: readonly MultiOp[], results: readonly MultiResult[]): ZooKeeperError | undefined {
    const codes = this.#client.codes?.steps ?? results.map(result => result.err ?? 0)
    const index = codes.findIndex(code => code !== 0 && code !== -2)
    const found = index === -1 ? codes.findIndex(code => code !== 0) : index
    const op = ops[found]
    return op && errorOfCode(codes[found]!, `multi, step ${found} (${op.type})`, op.path, { index: found, step: op.type })
  }

  #settle<T>(operation: Operation, error: LibraryError | null, value: () => T): void {
    if (error) operation.reject(errorOfCode(error.serverCode ?? error.code, operation.name, operation.path, { sent: operation.sent }))
    else operation.resolve(value())
  }

  #watcher(watch: Watch | undefined): ((event: LibraryEvent) => void) | undefined {
    if (!watch) return undefined
    const known = this.#watchers.get(watch)
    if (known) return known
    const watcher = (event: LibraryEvent) => {
      const type = eventTypes[event.type]
      if (type) this.#contain(() => watch({ type, path: event.path }))
    }
    this.#watchers.set(watch, watcher)
    return watcher
  }
}

/** @throws ZooKeeperError ZK_BAD_ARGUMENTS before anything is sent. */
export function checkPath(operation: string, path: string): void {
  const problem = pathProblem(path)
  if (problem === undefined) return
  const shown = JSON.stringify(String(path).slice(0, 200))
  throw new ZooKeeperError('ZK_BAD_ARGUMENTS', `${operation} ${shown}: the path ${problem}.`, { details: { operation, sent: false } })
}

function checkedVersion(version: number): number {
  if (Number.isInteger(version) && version >= -1 && version <= 0x7fff_ffff) return version
  throw new ZooKeeperError('ZK_BAD_ARGUMENTS', `${version} is no version: an integer from 0, or -1 for any.`)
}

function modeNumber(mode: CreateMode): number {
  const number = modes[mode]
  if (number !== undefined) return number
  throw new ZooKeeperError('ZK_BAD_ARGUMENTS', `${JSON.stringify(mode)} is no create mode: ${Object.keys(modes).join(', ')}.`)
}

function libraryOp(op: MultiOp): object {
  checkPath(`multi (${op.type})`, op.path)
  if (op.type === 'create') {
    const mode = modeNumber(op.mode ?? 'persistent')
    return { type: opcode.create, path: op.path, data: op.data ?? undefined, acls: loadLibrary().openAcl, mode }
  }
  const version = checkedVersion(op.version ?? -1)
  if (op.type === 'setData') return { type: opcode.setData, path: op.path, data: op.data ?? undefined, version }
  return { type: op.type === 'check' ? opcode.check : opcode.delete, path: op.path, version }
}

function toStat(stat: LibraryStat): Stat {
  return {
    czxid: stat.czxid.readBigInt64BE(0),
    mzxid: stat.mzxid.readBigInt64BE(0),
    ctime: Number(stat.ctime.readBigInt64BE(0)),
    mtime: Number(stat.mtime.readBigInt64BE(0)),
    version: stat.version,
    cversion: stat.cversion,
    aversion: stat.aversion,
    ephemeralOwner: stat.ephemeralOwner.readBigInt64BE(0),
    dataLength: stat.dataLength,
    numChildren: stat.numChildren,
    pzxid: stat.pzxid.readBigInt64BE(0)
  }
}
