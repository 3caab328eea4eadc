/**
 * `samsa journal`: what a cluster has lived through, from its journal on disk (also while it is written) or from a saved recording.
 */
import type { Because, Journal, ReplayUntil, Step } from '../../replay.ts'
import { CommandLineError, choice, wholeNumber } from '../arguments.ts'
import { type Command, type CommandGroup, type Context, EXIT } from '../command.ts'
import { bigintsAsText, diffOf, eventText, timeText } from '../journal-text.ts'
import { every } from '../terminal.ts'

const replaying = () => import('../../replay.ts')
const POLL_MS = 200

const tail: Command = {
  summary: 'the inputs, one a line: who got what, and what became of it',
  usage: 'DIR|FILE [options]',
  takes: [1, 1],
  handlesInterrupt: true,
  options: {
    follow: { short: 'f', help: 'go on with what comes' },
    actor: { value: 'PATH', short: 'a', help: 'only actors whose path contains this' },
    lines: { value: 'N', short: 'n', help: 'only the last N (default 50; 0: all)' }
  },
  examples: [
    ['samsa journal tail ./journal -f', 'while the cluster runs'],
    ['samsa journal tail ./journal -a topics/orders -n 0', 'all that came to one topic and its partitions']
  ],
  async run(context) {
    const { args, terminal, interrupted } = context
    const limit = wholeNumber('lines', args.one('lines') ?? '50', 0, 1e9)
    const actor = args.one('actor') ?? ''
    let last = -1
    let instance: string | undefined
    const show = async (most: number) => {
      const { journal, steps } = await stepsOf(args.positionals[0]!)
      if (journal.whole.header.instance !== instance) last = -1 // another process has begun
      instance = journal.whole.header.instance
      const news = steps.filter(step => step.sequence > last && step.kind !== 'checkpoint' && step.path.includes(actor))
      last = Math.max(last, ...news.slice(-1).map(({ sequence }) => sequence))
      for (const step of most > 0 ? news.slice(-most) : news)
        terminal.out.write(context.json ? `${JSON.stringify(step, bigintsAsText)}\n` : `${stepLine(step)}\n`)
      if (journal.whole.torn && !args.has('follow'))
        context.note(`The journal ends in the middle of a frame: ${journal.whole.torn.reason}.`)
    }
    await show(limit)
    if (args.has('follow')) await following(context, () => show(0))
    return interrupted.aborted ? context.interruptCode! : EXIT.ok
  }
}

const replay: Command = {
  summary: 'every actor as it was at a moment',
  usage: 'DIR|FILE [options]',
  takes: [1, 1],
  options: {
    until: { value: 'MOMENT', help: 'the number of an input (as `tail` shows it), or a time (2026-03-01T12:00:00.000Z); default: the end' },
    actor: { value: 'PATH', short: 'a', help: 'only actors whose path contains this, with what they know' }
  },
  examples: [
    ['samsa journal replay ./journal', 'all actors, and their states'],
    ['samsa journal replay ./journal --until 1203 -a topics/orders/3', 'one of them, at a moment']
  ],
  async run(context) {
    const { args } = context
    const actor = args.one('actor')
    const { actors } = await at(args.positionals[0]!, momentOf(args.one('until')))
    const { stateText } = await replaying()
    const rows = [...actors].filter(
      ([path, { ended }]) => !path.includes('~') && path.includes(actor ?? '') && (!ended || actor !== undefined)
    )
    context.table(
      rows.map(([path, one]) => ({
        path,
        machine: one.machine,
        state: one.known ? stateText(one.value) : 'unknown',
        inputs: one.events,
        ...(one.ended ? { ended: true } : {})
      })),
      ['path', 'machine', 'state', 'inputs']
    )
    if (rows.length === 0)
      context.note(actor === undefined ? 'Every actor has ended by then; give --until.' : `No actor's path contains ${actor}.`)
    if (actor !== undefined && !context.json)
      for (const [path, { context: known }] of rows) context.terminal.out.write(`\n${path}\n${JSON.stringify(known, bigintsAsText, 2)}\n`)
    return EXIT.ok
  }
}

const diff: Command = {
  summary: 'what differs between two moments, or two recordings',
  usage: 'A [B] [options]',
  takes: [1, 2],
  options: {
    from: { value: 'MOMENT', help: 'of A; default: its beginning with one recording, its end with two' },
    to: { value: 'MOMENT', help: 'of A, or of B; default: the end' }
  },
  notes: ['Exit code 0: nothing differs; 1: something does.'],
  examples: [
    ['samsa journal diff ./journal --from 1000 --to 1200', 'who changed between two inputs, and how'],
    ['samsa journal diff good.rec bad.rec', 'actors that ended differently, and the first input that was another one']
  ],
  async run(context) {
    const { args, terminal } = context
    const [first, second = first] = args.positionals as [string, string?]
    const alone = args.positionals.length === 1
    const from = momentOf(args.one('from')) ?? (alone ? await beginningOf(first) : undefined)
    const [a, b] = [await at(first, from), await at(second, momentOf(args.one('to')))]
    const lines = diffOf(a, b, !alone)
    if (context.json) for (const line of lines) terminal.out.write(`${JSON.stringify(line, bigintsAsText)}\n`)
    else for (const { path, what } of lines) terminal.out.write(`${path}: ${what}\n`)
    if (lines.length === 0) context.note('Nothing differs.')
    return lines.length === 0 ? EXIT.ok : EXIT.failed
  }
}

