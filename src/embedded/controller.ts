/**
 * What the elected broker does, as Kafka's controller does it through ZooKeeper: sees who is registered and has leaders elected, writes down every
 * topic, leader and ISR, and takes up what tools have written that know ZooKeeper alone (topics made, topics to delete).
 */

import type { ClusterEvent, Topic } from './kafka/cluster-types.ts'
import type { ConfigResource } from './kafka/configs.ts'
import { KafkaFault } from './kafka/errors.ts'
import type { Partition } from './kafka/partition.ts'
import type { ClusterState } from './kafka/state.ts'
import { ensure } from './registration.ts'
import * as znodes from './znodes.ts'
import type { LocalSession } from './zookeeper/session.ts'

export interface ControllerOptions {
  state: ClusterState
  session: LocalSession
  brokerId: number
  epoch: number
}

export class Controller {
  #state: ClusterState
  #session: LocalSession
  #epoch: number
  #brokerId: number
  #ended = false
  #unobserve: (() => void) | undefined

  constructor({ state, session, brokerId, epoch }: ControllerOptions) {
    this.#state = state
    this.#session = session
    this.#brokerId = brokerId
    this.#epoch = epoch
  }

  begin(): void {
    this.#state.setController(this.#brokerId)
    // What was changed while there was no controller is written first.
    for (const topic of this.#state.topics.values()) this.#writeTopic(topic)
    this.#unobserve = this.#state.observe(event => this.#heard(event))
    this.#watchBrokers()
    this.#watchTopics()
    this.#watchDeletions()
  }

  end(): void {
    this.#ended = true
    this.#unobserve?.()
  }

  /** Re-armed before it is read, as every watch is for once. */
  #watchBrokers(): void {
    if (this.#ended) return
    const listed = new Set(this.#session.getChildren(znodes.BROKER_IDS, () => this.#watchBrokers()).map(Number))
    for (const id of this.#state.aliveIds) if (!listed.has(id)) this.#state.brokerDown(id)
    for (const id of [...listed].sort((a, b) => a - b)) if (this.#state.brokers.get(id)?.running) this.#state.brokerUp(id)
  }

  #watchTopics(): void {
    if (this.#ended) return
    for (const name of this.#session.getChildren(znodes.TOPICS, () => this.#watchTopics()).sort())
      if (!this.#state.topics.has(name)) this.#adopt(name)
  }

  #watchDeletions(): void {
    if (this.#ended) return
    for (const name of this.#session.getChildren(znodes.DELETE_TOPICS, () => this.#watchDeletions()).sort()) {
      if (this.#state.topics.has(name)) this.#state.deleteTopic(name)
      remove(this.#session, `${znodes.DELETE_TOPICS}/${name}`)
    }
  }

  /** A topic that somebody has written into ZooKeeper: who cannot be read, or names brokers that are not there, is left as it is. */
  #adopt(name: string): void {
    const given = znodes.readAssignments(this.#session.getData(znodes.topicPath(name)).data)
    if (!given) return
    try {
      this.#state.createTopic({ name, assignments: given.assignments, ...(given.id === undefined ? {} : { id: given.id }) })
    } catch (error) {
      if (!(error instanceof KafkaFault)) throw error
    }
  }

  #heard(event: ClusterEvent): void {
    if (event.type === 'topic-created' || event.type === 'partitions-added') this.#writeTopic(event.topic)
    else if (event.type === 'topic-deleted') this.#removeTopic(event.topic.name)
    else if (event.type === 'partition-changed') this.#writeState(event.partition)
    else if (event.type === 'config-changed') this.#writeConfig(event)
  }

  #writeTopic(topic: Topic): void {
    const path = znodes.topicPath(topic.name)
    const config = znodes.configPath('topics', topic.name)
    if (!this.#session.exists(config)) ensure(this.#session, config, this.#configOf('topic', topic.name))
    const data = znodes.topicData(topic)
    if (!this.#session.exists(path)) ensure(this.#session, path, data)
    else if (!this.#session.getData(path).data.equals(data)) this.#session.setData(path, data)
    for (const partition of topic.partitions) this.#writeState(partition)
  }

  #writeState(partition: Partition): void {
    if (partition.deleted || !this.#session.exists(znodes.topicPath(partition.topic))) return
    const path = znodes.statePath(partition.topic, partition.index)
    const data = znodes.stateData(partition, this.#epoch)
    if (this.#session.exists(path)) this.#session.setData(path, data)
    else ensure(this.#session, path, data)
  }

  #removeTopic(name: string): void {
    removeAll(this.#session, znodes.topicPath(name))
    remove(this.#session, znodes.configPath('topics', name))
  }

  #writeConfig({ resource, name }: Extract<ClusterEvent, { type: 'config-changed' }>): void {
    const type = resource === 'topic' ? 'topics' : 'brokers'
    // The default of all brokers has a name of its own in ZooKeeper.
    const entity = name === '' ? '<default>' : name
    const path = znodes.configPath(type, entity)
    const data = this.#configOf(resource, name)
    if (this.#session.exists(path)) this.#session.setData(path, data)
    else ensure(this.#session, path, data)
    this.#session.create(znodes.CONFIG_CHANGES, znodes.configChangeData(type, entity), { sequential: true })
  }

  #configOf(resource: ConfigResource, name: string): Buffer {
    return znodes.configData(Object.fromEntries(this.#state.configs.given(resource, name)))
  }
}

function remove(session: LocalSession, path: string): void {
  if (session.exists(path)) session.delete(path)
}

function removeAll(session: LocalSession, path: string): void {
  if (!session.exists(path)) return
  for (const child of session.getChildren(path)) removeAll(session, `${path}/${child}`)
  session.delete(path)
}

/** Topics, and who was what, of a process before: its successor writes them anew. */
export function forgetTopics(zookeeper: { session(): LocalSession }): void {
  const session = zookeeper.session()
  for (const above of [znodes.TOPICS, '/config/topics'])
    if (session.exists(above)) for (const name of session.getChildren(above)) removeAll(session, `${above}/${name}`)
  session.close()
}
