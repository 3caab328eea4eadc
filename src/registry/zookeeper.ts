/**
 * The registry over ZooKeeper: the brokers, topics and leaders of the Kafka cluster under a chroot, by watches that are re-armed and
 * re-read. It makes a new session when one has expired, and reads everything again with it.
 */
import { type PlainError, plainError, SamsaError, UsageError } from '../model/errors.ts'
import type { Timer, World } from '../model/world.ts'
import type { Registry, RegistryListener } from './registry.ts'
import { isTopicName } from './znodes/topic.ts'
import { notKafkaError } from './zookeeper/chroot.ts'
import { ClusterReader } from './zookeeper/cluster-reader.ts'
import { parseConnectString } from './zookeeper/connect-string.ts'
import { Lanes } from './zookeeper/level.ts'
import { openSession, type SessionOptions } from './zookeeper/open-session.ts'
import { Reporter } from './zookeeper/reporter.ts'
import type { SessionEvent, ZooKeeperSession } from './zookeeper/session.ts'
import { TopicReader } from './zookeeper/topic-reader.ts'

export interface ZooKeeperRegistryOptions extends SessionOptions {
  /** Which of a broker's listeners to dial. Default: the first whose protocol is PLAINTEXT. */
  listenerName?: string | null
  /** Everything is read again this often, with jitter, in case a watch was missed. Default 60,000; 0: never. */
  levelRefreshMs?: number
}

const firstNewSessionMs = 100
const longestNewSessionMs = 5_000
const topicReadsAtOnce = 64

export class ZooKeeperRegistry implements Registry {
  readonly #world: World
  readonly #options: ZooKeeperRegistryOptions
  readonly #lanes = new Lanes(topicReadsAtOnce)
  readonly #topics = new Map<string, TopicReader>()
  readonly #sessionListeners = new Set<(session: ZooKeeperSession) => void>()
  readonly #reporter = new Reporter()
  readonly #cluster: ClusterReader
  #session: ZooKeeperSession | undefined
  /** The session that the readers use: it has been connected. */
  #live: ZooKeeperSession | undefined
  #lostSessions = 0
  #newSessionTimer: Timer | undefined
  #refreshTimer: Timer | undefined
  #looking = false
  #ended = false
  #closing: Promise<void> | undefined

