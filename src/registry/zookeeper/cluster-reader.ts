/**
 * Reads what there is once per cluster, and keeps it up to date: live brokers, the controller, the cluster id, the names of all topics.
 */
import { RegistryError } from '../../model/errors.ts'
import type { World } from '../../model/world.ts'
import type { BrokerInfo } from '../registry.ts'
import { brokerIdPath, brokerIdsPath, chooseEndpoint, parseBrokerId, parseBrokerRegistration } from '../znodes/broker.ts'
import { clusterIdPath, controllerPath, parseClusterId, parseController } from '../znodes/cluster.ts'
import { invalidZnode } from '../znodes/fields.ts'
import { isTopicName, topicPath, topicsPath } from '../znodes/topic.ts'
import { isZooKeeperError } from './errors.ts'
import { Lanes, Level, readChildren, readData } from './level.ts'
import type { Reporter } from './reporter.ts'
import type { Stat, Watch, ZooKeeperSession } from './session.ts'

const readsAtOnce = 64
/** More live brokers than Kafka can govern: what lies beyond is quarantined, so that memory stays bounded. */
const maxBrokers = 10_000

interface KnownBroker {
  /** Its node has to be read (again). */
  dirty: boolean
  /** The last good registration. */
  info: BrokerInfo | undefined
  watch: Watch
}

export interface ClusterReaderOptions {
  listenerName: string | null
  /** Nothing of Kafka is under the chroot, and never was as long as this reader lives. */
  notKafka(): void
}

export class ClusterReader {
  readonly #reporter: Reporter
  readonly #options: ClusterReaderOptions
  readonly #lanes = new Lanes(readsAtOnce)
  readonly #brokers = new Map<number, KnownBroker>()
  readonly #brokersLevel: Level
  readonly #controllerLevel: Level
  readonly #clusterIdLevel: Level
  readonly #topicsLevel: Level
  #session: ZooKeeperSession | undefined
  #sawBrokerIds = false
  #watchingTopics = false
  #asked = new Set<'brokers' | 'controller' | 'cluster' | 'topics'>()

  constructor(world: World, reporter: Reporter, options: ClusterReaderOptions) {
    this.#reporter = reporter
    this.#options = options
    const trouble = reporter.trouble.bind(reporter)
    this.#brokersLevel = new Level(world, (session, current) => this.#readBrokers(session, current), trouble)
    this.#controllerLevel = new Level(world, (session, current) => this.#readController(session, current), trouble)
    this.#clusterIdLevel = new Level(world, (session, current) => this.#readClusterId(session, current), trouble)
    this.#topicsLevel = new Level(world, (session, current) => this.#readTopics(session, current), trouble)
  }

