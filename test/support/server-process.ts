/**
 * One long-lived server in a process of its own (a broker, ZooKeeper): start, wait until it says it is ready, kill, stop, freeze, thaw,
 * start again. Its output goes to a file, whose end is told when a start fails.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { discharge, entrust } from './watchdog.ts'

export type ProcessState = 'down' | 'up' | 'frozen'

export interface ServerSpec {
  name: string
  command: string
  args: string[]
  /** The log of the n-th start is `<log>.<n>`. */
  log: string
  /** Asked every 50 ms until true, with what the process wrote so far. */
  ready(output: string): boolean | Promise<boolean>
  /** Waited for before every start but the first: what the process before it left behind must have gone. */
  beforeRestart?(): Promise<void>
  /** Default 90 s: slow machines are patient. */
  startLimitMs?: number
}

const stopLimitMs = 30_000

export class ServerProcess {
  readonly spec: ServerSpec
  state: ProcessState = 'down'
  private child: ChildProcess | undefined
  private ended: Promise<void> = Promise.resolve()
  private starts = 0
  private expectedEnd = false

  constructor(spec: ServerSpec) {
    this.spec = spec
  }

  get pid(): number {
    return this.state === 'down' ? -1 : this.child!.pid!
  }

  /** What it has said since its last start. */
  get output(): string {
    return this.starts === 0 ? '' : readFileSync(`${this.spec.log}.${this.starts}`, 'utf8')
  }

  /** Starts and waits until ready. Thaws a frozen one; nothing to do for one that is up. */
  async start(): Promise<void> {
    if (this.state === 'frozen') return this.thaw()
    if (this.state === 'up') return
    if (this.starts > 0) await this.spec.beforeRestart?.()
    const log = `${this.spec.log}.${++this.starts}`
    const output = openSync(log, 'w')
    const child = spawn(this.spec.command, this.spec.args, { detached: true, stdio: ['ignore', output, output] })
    closeSync(output)
    if (child.pid === undefined) {
      const error = await new Promise<Error>(resolve => child.once('error', resolve))
      throw new Error(`${this.spec.name}: \`${this.spec.command}\` did not start: ${error.message}`)
    }
    entrust(child.pid)
    this.adopt(child, log)
    await this.untilReady(log)
  }

  /** SIGKILL: gone without a word, data as it lies. */
  async kill(): Promise<void> {
    if (this.state === 'down') return
    this.expectedEnd = true
    this.child!.kill('SIGKILL')
    await this.whileHeld(this.ended)
  }

  /** SIGTERM: an orderly end (a broker hands its leaderships over first). Killed when that takes too long. */
  async stop(): Promise<void> {
    if (this.state === 'down') return
    this.thaw()
    this.expectedEnd = true
    this.child!.kill('SIGTERM')
    const limit = new AbortController()
    const late = delay(stopLimitMs, true, { signal: limit.signal }).catch(() => false)
    const tooLate = await this.whileHeld(Promise.race([this.ended.then(() => false), late]))
    limit.abort()
    if (tooLate) {
      console.error(`${this.spec.name} did not stop within ${stopLimitMs / 1000} s: killing it`)
      await this.kill()
    }
  }

  /** SIGSTOP: connections stay open and nothing answers. */
  freeze(): void {
    if (this.state !== 'up') throw new Error(`${this.spec.name} is ${this.state}: only one that is up can be frozen`)
    this.child!.kill('SIGSTOP')
    this.state = 'frozen'
  }

  thaw(): void {
    if (this.state !== 'frozen') return
    this.child!.kill('SIGCONT')
    this.state = 'up'
  }

  private adopt(child: ChildProcess, log: string): void {
    this.child = child
    this.state = 'up'
    this.expectedEnd = false
    child.unref()
    this.ended = new Promise(resolve => {
      child.once('exit', (code, signal) => {
        discharge(child.pid!)
        this.state = 'down'
        if (!this.expectedEnd) console.error(`${this.spec.name} ended by itself (${signal ?? code}); its last words:\n${tail(log)}`)
        resolve()
      })
    })
  }

  private async untilReady(log: string): Promise<void> {
    const limitMs = this.spec.startLimitMs ?? 90_000
    const deadline = Date.now() + limitMs
    while (!(await this.spec.ready(readFileSync(log, 'utf8')))) {
      if (this.state === 'down') throw new Error(`${this.spec.name} ended while starting:\n${tail(log)}`)
      if (Date.now() > deadline) {
        await this.kill()
        throw new Error(`${this.spec.name} was not ready after ${limitMs / 1000} s:\n${tail(log)}`)
      }
      await delay(50)
    }
  }

  /** Children do not keep this process alive, except while it waits for one. */
  private async whileHeld<T>(wait: Promise<T>): Promise<T> {
    this.child!.ref()
    try {
      return await wait
    } finally {
      this.child!.unref()
    }
  }
}

/** The errors of a log and its last lines. */
export function tail(log: string): string {
  const lines = readFileSync(log, 'utf8').trimEnd().split('\n')
  const errors = lines.slice(0, -20).filter(line => /ERROR|FATAL|Exception|Error:/.test(line))
  return [...errors.slice(-10), ...lines.slice(-20)].join('\n')
}
