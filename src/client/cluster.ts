/**
 * The promise face of a cluster: `connect` and `Cluster`. A thin layer over the same actors that a user may spawn;
 * it holds nothing that they do not.
 */
import { createActor, type InspectionEvent, type Observer } from 'xstate'
import { ClusterActor, type ClusterActorRef } from '../actors/cluster.ts'
import { findInstance, type Instance } from '../actors/instance.ts'
import type { ClusterInput } from '../actors/make-instance.ts'
import type { OutboxView } from '../actors/publish-outbox.ts'
import { followTopics } from '../actors/topics.ts'
import { type ClusterOptions, checkTopicName, parseClusterUrl } from '../model/config.ts'
import { type PlainError, plainError, SamsaError, TimeoutError } from '../model/errors.ts'
import type { ClusterEmitted, ConsumerHandle, SubscribeOptions } from '../model/events.ts'
import { clockOf } from '../world/clock.ts'
import { Admin } from './admin.ts'
import { Consumer } from './consumer.ts'
import { LiveMap } from './live-map.ts'
import { closedError, Topic } from './topic.ts'

export interface Broker {
  readonly id: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

/** Options of `connect` beyond those of the cluster. */
export interface ConnectOptions extends Omit<ClusterOptions, 'zookeeper' | 'brokers'> {
  /** Gives up, and closes what was begun. */
  signal?: AbortSignal
  /** XState's inspection, from the first event on. */
  inspect?: Observer<InspectionEvent> | ((event: InspectionEvent) => void)
  /** For tests and simulation. */
  world?: ClusterInput['world']
}

/**
 * Connects to a cluster named by `zookeeper://host:2181[,host:2181][/chroot]`, `kafka://host:9092[,host:9092]`, both with a comma between, or options;
 * or, for a first look and for tests, to one that is started in this process and ends with the connection: `embedded://?brokers=3&topics=orders:6`.
 * Resolves when a registry has answered with at least one broker. Rejects with UsageError, TimeoutError CONNECT_TIMEOUT (the message
 * says what was heard until then), RegistryError (a wrong chroot …), or the signal's reason.
 */
export async function connect(cluster: string | ClusterOptions, options: ConnectOptions = {}): Promise<Cluster> {
  const { signal, inspect, ...given } = options
  signal?.throwIfAborted()
  if (typeof cluster === 'string' && cluster.startsWith('embedded:')) return connectEmbedded(cluster, options)
  const named = typeof cluster === 'string' ? parseClusterUrl(cluster) : cluster
  const { world } = options
  const actor = createActor(ClusterActor, {
    input: { ...named, ...given },
    ...(inspect ? { inspect } : {}),
    ...(world ? { clock: clockOf(world) } : {})
  })
  const begun = actor.getSnapshot() as { status: string; error?: unknown; context: { instance: string } }
  if (begun.status === 'error') throw begun.error // an option that is none
  const instance = findInstance(begun.context.instance)!
  const face = new Cluster(actor, instance)
  await face.opened(signal)
  return face
}

/** A cluster of its own in this process, for as long as it is used. */
async function connectEmbedded(url: string, options: ConnectOptions): Promise<Cluster> {
  const { parseEmbeddedUrl, startCluster } = await import('../testing.ts')
  const embedded = await startCluster({ ...parseEmbeddedUrl(url), ...(options.world ? { world: options.world } : {}) })
  try {
    const face = await connect(embedded.url, options)
    face.whenClosed(() => embedded.stop())
    return face
  } catch (error) {
    await embedded.stop()
    throw error
  }
}

/** A connected cluster. */
export class Cluster implements AsyncDisposable {
  /** The actor behind it: send it commands, listen to it, look at it. */
  readonly actor: ClusterActorRef
  /** Topics, offsets, groups, versions: questions and orders to the brokers. */
  readonly admin: Admin
  #instance: Instance
  #topics = new Map<string, Topic>()
  #closed: Promise<void> | undefined
  #afterwards: (() => Promise<void>)[] = []
  #allTopics = new LiveMap<string, Topic>(() => new Map((this.#instance.topicNames ?? []).map(name => [name, this.topic(name)])))

