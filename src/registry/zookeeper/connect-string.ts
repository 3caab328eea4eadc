/**
 * ZooKeeper's connect string, checked: `host:port[,host:port…][/chroot]`, the chroot written once at the end (ZooKeeper's
 * `ConnectStringParser`). An IPv6 literal stands in brackets. Port 2181 where none is given.
 */
import { hasCredentials, withoutCredentials } from '../../model/redact.ts'
import { ZooKeeperError } from './errors.ts'

export interface ServerName {
  host: string
  port: number
}

export interface ConnectString {
  servers: ServerName[]
  /** `''`: none. Else it starts with `/` and does not end with one. */
  chroot: string
}

const defaultPort = 2181
const maxServers = 64
const maxLength = 16 * 1024

/** @throws ZooKeeperError ZK_INVALID_CONNECT_STRING that says what is wrong with it. */
export function parseConnectString(text: string): ConnectString {
  if (typeof text !== 'string' || text.length > maxLength) throw invalid(String(text), 'it is no string of a sane length')
  if (hasCredentials(text)) throw invalid(text, 'it has a user or a password in it, which belong into the option `auth`')
  if (text.includes('://')) throw invalid(text, 'leave the scheme (zookeeper://) out here')
  const slash = text.indexOf('/')
  const hosts = slash === -1 ? text : text.slice(0, slash)
  const servers = splitHosts(hosts).map(host => parseServer(host, text))
  if (servers.length === 0) throw invalid(text, 'it names no server')
  if (servers.length > maxServers) throw invalid(text, `it names more than ${maxServers} servers`)
  return { servers, chroot: slash === -1 ? '' : parseChroot(text.slice(slash), text) }
}

function splitHosts(hosts: string): string[] {
  return hosts
    .split(',')
    .map(host => host.trim())
    .filter(host => host !== '')
}

function parseServer(text: string, whole: string): ServerName {
  const match = /^\[([0-9A-Fa-f:.%A-Za-z0-9]+)\](?::(\d+))?$/.exec(text) ?? /^([A-Za-z0-9._-]+)(?::(\d+))?$/.exec(text)
  if (!match) {
    const hint = text.split(':').length > 2 ? 'an IPv6 address stands in brackets: [::1]:2181' : 'expected host:port'
    throw invalid(whole, `"${text.slice(0, 80)}" is no server; ${hint}`)
  }
  const port = match[2] === undefined ? defaultPort : Number(match[2])
  if (!(port >= 1 && port <= 65_535)) throw invalid(whole, `port ${match[2]} is not between 1 and 65535`)
  return { host: match[1]!, port }
}

function parseChroot(text: string, whole: string): string {
  const chroot = text.replace(/\/+$/, '')
  if (chroot === '') return ''
  if (chroot.includes(',')) throw invalid(whole, 'the chroot is written once, at the end: h1:2181,h2:2181/kafka')
  const problem = pathProblem(chroot)
  if (problem) throw invalid(whole, `its chroot ${problem}`)
  return chroot
}

/** What is wrong with a znode path, or undefined (ZooKeeper's `PathUtils.validatePath`). */
export function pathProblem(path: string): string | undefined {
  if (typeof path !== 'string' || path === '') return 'is empty'
  if (path[0] !== '/') return 'does not start with /'
  if (path.length > 64 * 1024) return 'is longer than 65536 characters'
  if (path === '/') return undefined
  if (path.endsWith('/')) return 'ends with /'
  for (const name of path.slice(1).split('/')) {
    if (name === '') return 'has an empty name in it'
    if (name === '.' || name === '..') return 'has a relative name in it'
  }
  return hasForbiddenCharacter(path) ? 'has a character in it that ZooKeeper refuses' : undefined
}

function hasForbiddenCharacter(path: string): boolean {
  for (let i = 0; i < path.length; i++) {
    const unit = path.charCodeAt(i)
    if (unit <= 0x1f || (unit >= 0x7f && unit <= 0x9f) || (unit >= 0xd800 && unit <= 0xf8ff) || unit >= 0xfff0) return true
  }
  return false
}

function invalid(text: string, why: string): ZooKeeperError {
  return new ZooKeeperError(
    'ZK_INVALID_CONNECT_STRING',
    `"${withoutCredentials(text).slice(0, 200)}" does not name a ZooKeeper: ${why}. Give host:2181[,host:2181][/chroot].`
  )
}
