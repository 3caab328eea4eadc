/**
 * Node's files, as the World has them. node:fs is loaded when a file is first touched: most who publish touch none.
 */
import { createConnection, createServer } from 'node:net'
import type { AppendFile, Files } from '../model/world.ts'

const builtin = process.getBuiltinModule
const fs = () => builtin('node:fs/promises')

/** `sockaddr_un` on Linux has 108 bytes, on macOS 104, with a zero at the end. */
const SOCKET_PATH_MAX = 103

export const nodeFiles: Files = {
  read: path => fs().readFile(path),
  write: (path, data, options) => fs().writeFile(path, data, options),
  append: (path, data) => fs().appendFile(path, data),
  rename: (from, to) => fs().rename(from, to),
  remove: path => fs().rm(path, { force: true }),
  makeDirectory: async (path, options) => void (await fs().mkdir(path, { recursive: true, ...options })),
  list: async path => (await fs().readdir(path)).sort(),
  size: async path => (await fs().stat(path)).size,
  create,
  syncDirectory,
  lock
}

async function create(path: string, options: { mode?: number } = {}): Promise<AppendFile> {
  const file = await fs().open(path, 'ax', options.mode)
  return {
    append: async chunks => {
      // writev may write less than it was given (a full disk, a signal): the rest goes again, or fails with the reason.
      let rest = [...chunks]
      while (rest.length > 0) rest = after(rest, (await file.writev(rest)).bytesWritten)
    },
    sync: () => file.datasync(),
    cut: bytes => file.truncate(bytes),
    close: () => file.close()
  }
}

/** What of these chunks comes behind the first `bytes`. */
function after(chunks: Uint8Array[], bytes: number): Uint8Array[] {
  let left = bytes
  let index = 0
  while (index < chunks.length && left >= chunks[index]!.length) left -= chunks[index++]!.length
  const rest = chunks.slice(index)
  if (left > 0) rest[0] = rest[0]!.subarray(left)
  return rest
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await fs().open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/**
 * Node has no flock, and a file with a process's number lies when the number is another process's by now, or that of another container. A socket
 * that nobody listens on is refused; that is how a dead holder is known.
 */
async function lock(path: string): Promise<{ release(): Promise<void> }> {
  if (Buffer.byteLength(path) > SOCKET_PATH_MAX)
    throw coded('ENAMETOOLONG', `${path} has more than ${SOCKET_PATH_MAX} bytes, which is all that a unix socket's name may have`)
  if (await answers(path)) throw coded('ELOCKED', `${path} is held by a process that runs`)
  await fs().rm(path, { force: true })
  const server = createServer(socket => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject((error as NodeJS.ErrnoException).code === 'EADDRINUSE' ? coded('ELOCKED', error.message) : error))
    server.listen(path, resolve)
  })
  server.unref()
  return { release: () => new Promise(resolve => server.close(() => resolve())) }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ENOENT' || error.code === 'ECONNREFUSED' ? resolve(false) : reject(error)
    )
  })
}

const coded = (code: string, message: string) => Object.assign(new Error(message), { code })
