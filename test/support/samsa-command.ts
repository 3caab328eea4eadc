/**
 * The command `samsa` as a user runs it, in a process of its own: its output so far, and its end.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { run } from '../../src/cli/main.ts'
import type { Terminal } from '../../src/cli/terminal.ts'
import { nodeWorld } from '../../src/world/node.ts'

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

/**
 * The same command in this process: for tests that ask for much and stop nothing in the middle. `terminal`: it writes to one, of 40 rows and 200
 * columns.
 */
export async function samsa(args: readonly string[], environment: Record<string, string> = {}, terminal = false): Promise<Ended> {
  const out: Buffer[] = []
  const notes: string[] = []
  const output = {
    broken: false,
    error: undefined,
    isTerminal: terminal,
    size: { rows: 40, columns: 200 },
    whenBroken: () => {},
    write: (data: string | Uint8Array) => void out.push(Buffer.from(data)),
    room: async () => {},
    flush: async () => {}
  }
  const fake = {
    env: environment,
    arguments: args,
    out: output,
    inputIsTerminal: false,
    notesAreTerminal: false,
    say: (line: string) => void notes.push(`${line}\n`),
    progress: () => {},
    onInterrupt: () => {}
  }
  const code = await run(args, fake as unknown as Terminal, nodeWorld())
  const whole = Buffer.concat(out)
  const text = String(whole)
  return { code, out: whole, text, lines: text.split('\n').slice(0, -1), notes: notes.join('') }
}
