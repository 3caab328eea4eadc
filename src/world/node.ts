/**
 * The real World: Node's clock, timers, sockets, resolver and files. The only file of `src/` that may touch them.
 */
import { connect, isIP } from 'node:net'
import type { Timer, Transport, World } from '../model/world.ts'

/** Loaded when first needed: importing node:crypto alone takes 10 ms of a start, and few need it. */
const builtin = process.getBuiltinModule

/** One read buffer per socket, reused for every read (measured: half the CPU of `on('data')`). */
const READ_BUFFER_BYTES = 256 * 1024

function dial(...[target, handlers]: Parameters<World['dial']>): Transport {
  let closed = false
  let failure: Error | undefined
  const socket = connect({
    host: target.host,
    port: target.port,
    noDelay: true,
    keepAlive: true,
    onread: {
      buffer: Buffer.allocUnsafe(READ_BUFFER_BYTES),
      callback(bytes, memory) {
        if (closed) return false
        try {
          handlers.onData(Buffer.from(memory.buffer, memory.byteOffset, bytes))
        } catch (error) {
          socket.destroy(error as Error)
        }
        return true
      }
    }
  })
  socket.on('connect', () => handlers.onConnect())
  socket.on('drain', () => handlers.onDrain())
  socket.on('end', () => socket.end())
  socket.on('error', error => {
    failure = error
  })
  socket.on('close', () => {
    if (closed) return
    closed = true
    handlers.onClose(failure)
  })
  return {
    write(chunks) {
      if (socket.destroyed || socket.writableEnded) return true
      if (chunks.length === 1) return socket.write(chunks[0]!)
      socket.cork()
      let ready = true
      for (const chunk of chunks) ready = socket.write(chunk)
      socket.uncork()
      return ready
    },
    get bufferedBytes() {
      return socket.writableLength
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    end: () => void socket.end(),
    destroy: error => void socket.destroy(error)
  }
}

/** Makes the real World. It holds nothing of its own: one instance serves any number of clusters. */
export function nodeWorld(): World {
  return {
    now: () => Date.now(),
    monotonicMs: () => performance.now(),
    setTimer: (callback, delayMs) => setTimeout(callback, delayMs),
    clearTimer: (timer: Timer) => clearTimeout(timer as NodeJS.Timeout),
    defer: callback => void setImmediate(callback),
    random: () => Math.random(),
    randomBytes: length => builtin('node:crypto').randomBytes(length),
    resolve: async host =>
      isIP(host) ? [host] : (await builtin('node:dns/promises').lookup(host, { all: true })).map(found => found.address),
    dial,
    files: {
      read: path => builtin('node:fs/promises').readFile(path),
      write: (path, data, options) => builtin('node:fs/promises').writeFile(path, data, options),
      makeDirectory: async (path, options) => void (await builtin('node:fs/promises').mkdir(path, { recursive: true, ...options }))
    },
    hostname: () => builtin('node:os').hostname()
  }
}
