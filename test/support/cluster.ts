/**
 * A real Kafka cluster for tests: `startCluster()` gives brokers and a ZooKeeper that can be killed, frozen and started again, and Kafka's own
 * clients to make topics and judge what is in them. `Cluster` is the same for one's own and for one that is shared (`use-cluster.ts`).
 */
import { brokerView, coordinatorView, type PartitionView } from './broker-view.ts'
import { ClusterHost } from './cluster-host.ts'
import { KafkaTool, type TopicInfo, type TopicSpec } from './kafka-tool.ts'
import type { ProcessState } from './server-process.ts'
import type { KafkaVersion } from './servers.ts'
import type { ToolCall } from './tool-process.ts'
import { until } from './until.ts'

export interface ClusterOptions {
  /** Default '3.9.1', with ZooKeeper. '4' is in KRaft mode, without. '1.1.1' is an old broker on 3.9.1's ZooKeeper. */
  kafka?: KafkaVersion
  /** Default 3, and 1 for the other versions. In KRaft mode each is a controller too: three survive the loss of any one. */
  brokers?: number
  /** Broker settings beside those of `servers.ts`. */
  config?: Record<string, string>
  /** `broker.rack` of each broker, in order. */
  racks?: readonly string[]
  /** ZooKeeper's tick, ms. Default 500: it grants sessions from 1 to 10 s. */
  zkTickMs?: number
  /** `host:port` of a ZooKeeper that runs already; default: one of its own. */
  zookeeper?: string
  /** Default `/kafka`. */
  chroot?: string
  /** What stands in front of each broker, in order: a second listener named FRONT, whose clients are told the front's port. */
  fronts?: readonly Front[]
}

export interface Front {
  /** On which the broker itself listens for it. */
  behind: number
  /** That which clients are told. */
  advertised: number
}

/** What does not change while a cluster lives. */
export interface ClusterFacts {
  kafka: KafkaVersion
  /** The connect string with the chroot; undefined in KRaft mode. */
  zookeeper: string | undefined
  bootstrap: string[]
  brokers: { id: number; host: string; port: number }[]
  /** 0: there is none, or it is another's. */
  zookeeperPort: number
}

export type ServerAction = 'kill' | 'stop' | 'freeze' | 'thaw' | 'start'

export interface ServerStatus {
  pid: number
  state: ProcessState
}

/** What a `Cluster` stands on: processes of ours, or those of a parent over loopback. */
export interface ClusterControl {
  readonly facts: ClusterFacts
  /** Server names: `zookeeper`, `broker-1` … */
  act(server: string, action: ServerAction): Promise<ServerStatus>
  status(): Promise<Record<string, ServerStatus>>
  readonly tool: ToolCall
  dispose(): Promise<void>
}

/** Starts a cluster; resolves when every broker has said that it is up. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  return Cluster.over(await ClusterHost.start(options))
}

/** A server's handle. Every action resolves when it has come about. */
export class Server {
  readonly name: string
  readonly port: number
  private readonly cluster: Cluster
  private status: ServerStatus

  constructor(cluster: Cluster, name: string, port: number, status: ServerStatus) {
    this.cluster = cluster
    this.name = name
    this.port = port
    this.status = status
  }

  /** -1 while down. */
  get pid(): number {
    return this.status.pid
  }

  get state(): ProcessState {
    return this.status.state
  }

  /** SIGKILL. */
  kill(): Promise<void> {
    return this.act('kill')
  }

  /** SIGTERM, and waits for the orderly end. */
  stop(): Promise<void> {
    return this.act('stop')
  }

  /** SIGSTOP: its connections stay and nothing answers. */
  freeze(): Promise<void> {
    return this.act('freeze')
  }

  /** SIGCONT. */
  thaw(): Promise<void> {
    return this.act('thaw')
  }

  /** Up again on the same port with the same data, after `kill` or `stop`. */
  start(): Promise<void> {
    return this.act('start')
  }

  /** Kills it if it is up, and starts it: same port, same data. */
  async restart(): Promise<void> {
    if (this.state !== 'down') await this.kill()
    await this.start()
  }

