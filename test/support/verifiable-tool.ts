/**
 * VerifiableProducer and VerifiableConsumer in processes of their own, Java's (4.3.1) or ours: their lines as they come, as events and into a history.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { classArchive, quickStart } from './java.ts'
import { jarsFor, run } from './maven.ts'
import { discharge, entrust } from './watchdog.ts'

export interface VerifiableLine {
  timestamp: number
  name: string
  topic?: string
  partition?: number
  offset?: number
  key?: string | null
  value?: string | null
  count?: number
  partitions?: { topic: string; partition: number; count: number; minOffset: number; maxOffset: number }[]
  offsets?: { topic: string; partition: number; offset: number }[]
  sent?: number
  acked?: number
}

export interface ToolStart {
  whose: 'java' | 'samsa'
  tool: 'producer' | 'consumer'
  args: readonly string[]
  /** Is given every line. */
  sink?: (line: string) => void
}

const binary = fileURLToPath(new URL('../../bin/samsa', import.meta.url))

export class VerifiableTool {
  readonly lines: VerifiableLine[] = []
  /** What it owns, as its lines tell. */
  readonly owned = new Set<string>()
  /** Messages that it has consumed so far. */
  consumed = 0
  /** What it said on stderr. */
  notes = ''
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>
  readonly #child: ChildProcess
  readonly #looks = new Set<(ended?: number | string) => void>()

  static async start({ whose, tool, args, sink }: ToolStart): Promise<VerifiableTool> {
    if (whose === 'samsa') return new VerifiableTool(process.execPath, [binary, `verifiable-${tool}`, ...args], sink)
    const jars = await jarsFor('kafka-4')
    const main = `org.apache.kafka.tools.Verifiable${tool === 'producer' ? 'Producer' : 'Consumer'}`
    const base = [...quickStart, '-Xmx128m', '-cp', join(jars, '*'), main]
    const archive = await classArchive(`verifiable-${tool}-4`, jars, async dumpFlag => {
      // It makes its client, sends or takes nothing, and closes.
      const idle = ['--bootstrap-server', '127.0.0.1:1', '--topic', 't', '--max-messages', '0']
      const failure = await run('java', [dumpFlag, ...base, ...idle, ...(tool === 'producer' ? [] : ['--group-id', 'g'])], 60_000)
      if (failure) throw new Error(`Java's verifiable ${tool} did not run\n${failure}`)
    })
    return new VerifiableTool('java', [archive, ...base, ...args], sink)
  }

  private constructor(command: string, args: string[], sink: ((line: string) => void) | undefined) {
    this.#child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, SAMSA_CLUSTER: '' } })
    const { pid } = this.#child
    if (pid) entrust(pid)
    this.#child.stderr!.on('data', chunk => (this.notes += chunk))
    createInterface({ input: this.#child.stdout! }).on('line', line => {
      sink?.(line)
      if (line.startsWith('{')) this.#take(JSON.parse(line) as VerifiableLine)
    })
    this.ended = once(this.#child, 'close').then(([code, signal]) => {
      if (pid) discharge(pid)
      return (code ?? signal) as number | string
    })
  }

  get pid(): number {
    return this.#child.pid ?? -1
  }

  named(name: string): VerifiableLine[] {
    return this.lines.filter(line => line.name === name)
  }

  /** Until it has printed a line for which `wanted` is true. */
  waitFor(what: string, wanted: (line: VerifiableLine) => boolean, limitMs?: number): Promise<void> {
    const last = () => this.lines.at(-1)
    return this.until(what, () => this.lines.length > 0 && wanted(last()!), limitMs, this.lines.some(wanted))
  }

  /** Until it has consumed so many. */
  waitForConsumed(count: number, limitMs?: number): Promise<void> {
    return this.until(`${count} messages`, () => this.consumed >= count, limitMs)
  }

  /** Until it owns so many partitions, as its lines tell. */
  waitForOwned(count: number, limitMs?: number): Promise<void> {
    return this.until(`${count} partitions`, () => this.owned.size === count, limitMs)
  }

  /** Until `test` is true, looked at after every line. Rejects at the deadline, and when the process has ended. */
  until(what: string, test: () => boolean, limitMs = 60_000, already = test()): Promise<void> {
    if (already) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const finish = (error?: Error) => {
        clearTimeout(timer)
        this.#looks.delete(look)
        if (error) reject(error)
        else resolve()
      }
      const look = (ended?: number | string) => {
        if (test()) finish()
        else if (ended !== undefined) finish(new Error(`it ended (${ended}) before ${what}\n${this.notes}`))
      }
      const state = () => `consumed ${this.consumed}, owns ${[...this.owned]}; ${JSON.stringify(this.lines.slice(-5))}\n${this.notes}`
      const timer = setTimeout(() => finish(new Error(`waited ${limitMs} ms in vain for ${what}: ${state()}`)), limitMs)
      this.#looks.add(look)
      this.ended.then(look)
    })
  }

  #take(line: VerifiableLine): void {
    this.lines.push(line)
    for (const { topic, partition, count } of line.partitions ?? []) {
      if (line.name === 'partitions_assigned') this.owned.add(`${topic}/${partition}`)
      if (line.name === 'partitions_revoked') this.owned.delete(`${topic}/${partition}`)
      if (line.name === 'records_consumed') this.consumed += count
    }
    for (const look of [...this.#looks]) look()
  }

  /** SIGTERM, and its orderly end. */
  async stop(): Promise<number | string> {
    this.#child.kill('SIGTERM')
    return this.ended
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}
