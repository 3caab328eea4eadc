/**
 * The registry over the brokers' own Metadata, for clusters without ZooKeeper. It holds no socket: whoever makes it gives `ask`.
 *
 *   watch, refresh ──► wanted ──► asking ──► told ──metadataMaxAgeMs──► everything is wanted
 *                        ▲          │ │  └── a topic is missing, or a leader: it is asked for again after a pause
 *                        └─ pause ──┘ failed: `trouble`, and `session suspended` when it worked before
 */
import { type PlainError, plainError, RegistryError, TimeoutError, UsageError } from '../model/errors.ts'
import type { Timer, World } from '../model/world.ts'
import { type MetadataResponse, metadataLevels } from './metadata/levels.ts'
import { QuestionClock } from './metadata/question-clock.ts'
import type { Registry, RegistryEvent, RegistryListener } from './registry.ts'
import { isTopicName } from './znodes/topic.ts'
import { Reporter } from './zookeeper/reporter.ts'

export interface BootstrapRegistryOptions {
  /**
   * Asks any live broker, or one of the bootstrap addresses: Metadata of these topics; of none, for brokers and controller alone;
   * null: of all topics. Must not create topics. A rejection is told as trouble and leads to another try.
   */
  ask: (topics: readonly string[] | null) => Promise<MetadataResponse>
  /** Everything is asked for again at least this often. Default 300,000 (`metadata.max.age.ms`). */
  metadataMaxAgeMs?: number
  /** Least time between two questions, and the first pause after a failed one. Default 100 (`retry.backoff.ms`). */
  retryBackoffMs?: number
  /** Longest such pause. Default 1,000 (`retry.backoff.max.ms`). */
  retryBackoffMaxMs?: number
  /** An answer that takes longer is not waited for. Default 60,000. */
  askTimeoutMs?: number
}

interface WatchedTopic {
  /** The brokers told its partitions before. */
  known: boolean
  /** How often in a row it was said to be missing since. */
  denied: number
}

/** What one question is to bring. */
interface Wish {
  everything: boolean
  topics: Set<string>
  /** To be told even when they have not changed; `cluster`: brokers, controller, names. */
  cluster: boolean
  asked: Set<string>
}

const newWish = (): Wish => ({ everything: false, topics: new Set(), cluster: false, asked: new Set() })

export class BootstrapRegistry implements Registry {
  readonly #world: World
  readonly #options: Required<BootstrapRegistryOptions>
  readonly #reporter = new Reporter()
  readonly #clock: QuestionClock
  readonly #watched = new Map<string, WatchedTopic>()
  /** Topics that the last answer left open, and how many answers in a row left any. */
  readonly #unsettled = new Set<string>()
  #unsettledAnswers = 0
  #wish = newWish()
  #watchesNames = false
  #session: 'new' | 'connected' | 'suspended' = 'new'
  #fullDueMs = Number.NEGATIVE_INFINITY
  #deadline: Timer | undefined
  #ended = false

  constructor(world: World, options: BootstrapRegistryOptions) {
    this.#world = world
    this.#options = { metadataMaxAgeMs: 300_000, retryBackoffMs: 100, retryBackoffMaxMs: 1_000, askTimeoutMs: 60_000, ...options }
    const { retryBackoffMs: backoffMs, retryBackoffMaxMs: backoffMaxMs } = this.#options
    this.#clock = new QuestionClock(world, { backoffMs, backoffMaxMs }, () => void this.#question())
  }

  start(listener: RegistryListener): void {
    if (this.#reporter.isListening) throw new UsageError('REGISTRY_STARTED', 'A registry starts once; make another one.')
    this.#reporter.listen(listener)
    this.#world.defer(() => {
      if (this.#ended) return
      this.#reporter.emit({ type: 'session', state: 'connecting' })
      this.#wish.everything = true
      this.#clock.within(0)
    })
  }

