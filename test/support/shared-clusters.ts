/**
 * Clusters that several test processes share: the parent (`scripts/test.ts`) owns the processes and serves commands on loopback; a test file reaches
 * them through `useCluster()`. The environment variable `SAMSA_TEST_CLUSTER` carries where.
 */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { type Cluster, type ClusterControl, type ClusterFacts, type ClusterOptions, type ServerAction, startCluster } from './cluster.ts'

/** Which cluster a test wants: three 3.9.1 brokers with ZooKeeper, one Kafka 4 in KRaft mode, one old 1.1.1 broker, or three Kafka 4 brokers. */
export type ClusterKind = 'zookeeper' | 'kraft' | 'old' | 'kraft3'

export const environmentName = 'SAMSA_TEST_CLUSTER'

export const kinds: Record<ClusterKind, ClusterOptions> = {
  zookeeper: {},
  kraft: { kafka: '4' },
  old: { kafka: '1.1.1', chroot: '/old' },
  kraft3: { kafka: '4', brokers: 3 }
}

interface Shared {
  url: string
  /** Those that run. */
  clusters: Partial<Record<ClusterKind, ClusterFacts>>
  /** Kinds that are started when one asks. */
  onDemand?: ClusterKind[]
}

type Command =
  | { cluster: ClusterKind; do: 'facts' }
  | { cluster: ClusterKind; do: 'act'; server: string; action: ServerAction }
  | { cluster: ClusterKind; do: 'status' }
  | { cluster: ClusterKind; do: 'tool'; op: string; args: Record<string, unknown> }

/** All kinds served; `kraft3` is started when it is first wanted, the others at once. `environment` is for the test processes. */
export async function shareClusters(): Promise<{ environment: string; dispose(): Promise<void> }> {
  const zookeeper = await startCluster(kinds.zookeeper)
  const clusters = new Map<ClusterKind, Promise<Cluster>>([
    ['zookeeper', Promise.resolve(zookeeper)],
    ['kraft', startCluster(kinds.kraft)],
    ['old', startCluster({ ...kinds.old, zookeeper: `127.0.0.1:${zookeeper.zk.port}` })]
  ])
  const cluster = (kind: ClusterKind) => {
    if (!clusters.has(kind)) clusters.set(kind, startCluster(kinds[kind]))
    return clusters.get(kind)!
  }
  const facts = await Promise.all([...clusters].map(async ([kind, cluster]) => [kind, (await cluster).facts] as const))
  const server = await serve(cluster)
  const shared: Shared = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    clusters: Object.fromEntries(facts),
    onDemand: ['kraft3']
  }
  return {
    environment: JSON.stringify(shared),
    dispose: async () => {
      server.close()
      server.closeAllConnections()
      clusters.delete('zookeeper')
      for (const each of await Promise.allSettled(clusters.values())) if (each.status === 'fulfilled') await each.value.dispose()
      await zookeeper.dispose()
    }
  }
}

/** The cluster of that kind that the parent shares; undefined: there is no parent, or it has no such cluster. */
export async function sharedControl(kind: ClusterKind): Promise<ClusterControl | undefined> {
  const environment = process.env[environmentName]
  if (!environment) return undefined
  const { url, clusters, onDemand = [] } = JSON.parse(environment) as Shared
  const facts = clusters[kind] ?? (onDemand.includes(kind) ? await ask<ClusterFacts>(url, { cluster: kind, do: 'facts' }) : undefined)
  if (!facts) return undefined
  return {
    facts,
    act: (server, action) => ask(url, { cluster: kind, do: 'act', server, action }),
    status: () => ask(url, { cluster: kind, do: 'status' }),
    tool: (op, args) => ask(url, { cluster: kind, do: 'tool', op, args }),
    dispose: async () => {}
  }
}

async function ask<T>(url: string, command: Command): Promise<T> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(command) })
  const answer = (await response.json()) as { result?: T; error?: string }
  if (answer.error !== undefined) throw new Error(answer.error)
  return answer.result as T
}

async function serve(cluster: (kind: ClusterKind) => Promise<Cluster>): Promise<Server> {
  const server = createServer(async (request, response) => {
    let answer: { result?: unknown; error?: string }
    try {
      const command = JSON.parse(await text(request)) as Command
      answer = { result: await perform(await cluster(command.cluster), command) }
    } catch (error) {
      answer = { error: error instanceof Error ? error.message : String(error) }
    }
    response.end(JSON.stringify(answer))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return server
}

async function perform({ control }: Cluster, command: Command): Promise<unknown> {
  if (command.do === 'facts') return control.facts
  if (command.do === 'act') return control.act(command.server, command.action)
  if (command.do === 'tool') return control.tool(command.op, command.args)
  return control.status()
}