  private async act(action: ServerAction): Promise<void> {
    this.cluster.touched = true
    this.status = await this.cluster.control.act(this.name, action)
  }

  /** @internal */
  refresh(statuses: Record<string, ServerStatus>): void {
    this.status = statuses[this.name] ?? this.status
  }
}

export class Broker extends Server {
  readonly id: number
  readonly host: string

  constructor(cluster: Cluster, facts: { id: number; host: string; port: number }, status: ServerStatus) {
    super(cluster, `broker-${facts.id}`, facts.port, status)
    this.id = facts.id
    this.host = facts.host
  }
}

export class Cluster {
  readonly facts: ClusterFacts
  readonly brokers: Broker[]
  /** Kafka's own clients on this cluster. */
  readonly tool: KafkaTool
  /** Whether a server was acted upon since the last `heal`. */
  touched = false
  /** @internal */
  readonly control: ClusterControl
  private readonly zookeeperServer: Server | undefined

  static async over(control: ClusterControl): Promise<Cluster> {
    return new Cluster(control, await control.status())
  }

  private constructor(control: ClusterControl, statuses: Record<string, ServerStatus>) {
    this.control = control
    this.facts = control.facts
    this.tool = new KafkaTool(control.tool)
    this.brokers = control.facts.brokers.map(facts => new Broker(this, facts, statuses[`broker-${facts.id}`]!))
    const status = statuses.zookeeper
    this.zookeeperServer = status ? new Server(this, 'zookeeper', control.facts.zookeeperPort, status) : undefined
  }

  /** ZooKeeper's connect string, chroot included. */
  get zookeeper(): string {
    if (this.facts.zookeeper === undefined) throw new Error(`this cluster (Kafka ${this.facts.kafka}) has no ZooKeeper`)
    return this.facts.zookeeper
  }

  get bootstrap(): string[] {
    return this.facts.bootstrap
  }

  /** The ZooKeeper process. */
  get zk(): Server {
    if (!this.zookeeperServer) throw new Error('this cluster has no ZooKeeper of its own')
    return this.zookeeperServer
  }

  /** All processes: the brokers, and ZooKeeper where it is this cluster's own. */
  get servers(): Server[] {
    return this.zookeeperServer ? [...this.brokers, this.zookeeperServer] : this.brokers
  }

  broker(id: number): Broker {
    const broker = this.brokers.find(each => each.id === id)
    if (!broker) throw new Error(`there is no broker ${id} in this cluster`)
    return broker
  }

  /** Makes a topic and waits until every broker that is up knows it, led and with all its replicas in sync. */
  async createTopic(name: string, spec: TopicSpec = {}): Promise<TopicInfo> {
    await this.createTopics({ [name]: spec })
    return this.tool.describe(name)
  }

