/**
 * `samsa produce TOPIC`: the lines of standard input, published. Memory is bounded: reading waits while too much is not acked.
 */
import { type Cluster, type Compression, type OutgoingRecord, type Topic, UsageError } from '../../index.ts'
import { choice, pair, wholeNumber } from '../arguments.ts'
import { type Command, type Context, EXIT } from '../command.ts'
import { errorText } from '../errors.ts'
import { LineSplitter, splitKey } from '../lines.ts'
import { every } from '../terminal.ts'
import { Window } from '../window.ts'

/** Published and not settled, at most: enough for the network, little for the memory. */
const WINDOW_MESSAGES = 20_000
const WINDOW_BYTES = 32 * 1024 * 1024
const PART_BYTES = 16 * 1024
const MAX_LINE_BYTES = 1024 * 1024
/** A pipe is no conversation: 5 ms more fill the batches. */
const LINGER_MS = 5
/** So many failures are told one by one; after them only their number. */
const TOLD = 5

const COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

export const produce: Command = {
  summary: 'publish the lines of standard input',
  usage: 'TOPIC [options] < lines',
  takes: [1, 1],
  handlesInterrupt: true,
  options: {
    'key-separator': { value: 'TEXT', short: 'K', help: 'key and value are separated by this; a line without it has no key' },
    partition: { value: 'N', short: 'p', help: 'exactly this partition' },
    header: { value: 'NAME=VALUE', short: 'H', multiple: true, help: 'a header of every message' },
    compression: { value: 'CODEC', short: 'z', help: COMPRESSIONS.join(', ') },
    acks: { value: 'WHO', help: 'all (in-sync replicas; default), leader, none' },
    'linger-ms': { value: 'MS', help: `wait so long for a fuller batch (default ${LINGER_MS})` },
    'max-bytes': { value: 'BYTES', help: 'the longest line (default 1048576)' },
    create: { help: 'create the topic when it does not exist' },
    outbox: {
      value: 'DIR',
      help: 'each line is on disk there before it is sent, and stays until it is acked: whatever dies, nothing is lost or doubled'
    },
    echo: { value: 'MOMENT', help: 'print each line when it is acked, or (with --outbox) accepted, in that order' }
  },
  notes: [
    'Lines end at a newline byte; a last one without it counts. Bytes are published unchanged, whatever their encoding.',
    'With --outbox, lines that an earlier run left there are delivered first. One process uses a directory at a time.',
    'Exit code 0: every line is acked, and all that lay in the outbox. 1: some are not; stderr says how many failed (not written) and how many are unknown.'
  ],
  examples: [
    ['seq 1000 | samsa produce numbers --create', 'a thousand messages'],
    ['samsa produce users -K : < users.txt', 'key:value a line'],
    ['tail -F app.log | samsa produce logs -z zstd -H host=web1', 'a log as it grows'],
    ['samsa produce jobs --echo acked < todo > done', 'know which lines are safe'],
    ['samsa produce jobs --outbox ./outbox --echo accepted < todo > done', 'the same, safe as soon as they are on disk'],
    ['samsa produce jobs --outbox ./outbox < /dev/null', 'deliver what a run that died has left']
  ],
  async run(context) {
    const { args } = context
    const name = args.positionals[0]!
    const settings = settingsOf(context)
    const cluster = await context.connect({ createTopics: args.has('create'), publish: settings.publish, ...settings.outbox })
    const topic = cluster.topic(name)
    const spoilt = tellOfOutbox(context, cluster)
    if (!args.has('create')) await topic.describe()
    if (context.terminal.inputIsTerminal) context.note('Reading lines from the terminal; Ctrl-D ends.')
    const code = await new Producing(context, cluster, topic, settings).run()
    return code === EXIT.ok && spoilt() ? EXIT.failed : code
  }
}

type Settings = ReturnType<typeof settingsOf>

