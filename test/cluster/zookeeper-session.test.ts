/**
 * Sessions on a real ZooKeeper.
 */
import { join } from 'node:path'
import { freePort } from '../support/ports.ts'
import { zookeeperServer } from '../support/servers.ts'
import { temporaryFolder } from '../support/watchdog.ts'
import { describeSessions, tickMs } from '../support/zookeeper-suite.ts'

describeSessions('a real ZooKeeper', async () => {
  const port = await freePort()
  const server = await zookeeperServer(join(temporaryFolder(), 'zk'), port, tickMs)
  await server.start()
  return { port, kill: () => server.kill(), start: () => server.start(), stop: () => server.kill() }
})
