/**
 * The World: the only way out of `src/`. Clock, timers, entropy, dialling, names, files.
 * `src/world/node.ts` is the real one; a simulation gives another. A test reads every import and identifier
 * and fails when anything but `src/world/` reaches for `Date.now`, `Math.random`, timers, `node:net`, `node:tls`, `node:dns` or `node:fs`.
 */

/** An opaque timer. Pass it back to `clearTimer` only. */
export type Timer = { readonly __timer: unique symbol } | object

export interface DialTarget {
  host: string
  port: number
}

/**
 * What a transport tells its owner. Each is called at most as the comment says; after `onClose` nothing is called any more.
 */
export interface TransportHandlers {
  /** Once, when bytes can be written. */
  onConnect(): void
  /** **The chunk is only valid during the call** (its memory is reused): copy what you keep. A throw closes the transport. */
  onData(chunk: Buffer): void
  /** The write buffer has drained below its mark after a `write` returned false. */
  onDrain(): void
  /** Exactly once: the transport is gone, with the reason if it was not a clean end. Also called when dialling fails. */
  onClose(error: Error | undefined): void
}

/** A byte stream to a peer. */
export interface Transport {
  /** Writes the chunks in order as one burst. False: wait for `onDrain` before writing much more. Never throws. */
  write(chunks: readonly Uint8Array[]): boolean
  /** Bytes accepted by `write` and not yet handed to the kernel. */
  readonly bufferedBytes: number
  /** Stops reading (backpressure) and goes on. */
  pause(): void
  resume(): void
  /** Sends what is buffered, then closes. */
  end(): void
  /** Drops everything at once. */
  destroy(error?: Error): void
}

/** A port of this machine's loopback that is listened on. */
export interface Listener {
  readonly host: string
  readonly port: number
  /** No new connections; those that are there stay. The port is free at once. */
  close(): void
}

/** A file that grows at its end. */
export interface AppendFile {
  /** All of it, in order. After a rejection it may hold a part. */
  append(chunks: readonly Uint8Array[]): Promise<void>
  /** What was appended stays there when the machine dies (fsync). */
  sync(): Promise<void>
  /** Only the first `bytes` of it are left. */
  cut(bytes: number): Promise<void>
  close(): Promise<void>
}

/** The few things done with files; whole-buffer, promise based. Grown by the issue that needs more. */
export interface Files {
  read(path: string): Promise<Buffer>
  write(path: string, data: Uint8Array, options?: { mode?: number }): Promise<void>
  /** At its end; made where it is not there. */
  append(path: string, data: Uint8Array): Promise<void>
  /** In place of what has that name: all of it or nothing, also for who looks at the same moment. */
  rename(from: string, to: string): Promise<void>
  /** Nothing happens where there is none. */
  remove(path: string): Promise<void>
  makeDirectory(path: string, options?: { mode?: number }): Promise<void>
  /** The names in a directory, sorted. */
  list(path: string): Promise<string[]>
  /** Of a file, in bytes. */
  size(path: string): Promise<number>
  /** A new file to append to. Rejects (`EEXIST`) where there is one of that name. */
  create(path: string, options?: { mode?: number }): Promise<AppendFile>
  /** The names in a directory stay as they are now when the machine dies. */
  syncDirectory(path: string): Promise<void>
  /**
   * Holds a name for this process: a unix socket that is listened on, so it is free as soon as the process is gone, however it went. Rejects
   * (`ELOCKED`) while a living process holds it, and when the path is longer than a socket's may be.
   */
  lock(path: string): Promise<{ release(): Promise<void> }>
}

export interface World {
  /** Wall clock, ms since the epoch. */
  now(): number
  /** Never goes back, ms, fractions allowed. */
  monotonicMs(): number
  setTimer(callback: () => void, delayMs: number): Timer
  clearTimer(timer: Timer): void
  /** Runs after the current turn's I/O callbacks (setImmediate). */
  defer(callback: () => void): void
  /** Uniform in [0, 1). Jitter, spreading. */
  random(): number
  /** Random bytes for identifiers. */
  randomBytes(length: number): Buffer
  /** All addresses of a name, in the resolver's order. An address is answered as itself. */
  resolve(host: string): Promise<string[]>
  /** Starts to dial and returns at once; the handlers tell what becomes of it. */
  dial(target: DialTarget, handlers: TransportHandlers): Transport
  /**
   * Listens on loopback, and nowhere else. Port 0: any that is free. `accept` is called for each connection that arrives, which is open already
   * (`onConnect` is not called); its transport's other calls go to the handlers that it returns. Rejects when the port is taken.
   */
  listen(port: number, accept: (transport: Transport) => Omit<TransportHandlers, 'onConnect'>): Promise<Listener>
  readonly files: Files
  /** This machine's name, as the Scala consumer writes it into its member id. */
  hostname(): string
}