  watchTopics(): void {
    if (this.#watchesNames) return
    this.#watchesNames = true
    this.#wish.everything = true
    this.#want(true)
  }

  watchTopic(topic: string): void {
    if (this.#ended || this.#watched.has(topic)) return
    if (!isTopicName(topic)) throw new UsageError('INVALID_TOPIC', `${JSON.stringify(topic).slice(0, 120)} is not a topic name.`)
    this.#watched.set(topic, { known: false, denied: 0 })
    this.#wish.topics.add(topic)
    this.#want(true)
  }

  unwatchTopic(topic: string): void {
    this.#watched.delete(topic)
    this.#unsettled.delete(topic)
    this.#wish.topics.delete(topic)
    this.#wish.asked.delete(topic)
    for (const subject of ['topic ', 'leaders ', 'trouble ', 'metadata/topics/']) this.#reporter.forget(subject + topic)
  }

  refresh(topic?: string): void {
    if (topic === undefined) {
      this.#wish.everything = true
      this.#wish.cluster = true
      for (const name of this.#watched.keys()) this.#wish.asked.add(name)
    } else if (this.#watched.has(topic)) {
      this.#wish.topics.add(topic)
      this.#wish.asked.add(topic)
    } else return
    this.#want(false)
  }

  /** Brokers need some seconds to miss one of theirs, so whoever cannot reach it says so again and again. */
  brokerUnreachable(): void {
    if (this.#ended) return
    for (const topic of this.#watched.keys()) this.#wish.topics.add(topic)
    this.#want(false)
  }

  close(): Promise<void> {
    if (this.#ended) return Promise.resolve()
    this.#ended = true
    this.#clock.stop()
    this.#clearDeadline()
    this.#reporter.emit({ type: 'session', state: 'closed' })
    this.#reporter.silence()
    return Promise.resolve()
  }

  /** Before `start` nothing is asked; what is wanted then waits for it. */
  #want(fresh: boolean): void {
    if (this.#reporter.isListening) this.#clock.want(fresh)
  }

  async #question(): Promise<void> {
    const wish = this.#wish
    this.#wish = newWish()
    if (this.#world.monotonicMs() >= this.#fullDueMs) wish.everything = true
    try {
      const topics = this.#topicsOf(wish)
      const response = await this.#withDeadline(this.#options.ask(topics))
      if (!this.#ended) this.#answered(response, topics, wish)
    } catch (error) {
      if (!this.#ended) this.#failed(plainError(error), wish)
    }
  }

  #topicsOf(wish: Wish): string[] | null {
    if (wish.everything) return this.#watchesNames ? null : [...this.#watched.keys()]
    return [...new Set([...wish.topics, ...this.#unsettled])]
  }

  async #withDeadline(answer: Promise<MetadataResponse>): Promise<MetadataResponse> {
    const { askTimeoutMs } = this.#options
    const deadline = new Promise<never>((_, reject) => {
      const message = `No broker has answered Metadata within ${askTimeoutMs} ms. It is asked for again.`
      this.#deadline = this.#world.setTimer(() => reject(new TimeoutError('METADATA_TIMEOUT', message, { retriable: true })), askTimeoutMs)
    })
    try {
      return await Promise.race([answer, deadline])
    } finally {
      this.#clearDeadline()
    }
  }

  #clearDeadline(): void {
    if (this.#deadline) this.#world.clearTimer(this.#deadline)
    this.#deadline = undefined
  }

  /** @throws when nothing of the response can be used */
  #answered(response: MetadataResponse, topics: string[] | null, wish: Wish): void {
    const levels = metadataLevels(response, { all: topics === null, wanted: topic => this.#watched.has(topic) })
    this.#clock.settle()
    this.#connected()
    for (const topic of topics ?? this.#watched.keys()) this.#unsettled.delete(topic)
    for (const topic of levels.unsettled) this.#unsettled.add(topic)
    for (const event of levels.events) this.#tell(event, wish)
    this.#tellAbsent(response, topics, wish)
    const { metadataMaxAgeMs } = this.#options
    if (wish.everything) this.#fullDueMs = this.#world.monotonicMs() + metadataMaxAgeMs * (0.9 + 0.1 * this.#world.random())
    this.#unsettledAnswers = this.#unsettled.size > 0 ? this.#unsettledAnswers + 1 : 0
    this.#next()
  }

  /** Arranges the next question. */
  #next(): void {
    if (this.#ended) return
    if (this.#wish.everything || this.#wish.topics.size > 0) this.#clock.want()
    if (this.#unsettledAnswers > 0) this.#clock.within(this.#clock.pauseMs(this.#unsettledAnswers))
    this.#clock.within(Math.max(0, this.#fullDueMs - this.#world.monotonicMs()))
  }

  #failed(error: PlainError, wish: Wish): void {
    const pauseMs = this.#clock.fail()
    // What the question was to bring is still wanted.
    this.#wish.everything ||= wish.everything
    this.#wish.cluster ||= wish.cluster
    for (const topic of wish.topics) if (this.#watched.has(topic)) this.#wish.topics.add(topic)
    for (const topic of wish.asked) if (this.#watched.has(topic)) this.#wish.asked.add(topic)
    this.#reporter.emit({ type: 'trouble', error })
    if (this.#session !== 'connected') return
    this.#session = 'suspended'
    const detail = `${error.message} The next try is in ${Math.round(pauseMs)} ms.`
    this.#reporter.emit({ type: 'session', state: 'suspended', detail })
  }

  #connected(): void {
    if (this.#session === 'connected') return
    const state = this.#session === 'new' ? 'connected' : 'reconnected'
    this.#session = 'connected'
    this.#reporter.emit({ type: 'session', state, detail: 'Metadata was answered' })
  }

  #tell(event: RegistryEvent, wish: Wish): void {
    switch (event.type) {
      case 'topic': {
        const watched = this.#watched.get(event.topic)
        if (watched) Object.assign(watched, { known: true, denied: 0 })
        for (const subject of ['trouble ', 'metadata/topics/']) this.#reporter.forget(subject + event.topic)
        this.#reporter.level(`topic ${event.topic}`, event, wish.asked.has(event.topic))
        return
      }
      case 'leaders':
        this.#reporter.level(`leaders ${event.topic}`, event, wish.asked.has(event.topic))
        return
      case 'topic.missing':
        this.#missing(event.topic, wish)
        return
      case 'trouble':
        this.#reporter.level(`trouble ${event.error.details.topic}`, event, wish.asked.has(String(event.error.details.topic)))
        return
      case 'quarantine':
        this.#reporter.level(event.path, event, false)
        return
      case 'brokers':
        if (event.quarantined.length === 0) this.#reporter.forget('metadata/brokers')
        this.#reporter.level('brokers', event, wish.cluster)
        return
      default:
        this.#reporter.level(event.type, event, wish.cluster)
    }
  }

  /** A broker that lags behind may not know a topic (yet): one that was there before is gone when a second answer says so too. */
  #missing(topic: string, wish: Wish): void {
    const watched = this.#watched.get(topic)
    if (!watched) return
    watched.denied++
    this.#unsettled.add(topic)
    if (watched.known && watched.denied < 2) {
      if (wish.asked.has(topic)) this.#wish.asked.add(topic)
      return
    }
    watched.known = false
    this.#reporter.forget(`leaders ${topic}`)
    this.#reporter.level(`topic ${topic}`, { type: 'topic.missing', topic }, wish.asked.has(topic))
  }

  /** Topics that the answer should have spoken of and did not. Of all topics asked for, those do not exist. */
  #tellAbsent(response: MetadataResponse, topics: string[] | null, wish: Wish): void {
    const present = new Set(response.topics.map(({ name }) => name))
    for (const topic of topics ?? this.#watched.keys()) {
      if (present.has(topic) || !this.#watched.has(topic)) continue
      if (topics === null) this.#missing(topic, wish)
      else {
        this.#unsettled.add(topic)
        const message = `A broker was asked for the Metadata of topic ${topic} and said nothing of it. It is asked again.`
        const error = new RegistryError('METADATA_INVALID', message, { retriable: true, details: { topic } })
        this.#reporter.level(`trouble ${topic}`, { type: 'trouble', error: error.toJSON() }, false)
      }
    }
  }
}