  /** @throws ZooKeeperError ZK_INVALID_CONNECT_STRING */
  constructor(world: World, options: ZooKeeperRegistryOptions) {
    parseConnectString(options.connectString)
    this.#world = world
    this.#options = options
    this.#cluster = new ClusterReader(world, this.#reporter, {
      listenerName: options.listenerName ?? null,
      notKafka: () => void this.#notKafka()
    })
  }

  start(listener: RegistryListener): void {
    if (this.#reporter.isListening) throw new UsageError('REGISTRY_STARTED', 'A registry starts once; make another one.')
    this.#reporter.listen(listener)
    this.#world.defer(() => this.#newSession())
    this.#scheduleRefresh()
  }

  watchTopics(): void {
    this.#cluster.watchTopics()
  }

  watchTopic(topic: string): void {
    if (this.#ended || this.#topics.has(topic)) return
    if (!isTopicName(topic)) throw new UsageError('INVALID_TOPIC', `${JSON.stringify(topic).slice(0, 120)} is not a topic name.`)
    const reader = new TopicReader(this.#world, this.#reporter, this.#lanes, topic)
    this.#topics.set(topic, reader)
    if (this.#live) reader.attach(this.#live)
  }

  unwatchTopic(topic: string): void {
    this.#topics.get(topic)?.end()
    this.#topics.delete(topic)
  }

  refresh(topic?: string): void {
    if (topic !== undefined) this.#topics.get(topic)?.refresh(true)
    else this.#refreshAll(true)
  }

  currentSession(): ZooKeeperSession | undefined {
    return this.#session
  }

  onSession(listener: (session: ZooKeeperSession) => void): () => void {
    this.#sessionListeners.add(listener)
    if (this.#session) this.#tell(listener, this.#session)
    return () => void this.#sessionListeners.delete(listener)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const session = this.#session
    this.#end()
    await session?.close()
    this.#reporter.emit({ type: 'session', state: 'closed' })
    this.#reporter.silence()
  }

  /** Stops everything of ours; the session itself is closed by whoever calls this. */
  #end(): void {
    this.#ended = true
    this.#detach()
    for (const timer of [this.#newSessionTimer, this.#refreshTimer]) if (timer) this.#world.clearTimer(timer)
    this.#session = undefined
  }

  #newSession(): void {
    if (this.#ended) return
    const session = openSession(this.#world, this.#options)
    this.#session = session
    this.#reporter.emit({ type: 'session', state: 'connecting' })
    session.on(event => {
      if (session === this.#session) this.#sessionEvent(session, event)
    })
    for (const listener of [...this.#sessionListeners]) this.#tell(listener, session)
  }

  #tell(listener: (session: ZooKeeperSession) => void, session: ZooKeeperSession): void {
    try {
      listener(session)
    } catch (error) {
      this.#reporter.trouble(
        new SamsaError('LISTENER_THREW', `A listener of sessions threw: ${plainError(error).message}`, { cause: error })
      )
    }
  }

  #sessionEvent(session: ZooKeeperSession, event: SessionEvent): void {
    const reporter = this.#reporter
    switch (event.type) {
      case 'connected':
        reporter.emit({ type: 'session', state: 'connected', sessionTimeoutMs: event.negotiatedTimeoutMs, detail: event.server })
        this.#lostSessions = 0
        this.#attach(session)
        return
      case 'suspended':
        reporter.emit({ type: 'session', state: 'suspended', detail: event.reason.message })
        return
      case 'reconnected':
        reporter.emit({ type: 'session', state: 'reconnected', sessionTimeoutMs: event.negotiatedTimeoutMs, detail: event.server })
        return
      case 'expired':
        this.#sessionLost(event.by)
        return
      case 'failed':
        this.#failed(event.error)
        return
      case 'trouble':
        reporter.emit({ type: 'trouble', error: event.error })
        return
      case 'closed':
        // Somebody else closed our session: for us that is a loss like any other.
        this.#sessionLost('closed from outside')
    }
  }

  #attach(session: ZooKeeperSession): void {
    this.#live = session
    this.#cluster.attach(session)
    for (const topic of this.#topics.values()) topic.attach(session)
  }

  #detach(): void {
    this.#live = undefined
    this.#cluster.detach()
    for (const topic of this.#topics.values()) topic.detach()
  }

  #sessionLost(by: string): void {
    this.#session = undefined
    this.#detach()
    this.#reporter.emit({ type: 'session', state: 'expired', detail: by })
    const limitMs = Math.min(longestNewSessionMs, firstNewSessionMs * 2 ** Math.min(this.#lostSessions, 10))
    this.#lostSessions++
    this.#newSessionTimer = this.#world.setTimer(() => this.#newSession(), limitMs * this.#world.random())
  }

  /** For good: says why, and nothing after it. */
  #failed(error: PlainError): void {
    if (this.#ended) return
    this.#end()
    this.#reporter.emit({ type: 'failed', error })
  }

  async #notKafka(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    const session = this.#session
    const error = await notKafkaError(this.#world, this.#options)
    if (this.#ended) return
    this.#failed(error.toJSON())
    await session?.close()
  }

  #scheduleRefresh(): void {
    const everyMs = this.#options.levelRefreshMs ?? 60_000
    if (everyMs === 0) return
    const delayMs = everyMs * (0.8 + this.#world.random() * 0.4)
    this.#refreshTimer = this.#world.setTimer(() => {
      this.#refreshAll(false)
      this.#scheduleRefresh()
    }, delayMs)
  }

  #refreshAll(ask: boolean): void {
    this.#cluster.refresh(ask)
    for (const topic of this.#topics.values()) topic.refresh(ask)
  }
}