const why: Command = {
  summary: 'why an actor is where it is: the inputs that led there',
  usage: 'ACTOR DIR|FILE [options]',
  takes: [2, 2],
  options: {
    until: { value: 'MOMENT', help: 'as it was then' },
    steps: { value: 'N', short: 'n', help: 'so many inputs that changed it (default 12)' },
    related: { value: 'HOW', help: 'those on whom it depends: brief (default), whole, none' }
  },
  notes: ['ACTOR is a path (topics/orders/3), its end (orders/3), or a topic. `samsa journal replay` lists them.'],
  examples: [
    ['samsa journal why orders/3 ./journal', 'why is this publish not acked? why does nobody own partition 3?'],
    ['samsa journal why consumers/0/member ./journal', 'where a member of a group stands'],
    ['samsa journal why brokers/2/data ./journal --until 2026-03-01T12:00:00Z', 'a connection, at a time']
  ],
  async run(context) {
    const { args, terminal } = context
    const [question, path] = args.positionals as [string, string]
    const related = choice('related', args.one('related') ?? 'brief', ['brief', 'whole', 'none'])
    const { machines, readJournal, why: ask } = await replaying()
    const { whole } = await readJournal(path)
    const steps = wholeNumber('steps', args.one('steps') ?? '12', 1, 1_000)
    const until = momentOf(args.one('until'))
    const answer = ask(whole, machines, question, { steps, ...(until ? { until } : {}) })
    if (context.json) {
      terminal.out.write(`${JSON.stringify(answer, bigintsAsText)}\n`)
      return EXIT.ok
    }
    const text = [
      ...answer.notes,
      ...answer.actors.flatMap(actor => explanation(actor)),
      ...(related === 'none' || answer.related.length === 0 ? [] : ['', 'It depends on:']),
      ...answer.related.flatMap(actor => (related === 'whole' ? explanation(actor) : related === 'brief' ? [brief(actor)] : []))
    ]
    terminal.out.write(`${text.join('\n')}\n`)
    return EXIT.ok
  }
}

export const journal: CommandGroup = {
  summary: 'what a cluster has lived through: recordings, replayed and explained',
  commands: { tail, replay, diff, why }
}

async function stepsOf(path: string): Promise<{ journal: Journal; steps: Step[] }> {
  const { machines, readJournal, walk } = await replaying()
  const journal = await readJournal(path)
  return { journal, steps: [...walk(journal.whole, machines)] }
}

/** The recording up to a moment, and every actor as it was then. */
async function at(path: string, until: ReplayUntil | undefined) {
  const { machines, readJournal, replay: fold, walk } = await replaying()
  const { whole } = await readJournal(path)
  return { actors: fold(whole, machines, until, { onMismatch: () => {} }), steps: [...walk(whole, machines, until)] }
}

async function beginningOf(path: string): Promise<ReplayUntil> {
  const { whole } = (await stepsOf(path)).journal
  return { sequence: whole.entries.find(({ kind }) => kind !== 'checkpoint')?.sequence ?? 0 }
}

function momentOf(text: string | undefined): ReplayUntil | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,15}$/.test(text)) return { sequence: Number(text) }
  const time = Date.parse(text)
  if (Number.isNaN(time))
    throw new CommandLineError(`"${text}" is no moment; give the number of an input, or a time like 2026-03-01T12:00:00Z`)
  return { time }
}

async function following({ interrupted, world }: Context, show: () => Promise<void>): Promise<void> {
  let busy = false
  await new Promise<void>((resolve, reject) => {
    const stop = every(world, POLL_MS, () => {
      if (busy) return
      busy = true
      show().then(() => {
        busy = false
      }, reject)
    })
    interrupted.addEventListener('abort', () => {
      stop()
      resolve()
    })
  })
}

function stepLine({ time, sequence, path, kind, event, before, after }: Step): string {
  const change = before === after || after === undefined ? '' : before === undefined ? ` → ${after}` : ` ${before} → ${after}`
  const what = event ? eventText(event) : kind === 'birth' ? 'begins' : kind === 'end' ? 'ends' : 'an input that was too large to be kept'
  return `${timeText(time)} #${sequence} ${path} ${what}${kind === 'end' ? '' : change}`
}

function explanation(actor: Because): string[] {
  const { path, machine, state, since, chain, later, waitsFor, context, ended } = actor
  const facts = Object.entries(context).map(
    ([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value, bigintsAsText)}`
  )
  return [
    '',
    `${path} (${machine}) ${ended ? 'has ended, in' : 'is in'} ${state}${since ? ` since ${timeText(since.time)}` : ''}`,
    ...(facts.length > 0 ? [`  knows: ${facts.join(', ')}`] : []),
    '  because:',
    ...chain.map(step => `    ${stepLine(step).replace(` ${path} `, ' ')}`),
    ...(later.length > 0
      ? ['  since then, without a change:', ...later.map(step => `    ${stepLine(step).replace(` ${path} `, ' ')}`)]
      : []),
    ...(waitsFor.length > 0 ? [`  goes on with: ${waitsFor.join(', ')}`] : [])
  ]
}

function brief({ path, state, since }: Because): string {
  return `  ${path} is in ${state}${since ? ` since ${timeText(since.time)}${since.event ? `, by ${eventText(since.event)}` : ''}` : ''}`
}
