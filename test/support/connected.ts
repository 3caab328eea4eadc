/**
 * A client of ours on a cluster under test: every emission is kept, and before it closes its recording is folded and compared with
 * its running actors. `withClient` is how the cluster tests use samsa.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { findInstance, type Instance } from '../../src/actors/instance.ts'
import { type Cluster as Client, type ClusterOptions, connect } from '../../src/index.ts'
import { allMachines } from '../../src/machines/index.ts'
import type { ClusterEmitted } from '../../src/model/events.ts'
import { Gathered } from './gathered.ts'
import { assertReplays } from './replay.ts'

export interface Connected {
  client: Client
  events: Gathered<ClusterEmitted>
  instance: Instance
}

export function instanceOfClient(client: Client): Instance {
  return findInstance((client.actor.getSnapshot() as unknown as { context: { instance: string } }).context.instance)!
}

/** Compares when nothing moves any more: an input between the export and the look at a snapshot is no difference. */
export async function assertClientReplays({ client, instance }: Connected): Promise<void> {
  void client
  for (let attempt = 0; ; attempt++) {
    const before = instance.recorder.stats.frames
    try {
      const live = new Map([...instance.directory].filter(([path]) => !path.includes('#')))
      assertReplays(instance.recorder, live, allMachines)
      return
    } catch (error) {
      if (instance.recorder.stats.frames === before || attempt === 20) throw error
      await delay(50)
    }
  }
}

/** Connects, runs, folds the recording, closes. */
export async function withClient(
  cluster: string | ClusterOptions,
  options: Omit<ClusterOptions, 'zookeeper' | 'brokers'>,
  body: (connected: Connected) => Promise<void>
): Promise<void> {
  const client = await connect(cluster, { recorderMaxBytes: 32 * 1024 * 1024, ...options })
  const events = new Gathered<ClusterEmitted>()
  client.on('*', event => events.add(event))
  const connected = { client, events, instance: instanceOfClient(client) }
  try {
    await body(connected)
    await assertClientReplays(connected)
  } finally {
    await client.close({ timeoutMs: 10_000 })
  }
}