  /** Many at once, for one wait. */
  async createTopics(specs: Record<string, TopicSpec>): Promise<void> {
    const replicationFactor = Math.min(3, this.brokers.length)
    await this.tool.createTopics(Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, { replicationFactor, ...spec }])))
    const names = Object.keys(specs)
    await until(`${names} at every broker`, async () =>
      (await this.views(names)).every(({ unknown, partitions }) => unknown === 0 && partitions.length > 0 && partitions.every(whole))
    )
  }

  /** The partition's leader, as soon as every broker that is up names the same one and `accept` accepts it (default: any). */
  waitForLeader(topic: string, partition: number, accept: (leader: number) => boolean = () => true, limitMs = 30_000): Promise<number> {
    return until(
      `a leader of ${topic}-${partition}`,
      async () => {
        const views = await this.views([topic])
        const leaders = new Set(views.map(view => view.partitions.find(each => each.partition === partition)?.leader ?? -1))
        const [leader = -1] = leaders
        return leaders.size === 1 && leader >= 0 && accept(leader) ? leader : undefined
      },
      limitMs
    )
  }

  /** Until exactly these brokers are in sync for the partition. */
  waitForIsr(topic: string, partition: number, ids: number[], limitMs = 30_000): Promise<number[]> {
    const wanted = [...ids].sort().join()
    return until(
      `in-sync replicas ${wanted} of ${topic}-${partition}`,
      async () => {
        const isr = (await this.tool.describe(topic)).partitions[partition]?.isr ?? []
        return [...isr].sort().join() === wanted ? isr : undefined
      },
      limitMs
    )
  }

  /** The broker that coordinates a group of Kafka's, as soon as every broker that is up names the same one and `accept` accepts it. */
  async coordinatorOf(group: string, accept: (broker: Broker) => boolean = () => true, limitMs = 30_000): Promise<Broker> {
    const up = () => this.brokers.filter(broker => broker.state === 'up')
    return until(
      `a coordinator of ${group}`,
      async () => {
        const nodes = await Promise.all(up().map(({ host, port }) => coordinatorView(host, port, group)))
        const [node] = nodes
        return node !== undefined && nodes.every(each => each === node) && accept(this.broker(node)) && this.broker(node)
      },
      limitMs
    )
  }

  /** Until exactly these brokers are registered. */
  waitForBrokers(ids: number[], limitMs = 30_000): Promise<unknown> {
    const wanted = [...ids].sort().join()
    return until(`brokers ${wanted}`, async () => (await this.tool.brokers()).ids.join() === wanted, limitMs)
  }

  /** Hands a partition's leadership to one of its replicas and waits until that one has it. */
  async moveLeader(topic: string, partition: number, leader: number): Promise<void> {
    const { replicas } = (await this.tool.describe(topic)).partitions[partition]!
    await this.tool.reassign(topic, partition, [leader, ...replicas.filter(id => id !== leader)])
    await this.tool.electLeaders({ topic, partition })
    await this.waitForLeader(topic, partition, id => id === leader)
  }

  /** Back to a whole cluster, whatever a test did to it: all servers up, all replicas in sync, leaders where they belong. */
  async heal(): Promise<void> {
    const statuses = await this.control.status()
    for (const server of this.servers) server.refresh(statuses)
    if (statuses.zookeeper && this.zookeeperServer?.state !== 'up') await this.zookeeperServer?.start()
    await Promise.all(this.brokers.filter(broker => broker.state !== 'up').map(broker => broker.start()))
    await this.waitForBrokers(
      this.brokers.map(broker => broker.id),
      60_000
    )
    await this.waitInSync()
    // Elections on demand came with Kafka 2.2; a cluster of one broker needs none.
    if (this.brokers.length > 1 && this.facts.kafka !== '1.1.1') {
      await this.tool.electLeaders('all')
      // The election is answered when the controller knows; the other brokers hear of it after that.
      await this.waitForPartitions('led by the preferred replica', each => each.leader === each.replicas[0])
    }
    this.touched = false
  }

  /** Until every broker says that every partition is led and has all its replicas in sync. */
  waitInSync(): Promise<void> {
    return this.waitForPartitions('in sync', whole)
  }

  /** Ends every process of the cluster and removes its data. A shared cluster stays up. */
  dispose(): Promise<void> {
    return this.control.dispose()
  }

  /** Until every broker says so of every partition. */
  private async waitForPartitions(what: string, accept: (partition: PartitionView) => boolean): Promise<void> {
    const limitMs = 60_000
    let missing: string[] = []
    try {
      await until(
        what,
        async () => {
          // Asked anew each time: a topic may be on its way out.
          const views = await this.views(await this.tool.topics({ internal: true }))
          missing = views.flatMap(({ partitions }) => partitions.filter(each => !accept(each)).map(told))
          return missing.length === 0 && views.every(view => view.unknown === 0)
        },
        limitMs
      )
    } catch (error) {
      throw new Error(`not ${what} after ${limitMs / 1000} s: ${missing.join(', ') || 'a broker does not know a topic'}`, { cause: error })
    }
  }

  /** What each broker that is up knows of these topics. */
  private views(topics: string[]) {
    return Promise.all(this.brokers.filter(broker => broker.state === 'up').map(({ host, port }) => brokerView(host, port, topics)))
  }
}

/** Led, and every replica in sync. */
function whole({ leader, isr, replicas }: PartitionView): boolean {
  return leader >= 0 && isr.length === replicas.length
}

function told({ topic, partition, leader, replicas, isr }: PartitionView): string {
  return `${topic}-${partition} (leader ${leader}, replicas ${replicas}, in sync ${isr})`
}