function settingsOf({ args }: Context) {
  const outbox = args.one('outbox')
  const echo = args.one('echo') === undefined ? undefined : choice('echo', args.one('echo')!, ['acked', 'accepted'])
  if (echo === 'accepted' && outbox === undefined) throw new UsageError('NO_OUTBOX', '--echo accepted needs --outbox DIR.')
  const separator = args.one('key-separator')
  const partition = args.one('partition')
  const headers = args.all('header').map(text => pair('header', text))
  const maxBytes = wholeNumber('max-bytes', args.one('max-bytes') ?? String(MAX_LINE_BYTES), 1, 100 * MAX_LINE_BYTES)
  const acks = choice('acks', args.one('acks') ?? 'all', ['all', 'leader', 'none'])
  return {
    separator: separator ? Buffer.from(separator) : undefined,
    echo,
    outbox: outbox === undefined ? {} : { outbox },
    maxBytes,
    fields: {
      ...(partition === undefined ? {} : { partition: wholeNumber('partition', partition, 0, 2 ** 31 - 1) }),
      ...(headers.length === 0 ? {} : { headers })
    } satisfies Partial<OutgoingRecord>,
    publish: {
      acks,
      lingerMs: wholeNumber('linger-ms', args.one('linger-ms') ?? String(LINGER_MS), 0, 600_000),
      compression: choice<Compression>('compression', args.one('compression') ?? 'none', COMPRESSIONS),
      // The line itself, and room for its headers and framing.
      maxRequestBytes: Math.min(100 * MAX_LINE_BYTES, maxBytes + 65_536)
    }
  }
}

class Producing {
  #context: Context
  #cluster: Cluster
  #topic: Topic
  #settings: Settings
  #window = new Window(WINDOW_MESSAGES, WINDOW_BYTES)
  #acked = 0
  #failed = 0
  #unknown = 0
  #told = 0
  /** Batches that the outbox keeps for the next run. */
  #left = 0
  #echoes: Buffer[] = []
  #over = false
  #settled = () => {}

  constructor(context: Context, cluster: Cluster, topic: Topic, settings: Settings) {
    this.#context = context
    this.#cluster = cluster
    this.#topic = topic
    this.#settings = settings
  }

