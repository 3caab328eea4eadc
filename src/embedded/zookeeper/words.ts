/**
 * The four-letter words that monitoring asks over a plain connection.
 */
import type { Core } from './core.ts'

const VERSION = '3.8.4-samsa'

export interface Traffic {
  connections: number
  received: number
}

/** The answer; undefined: there is no such word. */
export function answerWord(word: string, core: Core, traffic: Traffic): string | undefined {
  const zxid = `0x${core.tree.zxid.toString(16)}`
  const nodes = core.tree.nodes.size
  const lines = {
    'Latency min/avg/max': '0/0.0/0',
    Received: traffic.received,
    Sent: traffic.received,
    Connections: traffic.connections,
    Outstanding: 0,
    Zxid: zxid,
    Mode: 'standalone',
    'Node count': nodes
  }
  const status = Object.entries(lines)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join('')
  switch (word) {
    case 'ruok':
      return 'imok'
    case 'isro':
      return 'rw'
    case 'srvr':
      return `Zookeeper version: ${VERSION}\n${status}`
    case 'stat':
      return `Zookeeper version: ${VERSION}\nClients:\n${clients(core)}\n${status}`
    case 'cons':
      return `${clients(core)}\n`
    case 'dump':
      return `Sessions with Ephemerals (${core.tree.ephemerals.size}):\n${ephemerals(core)}`
    case 'envi':
      // What clients look for to know what they may ask.
      return `Environment:\nzookeeper.version=${VERSION}\nhost.name=127.0.0.1\n`
    case 'mntr':
      return monitor({
        zk_version: VERSION,
        zk_server_state: 'standalone',
        zk_num_alive_connections: traffic.connections,
        zk_outstanding_requests: 0,
        zk_packets_received: traffic.received,
        zk_packets_sent: traffic.received,
        zk_znode_count: nodes,
        zk_watch_count: core.watches.size,
        zk_ephemerals_count: [...core.tree.ephemerals.values()].reduce((sum, paths) => sum + paths.size, 0),
        zk_global_sessions: core.sessions.all.size
      })
    default:
      return undefined
  }
}

const clients = (core: Core) =>
  [...core.sessions.all.values()]
    .filter(({ holder }) => holder)
    .map(({ id, timeoutMs }) => ` /127.0.0.1[1](sid=0x${id.toString(16)},to=${timeoutMs})\n`)
    .join('')

const ephemerals = (core: Core) =>
  [...core.tree.ephemerals].map(([id, paths]) => `0x${id.toString(16)}:\n${[...paths].map(path => `\t${path}\n`).join('')}`).join('')

const monitor = (values: Readonly<Record<string, string | number>>) =>
  Object.entries(values)
    .map(([name, value]) => `${name}\t${value}\n`)
    .join('')
