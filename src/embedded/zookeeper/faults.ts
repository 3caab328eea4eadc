/**
 * ZooKeeper's error codes (`KeeperException.Code`), and the one error that operations throw.
 */
export const ZK_CODE = {
  OK: 0,
  SYSTEM_ERROR: -1,
  RUNTIME_INCONSISTENCY: -2,
  MARSHALLING_ERROR: -5,
  UNIMPLEMENTED: -6,
  BAD_ARGUMENTS: -8,
  NO_NODE: -101,
  NO_AUTH: -102,
  BAD_VERSION: -103,
  NO_CHILDREN_FOR_EPHEMERALS: -108,
  NODE_EXISTS: -110,
  NOT_EMPTY: -111,
  SESSION_EXPIRED: -112,
  INVALID_ACL: -114,
  AUTH_FAILED: -115,
  NO_WATCHER: -121
} as const

export type ZkCode = keyof typeof ZK_CODE

/** What an operation answers instead of a result. */
export class ZkFault extends Error {
  readonly code: ZkCode
  readonly path: string | undefined

  constructor(code: ZkCode, path?: string) {
    super(path === undefined ? code : `${code} for ${path}`)
    this.code = code
    this.path = path
  }

  get number(): number {
    return ZK_CODE[this.code]
  }
}
