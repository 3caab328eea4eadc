/**
 * Reads one topic and keeps it up to date: its assignment, and the state (leader) of each of its partitions. A burst of changes
 * ends in one event with all leaders.
 */
import type { World } from '../../model/world.ts'
import type { LeaderInfo } from '../registry.ts'
import { type PartitionState, parsePartitionState, partitionStatePath } from '../znodes/partition-state.ts'
import { parseTopicAssignment, type TopicAssignment, topicPath } from '../znodes/topic.ts'
import { type Lanes, Level, readData } from './level.ts'
import type { Reporter } from './reporter.ts'
import type { Watch, ZooKeeperSession } from './session.ts'

interface KnownPartition {
  /** Its state has to be read (again). */
  dirty: boolean
  /** The last good one; undefined: no state was written yet. */
  state: PartitionState | undefined
  watch: Watch
}

export class TopicReader {
  readonly topic: string
  readonly #reporter: Reporter
  readonly #lanes: Lanes
  readonly #level: Level
  readonly #partitions = new Map<number, KnownPartition>()
  #assignmentDirty = true
  /** The last good one; null: the topic does not exist. */
  #assignment: TopicAssignment | null | undefined
  #asked = false

  constructor(world: World, reporter: Reporter, lanes: Lanes, topic: string) {
    this.topic = topic
    this.#reporter = reporter
    this.#lanes = lanes
    this.#level = new Level(world, (session, current) => this.#read(session, current), reporter.trouble.bind(reporter))
  }

  attach(session: ZooKeeperSession): void {
    this.#allDirty()
    this.#level.attach(session)
  }

  detach(): void {
    this.#level.detach()
  }

  /** Nobody is interested any more. */
  end(): void {
    this.detach()
    this.#reporter.forget(`topic ${this.topic}`)
    this.#reporter.forget(`leaders ${this.topic}`)
    this.#reporter.release(topicPath(this.topic))
    this.#forgetPartitions(() => true)
  }

  /** `ask`: tell the levels even when they have not changed. */
  refresh(ask: boolean): void {
    this.#allDirty()
    if (ask) this.#asked = true
    this.#level.poke()
  }

  #allDirty(): void {
    this.#assignmentDirty = true
    for (const partition of this.#partitions.values()) partition.dirty = true
  }

  readonly #assignmentChanged = () => {
    this.#assignmentDirty = true
    this.#level.poke()
  }

  async #read(session: ZooKeeperSession, current: () => boolean): Promise<void> {
    const asked = this.#asked
    if (this.#assignmentDirty) await this.#readAssignment(session, current, asked)
    if (!current() || !this.#assignment) return
    const dirty = [...this.#partitions].filter(([, partition]) => partition.dirty)
    await Promise.all(dirty.map(([number, partition]) => this.#lanes.run(() => this.#readState(session, current, number, partition))))
    if (!current()) return
    this.#tellLeaders(asked)
    if (asked) this.#asked = false
  }

  async #readAssignment(session: ZooKeeperSession, current: () => boolean, asked: boolean): Promise<void> {
    const path = topicPath(this.topic)
    // Cleared before the read: a watch that fires meanwhile sets it again.
    this.#assignmentDirty = false
    let found: { data: Buffer } | undefined
    try {
      found = await readData(session, path, this.#assignmentChanged)
    } catch (error) {
      this.#assignmentDirty = true
      throw error
    }
    if (!current()) return
    if (!found) return this.#missing(asked)
    const data = found.data
    const assignment = this.#reporter.judge(path, () => parseTopicAssignment(this.topic, data))
    if (!assignment) return
    // Another id under the same name is another topic: nothing that is known of the old one holds.
    if (this.#assignment && this.#assignment.topicId !== assignment.topicId) this.#forgetPartitions(() => true)
    this.#assignment = assignment
    this.#keepPartitions(assignment)
    const partitions = assignment.partitions.map(({ partition, replicas }) => ({ partition, replicas }))
    const event = { type: 'topic', topic: this.topic, topicId: assignment.topicId, partitions } as const
    this.#reporter.level(`topic ${this.topic}`, event, asked)
  }

  #missing(asked: boolean): void {
    this.#assignment = null
    this.#asked = false
    this.#forgetPartitions(() => true)
    this.#reporter.release(topicPath(this.topic))
    this.#reporter.forget(`leaders ${this.topic}`)
    this.#reporter.level(`topic ${this.topic}`, { type: 'topic.missing', topic: this.topic }, asked)
  }

  #keepPartitions(assignment: TopicAssignment): void {
    const wanted = new Set(assignment.partitions.map(each => each.partition))
    this.#forgetPartitions(number => !wanted.has(number))
    for (const number of wanted) {
      if (this.#partitions.has(number)) continue
      const partition: KnownPartition = {
        dirty: true,
        state: undefined,
        watch: () => {
          partition.dirty = true
          this.#level.poke()
        }
      }
      this.#partitions.set(number, partition)
    }
  }

  #forgetPartitions(which: (partition: number) => boolean): void {
    for (const number of [...this.#partitions.keys()]) {
      if (!which(number)) continue
      this.#partitions.delete(number)
      this.#reporter.release(partitionStatePath(this.topic, number))
    }
  }

  async #readState(session: ZooKeeperSession, current: () => boolean, number: number, partition: KnownPartition): Promise<void> {
    if (!current()) return
    const path = partitionStatePath(this.topic, number)
    partition.dirty = false
    let found: { data: Buffer } | undefined
    try {
      found = await readData(session, path, partition.watch)
    } catch (error) {
      partition.dirty = true
      throw error
    }
    if (!current()) return
    const data = found?.data
    if (!data) {
      partition.state = undefined
      this.#reporter.release(path)
    } else partition.state = this.#reporter.judge(path, () => parsePartitionState(this.topic, number, data)) ?? partition.state
  }

  #tellLeaders(asked: boolean): void {
    const leaders: LeaderInfo[] = []
    for (const [partition, { state }] of [...this.#partitions].sort(([a], [b]) => a - b)) {
      if (state) leaders.push({ partition, leader: state.leader, leaderEpoch: state.leaderEpoch, inSync: state.inSync })
    }
    const event = { type: 'leaders', topic: this.topic, source: 'zookeeper', leaders } as const
    this.#reporter.level(`leaders ${this.topic}`, event, asked)
  }
}
