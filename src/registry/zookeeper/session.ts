/**
 * One ZooKeeper session as the rest of samsa sees it: promises with deadlines, one-shot watches, and a life that is
 * told in events. `open-session.ts` makes one; whoever uses it never sees the library underneath.
 */
import type { PlainError } from '../../model/errors.ts'

/** A znode's status (ZooKeeper's `org.apache.zookeeper.data.Stat`). Times are ms since the epoch. */
export interface Stat {
  /** zxid that created it. Of `/brokers/ids/<id>` this is Kafka's broker epoch. */
  czxid: bigint
  /** zxid that last changed its data. */
  mzxid: bigint
  ctime: number
  /** When the data last changed (server's clock). */
  mtime: number
  /** Data version; starts at 0. */
  version: number
  /** Version of the set of children. */
  cversion: number
  aversion: number
  /** Session that owns it; 0n: a persistent node. */
  ephemeralOwner: bigint
  dataLength: number
  numChildren: number
  /** zxid that last changed the set of children. */
  pzxid: bigint
}

/**
 * Why a watch fired. Watches are one-shot: arm again by reading again. The same function given twice for one path is armed once
 * (so periodic reads with one function do not pile up). None is called after the session's end.
 */
export type WatchEvent = { type: 'created' | 'deleted' | 'changed' | 'children'; path: string }

export type Watch = (event: WatchEvent) => void

/**
 * `connecting` (no session yet) → `connected` ⇄ `suspended` → one of the three ends: `expired`, `closed`, `failed`.
 * An ended session never comes back: open a new one.
 */
export type SessionState = 'connecting' | 'connected' | 'suspended' | 'expired' | 'closed' | 'failed'

export type SessionEvent =
  /** First connection of this session. */
  | { type: 'connected'; sessionId: bigint; negotiatedTimeoutMs: number; server: string }
  /** The link is lost; the session may still live on the server. The local deadline is running. */
  | { type: 'suspended'; reason: PlainError }
  /** The SAME session again: its ephemeral nodes and watches stand (missed watches fire now). */
  | { type: 'reconnected'; sessionId: bigint; negotiatedTimeoutMs: number; suspendedMs: number; server: string }
  /** The session is gone and its ephemeral nodes are, or will be, removed. Final. */
  | { type: 'expired'; by: 'server' | 'local-deadline' }
  /** Authentication refused, unusable address … Final. */
  | { type: 'failed'; error: PlainError }
  /** Something hostile or odd that was survived: bytes off the protocol, a listener that threw, an unknown code. */
  | { type: 'trouble'; error: PlainError }
  /** `close()` ended it. Final. */
  | { type: 'closed' }

export type CreateMode = 'persistent' | 'ephemeral' | 'persistent-sequential' | 'ephemeral-sequential'

/** One step of `multi`. A version is always honoured, 0 too; absent or -1: any version. */
export type MultiOp =
  | { type: 'check'; path: string; version?: number }
  | { type: 'create'; path: string; data: Buffer | null; mode?: CreateMode }
  | { type: 'setData'; path: string; data: Buffer | null; version?: number }
  | { type: 'remove'; path: string; version?: number }

/**
 * A session. Paths are relative to the chroot and start with `/`.
 *
 * Every operation settles within `operationTimeoutMs` (default: the session timeout):
 * - asked for while connecting or suspended, it waits for the connection, and rejects with ZK_TIMEOUT when none came in time:
 *   then it was certainly not sent (`details.sent` false);
 * - in flight when the link breaks, it rejects with ZK_CONNECTION_LOSS: **the result is unknown**, and nothing sends it again;
 * - sent and not answered in time, it rejects with ZK_TIMEOUT, `details.sent` true: the result is unknown too;
 * - at the end of the session it rejects with ZK_SESSION_EXPIRED or ZK_CLOSED.
 * All rejections are `ZooKeeperError` (errors.ts).
 */
export interface ZooKeeperSession {
  readonly state: SessionState
  /** Undefined until first connected. Kept after the end, for logs. */
  readonly sessionId: bigint | undefined
  /** What the server granted; the asked-for value until then. */
  readonly negotiatedTimeoutMs: number
  /** `world.monotonicMs()` of the last bytes that came from the server (pings are answered). */
  readonly lastHeardMs: number
  /**
   * `world.monotonicMs()` when the last request was sent that the server has answered. The server keeps the session for at least
   * `negotiatedTimeoutMs` from there; the local deadline counts from there.
   */
  readonly leaseFromMs: number
  /** Adds a listener; returns what removes it. A listener that throws is contained and told as `trouble`. */
  on(listener: (event: SessionEvent) => void): () => void
  getData(path: string, watch?: Watch): Promise<{ data: Buffer; stat: Stat }>
  /** Undefined: there is no such node (the watch then waits for its creation). */
  exists(path: string, watch?: Watch): Promise<Stat | undefined>
  getChildren(path: string, watch?: Watch): Promise<{ children: string[]; stat: Stat }>
  /** Resolves to the path that was made (with its number, for a sequential one). */
  create(path: string, data: Buffer | null, mode: CreateMode): Promise<string>
  /** `version` -1 (the default): any. */
  setData(path: string, data: Buffer | null, version?: number): Promise<Stat>
  remove(path: string, version?: number): Promise<void>
  /** All or nothing. A refusal names the step: `details.index` and `details.path`, with that step's code. */
  multi(ops: readonly MultiOp[]): Promise<void>
  /** Makes a persistent node and its missing parents, data null. Existing ones are fine. */
  makePath(path: string): Promise<void>
  /** Ends the session on the server where it can be reached, and here in any case, within about a second. Idempotent. */
  close(): Promise<void>
}
