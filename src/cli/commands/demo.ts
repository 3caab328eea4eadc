/**
 * `samsa demo`: the main job, shown on a cluster in this process. On a terminal it goes on until it is told to end, and keys make the trouble; elsewhere a
 * script makes it, and the exit code is the verdict.
 */
import { duration, wholeNumber } from '../arguments.ts'
import { type Command, type Context, EXIT } from '../command.ts'
import { type Counts, numbers, Show, TOPIC } from '../demo-show.ts'
import { type Line, Screen } from '../screen.ts'
import { jsonText } from '../table.ts'
import { every } from '../terminal.ts'

const RATE = 2_000
const SCRIPT_MESSAGES = 20_000
const DRAW_EVERY_MS = 200
const LAST_NOTES = 8
const RESTART_AFTER_MS = 5_000

export const demo: Command = {
  summary: 'see it work: a cluster in this process, a publisher, consumers, and trouble on a key',
  usage: '[options]',
  takes: [0, 0],
  handlesInterrupt: true,
  options: {
    brokers: { value: 'N', short: 'b', help: 'so many brokers (default 3)' },
    messages: {
      value: 'N',
      short: 'n',
      help: `end after so many messages (default: without a terminal ${SCRIPT_MESSAGES}, on one when q is pressed)`
    },
    rate: { value: 'N', help: `publish so many a second (default ${RATE})` },
    'restart-after': { value: 'TIME', help: 'a killed broker is started again after this long (default 5s)' }
  },
  notes: [
    'On a terminal: k kills the broker that leads most, c adds a consumer, z expires a consumer’s ZooKeeper session, q ends.',
    'Without one, a broker dies, a consumer joins and the publisher’s session expires on the way. Exit code 0: nothing acked was lost, and nothing was delivered twice.'
  ],
  examples: [
    ['samsa demo', 'on a terminal: watch it, and press k'],
    ['samsa demo --messages 100000 --rate 10000 | cat', 'the script, with more'],
    ['samsa demo --json', 'the verdict as JSON']
  ],
  async run(context) {
    const { args, terminal, world } = context
    const brokers = wholeNumber('brokers', args.one('brokers') ?? '3', 1)
    const rate = wholeNumber('rate', args.one('rate') ?? String(RATE), 1)
    const restart = args.one('restart-after')
    const restartAfterMs = restart === undefined ? RESTART_AFTER_MS : duration('restart-after', restart)
    const given = args.one('messages')
    const messages = given === undefined ? undefined : wholeNumber('messages', given, 1)
    const live = terminal.out.isTerminal && terminal.inputIsTerminal && !context.json
    const startedMs = world.monotonicMs()
    const { startCluster } = await import('../../testing.ts')
    const kafka = await startCluster({ brokers })
    const notes: string[] = []
    const say = (what: string) => {
      const line = `${((world.monotonicMs() - startedMs) / 1_000).toFixed(1).padStart(6)} s  ${what}`
      if (live) notes.push(line)
      else context.note(line)
    }
    say(`${brokers} brokers and a ZooKeeper are up in this process; the application knows one address: ${kafka.url}`)
    const show = new Show({ kafka, world, say, connect: clientId => context.connect({ clientId, sessionTimeoutMs: 6_000 }, kafka.url) })
    await show.begin(2)
    if (live) await play(context, { show, notes, rate, restartAfterMs, messages: messages ?? Number.MAX_SAFE_INTEGER })
    else await script(context, { show, rate, messages: messages ?? SCRIPT_MESSAGES })
    const drained = await show.drained()
    await show.end()
    return verdict(context, show.counts, drained, live)
  }
}

/** The trouble comes by itself, at shares of the messages. */
async function script({ interrupted }: Context, { show, rate, messages }: { show: Show; rate: number; messages: number }): Promise<void> {
  const share = (part: number) => show.publish(Math.ceil(messages * part), rate, interrupted)
  await share(0.3)
  const killed = show.kill()
  await share(0.3)
  await show.addConsumer()
  await share(0.2)
  if (killed !== undefined) await show.restart(killed)
  show.expire('publisher')
  const { published } = show.counts
  if (published < messages) await show.publish(messages - published, rate, interrupted)
}

interface Play {
  show: Show
  notes: string[]
  rate: number
  restartAfterMs: number
  messages: number
}

/** Keys make the trouble, and the picture shows what comes of it. */
async function play(context: Context, { show, notes, rate, restartAfterMs, messages }: Play): Promise<void> {
  const { terminal, world, interrupted } = context
  const stop = new AbortController()
  const end = () => stop.abort()
  interrupted.addEventListener('abort', end, { once: true })
  const keys: Record<string, () => unknown> = {
    k: () => {
      const id = show.kill()
      if (id !== undefined) world.setTimer(() => void show.restart(id), restartAfterMs)
    },
    c: () => show.addConsumer(),
    z: () => show.expire('consumer'),
    q: end
  }
  const silence = terminal.onKey(key => {
    if (key === '\x03' || key === '\x04') end()
    else keys[key]?.()
  })
  const screen = new Screen(terminal.out, context.style.colour)
  let before = { ...show.counts }
  const draw = () => {
    screen.draw(picture(show, before, notes))
    before = { ...show.counts }
  }
  const still = every(world, DRAW_EVERY_MS, draw)
  await show.publish(messages, rate, stop.signal)
  still()
  draw()
  silence()
}

function picture({ kafka, readers, counts }: Show, before: Counts, notes: readonly string[]): Line[] {
  const perSecond = (name: 'acked' | 'consumed') => Math.round(((counts[name] - before[name]) * 1_000) / DRAW_EVERY_MS)
  const leads = (id: number) => kafka.state.topic(TOPIC)!.partitions.filter(({ leader }) => leader === id)
  return [
    { text: 'k kill a broker   c add a consumer   z expire a ZooKeeper session   q end', bold: true },
    { text: '' },
    ...kafka.brokers.map(({ id, running }) => ({
      text: running
        ? `broker ${id}    leads ${numbers(leads(id).map(({ index }) => index))}${kafka.state.controllerId === id ? ', controller' : ''}`
        : `broker ${id}    dead`
    })),
    { text: '' },
    ...readers.map(({ name, owned, read }) => ({ text: `${name}  owns ${numbers(owned).padEnd(18)} read ${read}` })),
    { text: '' },
    { text: `acked     ${String(counts.acked).padStart(9)}   ${perSecond('acked')}/s`, bold: true },
    { text: `consumed  ${String(counts.consumed).padStart(9)}   ${perSecond('consumed')}/s`, bold: true },
    {
      text: `on their way ${counts.published - counts.acked - counts.failed} to be acked, ${Math.max(0, counts.acked - counts.distinct)} to be consumed; delivered twice ${counts.twice}`
    },
    { text: '' },
    ...notes.slice(-LAST_NOTES).map(text => ({ text }))
  ]
}

function verdict(context: Context, counts: Counts, drained: boolean, live: boolean): number {
  const lost = drained ? 0 : counts.acked - counts.distinct
  const { published, acked, failed, consumed, twice } = counts
  const { out } = context.terminal
  if (context.json) out.write(`${jsonText({ published, acked, failed, consumed, lost, twice })}\n`)
  else out.write(`published ${published}, acked ${acked}, consumed ${consumed}: lost ${lost}, failed ${failed}, delivered twice ${twice}\n`)
  // Whoever takes a consumer's session away takes its uncommitted place with it: what it had read may be read again, and that is no fault.
  const bad = lost > 0 || failed > 0 || (twice > 0 && !live)
  return bad ? EXIT.failed : EXIT.ok
}
