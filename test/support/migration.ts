/**
 * A 3.9.1 cluster that is taken from ZooKeeper to KRaft, step by step, as Kafka's operators do it (KIP-866): ports, data and node ids stay the same
 * through it all, and brokers are restarted one after the other, so whoever publishes and consumes goes on.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Cluster, type ClusterControl, type ClusterFacts, type ServerAction, type ServerStatus } from './cluster.ts'
import { freePort } from './ports.ts'
import type { ServerProcess } from './server-process.ts'
import { type BrokerPlan, brokerServer, configureBroker, configureController, controllerServer, zookeeperServer } from './servers.ts'
import { type ToolCall, toolFor } from './tool-process.ts'
import { until } from './until.ts'
import { temporaryFolder } from './watchdog.ts'

const host = '127.0.0.1'
const controllerId = 3000

/** Where a migration stands. */
export type MigrationStage = 'zookeeper' | 'dualWrite' | 'kraftBrokers' | 'finalized' | 'zookeeperGone'

/** Three brokers and their ZooKeeper, before the first step. */
export async function startMigration(): Promise<Migration> {
  const folder = mkdtempSync(join(temporaryFolder(), 'migration-'))
  const [zookeeperPort, controllerPort] = [await freePort(), await freePort()]
  const zookeeper = `${host}:${zookeeperPort}/kafka`
  const plans: BrokerPlan[] = []
  for (const id of [1, 2, 3])
    plans.push({
      kafka: '3.9.1',
      id,
      port: await freePort(),
      zookeeper,
      quorum: `${controllerId}@${host}:${controllerPort}`,
      replication: 3,
      config: {}
    })
  const servers = new Map<string, ServerProcess>([['zookeeper', await zookeeperServer(folder, zookeeperPort, 500)]])
  for (const plan of plans) servers.set(`broker-${plan.id}`, await brokerServer(folder, plan))
  const control = new MigrationHost({ folder, servers, plans, zookeeper, zookeeperPort, controllerPort })
  try {
    await Promise.all([...servers.values()].map(server => server.start()))
    return new Migration(control, await Cluster.over(control))
  } catch (error) {
    await control.dispose()
    throw error
  }
}

interface Parts {
  folder: string
  servers: Map<string, ServerProcess>
  plans: BrokerPlan[]
  zookeeper: string
  zookeeperPort: number
  controllerPort: number
}

/** The processes. The controller is `controller` among them, once it is there. */
class MigrationHost implements ClusterControl {
  readonly parts: Parts
  readonly facts: ClusterFacts
  readonly tool: ToolCall

  constructor(parts: Parts) {
    this.parts = parts
    const { plans, zookeeper, zookeeperPort } = parts
    const bootstrap = plans.map(({ port }) => `${host}:${port}`)
    this.facts = { kafka: '3.9.1', zookeeper, bootstrap, brokers: plans.map(({ id, port }) => ({ id, host, port })), zookeeperPort }
    this.tool = toolFor(bootstrap, zookeeper)
  }

  async act(name: string, action: ServerAction): Promise<ServerStatus> {
    const server = this.server(name)
    await server[action]()
    return { pid: server.pid, state: server.state }
  }

  async status(): Promise<Record<string, ServerStatus>> {
    return Object.fromEntries([...this.parts.servers].map(([name, { pid, state }]) => [name, { pid, state }]))
  }

  async dispose(): Promise<void> {
    await Promise.all([...this.parts.servers.values()].map(server => server.kill()))
    rmSync(this.parts.folder, { recursive: true, force: true })
  }

  server(name: string): ServerProcess {
    const server = this.parts.servers.get(name)
    if (!server) throw new Error(`there is no server ${name} in this cluster`)
    return server
  }
}

export class Migration implements AsyncDisposable {
  /** The brokers as ever: topics, records, leaders; any of them may be killed between two steps. */
  readonly cluster: Cluster
  stage: MigrationStage = 'zookeeper'
  readonly #host: MigrationHost
  #clusterId = ''

  constructor(host: MigrationHost, cluster: Cluster) {
    this.#host = host
    this.cluster = cluster
  }

  /** ZooKeeper's connect string, chroot included, gone or not. */
  get zookeeper(): string {
    return this.cluster.zookeeper
  }

  get bootstrap(): string[] {
    return this.cluster.bootstrap
  }

  /** A controller of KRaft's takes the metadata over; from then on it writes every change to ZooKeeper as well. */
  async toDualWrite(): Promise<void> {
    this.#from('zookeeper')
    const { folder, servers } = this.#host.parts
    this.#clusterId = (await this.cluster.tool.brokers()).clusterId
    const controller = await controllerServer(folder, this.#controller(true))
    servers.set('controller', controller)
    await controller.start()
    await this.#roll('migrating')
    const ended = 'Completed migration of metadata from ZooKeeper to KRaft'
    await until('the end of the migration of metadata', () => controller.output.includes(ended), 60_000)
    this.stage = 'dualWrite'
  }

  /** The brokers forget ZooKeeper and follow the controller; ZooKeeper still gets its copy. */
  async brokersToKraft(): Promise<void> {
    this.#from('dualWrite')
    await this.#roll('kraft')
    this.stage = 'kraftBrokers'
  }

  /** The controller forgets ZooKeeper too. There is no way back. */
  async finalize(): Promise<void> {
    this.#from('kraftBrokers')
    const controller = this.#host.server('controller')
    await controller.stop()
    configureController(this.#host.parts.folder, this.#controller(false))
    await controller.start()
    await this.cluster.waitForBrokers([1, 2, 3])
    this.stage = 'finalized'
  }

  /** ZooKeeper is killed, for good. */
  async removeZooKeeper(): Promise<void> {
    this.#from('finalized')
    await this.#host.server('zookeeper').kill()
    this.#host.parts.servers.delete('zookeeper')
    this.stage = 'zookeeperGone'
  }

  dispose(): Promise<void> {
    return this.#host.dispose()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }

  /** One broker at a time, in order, waiting for the replicas in between: two in-sync replicas are always there. */
  async #roll(mode: 'migrating' | 'kraft'): Promise<void> {
    const { folder, plans } = this.#host.parts
    for (const plan of plans) {
      const broker = this.cluster.broker(plan.id)
      await broker.stop()
      plan.mode = mode
      configureBroker(folder, plan)
      await broker.start()
      await this.cluster.waitInSync()
    }
  }

  #controller(migrating: boolean) {
    const { controllerPort, zookeeper } = this.#host.parts
    return { id: controllerId, port: controllerPort, clusterId: this.#clusterId, migratesFrom: migrating ? zookeeper : undefined }
  }

  #from(stage: MigrationStage): void {
    if (this.stage !== stage) throw new Error(`the migration stands at ${this.stage}, and this step goes from ${stage}`)
  }
}
