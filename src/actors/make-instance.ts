/**
 * Makes and ends an Instance: the table of live things of one cluster.
 */
import { DiskJournal } from '../journal/disk.ts'
import { createRecorder } from '../journal/recorder.ts'
import { machineVersions } from '../journal/versions.ts'
import { type ClusterOptions, resolveOptions } from '../model/config.ts'
import { plainError, type SamsaError, UsageError } from '../model/errors.ts'
import type { ClusterEmitted } from '../model/events.ts'
import type { World } from '../model/world.ts'
import { nodeWorld } from '../world/node.ts'
import { boundMachines } from './bind.ts'
import { addInstance, ensureActor, findInstance, type Instance, removeInstance, tell } from './instance.ts'
import { Links } from './links.ts'
import { usePartition } from './partition.ts'
import { Publisher } from './publisher.ts'
import { useTopic } from './topics.ts'

/** Input of a ClusterActor: the options, and for tests and simulation another World. */
export type ClusterInput = ClusterOptions & { world?: World }

/** `host:port,…` as addresses under negative node ids, as Java's client numbers bootstrap addresses. */
function parseSeeds(brokers: string | null): Map<number, { host: string; port: number; rack: null }> {
  const seeds = new Map<number, { host: string; port: number; rack: null }>()
  for (const [index, address] of (brokers ?? '').split(',').filter(Boolean).entries()) {
    const match = /^\s*(?:\[([0-9a-fA-F:.]+)\]|([^\s:]+)):(\d{1,5})\s*$/.exec(address)
    const port = Number(match?.[3])
    if (!match || port < 1 || port > 65_535)
      throw new UsageError('INVALID_OPTION', `"${address}" is not host:port; brokers must be host:port[,host:port…].`, {
        details: { option: 'brokers' }
      })
    seeds.set(-1 - index, { host: match[1] ?? match[2]!, port, rack: null })
  }
  return seeds
}

export function makeInstance(input: ClusterInput, emit: (event: ClusterEmitted) => void): Instance {
  const { world = nodeWorld(), ...given } = input
  const options = resolveOptions(given)
  const seeds = parseSeeds(options.brokers)
  // No secret: `randomBytes` would load node:crypto, 8 ms of a start.
  const id = [0, 0]
    .map(() =>
      Math.floor(world.random() * 2 ** 32)
        .toString(16)
        .padStart(8, '0')
    )
    .join('')
  const connection = (node: number, purpose: string) => `brokers/${node}/${purpose}`
  const instance: Instance = {
    id,
    world,
    options,
    emit,
    seeds,
    recorder: createRecorder({
      maxBytes: options.recorderMaxBytes,
      now: () => world.now(),
      instance: id,
      versions: () => machineVersions(boundMachines),
      onTrouble: error => instance.emit({ type: 'trouble', where: 'recorder', error: plainError(error) })
    }),
    directory: new Map(),
    connections: new Map(),
    partitionLinks: new Map(),
    spawning: new Set(),
    consumers: new Map(),
    brokers: new Map(),
    controller: null,
    topicNames: undefined,
    topicDetails: new Map(),
    leaderDetails: new Map(),
    registry: undefined,
    ending: [],
    onLevel: new Set(),
    closed: false,
    links: new Links({
      world,
      nodes: () => [...instance.brokers.keys()],
      release: (node, purpose) => void tell(instance, connection(node, purpose), { type: 'RELEASE' }),
      want: (node, purpose) => {
        const address = instance.brokers.get(node) ?? seeds.get(node)
        if (!address) return false
        const path = connection(node, purpose)
        ensureActor(instance, 'brokers', path, 'broker', {
          node,
          purpose,
          host: address.host,
          port: address.port,
          backoffMs: options.reconnectBackoffMs,
          backoffMaxMs: options.reconnectBackoffMaxMs,
          drainTimeoutMs: options.requestTimeoutMs
        })
        tell(instance, path, { type: 'WANT' })
        return true
      }
    }),
    publisher: new Publisher({
      world,
      options,
      emit: event => instance.emit(event),
      tell: (path, event) => void tell(instance, path, event),
      useTopic: topic => useTopic(instance, topic),
      usePartition: (topic, partition) => usePartition(instance, topic, partition)
    })
  }
  if (options.journal !== null) {
    const onTrouble = (error: SamsaError) => instance.emit({ type: 'trouble', where: 'journal', error: plainError(error) })
    instance.journal = new DiskJournal({
      world,
      directory: options.journal,
      maxBytes: options.journalMaxBytes,
      recorder: instance.recorder,
      onTrouble
    })
  }
  addInstance(instance)
  return instance
}

/** The last of a cluster's children has stopped, or the user stopped the actor: nothing of it may live on. */
export function endInstance(id: string): void {
  const instance = findInstance(id)
  if (!instance) return
  instance.closed = true
  instance.ending.push(instance.publisher.close())
  instance.links.close()
  if (instance.journal) instance.ending.push(instance.journal.close())
  for (const connection of instance.connections.values()) connection.close()
  removeInstance(id)
}
