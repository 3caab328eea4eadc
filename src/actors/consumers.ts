/**
 * The door of the consuming side, which `cluster.ts` loads when something is first subscribed to: half of the package, that who only publishes
 * need not read. How a consumer begins: a SUBSCRIBE is checked and gets a plane and a path here; when the supervisor has listed it, its actor starts.
 */
import type { ConsumerHandle, SubscribeOptions } from '../model/events.ts'
import { assignorsOf, resolveSubscription } from '../model/subscription.ts'
import { consumedPartitionActor } from './consumed-partition.ts'
import { consumerActor } from './consumer.ts'
import { PlaneHandle } from './consumer-handle.ts'
import { ConsumerPlane } from './consumer-plane.ts'
import { ensureActor, type Instance } from './instance.ts'
import { spawnable } from './tier.ts'

spawnable({ consumer: consumerActor, 'consumed-partition': consumedPartitionActor })

const counts = new WeakMap<Instance, number>()

/** Checks the options (throws UsageError) and makes the plane; its path in the tree of actors comes back. */
export function wantConsumer(instance: Instance, wanted: SubscribeOptions & { type?: string; id?: string | number }): string {
  const { type: _, id, ...options } = wanted
  const subscription = resolveSubscription(options, instance.options.zookeeper !== null)
  const count = (counts.get(instance) ?? 0) + 1
  counts.set(instance, count)
  const path = `consumers/${count}`
  const plane = new ConsumerPlane(instance, path, subscription, id)
  const own = assignorsOf(wanted.assignor).filter(entry => typeof entry !== 'string')
  plane.assignors = new Map(own.map(assignor => [assignor.name, assignor]))
  instance.consumers.set(path, plane)
  return path
}

/** Starts the actor of a wanted consumer, and tells so: a listener that is added in that very turn misses nothing. */
export function startConsumer(instance: Instance, path: string): void {
  const plane = instance.consumers.get(path)
  if (!plane) return
  const { retryBackoffMs, retryBackoffMaxMs } = instance.options
  ensureActor(instance, 'consumers', path, 'consumer', { subscription: plane.subscription, retryBackoffMs, retryBackoffMaxMs })
  const consumer: ConsumerHandle = new PlaneHandle(plane)
  instance.emit({ type: 'consumer.started', id: plane.requestId, consumer })
}
