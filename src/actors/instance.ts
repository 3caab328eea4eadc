/**
 * Where the live things of one cluster live: links, planes, the directory of its actors, the recorder, the World.
 * Machines hold only `instance` (an id) and `path`; effects find the rest here. This Map is the only global of samsa.
 */
import type { AnyActorRef } from 'xstate'
import type { Recorder } from '../journal/recorder.ts'
import type { ResolvedOptions } from '../model/config.ts'
import { SamsaError } from '../model/errors.ts'
import type { ClusterEmitted } from '../model/events.ts'
import type { World } from '../model/world.ts'
import type { Registry } from '../registry/registry.ts'
import type { Connection } from '../wire/connection.ts'
import type { ConsumerPlane } from './consumer-plane.ts'
import type { Links } from './links.ts'
import type { Publisher } from './publisher.ts'

export interface Instance {
  readonly id: string
  readonly world: World
  readonly options: ResolvedOptions
  readonly recorder: Recorder
  /** path -> running actor. Kept by `bind`: an actor is listed from its first snapshot until it stops. */
  readonly directory: Map<string, AnyActorRef>
  readonly links: Links
  readonly publisher: Publisher
  /** path of a `broker-connection` -> its newest connection. */
  readonly connections: Map<string, Connection>
  /** What the registry last said about brokers: node -> address. */
  brokers: ReadonlyMap<number, { host: string; port: number; rack: string | null }>
  /** consumer path -> its data plane. */
  readonly consumers: Map<string, ConsumerPlane>
  registry: Registry | undefined
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
export function tell(instance: Instance, path: string, event: { type: string }): boolean {
  const target = instance.directory.get(path)
  if (!target) return false
  target.send(event)
  return true
}
