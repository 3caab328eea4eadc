/**
 * ZooKeeper's error numbers as samsa's errors: stable codes, messages that say what to do. The numbers are those of
 * ZooKeeper's `KeeperException.Code`; ones that are not in this table become ZK_UNKNOWN_CODE and harm nobody.
 */
import { SamsaError, type SamsaErrorOptions } from '../../model/errors.ts'

export type ZooKeeperErrorCode =
  | 'ZK_NO_NODE'
  | 'ZK_NODE_EXISTS'
  | 'ZK_BAD_VERSION'
  | 'ZK_NOT_EMPTY'
  | 'ZK_NO_CHILDREN_FOR_EPHEMERALS'
  | 'ZK_NO_AUTH'
  | 'ZK_AUTH_FAILED'
  | 'ZK_INVALID_ACL'
  | 'ZK_BAD_ARGUMENTS'
  | 'ZK_READ_ONLY'
  | 'ZK_SERVER_ERROR'
  | 'ZK_ROLLED_BACK'
  | 'ZK_UNKNOWN_CODE'
  /** The link broke while the operation was in flight: its result is unknown. */
  | 'ZK_CONNECTION_LOSS'
  | 'ZK_SESSION_EXPIRED'
  /** `close()` was called, or the session failed for good. */
  | 'ZK_CLOSED'
  /** No answer, or no connection, in time; `details.sent` says which. */
  | 'ZK_TIMEOUT'
  /** The peer sent bytes that are not ZooKeeper's protocol. */
  | 'ZK_PROTOCOL'
  /** No server of the connect string could be reached or resolved. */
  | 'ZK_UNREACHABLE'
  /** Too many operations wait, or data is over ZooKeeper's 1 MiB. */
  | 'ZK_LIMIT'
  | 'ZK_INVALID_CONNECT_STRING'
  | 'ZK_CHROOT_MISSING'
  | 'ZK_CALLBACK'

/** An operation or session of ZooKeeper that did not go well. `code` is one of `ZooKeeperErrorCode`. */
export class ZooKeeperError extends SamsaError {
  declare readonly code: ZooKeeperErrorCode
  constructor(code: ZooKeeperErrorCode, message: string, options: SamsaErrorOptions = {}) {
    super(code, message, options)
  }
}

/** True for a ZooKeeperError, of this code where one is given. */
export function isZooKeeperError(error: unknown, code?: ZooKeeperErrorCode): error is ZooKeeperError {
  return error instanceof ZooKeeperError && (code === undefined || error.code === code)
}

type Row = readonly [code: ZooKeeperErrorCode, says: string, retriable?: boolean]

const rows: Readonly<Record<number, Row>> = {
  [-1]: ['ZK_SERVER_ERROR', 'ZooKeeper had an internal error (SYSTEMERROR); its log says more', true],
  [-2]: ['ZK_SERVER_ERROR', 'another step of the same transaction was refused (RUNTIMEINCONSISTENCY)'],
  [-3]: ['ZK_SERVER_ERROR', 'ZooKeeper found its data inconsistent; its log says more'],
  [-4]: ['ZK_CONNECTION_LOSS', 'the connection was lost before the answer; the result is unknown, read before writing again', true],
  [-5]: ['ZK_BAD_ARGUMENTS', 'ZooKeeper could not read the request (MARSHALLINGERROR)'],
  [-6]: ['ZK_BAD_ARGUMENTS', 'this ZooKeeper does not implement the operation'],
  [-7]: ['ZK_TIMEOUT', 'ZooKeeper gave the operation up (OPERATIONTIMEOUT)', true],
  [-8]: ['ZK_BAD_ARGUMENTS', 'ZooKeeper refused the arguments (BADARGUMENTS)'],
  [-101]: ['ZK_NO_NODE', 'there is no such node'],
  [-102]: ['ZK_NO_AUTH', 'the ACL of the node does not allow it; give credentials that may'],
  [-103]: ['ZK_BAD_VERSION', 'the node has another version than expected: somebody else wrote it'],
  [-108]: ['ZK_NO_CHILDREN_FOR_EPHEMERALS', 'an ephemeral node cannot have children'],
  [-110]: ['ZK_NODE_EXISTS', 'the node exists already'],
  [-111]: ['ZK_NOT_EMPTY', 'the node has children'],
  [-112]: ['ZK_SESSION_EXPIRED', 'the session has expired; open a new one'],
  [-114]: ['ZK_INVALID_ACL', 'ZooKeeper refused the ACL'],
  [-115]: ['ZK_AUTH_FAILED', 'ZooKeeper refused the credentials'],
  [-118]: ['ZK_CONNECTION_LOSS', 'the session moved to another server; the result is unknown, read before writing again', true],
  [-119]: ['ZK_READ_ONLY', 'this ZooKeeper server is read-only: it has lost its quorum', true]
}

/** The error for a number that a server answered. */
export function errorOfCode(
  number: number,
  operation: string,
  path: string,
  extra: Record<string, string | number | boolean> = {}
): ZooKeeperError {
  const row = rows[number] ?? (['ZK_UNKNOWN_CODE', `ZooKeeper answered with error ${number}, which samsa does not know`] as const)
  return new ZooKeeperError(row[0], `${operation} ${path}: ${row[1]}.`, {
    retriable: row[2] ?? false,
    details: { operation, path, zooKeeperCode: number, ...extra }
  })
}
