/**
 * The processes of one cluster, as children of this process: the ground under `Cluster`.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { ClusterControl, ClusterFacts, ClusterOptions, Front, ServerAction, ServerStatus } from './cluster.ts'
import { freePort } from './ports.ts'
import type { ServerProcess } from './server-process.ts'
import { type BrokerPlan, brokerServer, zookeeperServer } from './servers.ts'
import { type ToolCall, toolFor } from './tool-process.ts'
import { temporaryFolder } from './watchdog.ts'

const host = '127.0.0.1'

export class ClusterHost implements ClusterControl {
  readonly facts: ClusterFacts
  readonly tool: ToolCall
  /** Where its data lies: `data-<broker>`. */
  readonly folder: string
  private readonly servers: Map<string, ServerProcess>

  /** Starts the servers; a port that another took in the meantime is a reason to try others. */
  static async start(options: ClusterOptions): Promise<ClusterHost> {
    for (let attempt = 1; ; attempt++) {
      const cluster = await ClusterHost.plan(options)
      try {
        await cluster.startAll()
        return cluster
      } catch (error) {
        await cluster.dispose()
        if (attempt === 3 || !/Address already in use|BindException/.test(String(error))) throw error
        console.error(`a port was taken while the cluster started; trying others (attempt ${attempt + 1})`)
      }
    }
  }

  private static async plan(options: ClusterOptions): Promise<ClusterHost> {
    const kafka = options.kafka ?? '3.9.1'
    const count = options.brokers ?? (kafka === '3.9.1' ? 3 : 1)
    const folder = mkdtempSync(join(temporaryFolder(), 'cluster-'))
    const servers = new Map<string, ServerProcess>()
    const ownZookeeper = kafka !== '4' && options.zookeeper === undefined
    const zookeeperPort = ownZookeeper ? await freePort() : 0
    if (ownZookeeper) servers.set('zookeeper', await zookeeperServer(folder, zookeeperPort, options.zkTickMs ?? 500))
    const zookeeper = `${options.zookeeper ?? `${host}:${zookeeperPort}`}${options.chroot ?? '/kafka'}`
    const brokers: ClusterFacts['brokers'] = []
    const plans: BrokerPlan[] = []
    // In KRaft mode every broker is a controller too, so that any one of three may go.
    const controllers: number[] = []
    for (let id = 1; kafka === '4' && id <= count; id++) controllers.push(await freePort())
    const quorum = controllers.map((port, index) => `${index + 1}@${host}:${port}`).join(',')
    for (let id = 1; id <= count; id++) {
      const port = await freePort()
      brokers.push({ id, host, port })
      plans.push({
        kafka,
        id,
        port,
        zookeeper,
        quorum,
        controllerPort: controllers[id - 1],
        replication: Math.min(3, count),
        config: {
          ...(options.fronts ? behindFront(port, options.fronts[id - 1]!) : {}),
          ...options.config,
          ...(options.racks ? { 'broker.rack': options.racks[id - 1] ?? '' } : {})
        }
      })
    }
    const processes = await Promise.all(plans.map(plan => brokerServer(folder, plan)))
    for (const [index, { id }] of plans.entries()) servers.set(`broker-${id}`, processes[index]!)
    const bootstrap = brokers.map(broker => `${host}:${broker.port}`)
    const facts: ClusterFacts = { kafka, zookeeper: kafka === '4' ? undefined : zookeeper, bootstrap, brokers, zookeeperPort }
    return new ClusterHost(facts, folder, servers)
  }

  private constructor(facts: ClusterFacts, folder: string, servers: Map<string, ServerProcess>) {
    this.facts = facts
    this.folder = folder
    this.servers = servers
    this.tool = toolFor(facts.bootstrap, facts.zookeeper)
  }

  async act(name: string, action: ServerAction): Promise<ServerStatus> {
    const server = this.servers.get(name)
    if (!server) throw new Error(`there is no server ${name} in this cluster`)
    await server[action]()
    return statusOf(server)
  }

  async status(): Promise<Record<string, ServerStatus>> {
    return Object.fromEntries([...this.servers].map(([name, server]) => [name, statusOf(server)]))
  }

  async dispose(): Promise<void> {
    await Promise.all([...this.servers.values()].map(server => server.kill()))
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** All at once: brokers wait for their ZooKeeper by themselves. Every start has ended, well or not, when this returns. */
  private async startAll(): Promise<void> {
    const results = await Promise.allSettled([...this.servers.values()].map(server => server.start()))
    const failed = results.find(result => result.status === 'rejected')
    if (failed) throw failed.reason
  }
}

/** A second listener for clients: whoever comes by it is told the front's port. Brokers speak to each other by the first. */
function behindFront(port: number, { behind, advertised }: Front): Record<string, string> {
  return {
    listeners: `PLAINTEXT://${host}:${port},FRONT://${host}:${behind}`,
    'advertised.listeners': `PLAINTEXT://${host}:${port},FRONT://${host}:${advertised}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,FRONT:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT'
  }
}

function statusOf(server: ServerProcess): ServerStatus {
  return { pid: server.pid, state: server.state }
}
