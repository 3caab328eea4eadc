/**
 * Where the live things of one cluster live: links, planes, the directory of its actors, the recorder, the World.
 * Machines hold only `instance` (an id) and `path`; effects find the rest here. This Map is the only global of samsa.
 */
import type { AnyActorRef, AnyEventObject } from 'xstate'
import type { Link } from '../flow/link.ts'
import type { DiskJournal } from '../journal/disk.ts'
import type { Recorder } from '../journal/recorder.ts'
import type { ResolvedOptions } from '../model/config.ts'
import { SamsaError } from '../model/errors.ts'
import type { ClusterEmitted } from '../model/events.ts'
import type { World } from '../model/world.ts'
import type { LeaderInfo, PartitionInfo, Registry } from '../registry/registry.ts'
import type { Connection } from '../wire/connection.ts'
import type { ConsumerPlane } from './consumer-plane.ts'
import type { Links } from './links.ts'
import type { Publisher } from './publisher.ts'

export interface Instance {
  readonly id: string
  readonly world: World
  readonly options: ResolvedOptions
  readonly recorder: Recorder
  journal?: DiskJournal
  /** path -> running actor. Kept by `bind`: an actor is listed from its first snapshot until it stops. */
  readonly directory: Map<string, AnyActorRef>
  readonly links: Links
  readonly publisher: Publisher
  /** path of a `broker-connection` -> its newest connection. */
  readonly connections: Map<string, Connection>
  /** path of a `partition` -> the link of its present term. */
  readonly partitionLinks: Map<string, Link>
  /** Paths of actors that a tier was told to spawn and that are not born yet. */
  readonly spawning: Set<string>
  /** What the registry last said about brokers: node -> address. */
  brokers: ReadonlyMap<number, { host: string; port: number; rack: string | null }>
  /** consumer path -> its data plane. */
  readonly consumers: Map<string, ConsumerPlane>
  registry: Registry | undefined
  /** The addresses that the user gave, under negative node ids; empty with ZooKeeper. */
  readonly seeds: ReadonlyMap<number, { host: string; port: number; rack: null }>
  controller: number | null
  /** Names of all topics, once somebody follows them. */
  topicNames: readonly string[] | undefined
  /** What the registry last said of topics in use, for the promise face. */
  readonly topicDetails: Map<string, readonly PartitionInfo[]>
  readonly leaderDetails: Map<string, readonly LeaderInfo[]>
  /** Called after each report of the registry: the promise face waits by it. */
  readonly onLevel: Set<() => void>
  /** What must end before the cluster counts as closed (the registry's session). */
  readonly ending: Promise<void>[]
  closed: boolean
  /** Emits to the listeners of the ClusterActor, past its statechart (bytes go past lifecycles). */
  emit: (event: ClusterEmitted) => void
}

const instances = new Map<string, Instance>()

export function addInstance(instance: Instance): void {
  instances.set(instance.id, instance)
}

export function removeInstance(id: string): void {
  instances.delete(id)
}

export function findInstance(id: string): Instance | undefined {
  return instances.get(id)
}

/** The instance an actor belongs to. Throws when the cluster is gone: an effect after the end is a bug of ours. */
export function instanceOf(id: string): Instance {
  const found = instances.get(id)
  if (!found) throw new SamsaError('NO_INSTANCE', `Cluster instance ${id} is gone.`)
  return found
}

/** Sends to the actor at a path. False (and nothing else) when no such actor runs: level events come again. */
export function tell(instance: Instance, path: string, event: AnyEventObject): boolean {
  const target = instance.directory.get(path)
  if (!target) return false
  target.send(event)
  return true
}

/** Has `src` run at `path`, under the tier. True: it was not there before. */
export function ensureActor(instance: Instance, tier: string, path: string, src: string, input: Record<string, unknown>): boolean {
  if (instance.directory.has(path) || instance.spawning.has(path)) return false
  instance.spawning.add(path)
  tell(instance, tier, { type: 'ADD', id: path, src, input: { ...input, instance: instance.id, path } } as { type: string })
  return true
}

/** Stops the actor at `path`, by telling the tier or slice that holds it. */
export function stopActor(instance: Instance, path: string): void {
  const parent = instance.directory.get(path)?._parent
  parent?.send({ type: 'REMOVE', id: path })
}
