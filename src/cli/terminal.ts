/**
 * The process as the commands see it: bytes in, bytes out with backpressure, notes and progress on stderr, signals. The only file of the
 * commands that touches `process`.
 */
import type { Timer, World } from '../model/world.ts'

/** Standard output. A reader that went away (`| head`) is no error: `broken` turns true and nothing more is written. */
export class Output {
  broken = false
  /** What made it unusable, other than a reader that went away (a full disk …). */
  error: Error | undefined
  #stream: NodeJS.WriteStream
  #full = false
  #onBroken: (() => void)[] = []

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') this.error = error
      this.broken = true
      for (const callback of this.#onBroken.splice(0)) callback()
    })
  }

  get isTerminal(): boolean {
    return this.#stream.isTTY === true
  }

  /** Of the terminal, in characters; where it does not tell, or is none, the smallest usual one. */
  get size(): { rows: number; columns: number } {
    return { rows: this.#stream.rows || 24, columns: this.#stream.columns || 80 }
  }

  /** Calls back once it is broken. */
  whenBroken(callback: () => void): void {
    if (this.broken) callback()
    else this.#onBroken.push(callback)
  }

  write(data: string | Uint8Array): void {
    if (this.broken || data.length === 0) return
    if (!this.#stream.write(data)) this.#full = true
  }

  /** Waits until there is room again, however long the reader takes. */
  async room(): Promise<void> {
    if (this.broken || !this.#full) return
    await new Promise<void>(resolve => {
      this.#stream.once('drain', resolve)
      this.whenBroken(resolve)
    })
    this.#full = false
  }

  /** Until everything written is with the operating system. */
  flush(): Promise<void> {
    if (this.broken) return Promise.resolve()
    return new Promise(resolve => {
      this.whenBroken(resolve)
      this.#stream.write('', () => resolve())
    })
  }
}

export type Interrupt = { code: 130 | 143 }

/** What of the process the commands may use. */
export class Terminal {
  readonly env = process.env
  readonly arguments: readonly string[] = process.argv.slice(2)
  readonly out = new Output(process.stdout)
  #progress = false

  constructor() {
    // Whoever reads our notes may go away; that is not worth a crash.
    process.stderr.on('error', () => {})
  }

  get inputIsTerminal(): boolean {
    return process.stdin.isTTY === true
  }

  get notesAreTerminal(): boolean {
    return process.stderr.isTTY === true
  }

  /** The bytes of standard input. Ends early when `stop` is aborted. */
  async *input(stop: AbortSignal): AsyncGenerator<Buffer> {
    const { stdin } = process
    const end = () => void stdin.destroy()
    stop.addEventListener('abort', end)
    try {
      if (!stop.aborted) for await (const chunk of stdin) yield chunk as Buffer
    } catch (error) {
      if (!stop.aborted) throw error
    } finally {
      stop.removeEventListener('abort', end)
    }
  }

  /** Each key as it is pressed, of a terminal; Ctrl-C comes as a key too. The answer gives the terminal back. */
  onKey(listener: (key: string) => void): () => void {
    const { stdin } = process
    const heard = (chunk: Buffer) => {
      for (const key of String(chunk)) listener(key)
    }
    stdin.setRawMode?.(true)
    stdin.on('data', heard)
    stdin.resume()
    return () => {
      stdin.off('data', heard)
      stdin.setRawMode?.(false)
      stdin.pause()
    }
  }

  /** A line on stderr. */
  say(line: string): void {
    if (this.#progress) process.stderr.write('\r\x1b[K')
    this.#progress = false
    process.stderr.write(`${line}\n`)
  }

  /** A line on stderr that the next one replaces; for terminals only. Empty: takes it away. */
  progress(line: string): void {
    if (line === '' && !this.#progress) return
    process.stderr.write(`\r\x1b[K${line}`)
    this.#progress = line !== ''
  }

  /** The first Ctrl-C (or SIGTERM) is told; the second ends the process at once. */
  onInterrupt(listener: (interrupt: Interrupt) => void): void {
    let count = 0
    const heard = (code: 130 | 143) => () => {
      if (++count > 1) process.exit(code)
      listener({ code })
    }
    process.on('SIGINT', heard(130))
    process.on('SIGTERM', heard(143))
  }

  exit(code: number): never {
    process.exit(code)
  }
}

/** Calls `tick` each `everyMs` until stopped. */
export function every(world: World, everyMs: number, tick: () => void): () => void {
  let timer: Timer = world.setTimer(again, everyMs)
  function again() {
    tick()
    timer = world.setTimer(again, everyMs)
  }
  return () => world.clearTimer(timer)
}
