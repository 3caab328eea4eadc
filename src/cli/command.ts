/**
 * What a command is, and what it is given: options, the cluster, output in the manner of the terminal it runs in.
 */
import type { Cluster, ClusterEmitted, ConnectOptions, ConsumerEmitted, ZooKeeperSession } from '../index.ts'
import type { World } from '../model/world.ts'
import { CommandLineError, duration, type OptionSpecs, type Parsed } from './arguments.ts'
import { eventLine } from './events.ts'
import { type Row, renderTable, type TableStyle } from './table.ts'
import type { Interrupt, Terminal } from './terminal.ts'

export const EXIT = { ok: 0, failed: 1, usage: 2, timeout: 124, interrupted: 130 } as const

export interface Command {
  summary: string
  /** After the command's name: `TOPIC [options]`. */
  usage: string
  options: OptionSpecs
  /** Least and most positional arguments. */
  takes: readonly [number, number]
  /** Lines for the help: command, what it does. */
  examples: readonly (readonly [string, string])[]
  /** Further paragraphs of the help. */
  notes?: readonly string[]
  /** It ends by itself when `context.interrupted` is aborted; others are ended. */
  handlesInterrupt?: boolean
  /** Resolves to the exit code. */
  run(context: Context): Promise<number>
}

export interface CommandGroup {
  summary: string
  commands: Readonly<Record<string, Command>>
}

/** Options of every command. */
export const COMMON: OptionSpecs = {
  cluster: {
    value: 'URL',
    short: 'c',
    help: 'zookeeper://host:2181[,…][/chroot], kafka://host:9092[,…], or both with a comma; default $SAMSA_CLUSTER'
  },
  json: { help: 'NDJSON: one object a line' },
  events: { help: 'tell on stderr what happens: leader changes, rebalances, retries' },
  journal: { value: 'DIR', help: 'keep everything that comes in there, for `samsa journal`' },
  quiet: { short: 'q', help: 'no notes and no progress on stderr; errors are always told' },
  'no-progress': { help: 'no progress line on stderr' },
  'no-color': { help: 'no colour (nor with NO_COLOR set)' },
  'connect-timeout': { value: 'TIME', help: 'give up connecting after this long (default 10s)' },
  help: { short: 'h', help: 'this help' }
}

const CONNECT_TIMEOUT_MS = 10_000
const CLOSE_TIMEOUT_MS = 5_000

export class Context {
  readonly args: Parsed
  readonly terminal: Terminal
  readonly world: World
  /** Aborted by the first Ctrl-C; its reason is an `Interrupt`. */
  readonly interrupted: AbortSignal
  #closing: (() => Promise<void>)[] = []

  constructor(args: Parsed, terminal: Terminal, world: World, interrupted: AbortSignal) {
    this.args = args
    this.terminal = terminal
    this.world = world
    this.interrupted = interrupted
  }

  get json(): boolean {
    return this.args.has('json')
  }

  get quiet(): boolean {
    return this.args.has('quiet')
  }

  get showsProgress(): boolean {
    return this.terminal.notesAreTerminal && !this.quiet && !this.args.has('no-progress')
  }

  get style(): TableStyle {
    const terminal = this.terminal.out.isTerminal
    return { json: this.json, terminal, colour: terminal && !this.args.has('no-color') && !this.terminal.env.NO_COLOR }
  }

  /** From `--cluster` or the environment. Throws CommandLineError. */
  get clusterUrl(): string {
    const url = this.args.one('cluster') ?? this.terminal.env.SAMSA_CLUSTER
    if (url) return url
    throw new CommandLineError('no cluster is named; give --cluster zookeeper://host:2181[/chroot] or set SAMSA_CLUSTER')
  }

  get usesZooKeeper(): boolean {
    return this.clusterUrl.startsWith('zookeeper:')
  }

  get connectTimeoutMs(): number {
    const given = this.args.one('connect-timeout')
    return given === undefined ? CONNECT_TIMEOUT_MS : Math.max(1, duration('connect-timeout', given))
  }

  /** 130 or 143 once the user has interrupted. */
  get interruptCode(): number | undefined {
    return this.interrupted.aborted ? (this.interrupted.reason as Interrupt).code : undefined
  }

  note(text: string): void {
    if (!this.quiet) this.terminal.say(text)
  }

  table(rows: readonly Row[], columns: readonly string[]): void {
    this.terminal.out.write(renderTable(rows, columns, this.style))
  }

  /** `url`: default the cluster that the command line or the environment names. */
  async connect(options: ConnectOptions = {}, url = this.clusterUrl): Promise<Cluster> {
    const { connect } = await import('../index.ts')
    const journal = this.args.one('journal')
    // Nobody reads a recording here, unless it is kept.
    const cluster = await connect(url, {
      connectTimeoutMs: this.connectTimeoutMs,
      ...(journal === undefined ? { recorderMaxBytes: 0 } : { journal }),
      signal: this.interrupted,
      ...options
    })
    this.#closing.push(() => cluster.close({ timeoutMs: CLOSE_TIMEOUT_MS }))
    this.tellEvents(listener => cluster.on('*', listener))
    return cluster
  }

  /** A session on the cluster's ZooKeeper. Throws CommandLineError where the cluster is named otherwise. */
  async zooKeeper(url = this.clusterUrl, timeoutMs?: number): Promise<ZooKeeperSession> {
    if (!url.startsWith('zookeeper:'))
      throw new CommandLineError(
        'this command reads ZooKeeper, and the address given names none; give --cluster zookeeper://host:2181[/chroot]'
      )
    const { openZooKeeper } = await import('../index.ts')
    const session = openZooKeeper(url, { operationTimeoutMs: timeoutMs ?? this.connectTimeoutMs })
    this.#closing.push(() => session.close())
    return session
  }

  /** With `--events`, whatever `listen` hears is told as lines on stderr. */
  tellEvents(listen: (listener: (event: ClusterEmitted | ConsumerEmitted) => void) => unknown): void {
    if (!this.args.has('events')) return
    listen(event => {
      const line = eventLine(event)
      if (line !== undefined) this.terminal.say(`${new Date(this.world.now()).toISOString().slice(11, 23)} ${line}`)
    })
  }

  /** Ends what was opened, newest first. */
  async close(): Promise<void> {
    for (const end of this.#closing.splice(0).reverse()) await end().catch(() => {})
  }
}
