/**
 * node-zookeeper-client as it really is inside, typed. Only its exact pinned version is accepted, because
 * `hardened-client.ts` replaces methods of its connection manager: another version may work differently there.
 */
import { createRequire } from 'node:module'
import { UsageError } from '../../model/errors.ts'

export const pinnedVersion = '1.1.3'

/** The library's ConnectionManager.STATES. */
export const managerState = {
  disconnected: 0,
  connecting: 1,
  connected: 2,
  closing: -1,
  closed: -2,
  expired: -3,
  authFailed: -4
} as const

/** What the library wants of a socket. */
export interface LibrarySocket {
  write(bytes: Buffer): boolean
  setTimeout(): void
  destroy(): void
}

export interface LibraryRequest {
  header: { xid: number; type: number } | null
  payload: { setChrootPath(path: string): void } | null
  toBuffer(): Buffer
}

export interface LibraryError extends Error {
  code: number
  /** Ours: the number that the server really answered. */
  serverCode?: number
}

export type LibraryCallback = (error: LibraryError | null, response?: unknown) => void

/** An element of the library's queues, with what we note on it. */
export interface Packet {
  request: LibraryRequest
  callback: LibraryCallback
  /** Who asked, for deadlines; absent for the connection's own packets. */
  asker: Asker | undefined
  sentAtMs: number
}

/** What a packet knows about the operation that it carries. */
export interface Asker {
  readonly settled: boolean
  sent: boolean
  reject(error: Error): void
}

export interface WatcherManager {
  dataWatchers: Record<string, { setMaxListeners(count: number): void }>
  childWatchers: Record<string, { setMaxListeners(count: number): void }>
  existenceWatchers: Record<string, { setMaxListeners(count: number): void }>
  getDataWatcherPaths(): string[]
  getChildWatcherPaths(): string[]
  getExistenceWatcherPaths(): string[]
}

export interface LibraryEvent {
  type: number
  path: string
}

export type LibraryWatcher = (event: LibraryEvent) => void

export interface ConnectionManager {
  state: number
  xid: number
  zxid: Buffer
  sessionId: Buffer
  sessionPassword: Buffer
  sessionTimeout: number
  chrootPath: string | undefined
  pendingBuffer: Buffer | null
  pendingQueue: Packet[]
  packetQueue: { queue: Packet[]; removeAllListeners(event: string): void; on(event: string, listener: () => void): void }
  watcherManager: WatcherManager
  socket: LibrarySocket | undefined
  connect(): void
  queue(request: LibraryRequest, callback?: LibraryCallback): void
  setState(state: number): void
  on(event: 'state', listener: (state: number) => void): void
  onSocketData(frame: Buffer): void
  onSocketClosed(hasError: boolean): void
  onPacketQueueReadable(): void
  registerDataWatcher(path: string, watcher: LibraryWatcher): void
  registerChildWatcher(path: string, watcher: LibraryWatcher): void
  registerExistenceWatcher(path: string, watcher: LibraryWatcher): void
}

/** Its Stat: longs are 8-byte buffers. */
export interface LibraryStat {
  czxid: Buffer
  mzxid: Buffer
  ctime: Buffer
  mtime: Buffer
  version: number
  cversion: number
  aversion: number
  ephemeralOwner: Buffer
  dataLength: number
  numChildren: number
  pzxid: Buffer
}

export interface MultiResult {
  type: number
  err?: number
}

type Done<T extends unknown[]> = (error: LibraryError | null, ...values: T) => void

export interface LibraryClient {
  connectionManager: ConnectionManager
  create(path: string, data: Buffer | null, mode: number, done: Done<[string]>): void
  remove(path: string, version: number, done: Done<[]>): void
  setData(path: string, data: Buffer, version: number, done: Done<[LibraryStat]>): void
  getData(path: string, watcher: LibraryWatcher | undefined, done: Done<[Buffer | undefined, LibraryStat]>): void
  exists(path: string, watcher: LibraryWatcher | undefined, done: Done<[LibraryStat | null]>): void
  getChildren(path: string, watcher: LibraryWatcher | undefined, done: Done<[string[] | undefined, LibraryStat]>): void
  transaction(): { ops: object[]; commit(done: Done<[MultiResult[]]>): void }
}

interface RecordClass {
  new (...values: unknown[]): { setChrootPath(path: string): void }
}

export interface Library {
  createClient(connectString: string, options: { sessionTimeout: number; retries: number }): LibraryClient
  openAcl: unknown[]
  Request: new (header: object | null, payload: object | null) => LibraryRequest
  protocol: {
    ConnectRequest: RecordClass
    RequestHeader: new (xid?: number, type?: number) => { xid: number; type: number }
    AuthPacket: RecordClass
    SetWatches: RecordClass
  }
}

/** xids with a meaning of their own. */
export const xidOf = { notification: -1, ping: -2, auth: -4 } as const

/** Opcodes of ZooKeeper's protocol that are used here. */
export const opcode = {
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  ping: 11,
  getChildren2: 12,
  check: 13,
  multi: 14,
  auth: 100,
  setWatches: 101,
  closeSession: -11,
  error: -1
} as const

let loaded: Library | undefined

/** @throws UsageError ZK_LIBRARY_VERSION when another version than the pinned one is installed. */
export function loadLibrary(): Library {
  if (loaded) return loaded
  const require = createRequire(import.meta.url)
  checkVersion((require('node-zookeeper-client/package.json') as { version: string }).version)
  const main = require('node-zookeeper-client') as Pick<Library, 'createClient'> & { ACL: { OPEN_ACL_UNSAFE: unknown[] } }
  const jute = require('node-zookeeper-client/lib/jute') as Pick<Library, 'Request' | 'protocol'>
  loaded = { createClient: main.createClient, openAcl: main.ACL.OPEN_ACL_UNSAFE, Request: jute.Request, protocol: jute.protocol }
  return loaded
}

/** Throws unless it is the version whose inside is known here. */
export function checkVersion(version: string): void {
  if (version === pinnedVersion) return
  throw new UsageError(
    'ZK_LIBRARY_VERSION',
    `node-zookeeper-client ${version} is installed, but samsa corrects the inside of ${pinnedVersion} and no other. Install node-zookeeper-client@${pinnedVersion}.`
  )
}