  async run(): Promise<number> {
    const { terminal, interrupted, world, showsProgress } = this.#context
    const sinceMs = world.monotonicMs()
    const stopProgress = showsProgress ? every(world, 500, () => terminal.progress(this.#counts())) : () => {}
    const splitter = new LineSplitter(this.#settings.maxBytes, {
      line: (line, number) => this.#publish(line, number),
      tooLong: (bytes, number) => this.#lost(number, 'failed', `it has ${bytes} bytes, more than --max-bytes ${this.#settings.maxBytes}`)
    })
    try {
      for await (const chunk of terminal.input(interrupted)) {
        // In parts, so that a chunk of very short lines cannot pass the window by far.
        for (let at = 0; at < chunk.length; at += PART_BYTES) {
          splitter.write(chunk.subarray(at, at + PART_BYTES))
          await this.#window.room()
        }
        if (this.#settings.echo) await terminal.out.room()
        if (this.#over) break
      }
      // What an interrupted read left behind is no line.
      if (!interrupted.aborted) splitter.end()
      if (this.#cluster.outbox) await this.#delivered()
      else await this.#window.empty()
    } finally {
      stopProgress()
      terminal.progress('')
    }
    this.#flushEchoes()
    return this.#verdict((world.monotonicMs() - sinceMs) / 1_000)
  }

  /** Until the outbox is empty, that of earlier runs too. Who interrupts leaves the rest for the next run. */
  async #delivered(): Promise<void> {
    const { interrupted, world } = this.#context
    await new Promise<void>(resolve => {
      const look = () => {
        if (interrupted.aborted || this.#over || (this.#window.isEmpty && !this.#cluster.outbox?.batches)) resolve()
      }
      interrupted.addEventListener('abort', look)
      this.#cluster.on('*', () => world.defer(look))
      this.#settled = look
      look()
    })
  }

  #publish(line: Buffer, number: number): void {
    const { separator, echo, fields } = this.#settings
    const { key, value } = splitKey(line, separator)
    const bytes = line.length
    const kept = echo ? Buffer.concat([line, NEWLINE]) : undefined
    this.#window.enter(bytes)
    const acked =
      this.#settings.outbox.outbox === undefined
        ? this.#topic.publish({ key, value, ...fields })
        : this.#accepted({ key, value, ...fields }, echo === 'accepted' ? kept : undefined)
    acked.then(
      () => {
        this.#acked++
        if (kept && echo === 'acked') this.#echo(kept)
        this.#window.leave(bytes)
        this.#settled()
      },
      (error: Error & { code?: string; outcome?: string }) => {
        if (this.#left > 0) return // they stay in the outbox, which was said
        if (error.code === 'CLUSTER_CLOSED') this.#over = true
        this.#lost(number, error.outcome === 'unknown' ? 'unknown' : 'failed', errorText(error).replace(/^samsa: /, ''))
        this.#window.leave(bytes)
        this.#settled()
      }
    )
  }

  async #accepted(message: OutgoingRecord, kept: Buffer | undefined): Promise<unknown> {
    const { acked } = await this.#topic.publish(message, { until: 'accepted' })
    if (kept) this.#echo(kept)
    return acked
  }

  /** Lines of one turn are written together. */
  #echo(line: Buffer): void {
    this.#echoes.push(line)
    if (this.#echoes.length === 1) this.#context.world.defer(() => this.#flushEchoes())
  }

  #flushEchoes(): void {
    if (this.#echoes.length > 0) this.#context.terminal.out.write(Buffer.concat(this.#echoes))
    this.#echoes = []
  }

  #lost(number: number, outcome: 'failed' | 'unknown', why: string): void {
    if (outcome === 'failed') this.#failed++
    else this.#unknown++
    if (++this.#told <= TOLD) this.#context.terminal.say(`line ${number} ${outcome === 'failed' ? 'failed' : 'is unknown'}: ${why}`)
    else if (this.#told === TOLD + 1) this.#context.terminal.say('… further lines are only counted')
  }

  #counts(): string {
    return `${this.#acked} acked, ${this.#failed} failed, ${this.#unknown} unknown`
  }

  #verdict(seconds: number): number {
    const { terminal, interruptCode, showsProgress } = this.#context
    this.#left = this.#cluster.outbox?.batches ?? 0
    if (this.#left > 0) {
      terminal.say(
        `samsa: ${this.#left} batches stay in ${this.#cluster.outbox!.directory}; the next run with --outbox delivers them. ${this.#counts()}.`
      )
      return interruptCode ?? EXIT.failed
    }
    if (this.#failed + this.#unknown > 0) {
      const unknown = this.#unknown > 0 ? ' Unknown ones may have been written: publishing them again may double them.' : ''
      terminal.say(`samsa: not every line is acked: ${this.#counts()}.${unknown}`)
      return interruptCode ?? EXIT.failed
    }
    if (showsProgress || interruptCode) this.#context.note(`${this.#acked} acked in ${seconds.toFixed(1)} s`)
    return interruptCode ?? EXIT.ok
  }
}

/** What an earlier run left, and what became of it. */
/** What it answers tells whether anything of the outbox cannot be delivered, or was refused. */
function tellOfOutbox(context: Context, cluster: Cluster): () => boolean {
  const { terminal } = context
  const { recoveredBatches, damages } = cluster.outbox ?? { recoveredBatches: 0, damages: [] }
  let spoilt = damages.some(({ mayLose }) => mayLose)
  for (const { file, at, reason } of damages) terminal.say(`samsa: ${file}, byte ${at}: ${reason}`)
  if (recoveredBatches > 0) context.note(`Batches of an earlier run that are delivered first: ${recoveredBatches}`)
  cluster.on('*', event => {
    if (event.type === 'outbox.rejected') {
      spoilt = true
      terminal.say(`samsa: ${event.count} for ${event.topic} were refused (${event.error.code}), and are in ${event.file}`)
    } else if (event.type === 'outbox.failing')
      terminal.say(`samsa: nothing is accepted: ${event.directory} cannot be written (${event.reason})`)
    else if (event.type === 'publish.maybeDoubled')
      terminal.say(`samsa: ${event.count} for ${event.topic}/${event.partition} may be doubled: ${event.reason}`)
  })
  return () => spoilt
}

const NEWLINE = Buffer.from('\n')