  attach(session: ZooKeeperSession): void {
    this.#session = session
    this.#allDirty()
    for (const level of this.#levels()) level.attach(session)
  }

  detach(): void {
    this.#session = undefined
    for (const level of [...this.#levels(), this.#topicsLevel]) level.detach()
  }

  watchTopics(): void {
    if (this.#watchingTopics) return
    this.#watchingTopics = true
    if (this.#session) this.#topicsLevel.attach(this.#session)
  }

  /** `ask`: tell all levels even when they have not changed. */
  refresh(ask: boolean): void {
    this.#allDirty()
    if (ask) for (const what of ['brokers', 'controller', 'cluster', 'topics'] as const) this.#asked.add(what)
    for (const level of this.#levels()) level.poke()
  }

  #levels(): Level[] {
    const always = [this.#brokersLevel, this.#controllerLevel, this.#clusterIdLevel]
    return this.#watchingTopics ? [...always, this.#topicsLevel] : always
  }

  #allDirty(): void {
    for (const broker of this.#brokers.values()) broker.dirty = true
  }

  readonly #brokersChanged = () => this.#brokersLevel.poke()
  readonly #controllerChanged = () => this.#controllerLevel.poke()
  readonly #clusterIdChanged = () => this.#clusterIdLevel.poke()
  readonly #topicsChanged = () => this.#topicsLevel.poke()

  async #readBrokers(session: ZooKeeperSession, current: () => boolean): Promise<void> {
    const children = await readChildren(session, brokerIdsPath, this.#brokersChanged)
    if (!current()) return
    if (children === undefined && !this.#sawBrokerIds) return this.#options.notKafka()
    this.#sawBrokerIds = true
    this.#keepOnly(this.#brokerIds(children ?? []))
    const dirty = [...this.#brokers].filter(([, broker]) => broker.dirty)
    await Promise.all(dirty.map(([id, broker]) => this.#lanes.run(() => this.#readBroker(session, current, id, broker))))
    if (current()) this.#tellBrokers()
  }

  /** Ids that are none, and those beyond the limit, are quarantined. */
  #brokerIds(children: string[]): Set<number> {
    const ids = children.flatMap(child => this.#brokerId(child) ?? [])
    if (ids.length > maxBrokers) {
      this.#reporter.quarantine(brokerIdsPath, invalidZnode(brokerIdsPath, `has ${ids.length} children, more than ${maxBrokers}`))
    } else this.#reporter.release(brokerIdsPath)
    return new Set(ids.sort((a, b) => a - b).slice(0, maxBrokers))
  }

  #brokerId(child: string): number | undefined {
    try {
      return parseBrokerId(child)
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error
      this.#reporter.quarantine(`${brokerIdsPath}/${child.slice(0, 300)}`, error)
      return undefined
    }
  }

  #keepOnly(ids: Set<number>): void {
    for (const id of [...this.#brokers.keys()]) if (!ids.has(id)) this.#drop(id)
    for (const id of ids) {
      if (this.#brokers.has(id)) continue
      const broker: KnownBroker = {
        dirty: true,
        info: undefined,
        watch: () => {
          broker.dirty = true
          this.#brokersLevel.poke()
        }
      }
      this.#brokers.set(id, broker)
    }
  }

  #drop(id: number): void {
    this.#brokers.delete(id)
    this.#reporter.release(brokerIdPath(id))
  }

  async #readBroker(session: ZooKeeperSession, current: () => boolean, id: number, broker: KnownBroker): Promise<void> {
    // Cleared before the read: a watch that fires meanwhile sets it again.
    broker.dirty = false
    let found: { data: Buffer; stat: Stat }
    try {
      found = await session.getData(brokerIdPath(id), broker.watch)
    } catch (error) {
      broker.dirty = true
      if (!isZooKeeperError(error, 'ZK_NO_NODE')) throw error
      // Gone since its parent was read; the watch on the parent has fired or will.
      if (current() && this.#brokers.get(id) === broker) this.#drop(id)
      return
    }
    if (!current()) return
    broker.info = this.#reporter.judge(brokerIdPath(id), () => this.#brokerInfo(id, found)) ?? broker.info
  }

  #brokerInfo(id: number, { data, stat }: { data: Buffer; stat: Stat }): BrokerInfo {
    const registration = parseBrokerRegistration(id, data)
    const { host, port } = chooseEndpoint(registration, this.#options.listenerName)
    return { id, host, port, rack: registration.rack, epoch: String(stat.czxid) }
  }

  #tellBrokers(): void {
    const ids = [...this.#brokers.keys()].sort((a, b) => a - b)
    const brokers = ids.flatMap(id => this.#brokers.get(id)?.info ?? [])
    const quarantined = ids.map(brokerIdPath).filter(path => this.#reporter.isQuarantined(path))
    this.#reporter.level('brokers', { type: 'brokers', brokers, quarantined }, this.#asked.delete('brokers'))
  }

  async #readController(session: ZooKeeperSession, current: () => boolean): Promise<void> {
    const found = await readData(session, controllerPath, this.#controllerChanged)
    if (!current()) return
    if (!found) this.#reporter.release(controllerPath)
    const controller = found && this.#reporter.judge(controllerPath, () => parseController(found.data))
    if (found && !controller) return
    this.#reporter.level('controller', { type: 'controller', brokerId: controller?.brokerId ?? null }, this.#asked.delete('controller'))
  }

  async #readClusterId(session: ZooKeeperSession, current: () => boolean): Promise<void> {
    const found = await readData(session, clusterIdPath, this.#clusterIdChanged)
    if (!current()) return
    const clusterId = found ? this.#reporter.judge(clusterIdPath, () => parseClusterId(found.data)) : null
    if (clusterId === undefined) return
    this.#reporter.level('cluster', { type: 'cluster', clusterId }, this.#asked.delete('cluster'))
  }

  async #readTopics(session: ZooKeeperSession, current: () => boolean): Promise<void> {
    const names = (await readChildren(session, topicsPath, this.#topicsChanged)) ?? []
    if (!current()) return
    const topics = names.filter(isTopicName)
    for (const name of names) if (!isTopicName(name)) this.#reporter.quarantine(topicPath(name.slice(0, 300)), noTopicName(name))
    this.#reporter.level('topics', { type: 'topics', topics: topics.sort() }, this.#asked.delete('topics'))
  }
}

function noTopicName(name: string): RegistryError {
  return invalidZnode(topicsPath, `has a child ${JSON.stringify(name.slice(0, 120))}, which no topic can be called`)
}
