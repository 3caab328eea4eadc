/**
 * The real three-broker cluster of the fault table, with a proxy in front of each broker and of ZooKeeper: where every row takes place, one after the other.
 */
import { Cluster } from '../support/cluster.ts'
import { ClusterHost } from '../support/cluster-host.ts'
import { freePort } from '../support/ports.ts'
import { ZooKeeperProxy } from '../support/zookeeper-proxy.ts'
import { FrontProxy } from './front.ts'

const BROKERS = 3
/** As in `servers.ts`. */
const OFFSETS_PARTITIONS = 6
export const OFFSETS_TOPIC = '__consumer_offsets'

/** Brokers by what they are for a row: all three are different ones. Each leads its share of the topic. */
export interface Roles {
  controller: number
  /** Of the row's groups. */
  coordinator: number
  /** Nothing but a leader. */
  leader: number
}

export class Ground {
  readonly cluster: Cluster
  /** Where the brokers' data lies. */
  readonly folder: string
  /** By broker. */
  readonly fronts: Map<number, FrontProxy>
  readonly zookeeperFront: ZooKeeperProxy

  static async start(): Promise<Ground> {
    const behind: number[] = []
    const fronts = new Map<number, FrontProxy>()
    for (let id = 1; id <= BROKERS; id++) {
      behind.push(await freePort())
      fronts.set(id, await FrontProxy.start(await freePort(), behind[id - 1]!))
    }
    const host = await ClusterHost.start({
      fronts: behind.map((port, index) => ({ behind: port, advertised: fronts.get(index + 1)!.port }))
    })
    const cluster = await Cluster.over(host)
    // Asked for a coordinator, the brokers make the topic of offsets.
    await cluster.coordinatorOf('first')
    await cluster.waitInSync()
    return new Ground(cluster, host.folder, fronts, await ZooKeeperProxy.start(cluster.zk.port))
  }

  private constructor(cluster: Cluster, folder: string, fronts: Map<number, FrontProxy>, zookeeperFront: ZooKeeperProxy) {
    this.cluster = cluster
    this.folder = folder
    this.fronts = fronts
    this.zookeeperFront = zookeeperFront
  }

  /** Brokers as clients find them behind the proxies. */
  get frontAddresses(): string {
    return [...this.fronts.values()].map(({ port }) => `127.0.0.1:${port}`).join(',')
  }

  /** ZooKeeper's connect string by its proxy. */
  get zookeeperByFront(): string {
    const { zookeeper } = this.cluster
    return `127.0.0.1:${this.zookeeperFront.port}${zookeeper.slice(zookeeper.indexOf('/'))}`
  }

  /** A broker advertises another port, and its old one is closed; answers with both. */
  async moveFront(broker: number, port: number): Promise<[before: number, now: number]> {
    const front = this.fronts.get(broker)!
    const moved = await FrontProxy.start(port, front.behind)
    const own = `PLAINTEXT://127.0.0.1:${this.cluster.broker(broker).port}`
    await this.cluster.tool.alterConfig({ broker }, { 'advertised.listeners': `${own},FRONT://127.0.0.1:${moved.port}` })
    this.fronts.set(broker, moved)
    const before = front.port
    await front.close()
    return [before, moved.port]
  }

  async roles(): Promise<Roles> {
    const { controller } = await this.cluster.tool.brokers()
    const [coordinator, leader] = this.cluster.brokers.map(({ id }) => id).filter(id => id !== controller)
    return { controller, coordinator: coordinator!, leader: leader! }
  }

  /** A name like this whose group that broker coordinates, now: all of them in the same partition of offsets. */
  async groupOn(broker: number, prefix: string): Promise<string> {
    const { partitions } = await this.cluster.tool.describe(OFFSETS_TOPIC)
    const own = partitions.find(({ leader }) => leader === broker)
    if (!own) throw new Error(`broker ${broker} leads no partition of ${OFFSETS_TOPIC}`)
    for (let number = 0; ; number++) if (coordinatingPartition(`${prefix}-${number}`) === own.partition) return `${prefix}-${number}`
  }

  /** Whole again, whatever a row has done. */
  async heal(): Promise<void> {
    for (const front of this.fronts.values()) front.heal()
    this.zookeeperFront.refuse(false)
    this.zookeeperFront.silence(false)
    if (this.cluster.touched) await this.cluster.heal()
  }

  async dispose(): Promise<void> {
    await this.cluster.dispose()
    await this.zookeeperFront.close()
    for (const front of this.fronts.values()) await front.close()
  }
}

/** Java's `Math.abs(group.hashCode()) % partitions`. */
export function coordinatingPartition(group: string): number {
  let hash = 0
  for (let i = 0; i < group.length; i++) hash = (Math.imul(hash, 31) + group.charCodeAt(i)) | 0
  return (hash === -2_147_483_648 ? 0 : Math.abs(hash)) % OFFSETS_PARTITIONS
}
