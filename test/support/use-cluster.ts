/**
 * `const cluster = await useCluster()` at the top of a cluster test: the shared one under `npm test`, one of its own when the file runs
 * alone. After the file's tests it is healed (shared) or gone (own); names from `uniqueName` keep files out of each other's way.
 */
import { randomBytes } from 'node:crypto'
import { after } from 'node:test'
import { Cluster, startCluster } from './cluster.ts'
import { type ClusterKind, kinds, sharedControl } from './shared-clusters.ts'

export async function useCluster(kind: ClusterKind = 'zookeeper'): Promise<Cluster> {
  const control = await sharedControl(kind)
  if (!control) {
    const cluster = await startCluster(kinds[kind])
    after(() => cluster.dispose())
    return cluster
  }
  const cluster = await Cluster.over(control)
  // A file that was killed at its time limit could not heal what it had broken.
  if (cluster.servers.some(server => server.state !== 'up')) await cluster.heal()
  after(async () => {
    if (cluster.touched) await cluster.heal()
  })
  return cluster
}

/** A topic or group name that no other run uses. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(4).toString('hex')}`
}
