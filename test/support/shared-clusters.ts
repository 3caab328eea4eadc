/**
 * Clusters that several test processes share: the parent (`scripts/test.ts`) owns the processes and serves commands on loopback; a test file reaches
 * them through `useCluster()`. The environment variable `SAMSA_TEST_CLUSTER` carries where.
 */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { type Cluster, type ClusterControl, type ClusterFacts, type ClusterOptions, type ServerAction, startCluster } from './cluster.ts'

/** Which cluster a test wants: three 3.9.1 brokers with ZooKeeper, one Kafka 4 in KRaft mode, or one old 1.1.1 broker. */
export type ClusterKind = 'zookeeper' | 'kraft' | 'old'

export const environmentName = 'SAMSA_TEST_CLUSTER'

export const kinds: Record<ClusterKind, ClusterOptions> = {
  zookeeper: {},
  kraft: { kafka: '4' },
  old: { kafka: '1.1.1', chroot: '/old' }
}

interface Shared {
  url: string
  clusters: Record<ClusterKind, ClusterFacts>
}

type Command =
  | { cluster: ClusterKind; do: 'act'; server: string; action: ServerAction }
  | { cluster: ClusterKind; do: 'status' }
  | { cluster: ClusterKind; do: 'tool'; op: string; args: Record<string, unknown> }

/** All kinds started and served. `environment` is for the test processes. */
export async function shareClusters(): Promise<{ environment: string; dispose(): Promise<void> }> {
  const zookeeper = await startCluster(kinds.zookeeper)
  const [kraft, old] = await Promise.all([
    startCluster(kinds.kraft),
    startCluster({ ...kinds.old, zookeeper: `127.0.0.1:${zookeeper.zk.port}` })
  ])
  const clusters = { zookeeper, kraft, old }
  const server = await serve(clusters)
  const shared: Shared = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    clusters: { zookeeper: zookeeper.facts, kraft: kraft.facts, old: old.facts }
  }
  return {
    environment: JSON.stringify(shared),
    dispose: async () => {
      server.close()
      server.closeAllConnections()
      await Promise.all([kraft.dispose(), old.dispose()])
      await zookeeper.dispose()
    }
  }
}

/** The cluster of that kind that the parent shares; undefined: there is no parent. */
export function sharedControl(kind: ClusterKind): ClusterControl | undefined {
  const environment = process.env[environmentName]
  if (!environment) return undefined
  const { url, clusters } = JSON.parse(environment) as Shared
  return {
    facts: clusters[kind],
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

async function serve(clusters: Record<ClusterKind, Cluster>): Promise<Server> {
  const server = createServer(async (request, response) => {
    let answer: { result?: unknown; error?: string }
    try {
      answer = { result: await perform(clusters, JSON.parse(await text(request)) as Command) }
    } catch (error) {
      answer = { error: error instanceof Error ? error.message : String(error) }
    }
    response.end(JSON.stringify(answer))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return server
}

function perform(clusters: Record<ClusterKind, Cluster>, command: Command): Promise<unknown> {
  const { control } = clusters[command.cluster]
  if (command.do === 'act') return control.act(command.server, command.action)
  if (command.do === 'tool') return control.tool(command.op, command.args)
  return control.status()
}
