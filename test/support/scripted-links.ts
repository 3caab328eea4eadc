/**
 * Brokers that answer as a test says, for what asks a group's coordinator: no socket, no codec, a clock that moves when told.
 */
import type { Instance } from '../../src/actors/instance.ts'
import type { Link } from '../../src/flow/link.ts'
import { resolveOptions } from '../../src/model/config.ts'
import { ConnectionError } from '../../src/model/errors.ts'
import type { ClusterEmitted } from '../../src/model/events.ts'
import { VirtualWorld } from './virtual-world.ts'

export interface Asked {
  node: number
  purpose: string
  api: string
  // biome-ignore lint/suspicious/noExplicitAny: bodies of every API.
  body: any
}

/** Answers, or throws what the request rejects with; a promise keeps it waiting. */
export type Answer = (asked: Asked) => unknown

export const connectionLost = () => new ConnectionError('CONNECTION_LOST', 'The connection is lost.', { retriable: true })

export class ScriptedLinks {
  readonly virtual = new VirtualWorld()
  readonly asked: Asked[] = []
  readonly acquired: string[] = []
  readonly released: string[] = []
  readonly emitted: ClusterEmitted[] = []
  refreshes = 0
  /** Highest version per API; 9 where nothing is said, undefined where the broker does not offer it. */
  versions: Record<string, number | undefined> = { FindCoordinator: 4 }
  /** Brokers that cannot be reached. */
  down = new Set<number>()
  answer: Answer
  readonly instance: Instance

  constructor(answer: Answer) {
    this.answer = answer
    const { world } = this.virtual
    const acquire = (node: number, purpose: string) => {
      this.acquired.push(`${node}/${purpose}`)
      if (!this.down.has(node)) return Promise.resolve(this.#link(node, purpose))
      return Promise.reject(new ConnectionError('BROKER_UNKNOWN', `Broker ${node} is not listed.`, { retriable: true }))
    }
    this.instance = {
      id: 'scripted',
      world,
      options: resolveOptions({ brokers: 'host:9092' }),
      closed: false,
      brokers: new Map(),
      directory: new Map(),
      onLevel: new Set(),
      consumers: new Map(),
      topicDetails: new Map(),
      leaderDetails: new Map(),
      emit: (event: ClusterEmitted) => this.emitted.push(event),
      registry: { refresh: () => void this.refreshes++ },
      links: {
        get: (node: number, purpose: string) => this.#link(node, purpose),
        any: () => Promise.resolve(this.#link(9, 'data')),
        acquire,
        release: (node: number, purpose: string) => void this.released.push(`${node}/${purpose}`)
      }
    } as unknown as Instance
  }

  /** Runs until the promise has settled, or this much virtual time has passed. */
  async run<T>(promise: Promise<T>, limitMs = 100_000): Promise<T> {
    let settled = false
    const done = () => {
      settled = true
    }
    promise.then(done, done)
    for (let ms = 0; ms < limitMs; ms += 50) {
      await this.virtual.advance(50)
      if (settled) break
    }
    return promise
  }

  bodies(api: string): Asked['body'][] {
    return this.asked.filter(asked => asked.api === api).map(({ body }) => body)
  }

  #link(node: number, purpose: string): Link {
    const request = async (api: string, body: unknown) => {
      const asked = { node, purpose, api, body }
      this.asked.push(asked)
      return this.answer(asked)
    }
    const version = (api: string) => (Object.hasOwn(this.versions, api) ? this.versions[api] : 9)
    return { node, purpose, open: true, inFlight: 0, version, request } as unknown as Link
  }
}

/** FindCoordinator's answer, in the batched form. */
export function coordinatorAt(group: string, nodeId: number, errorCode = 0): unknown {
  return { coordinators: [{ key: group, nodeId, host: 'h', port: 1, errorCode, errorMessage: null }] }
}

/** OffsetCommit's answer: the same code for every partition asked for, or by `topic/partition`. */
export function committedWith(body: Asked['body'], code: number | Record<string, number> = 0): unknown {
  const codeOf = (key: string) => (typeof code === 'number' ? code : (code[key] ?? 0))
  return {
    topics: body.topics.map(
      ({ name, topicId, partitions }: { name: string; topicId: string; partitions: { partitionIndex: number }[] }) => ({
        name: name ?? '',
        topicId: topicId ?? '',
        partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: codeOf(`${name ?? topicId}/${partitionIndex}`) }))
      })
    )
  }
}
