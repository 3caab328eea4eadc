/**
 * What an embedded cluster may be told: the options of `EmbeddedCluster.start`, and the same in a URL (`embedded://?brokers=3`).
 */
import { UsageError } from '../model/errors.ts'
import type { World } from '../model/world.ts'
import type { ApiName } from '../wire/apis.ts'
import type { VersionProfile } from './kafka/versions.ts'

export interface EmbeddedOptions {
  /** How many, with the ids 1, 2, …. Default 3. */
  brokers?: number
  /** With a ZooKeeper that the brokers live on, as up to Kafka 3.9. Default true. */
  zookeeper?: boolean
  /** Topics that are there from the beginning: partitions by name, or more in words. */
  topics?: Readonly<Record<string, number | { partitions?: number; replicationFactor?: number; config?: Readonly<Record<string, string>> }>>
  /** Of every broker, as in server.properties. Defaults are Kafka's, but for those in `EMBEDDED_CONFIG`. */
  config?: Readonly<Record<string, string>>
  /** Passwords by user: clients must show one by SASL (PLAIN, SCRAM-SHA-256, SCRAM-SHA-512). Default: they need not. */
  users?: Readonly<Record<string, string>>
  /** Ports of the brokers, in order, and of the ZooKeeper. Default: any that are free; a broker keeps its own when it starts again. */
  ports?: { brokers?: readonly number[]; zookeeper?: number }
  /**
   * Logs, topics, committed offsets and the ZooKeeper's tree are kept in this directory, and are there again, on the same ports, when another process starts
   * with it. Default: everything is in memory. One process at a time.
   */
  directory?: string
  /** Racks of the brokers, in order. */
  racks?: readonly string[]
  /** Whose versions of the protocol are offered. Default '3.9'. */
  profile?: VersionProfile
  /** The highest version offered, by API: be an older broker. */
  maxVersions?: Partial<Record<ApiName, number>>
  /** After so many ms without its process a broker's registration in ZooKeeper is gone, and others lead. Default 0: at once. */
  brokerSessionTimeoutMs?: number
  /** For simulation: clock, timers, chance and network. */
  world?: World
}

/** What differs from Kafka's defaults: a test does not wait for members that do not come. */
export const EMBEDDED_CONFIG: Readonly<Record<string, string>> = {
  'group.initial.rebalance.delay.ms': '0',
  'offsets.topic.num.partitions': '5',
  'transaction.state.log.num.partitions': '5'
}

const MOST_BROKERS = 100

/** Throws UsageError, naming the option. */
export function checkOptions({ brokers = 3, ports, racks }: EmbeddedOptions): void {
  if (!Number.isInteger(brokers) || brokers < 1 || brokers > MOST_BROKERS)
    throw invalid('brokers', `give a number from 1 to ${MOST_BROKERS}`)
  if (ports?.brokers && ports.brokers.length !== brokers) throw invalid('ports.brokers', `give ${brokers}, one for each broker`)
  if (racks && racks.length !== brokers) throw invalid('racks', `give ${brokers}, one for each broker`)
}

/** `embedded://[?brokers=3][&zookeeper=false][&topics=orders:6,events]`. Throws UsageError. */
export function parseEmbeddedUrl(url: string): EmbeddedOptions {
  const match = /^embedded:\/\/\/?(?:\?(.*))?$/.exec(url)
  if (!match) throw invalid('cluster', `"${url}" is not embedded://, with ?brokers=3 and others behind it`)
  const options: EmbeddedOptions = {}
  for (const [name, value] of new URLSearchParams(match[1] ?? '')) {
    if (name === 'brokers') options.brokers = Number(value)
    else if (name === 'zookeeper' && /^(true|false)$/.test(value)) options.zookeeper = value === 'true'
    else if (name === 'topics') options.topics = Object.fromEntries(value.split(',').filter(Boolean).map(topicOf))
    else throw invalid(name, 'an embedded cluster takes brokers=N, zookeeper=false and topics=NAME:PARTITIONS,…')
  }
  checkOptions(options)
  return options
}

function topicOf(text: string): [string, number] {
  const [name, partitions = '1'] = text.split(':')
  const count = Number(partitions)
  if (!name || !Number.isInteger(count) || count < 1) throw invalid('topics', `"${text}" is not NAME or NAME:PARTITIONS`)
  return [name, count]
}

const invalid = (option: string, what: string) =>
  new UsageError('INVALID_OPTION', `embedded cluster, ${option}: ${what}.`, { details: { option } })
