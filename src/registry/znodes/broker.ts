/**
 * `/brokers/ids/<id>`: a live broker and where it listens. Versions 1 to 5 (Kafka's `BrokerIdZNode`): v1 has host and port only,
 * endpoints come with v2, the rack with v3, the map of listener names to protocols with v4, features with v5.
 */
import { RegistryError } from '../../model/errors.ts'
import { withoutCredentials } from '../../model/redact.ts'
import { decimal, type Fields, invalidZnode, parseObject, znodeJson } from './fields.ts'

export const brokerIdsPath = '/brokers/ids'

export interface BrokerEndpoint {
  listenerName: string
  /** PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL; something else of a later Kafka is kept as it is. */
  securityProtocol: string
  host: string
  port: number
}

export interface BrokerRegistration {
  id: number
  version: number
  endpoints: BrokerEndpoint[]
  rack: string | null
}

const maxEndpoints = 64
const protocols = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']

export function brokerIdPath(id: number): string {
  return `${brokerIdsPath}/${id}`
}

/** The id that a child of `/brokers/ids` stands for. @throws RegistryError ZNODE_INVALID */
export function parseBrokerId(child: string): number {
  const id = decimal(child)
  if (id === undefined) throw invalidZnode(`${brokerIdsPath}/${child.slice(0, 80)}`, 'has a name that is no broker id')
  return id
}

/** @throws RegistryError ZNODE_INVALID */
export function parseBrokerRegistration(id: number, data: Uint8Array): BrokerRegistration {
  const fields = parseObject(brokerIdPath(id), data)
  const version = fields.int('version', 1)
  const endpoints = version === 1 ? [oldEndpoint(fields)] : listedEndpoints(fields)
  return { id, version, endpoints, rack: fields.optionalText('rack') }
}

function oldEndpoint(fields: Fields): BrokerEndpoint {
  const host = checkedHost(fields.path, fields.text('host'))
  return { listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host, port: fields.int('port', 1, 65_535) }
}

function listedEndpoints(fields: Fields): BrokerEndpoint[] {
  const map = fields.optionalObject('listener_security_protocol_map')
  const endpoints = fields.texts('endpoints', maxEndpoints).map(text => parseEndpoint(fields.path, text, map))
  if (endpoints.length === 0) throw invalidZnode(fields.path, 'lists no endpoint')
  if (new Set(endpoints.map(endpoint => endpoint.listenerName)).size < endpoints.length) {
    throw invalidZnode(fields.path, 'lists a listener twice')
  }
  return endpoints
}

/** `NAME://host:port`, an IPv6 address in brackets (Kafka's `EndPoint.uriParseExp`). */
function parseEndpoint(path: string, text: string, map: Fields | undefined): BrokerEndpoint {
  const match = /^([^:/\s]{1,249}):\/\/(?:\[([^\][]+)\]|([^:\][]+)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[4])
  if (!match || !(port >= 1 && port <= 65_535))
    throw invalidZnode(path, `lists ${JSON.stringify(withoutCredentials(text).slice(0, 120))}, which is no endpoint`)
  const listenerName = match[1]!
  const securityProtocol = map?.has(listenerName) ? map.text(listenerName, 64) : protocolOfName(listenerName)
  return { listenerName, securityProtocol, host: checkedHost(path, match[2] ?? match[3]!), port }
}

function protocolOfName(listenerName: string): string {
  return protocols.includes(listenerName) ? listenerName : 'UNKNOWN'
}

function checkedHost(path: string, host: string): string {
  if (/^[0-9A-Za-z._:%-]{1,255}$/.test(host)) return host
  throw invalidZnode(path, `names the host ${JSON.stringify(host.slice(0, 80))}, which is none`)
}

/**
 * The endpoint to dial: that of `listenerName`, else the first whose protocol is PLAINTEXT.
 * @throws RegistryError LISTENER_NOT_FOUND that names the listeners there are.
 */
export function chooseEndpoint(broker: BrokerRegistration, listenerName: string | null): BrokerEndpoint {
  const fits = (endpoint: BrokerEndpoint) =>
    listenerName === null ? endpoint.securityProtocol === 'PLAINTEXT' : endpoint.listenerName === listenerName
  const found = broker.endpoints.find(fits)
  if (found) return found
  const wanted = listenerName === null ? 'no PLAINTEXT listener' : `no listener named ${listenerName}`
  const there = broker.endpoints.map(endpoint => `${endpoint.listenerName} (${endpoint.securityProtocol})`).join(', ')
  throw new RegistryError(
    'LISTENER_NOT_FOUND',
    `Broker ${broker.id} has ${wanted}; it listens as ${there}. Set listenerName to one of them that speaks a protocol in use here.`,
    { details: { path: brokerIdPath(broker.id), brokerId: broker.id, listenerName } }
  )
}

/** What a broker of today writes (v5). Host and port repeat the first PLAINTEXT listener; without one they are null and -1. */
export function writeBrokerRegistration(broker: Omit<BrokerRegistration, 'version' | 'id'>, timestampMs: number): Buffer {
  const plain = broker.endpoints.find(endpoint => endpoint.securityProtocol === 'PLAINTEXT')
  return znodeJson({
    features: {},
    listener_security_protocol_map: Object.fromEntries(broker.endpoints.map(each => [each.listenerName, each.securityProtocol])),
    endpoints: broker.endpoints.map(endpointText),
    jmx_port: -1,
    port: plain?.port ?? -1,
    host: plain?.host ?? null,
    version: 5,
    timestamp: String(timestampMs),
    ...(broker.rack === null ? {} : { rack: broker.rack })
  })
}

function endpointText({ listenerName, host, port }: BrokerEndpoint): string {
  return `${listenerName}://${host.includes(':') ? `[${host}]` : host}:${port}`
}
