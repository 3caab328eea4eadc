/**
 * What an embedded cluster may be told: the options of `EmbeddedCluster.start`, and the same in a URL (`embedded://?brokers=3`).
 */
import { UsageError } from '../model/errors.ts'
import { hasCredentials, withoutCredentials } from '../model/redact.ts'
import type { World } from '../model/world.ts'
import type { ApiName } from '../wire/apis.ts'
import { badValue, definitionOf } from './kafka/config-definitions.ts'
import type { VersionProfile } from './kafka/versions.ts'

export interface EmbeddedOptions {
  /** How many, with the ids 1, 2, …. Default 3; with a directory as many as it had before. */
  brokers?: number
  /** With a ZooKeeper that the brokers live on, as up to Kafka 3.9. Default true. */
  zookeeper?: boolean
  /** Topics that are there from the beginning: partitions by name, or more in words. */
  topics?: Readonly<Record<string, number | { partitions?: number; replicationFactor?: number; config?: Readonly<Record<string, string>> }>>
  /** Of every broker, as in server.properties. Defaults are Kafka's, but for those in `EMBEDDED_CONFIG`. */
  config?: Readonly<Record<string, string>>
  /** Passwords by user: clients must show one by SASL (PLAIN, SCRAM-SHA-256, SCRAM-SHA-512). Default: they need not. */
  users?: Readonly<Record<string, string>>
  /**
   * Ports of the brokers, in order (or the first one, the others on the next), and of the ZooKeeper. Default: any that are free; a broker keeps its
   * own when it starts again.
   */
  ports?: { brokers?: number | readonly number[]; zookeeper?: number }
  /**
   * Logs, topics, committed offsets and the ZooKeeper's tree are kept in this directory, and are there again, on the same ports, when another process starts
   * with it. What is acked is written (the operating system may still lose it: there is no fsync). Default: everything is in memory. One process at a time.
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

export const DEFAULT_BROKERS = 3
const MOST_BROKERS = 100
const MOST_PORT = 0xffff
const PROFILES: readonly VersionProfile[] = ['3.9', '4.x']

/** Throws UsageError, naming the option. */
export function checkOptions({ brokers = DEFAULT_BROKERS, ports = {}, racks, profile, config = {} }: EmbeddedOptions): void {
  if (!isCount(brokers, 1, MOST_BROKERS)) throw invalid('brokers', `give a number from 1 to ${MOST_BROKERS}`)
  const listed = brokerPorts(ports.brokers, brokers)
  if (listed && listed.length !== brokers) throw invalid('ports.brokers', `give ${brokers}, one for each broker`)
  if (listed && !listed.every(isPort)) throw invalid('ports.brokers', `give numbers from 0 to ${MOST_PORT}`)
  if (ports.zookeeper !== undefined && !isPort(ports.zookeeper)) throw invalid('ports.zookeeper', `give a number from 0 to ${MOST_PORT}`)
  if (racks && racks.length !== brokers) throw invalid('racks', `give ${brokers}, one for each broker`)
  if (profile !== undefined && !PROFILES.includes(profile)) throw invalid('profile', `give ${PROFILES.join(' or ')}`)
  for (const [name, value] of Object.entries(config)) {
    // A name that is not known here may well be one of Kafka's.
    const definition = definitionOf('broker', name)
    const why = definition && badValue(definition, String(value))
    if (why) throw invalid('config', why)
  }
}

/** One for each broker; undefined: any that are free. */
export function brokerPorts(given: number | readonly number[] | undefined, brokers: number): readonly number[] | undefined {
  return typeof given === 'number' ? Array.from({ length: brokers }, (_, index) => (given === 0 ? 0 : given + index)) : given
}

const isCount = (value: number, least: number, most: number) => Number.isInteger(value) && value >= least && value <= most
const isPort = (value: number) => isCount(value, 0, MOST_PORT)

/** `embedded://[?brokers=3][&zookeeper=false][&topics=orders:6,events]`. Throws UsageError. */
export function parseEmbeddedUrl(url: string): EmbeddedOptions {
  if (hasCredentials(url)) throw invalid('cluster', `"${withoutCredentials(url)}" has a user or a password in it, and takes none`)
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
