/**
 * ZooKeeper as the source of brokers, topics and leaders, and the brokers' own Metadata where ZooKeeper falls silent or falls behind: a cluster
 * that is migrated to KRaft goes on under the same address. Whoever speaks, the higher leader epoch wins.
 *
 *   zookeeper ──silent for a while, or it lists fewer brokers than the brokers do──► metadata ──ZooKeeper lists them all again──► zookeeper
 *                                                                                      │ a broker runs in KRaft mode
 *                                                                                      ▼
 *                                                          migrated ──ZooKeeper is silent for long──► gone (its sessions end)
 */
import type { Timer, World } from '../model/world.ts'
import type { Registry, RegistryEvent, RegistryListener } from './registry.ts'
import type { ZooKeeperSession } from './zookeeper/session.ts'

type Source = 'zookeeper' | 'metadata' | 'migrated' | 'gone'

export interface FallbackOptions {
  world: World
  zookeeper: Registry
  /** Asks the brokers' Metadata. Started when it is needed. */
  metadata: Registry
  /** There is a broker, or an address of one, that can be asked. */
  canAsk: () => boolean
  /** Does a broker run without ZooKeeper? Rejects when none could be asked. */
  isKRaft: () => Promise<boolean>
  /** ZooKeeper may be silent for this long before Metadata stands in; at the very beginning for `firstWaitMs`. */
  silentMs: number
  firstWaitMs: number
  /** Silent for this long in a migrated cluster, it counts as gone; never heard of at all, for a third of that. */
  goneMs: number
}

/** How often the two are compared, and how many times in a row the brokers must know of more before they are believed. */
const COMPARE_MS = 1_000
const COMPARISONS = 3

export class FallbackRegistry implements Registry {
  readonly #options: FallbackOptions
  #listener: RegistryListener = () => {}
  #source: Source = 'zookeeper'
  #started = false
  #ended = false
  /** Since when ZooKeeper is silent; undefined: it is not. */
  #silentSinceMs: number | undefined
  #everHeard = false
  #brokers = { zookeeper: new Set<number>(), metadata: new Set<number>() }
  /** Comparisons in a row that found brokers of which ZooKeeper does not know. */
  #behind = 0
  #comparing = false
  #timers = new Map<'silent' | 'compare' | 'gone', Timer>()
  #goneListeners = new Set<() => void>()

  constructor(options: FallbackOptions) {
    this.#options = options
  }

  start(listener: RegistryListener): void {
    this.#listener = listener
    this.#silent(this.#options.firstWaitMs)
    this.#options.zookeeper.start(event => this.#fromZooKeeper(event))
  }

  watchTopics(): void {
    this.#both(registry => registry.watchTopics())
  }

  watchTopic(topic: string): void {
    this.#both(registry => registry.watchTopic(topic))
  }

  unwatchTopic(topic: string): void {
    this.#both(registry => registry.unwatchTopic(topic))
  }

