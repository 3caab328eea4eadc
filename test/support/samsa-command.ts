/**
 * The command `samsa` as a user runs it, in a process of its own: its output so far, and its end.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const binary = fileURLToPath(new URL('../../bin/samsa', import.meta.url))

export interface Ended {
  code: number | null
  out: Buffer
  text: string
  lines: string[]
  /** What it said on stderr. */
  notes: string
}

export class Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  #out: Buffer[] = []
  #notes: Buffer[] = []

  constructor(args: readonly string[], environment: Record<string, string> = {}) {
    this.child = spawn(process.execPath, [binary, ...args], {
      env: { ...process.env, NO_COLOR: '', SAMSA_CLUSTER: '', ...environment },
      stdio: 'pipe'
    })
    this.child.stdout!.on('data', chunk => this.#out.push(chunk))
    this.child.stderr!.on('data', chunk => this.#notes.push(chunk))
    this.child.stdin!.on('error', () => {})
    this.ended = once(this.child, 'close').then(([code]) => {
      const out = Buffer.concat(this.#out)
      const text = String(out)
      return { code: code as number | null, out, text, lines: text.split('\n').slice(0, -1), notes: this.notes }
    })
  }

  get text(): string {
    return String(Buffer.concat(this.#out))
  }

  get notes(): string {
    return String(Buffer.concat(this.#notes))
  }
}
