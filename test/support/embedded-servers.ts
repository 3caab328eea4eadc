/**
 * An embedded cluster in the place of real servers: `Cluster` and everything that is written for it (suites, Java's tool, judges) finds no difference.
 */
import { type EmbeddedCluster, type EmbeddedOptions, startCluster } from '../../src/testing.ts'
import { Cluster, type ClusterControl, type ServerAction, type ServerStatus } from './cluster.ts'
import { toolFor } from './tool-process.ts'

/** As test brokers are configured (`servers.ts`), where it matters to members. */
const CONFIG = { 'group.min.session.timeout.ms': '1000' }

export async function embeddedServers(options: EmbeddedOptions = {}): Promise<Cluster> {
  const kafka = await startCluster({ ...options, config: { ...CONFIG, ...options.config } })
  const { bootstrap, brokers } = kafka
  const zookeeper = kafka.zookeeper?.address
  const control: ClusterControl = {
    facts: {
      kafka: kafka.zookeeper ? '3.9.1' : '4',
      zookeeper,
      bootstrap,
      brokers: brokers.map(({ id, host, port }) => ({ id, host, port })),
      zookeeperPort: Number(zookeeper?.split(':')[1] ?? 0)
    },
    act: (server, action) => act(kafka, server, action),
    status: async () =>
      Object.fromEntries([...brokers.map(({ id }) => `broker-${id}`), 'zookeeper'].map(name => [name, statusOf(kafka, name)])),
    tool: toolFor(bootstrap, zookeeper),
    dispose: () => kafka.stop()
  }
  return Cluster.over(control)
}

/** One process, whatever is asked of it. */
function statusOf(kafka: EmbeddedCluster, server: string): ServerStatus {
  if (server === 'zookeeper') return { pid: process.pid, state: 'up' }
  const broker = kafka.broker(idOf(server))
  return { pid: broker.running ? process.pid : -1, state: !broker.running ? 'down' : broker.frozen ? 'frozen' : 'up' }
}

const idOf = (server: string) => Number(server.slice('broker-'.length))

async function act(kafka: EmbeddedCluster, server: string, action: ServerAction): Promise<ServerStatus> {
  if (server === 'zookeeper') {
    if (action === 'kill' || action === 'stop') kafka.zookeeper!.suspendAll()
    else if (action === 'start') await kafka.zookeeper!.resumeAll()
    else throw new Error(`the embedded ZooKeeper cannot ${action}`)
    return { pid: process.pid, state: action === 'start' ? 'up' : 'down' }
  }
  const id = idOf(server)
  if (action === 'kill' || action === 'stop') kafka.kill(id)
  else if (action === 'start') await kafka.restart(id)
  else if (action === 'freeze') kafka.freeze(id)
  else kafka.thaw(id)
  return statusOf(kafka, server)
}