  refresh(topic?: string): void {
    if (this.#source === 'zookeeper') this.#options.zookeeper.refresh(topic)
    else this.#options.metadata.refresh(topic)
  }

  brokerUnreachable(): void {
    if (this.#source !== 'zookeeper') this.#options.metadata.brokerUnreachable?.()
  }

  async close(): Promise<void> {
    this.#ended = true
    for (const name of [...this.#timers.keys()]) this.#clear(name)
    await Promise.all([this.#options.zookeeper.close(), this.#options.metadata.close()])
    this.#listener({ type: 'session', state: 'closed' })
  }

  currentSession(): ZooKeeperSession | undefined {
    return this.#source === 'gone' ? undefined : this.#options.zookeeper.currentSession?.()
  }

  onSession(listener: (session: ZooKeeperSession) => void): () => void {
    return this.#options.zookeeper.onSession?.(listener) ?? (() => {})
  }

  /** The brokers run without ZooKeeper; groups may still meet there. */
  get brokersWithoutZooKeeper(): boolean {
    return this.#source === 'migrated' || this.#source === 'gone'
  }

  /** The brokers run without ZooKeeper, and it has not been reached for long: what lived there lives in Kafka now, or nowhere. */
  get zooKeeperGone(): boolean {
    return this.#source === 'gone'
  }

  /** Called once when it is gone. Returns what removes the listener. */
  onZooKeeperGone(listener: () => void): () => void {
    this.#goneListeners.add(listener)
    return () => void this.#goneListeners.delete(listener)
  }

  /** Metadata is told what is watched from the beginning; it asks for it once it is started. */
  #both(call: (registry: Registry) => void): void {
    call(this.#options.zookeeper)
    call(this.#options.metadata)
  }

  #fromZooKeeper(event: RegistryEvent): void {
    if (this.#ended || this.#source === 'gone') return
    const speaks = this.#source === 'zookeeper'
    if (event.type === 'session') {
      if (event.state === 'connected' || event.state === 'reconnected') this.#heard()
      else if (event.state !== 'closed') this.#silent(this.#options.silentMs)
      if (this.#source !== 'migrated' && event.state !== 'closed') this.#listener(event)
      return
    }
    if (event.type === 'failed' && this.#options.canAsk()) {
      this.#listener({ type: 'trouble', error: event.error })
      this.#fallBack(`ZooKeeper cannot be used: ${event.error.message}`)
      return
    }
    if (event.type === 'brokers') {
      this.#compareSoon(event.brokers.map(({ id }) => id))
      // A list without any broker ends every connection: first it is asked whether that is so.
      if (event.brokers.length === 0 && this.#options.canAsk()) return this.#fallBack('ZooKeeper lists no broker any more')
    }
    if (speaks || event.type === 'cluster') this.#listener(event)
  }

  #fromMetadata(event: RegistryEvent): void {
    if (this.#ended) return
    if (event.type === 'brokers') this.#brokers.metadata = new Set(event.brokers.map(({ id }) => id))
    // Nobody answers any more: what the brokers have said of one another says nothing against ZooKeeper's list of now.
    if (event.type === 'session' && event.state === 'suspended') {
      this.#brokers.metadata.clear()
      this.#compare('the brokers cannot be asked, and ZooKeeper lists some')
    }
    // Its session is no session: what the supervisor hears of is ZooKeeper's.
    if (event.type !== 'session' && this.#source !== 'zookeeper') this.#listener(event)
  }

  // ── silence ──

  #heard(): void {
    this.#everHeard = true
    this.#silentSinceMs = undefined
    this.#clear('silent')
    this.#clear('gone')
  }

  #silent(limitMs: number): void {
    const { world } = this.#options
    if (this.#silentSinceMs !== undefined) return
    this.#silentSinceMs = world.monotonicMs()
    this.#after('silent', limitMs, () => this.#stillSilent(limitMs))
    if (this.#source === 'migrated') this.#watchForTheEnd()
  }

  #stillSilent(limitMs: number): void {
    const { canAsk } = this.#options
    if (this.#source === 'zookeeper' && canAsk()) this.#fallBack('ZooKeeper has not been reached for a while')
    else if (this.#source === 'zookeeper') this.#after('silent', limitMs, () => this.#stillSilent(limitMs))
  }

  // ── comparing ──

  /** ZooKeeper has said who is there: fewer than before is worth a look at what the brokers say. */
  #compareSoon(ids: number[]): void {
    const before = this.#brokers.zookeeper
    const fewer = [...before].some(id => !ids.includes(id))
    this.#brokers.zookeeper = new Set(ids)
    if (this.#source !== 'zookeeper') return this.#compare()
    if (!fewer || this.#comparing || !this.#options.canAsk()) return
    this.#comparing = true
    this.#behind = 0
    this.#startMetadata()
    this.#compareLater(COMPARISONS)
  }

  #compareLater(times: number): void {
    this.#options.metadata.refresh()
    this.#after('compare', COMPARE_MS, () => {
      if (this.#missing().length > 0) this.#behind++
      else this.#behind = 0
      if (this.#source === 'zookeeper' && this.#behind >= COMPARISONS)
        this.#fallBack(`ZooKeeper does not list these brokers, which the others do: ${this.#missing().join(', ')}`)
      else if (this.#source === 'zookeeper' && (times > 1 || this.#behind > 0)) this.#compareLater(times - 1)
      else this.#comparing = false
    })
  }

  /** Brokers of which the brokers know and ZooKeeper does not. */
  #missing(): number[] {
    return [...this.#brokers.metadata].filter(id => !this.#brokers.zookeeper.has(id))
  }

  // ── changing over ──

  #fallBack(reason: string): void {
    if (this.#source !== 'zookeeper') return
    this.#source = 'metadata'
    this.#comparing = false
    this.#startMetadata()
    this.#listener({ type: 'source', source: 'metadata', reason })
    this.#options.metadata.refresh()
    this.#lookForKRaft()
  }

  /** While Metadata stands in: is ZooKeeper whole again, or has the cluster left it? */
  #compare(reason = 'ZooKeeper lists all brokers again'): void {
    if (this.#source !== 'metadata' || this.#silentSinceMs !== undefined) return
    if (this.#brokers.zookeeper.size === 0 || this.#missing().length > 0) return
    this.#source = 'zookeeper'
    this.#clear('compare')
    this.#listener({ type: 'source', source: 'zookeeper', reason })
    this.#options.zookeeper.refresh()
  }

  #lookForKRaft(): void {
    if (this.#source !== 'metadata') return
    const again = () => {
      if (this.#ended || this.#source !== 'metadata') return
      this.#options.metadata.refresh()
      this.#after('compare', COMPARE_MS, () => {
        this.#compare()
        this.#lookForKRaft()
      })
    }
    this.#options.isKRaft().then(kraft => (kraft ? this.#migrated() : again()), again)
  }

  #migrated(): void {
    if (this.#ended || this.#source !== 'metadata') return
    this.#source = 'migrated'
    this.#clear('compare')
    const detail = 'the brokers run without ZooKeeper (KRaft); their Metadata tells from now on'
    this.#listener({ type: 'source', source: 'metadata', reason: detail })
    this.#listener({ type: 'session', state: 'connected', detail })
    if (this.#silentSinceMs !== undefined) this.#watchForTheEnd()
  }

  /** Groups that still meet in ZooKeeper are told when there is nothing left to wait for. */
  #watchForTheEnd(): void {
    const { goneMs } = this.#options
    this.#after('gone', this.#everHeard ? goneMs : goneMs / 3, () => {
      this.#source = 'gone'
      void this.#options.zookeeper.close()
      this.#listener({ type: 'source', source: 'metadata', reason: 'ZooKeeper is gone' })
      for (const listener of [...this.#goneListeners]) listener()
    })
  }

  #startMetadata(): void {
    if (this.#started) return
    this.#started = true
    this.#options.metadata.start(event => this.#fromMetadata(event))
  }

  #after(name: 'silent' | 'compare' | 'gone', ms: number, then: () => void): void {
    this.#clear(name)
    this.#timers.set(name, this.#options.world.setTimer(then, ms))
  }

  #clear(name: 'silent' | 'compare' | 'gone'): void {
    const timer = this.#timers.get(name)
    if (timer) this.#options.world.clearTimer(timer)
    this.#timers.delete(name)
  }
}
