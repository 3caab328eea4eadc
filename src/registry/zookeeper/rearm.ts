/**
 * What a connection says first, before any operation that waited: the credentials, then the watches that were armed. They go
 * in parts, as a server closes the connection on a request over 1 MiB.
 */
import { type ConnectionManager, type Library, type LibraryRequest, opcode, xidOf } from './library.ts'

/** Paths of one SetWatches request (ZooKeeper's `ClientCnxn.SET_WATCHES_MAX_LENGTH`). */
const maxWatchBytes = 128 * 1024

type WatchLists = [data: string[], existence: string[], child: string[]]

export function authRequest(jute: Library, auth: { scheme: string; auth: Buffer } | undefined): LibraryRequest | undefined {
  if (!auth) return undefined
  const { RequestHeader, AuthPacket } = jute.protocol
  return new jute.Request(new RequestHeader(xidOf.auth, opcode.auth), new AuthPacket(0, auth.scheme, auth.auth))
}

/** The server fires at once what has changed since the last zxid that was seen. */
export function watchRequests(jute: Library, manager: ConnectionManager): LibraryRequest[] {
  const { watcherManager, zxid, chrootPath } = manager
  const { RequestHeader, SetWatches } = jute.protocol
  const lists = [watcherManager.getDataWatcherPaths(), watcherManager.getExistenceWatcherPaths(), watcherManager.getChildWatcherPaths()]
  return watchParts(lists, chrootPath?.length ?? 0).map(part => {
    const payload = new SetWatches(zxid, ...part)
    if (chrootPath) payload.setChrootPath(chrootPath)
    return new jute.Request(new RequestHeader(0, opcode.setWatches), payload)
  })
}

/** The paths in parts of at most `maxBytes`; none for no paths. */
export function watchParts(lists: readonly string[][], chrootBytes: number, maxBytes: number = maxWatchBytes): WatchLists[] {
  const parts: WatchLists[] = []
  let part: WatchLists = [[], [], []]
  let bytes = 0
  lists.forEach((paths, kind) => {
    for (const path of paths) {
      const size = Buffer.byteLength(path) + chrootBytes + 4
      if (bytes > 0 && bytes + size > maxBytes) {
        parts.push(part)
        part = [[], [], []]
        bytes = 0
      }
      part[kind]!.push(path)
      bytes += size
    }
  })
  if (bytes > 0) parts.push(part)
  return parts
}
