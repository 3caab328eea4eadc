/**
 * Sessions on the embedded ZooKeeper find what they find on a real one.
 */
import { EmbeddedZooKeeper } from '../../../src/embedded/zookeeper/server.ts'
import { nodeWorld } from '../../../src/world/node.ts'
import { describeSessions, tickMs } from '../../support/zookeeper-suite.ts'

describeSessions('the embedded ZooKeeper', async () => {
  const limits = { minSessionTimeoutMs: 2 * tickMs, maxSessionTimeoutMs: 20 * tickMs }
  const server = await EmbeddedZooKeeper.start({ world: nodeWorld(), ...limits })
  return {
    port: Number(server.address.split(':')[1]),
    kill: async () => server.suspendAll(),
    start: () => server.resumeAll(),
    end: async () => server.stop()
  }
})
