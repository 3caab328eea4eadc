/**
 * Fetch sessions (KIP-227): what a client fetches is remembered, so that it sends only what changes and is told only what is new. A broker keeps
 * them for all connections; they are gone with its process.
 */
import type { World } from '../../model/world.ts'
import type { RequestOf } from '../../wire/apis.ts'
import { ERROR } from './errors.ts'

type FetchRequest = RequestOf<'Fetch'>
type AskedPartition = FetchRequest['topics'][number]['partitions'][number]

/** One partition that is asked for, and what was said of it last. */
export interface FetchedPartition {
  /** Empty: not known (an id that no topic has). */
  topic: string
  topicId: string
  partition: number
  asked: AskedPartition
  highWatermark: bigint
  logStartOffset: bigint
}

interface Session {
  id: number
  /** That the next request must have. */
  epoch: number
  usesIds: boolean
  lastUsedMs: number
  /** By topic and partition; who was served last comes last. */
  partitions: Map<string, FetchedPartition>
}

/** What one request asks for, its session included. */
export interface FetchPlan {
  /** Of the whole request. */
  errorCode: number
  /** Told to the client; 0: no session. */
  sessionId: number
  partitions: FetchedPartition[]
  /** Only what is new is told. */
  incremental: boolean
  session: Session | undefined
}

const INITIAL_EPOCH = 0
const FINAL_EPOCH = -1
const ID_MAX = 0x7fffffff
/** A session that nobody has used for so long makes room for a new one (`min.incremental.fetch.session.eviction.ms`). */
const EVICTED_AFTER_MS = 120_000
const NO_ID = 'AAAAAAAAAAAAAAAAAAAAAA'

export class FetchSessions {
  #slots: number
  /** Who was used last comes last. */
  #sessions = new Map<number, Session>()
  #world: Pick<World, 'random' | 'monotonicMs'>

  constructor(slots: number, world: Pick<World, 'random' | 'monotonicMs'>) {
    this.#slots = slots
    this.#world = world
  }

  get size(): number {
    return this.#sessions.size
  }

  /** The session of a request, changed as it says. `names`: of topic ids (from v13). */
  plan(request: FetchRequest, version: number, nameOf: (topicId: string) => string | undefined): FetchPlan {
    const { sessionId = 0, sessionEpoch = FINAL_EPOCH } = request
    const usesIds = version >= 13
    if (sessionEpoch === FINAL_EPOCH || sessionEpoch === INITIAL_EPOCH) {
      this.#sessions.delete(sessionId)
      const partitions = new Map<string, FetchedPartition>()
      this.#update(partitions, request, usesIds, nameOf)
      if (sessionEpoch === FINAL_EPOCH || partitions.size === 0) return whole([...partitions.values()])
      const session = this.#create(partitions, usesIds)
      return { ...whole([...partitions.values()]), sessionId: session?.id ?? 0, session }
    }
    const session = this.#sessions.get(sessionId)
    if (!session) return refused(ERROR.FETCH_SESSION_ID_NOT_FOUND)
    if (session.epoch !== sessionEpoch) return refused(ERROR.INVALID_FETCH_SESSION_EPOCH)
    if (session.usesIds !== usesIds) return refused(ERROR.FETCH_SESSION_TOPIC_ID_ERROR)
    this.#update(session.partitions, request, usesIds, nameOf)
    if (session.partitions.size === 0) {
      this.#sessions.delete(sessionId)
      return whole([])
    }
    session.epoch = session.epoch === ID_MAX ? 1 : session.epoch + 1
    session.lastUsedMs = this.#world.monotonicMs()
    this.#sessions.delete(sessionId)
    this.#sessions.set(sessionId, session)
    return { errorCode: ERROR.NONE, sessionId, partitions: [...session.partitions.values()], incremental: true, session }
  }

  /** Who got records goes to the end of the row, so that all get their turn. */
  served({ session }: FetchPlan, partition: FetchedPartition): void {
    if (!session) return
    const key = keyOf(partition)
    if (session.partitions.delete(key)) session.partitions.set(key, partition)
  }

  /** Undefined: there is no room. The client does without, then. */
  #create(partitions: Map<string, FetchedPartition>, usesIds: boolean): Session | undefined {
    const lastUsedMs = this.#world.monotonicMs()
    const oldest = this.#sessions.values().next().value
    const full = this.#sessions.size >= this.#slots
    if (full && (!oldest || lastUsedMs - oldest.lastUsedMs <= EVICTED_AFTER_MS)) return undefined
    if (full) this.#sessions.delete(oldest!.id)
    let id = Math.floor(this.#world.random() * ID_MAX)
    while (id <= 0 || this.#sessions.has(id)) id = (id + 1) & ID_MAX
    const session = { id, epoch: INITIAL_EPOCH + 1, usesIds, lastUsedMs, partitions }
    this.#sessions.set(id, session)
    return session
  }

  #update(
    partitions: Map<string, FetchedPartition>,
    { topics, forgottenTopicsData = [] }: FetchRequest,
    usesIds: boolean,
    nameOf: (topicId: string) => string | undefined
  ): void {
    for (const { topic = '', topicId = NO_ID, partitions: asked } of topics) {
      for (const each of asked) {
        const found = { topic: usesIds ? (nameOf(topicId) ?? '') : topic, topicId, partition: each.partition, asked: each }
        const key = keyOf(found)
        const before = partitions.get(key)
        if (before) Object.assign(before, found)
        else partitions.set(key, { ...found, highWatermark: -1n, logStartOffset: -1n })
      }
    }
    for (const { topic = '', topicId = NO_ID, partitions: forgotten = [] } of forgottenTopicsData)
      for (const partition of forgotten) partitions.delete(keyOf({ topic: usesIds ? (nameOf(topicId) ?? '') : topic, topicId, partition }))
    // An id that had no topic when the session was told of it may have one by now.
    if (usesIds) for (const each of partitions.values()) each.topic = nameOf(each.topicId) ?? ''
  }
}

/** By id where ids are used: a topic that was made anew is another one. */
function keyOf({ topic, topicId, partition }: Pick<FetchedPartition, 'topic' | 'topicId' | 'partition'>): string {
  return topicId === NO_ID ? `${partition}/${topic}` : `${partition}#${topicId}`
}

function whole(partitions: FetchedPartition[]): FetchPlan {
  return { errorCode: ERROR.NONE, sessionId: 0, partitions, incremental: false, session: undefined }
}

function refused(errorCode: number): FetchPlan {
  return { errorCode, sessionId: 0, partitions: [], incremental: false, session: undefined }
}
