/**
 * The real World: Node's clock, timers, sockets and resolver; its files are in node-files.ts. Nothing else in `src/` may touch them.
 */
import { type AddressInfo, connect, createServer, isIP, type Socket } from 'node:net'
import type { Listener, Timer, Transport, TransportHandlers, World } from '../model/world.ts'
import { nodeFiles } from './node-files.ts'

/** Loaded when first needed: importing node:crypto alone takes 10 ms of a start, and few need it. */
const builtin = process.getBuiltinModule

/** One read buffer per socket, reused for every read (measured: half the CPU of `on('data')`). */
const READ_BUFFER_BYTES = 256 * 1024
const LOOPBACK = '127.0.0.1'

function dial(...[target, handlers]: Parameters<World['dial']>): Transport {
  const socket: Socket = connect({
    host: target.host,
    port: target.port,
    noDelay: true,
    keepAlive: true,
    onread: {
      buffer: Buffer.allocUnsafe(READ_BUFFER_BYTES),
      callback(bytes, memory) {
        if (socket.destroyed) return false
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
  return transportOf(socket, handlers)
}

/** One listener; what a socket delivers is in memory of its own here, since Node gives accepted sockets no read buffer to use. */
async function listen(...[port, accept]: Parameters<World['listen']>): Promise<Listener> {
  const server = createServer({ noDelay: true, allowHalfOpen: false }, socket => {
    // Set before the transport is used: whoever accepts may write, or close, at once.
    let handlers: Omit<TransportHandlers, 'onConnect'> | undefined
    const transport = transportOf(socket, { onDrain: () => handlers?.onDrain(), onClose: error => handlers?.onClose(error) })
    handlers = accept(transport)
    socket.on('data', chunk => {
      try {
        if (!socket.destroyed) handlers.onData(chunk as Buffer)
      } catch (error) {
        socket.destroy(error as Error)
      }
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => {
      server.off('error', reject)
      // A connection that fails while it is accepted (no descriptors left) ends alone.
      server.on('error', () => {})
      resolve()
    })
  })
  const address = server.address() as AddressInfo
  return { host: address.address, port: address.port, close: () => void server.close() }
}

function transportOf(socket: Socket, handlers: Pick<TransportHandlers, 'onDrain' | 'onClose'>): Transport {
  let failure: Error | undefined
  socket.on('drain', () => handlers.onDrain())
  socket.on('end', () => socket.end())
  socket.on('error', error => {
    failure = error
  })
  socket.once('close', () => handlers.onClose(failure))
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
    listen,
    files: nodeFiles,
    hostname: () => builtin('node:os').hostname()
  }
}