  /** Made by `connect`. */
  constructor(actor: ClusterActorRef, instance: Instance) {
    this.actor = actor
    this.#instance = instance
    this.admin = new Admin(instance)
  }

  /** The brokers that the registry lists now, by id: one map that stays true. */
  readonly brokers: ReadonlyMap<number, Broker> = new LiveMap(
    () => new Map([...this.#instance.brokers].map(([id, entry]) => [id, { id, ...entry }]))
  )

  /**
   * The topics of the cluster by name: one map that stays true. With ZooKeeper it is kept from the beginning; over `kafka://` only from the
   * first look (which finds nothing yet) or `listTopics`, because brokers must be asked for every topic then.
   */
  get topics(): ReadonlyMap<string, Topic> {
    followTopics(this.#instance, 'face')
    return this.#allTopics
  }

  get controller(): number | null {
    return this.#instance.controller
  }

  /** The outbox as it is now; null where there is none. What was wrong with it when it was opened is kept here. */
  get outbox(): OutboxView | null {
    return this.#instance.publisher.outbox?.view ?? null
  }

  /** A topic by name, whether it exists or not. Throws UsageError on a name that Kafka does not allow. */
  topic(name: string): Topic {
    checkTopicName(name)
    let topic = this.#topics.get(name)
    if (!topic) {
      topic = new Topic(name, this, this.#instance)
      this.#topics.set(name, topic)
    }
    return topic
  }

  /** Names of all topics of the cluster. */
  async listTopics(options: { timeoutMs?: number } = {}): Promise<string[]> {
    const { registry, options: defaults } = this.#instance
    followTopics(this.#instance, 'face')
    // ZooKeeper's watches keep the names true; brokers tell them only when they are asked.
    const known = this.#instance.topicNames
    const mustAsk = defaults.zookeeper === null && known !== undefined
    if (mustAsk) registry?.refresh()
    const told = () => this.#instance.topicNames !== undefined && !(mustAsk && this.#instance.topicNames === known)
    await this.#until(told, options.timeoutMs ?? defaults.requestTimeoutMs, 'the names of the topics')
    return [...this.#instance.topicNames!].sort()
  }

  /** Subscribes to one or more topics. The consumer is told by events, or read with `for await`. */
  subscribe(options: SubscribeOptions & { signal?: AbortSignal }): Consumer {
    const { signal, ...subscription } = options
    const id = `face-${this.#instance.world.random().toString(36).slice(2)}`
    let begun = (_: ConsumerHandle): void => {}
    const handle = new Promise<ConsumerHandle>((resolve, reject) => {
      const listen = this.on('*', event => {
        if (event.type === 'consumer.started' && event.id === id) {
          begun(event.consumer)
          resolve(event.consumer)
        } else if (event.type === 'consumer.failed' && event.id === id)
          reject(new SamsaError(event.error.code, event.error.message, { details: event.error.details }))
        else if (event.type === 'closed') reject(closedError())
        else return
        listen()
      })
      if (this.#closed) reject(closedError())
    })
    const consumer = new Consumer(handle, this.#instance.world, signal ? { signal } : {})
    begun = started => consumer.begun(started)
    this.actor.send({ type: 'SUBSCRIBE', id, ...subscription })
    return consumer
  }

  /** Listens to what the cluster emits. Returns what removes the listener. A listener that throws is told as `trouble` and disturbs nothing. */
  on<T extends ClusterEmitted['type'] | '*'>(
    type: T,
    listener: (event: T extends '*' ? ClusterEmitted : Extract<ClusterEmitted, { type: T }>) => void
  ): () => void {
    const guarded = (event: ClusterEmitted) => {
      try {
        listener(event as never)
      } catch (error) {
        if (event.type !== 'trouble') this.#instance.emit({ type: 'trouble', where: `listener of ${event.type}`, error: plainError(error) })
      }
    }
    const subscription = this.actor.on(type as never, guarded as never)
    return () => subscription.unsubscribe()
  }

  /** Everything that came in, as a recording for `replay`. */
  recording(): Uint8Array {
    return this.#instance.recorder.export()
  }

  /** Finishes: consumers drain and commit, publishes are flushed, connections end. At most `timeoutMs` (default 30,000). */
  close(options: { timeoutMs?: number } = {}): Promise<void> {
    this.#closed ??= this.#close(options.timeoutMs)
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Used by `connect`: what ends with it. */
  whenClosed(end: () => Promise<void>): void {
    this.#afterwards.push(end)
  }

  /** Used by `connect`: starts the actor and waits for the first level of brokers. */
  async opened(signal: AbortSignal | undefined): Promise<void> {
    const { connectTimeoutMs } = this.#instance.options
    let heard = 'nothing was heard from it'
    const listen = this.on('*', event => {
      if (event.type === 'registry.state') heard = `the registry was ${event.state}${event.reason ? ` (${event.reason})` : ''}`
      if (event.type === 'broker.state' || event.type === 'trouble')
        heard = event.type === 'trouble' ? event.error.message : `broker ${event.broker}: ${event.state}, ${event.reason}`
    })
    this.actor.subscribe({ error: () => {} })
    this.actor.start()
    if (this.#instance.options.zookeeper !== null) followTopics(this.#instance, 'face')
    try {
      await this.#until(
        () => {
          const { outbox } = this.#instance.publisher
          return (outbox?.isOpen ?? true) && (this.actor.getSnapshot() as { hasTag: (tag: string) => boolean }).hasTag('ready')
        },
        connectTimeoutMs,
        'one broker',
        signal,
        () => heard
      )
    } catch (error) {
      await this.close({ timeoutMs: 1_000 })
      throw error
    } finally {
      listen()
    }
  }

  /** Waits until `done`, looked at after every emission, with a deadline. */
  #until(
    done: () => boolean,
    timeoutMs: number,
    what: string,
    signal?: AbortSignal,
    heard: () => string = () => 'it did not come'
  ): Promise<void> {
    if (done()) return Promise.resolve()
    const { world } = this.#instance
    return new Promise((resolve, reject) => {
      const end = (finish: () => void) => {
        world.clearTimer(timer)
        this.#instance.onLevel.delete(look)
        listen()
        state.unsubscribe()
        signal?.removeEventListener('abort', abort)
        finish()
      }
      const abort = () => end(() => reject(signal!.reason))
      const look = () => {
        const snapshot = this.actor.getSnapshot() as { status: string; output?: { error: PlainError | null } }
        if (done()) end(resolve)
        else if (snapshot.status !== 'active') {
          const error = snapshot.output?.error
          end(() => reject(error ? new SamsaError(error.code, error.message, error) : closedError()))
        }
      }
      const timer = world.setTimer(
        () =>
          end(() => reject(new TimeoutError('CONNECT_TIMEOUT', `Waited ${timeoutMs} ms for ${what}; ${heard()}.`, { retriable: true }))),
        timeoutMs
      )
      const listen = this.on('*', look)
      this.#instance.onLevel.add(look)
      const state = this.actor.subscribe({ next: look, complete: look, error: look })
      signal?.addEventListener('abort', abort)
    })
  }

  async #close(timeoutMs: number | undefined): Promise<void> {
    const { actor } = this
    if (actor.getSnapshot().status === 'active') {
      await new Promise<void>(resolve => {
        actor.subscribe({ complete: resolve, error: () => resolve() })
        actor.send(timeoutMs === undefined ? { type: 'CLOSE' } : { type: 'CLOSE', timeoutMs })
      })
    }
    await Promise.allSettled(this.#instance.ending)
    for (const end of this.#afterwards.splice(0)) await end()
  }
}
