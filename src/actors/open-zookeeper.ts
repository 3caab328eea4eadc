/**
 * A ZooKeeper session of one's own, for tools that look at znodes: the same hardened session that the registry uses.
 */
import { parseClusterUrl } from '../model/config.ts'
import { UsageError } from '../model/errors.ts'
import type { World } from '../model/world.ts'
import { openSession, type SessionOptions } from '../registry/zookeeper/open-session.ts'
import type { ZooKeeperSession } from '../registry/zookeeper/session.ts'
import { nodeWorld } from '../world/node.ts'

/** See `SessionOptions`; the address is the first argument. */
export interface OpenZooKeeperOptions extends Omit<SessionOptions, 'connectString'> {
  /** For tests and simulation. */
  world?: World
}

/**
 * Begins to connect to `zookeeper://host:2181[,host:2181][/chroot]`. Operations wait for the connection, each at most
 * `operationTimeoutMs` (default: the session timeout, 6,000). Close it when done. Throws UsageError on another kind of address.
 */
export function openZooKeeper(url: string, options: OpenZooKeeperOptions = {}): ZooKeeperSession {
  const { world = nodeWorld(), ...given } = options
  const { zookeeper } = parseClusterUrl(url)
  if (zookeeper === undefined)
    throw new UsageError('INVALID_CLUSTER_URL', `${url} names no ZooKeeper; give zookeeper://host:2181[,host:2181][/chroot].`)
  return openSession(world, { connectString: zookeeper, ...given })
}
