/**
 * Who may do what to a node: the schemes world, auth, digest and ip, as `PrepRequestProcessor` and `ZooKeeperServer.checkACL` have them.
 */
import { createHash } from 'node:crypto'
import { ZkFault } from './faults.ts'
import type { JuteReader, JuteWriter } from './jute.ts'

export const PERM = { read: 1, write: 2, create: 4, delete: 8, admin: 16, all: 31 } as const

export interface Identity {
  scheme: string
  id: string
}

export interface AclEntry extends Identity {
  perms: number
}

export const OPEN_ACL: readonly AclEntry[] = [{ perms: PERM.all, scheme: 'world', id: 'anyone' }]

export const readAcl = (reader: JuteReader): AclEntry[] =>
  reader.vector(() => ({ perms: reader.int(), scheme: reader.string(), id: reader.string() }))

export const writeAcl = (writer: JuteWriter, acl: readonly AclEntry[]): JuteWriter =>
  writer.vector(acl, ({ perms, scheme, id }) => void writer.int(perms).string(scheme).string(id))

/** `user:password` as the digest scheme keeps it. */
export function digestOf(credentials: string): string {
  const user = credentials.split(':', 1)[0]!
  return `${user}:${createHash('sha1').update(credentials, 'utf8').digest('base64')}`
}

/** What `addauth` makes of a session; undefined: there is no such scheme, or it is refused. */
export function authenticate(scheme: string, auth: Buffer, address: string): Identity | undefined {
  if (scheme === 'digest') return { scheme, id: digestOf(auth.toString('utf8')) }
  if (scheme === 'ip') return { scheme, id: address }
  return undefined
}

/** What is stored of a given list. Throws INVALID_ACL. */
export function fixAcl(acl: readonly AclEntry[], identities: readonly Identity[], path: string): readonly AclEntry[] {
  const fixed: AclEntry[] = []
  for (const entry of acl) {
    const { scheme, id, perms } = entry
    if (scheme === 'world' && id === 'anyone') fixed.push(entry)
    else if (scheme === 'auth') fixed.push(...identities.filter(each => each.scheme !== 'ip').map(each => ({ perms, ...each })))
    else if ((scheme === 'digest' && /^[^:]*:[^:]*$/.test(id)) || (scheme === 'ip' && isAddress(id))) fixed.push(entry)
    else throw new ZkFault('INVALID_ACL', path)
  }
  if (fixed.length === 0) throw new ZkFault('INVALID_ACL', path)
  const seen = new Set<string>()
  return fixed.filter(({ perms, scheme, id }) => {
    const key = `${perms} ${scheme} ${id}`
    return !seen.has(key) && seen.add(key)
  })
}

/** Throws NO_AUTH. */
export function checkAcl(acl: readonly AclEntry[], perm: number, identities: readonly Identity[], path: string): void {
  if (!allows(acl, perm, identities)) throw new ZkFault('NO_AUTH', path)
}

export function allows(acl: readonly AclEntry[], perm: number, identities: readonly Identity[]): boolean {
  if (identities.some(({ scheme }) => scheme === 'super')) return true
  return acl.some(({ perms, scheme, id }) => {
    if ((perms & perm) === 0) return false
    if (scheme === 'world') return true
    return identities.some(each => each.scheme === scheme && (scheme === 'ip' ? inNetwork(each.id, id) : each.id === id))
  })
}

/** Who may not administrate sees no digests. */
export function masked(acl: readonly AclEntry[]): AclEntry[] {
  return acl.map(entry => (entry.scheme === 'digest' ? { ...entry, id: `${entry.id.split(':', 1)[0]}:x` } : entry))
}

const isAddress = (id: string) => /^\d{1,3}(\.\d{1,3}){3}(\/([0-9]|[12][0-9]|3[0-2]))?$/.test(id)

function inNetwork(address: string, network: string): boolean {
  const [base, bits = '32'] = network.split('/')
  const number = (text: string) => text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
  const size = 2 ** (32 - Number(bits))
  return Math.floor(number(address) / size) === Math.floor(number(base!) / size)
}
