/**
 * `samsa watch [GROUP…]`: members, owners and lag of groups of both kinds, live: a picture that is drawn anew on a terminal, a line of JSON for each
 * group and look in a pipe.
 */
import type { Cluster } from '../../index.ts'
import { CommandLineError, duration, wholeNumber } from '../arguments.ts'
import { type Command, type Context, EXIT } from '../command.ts'
import { look, type Moment, momentLines, momentRecords } from '../group-watch.ts'
import { Pulse } from '../pulse.ts'
import { Screen } from '../screen.ts'
import { jsonText } from '../table.ts'

const INTERVAL_MS = 1_000
const LEAST_INTERVAL_MS = 50
/** Changes in ZooKeeper come in bursts: a rebalance is dozens of them. */
const LEAST_GAP_MS = 100

export const watch: Command = {
  summary: 'groups live: members, owners, lag',
  usage: '[GROUP…] [options]',
  takes: [0, 100],
  handlesInterrupt: true,
  options: {
    interval: { value: 'TIME', short: 'i', help: 'look this often (default 1s); changes of members in ZooKeeper are shown at once' },
    count: { value: 'N', short: 'n', help: 'end after so many looks' }
  },
  notes: ['Without a GROUP: all of them. A group that is not there (yet) is shown as that. Ctrl-C ends it (exit code 130).'],
  examples: [
    ['samsa watch billing', 'who owns what, and how far behind'],
    ["samsa watch billing --json | jq -c '[.time, .state, .lag]'", 'for programs: an object a line'],
    ['samsa watch --count 1', 'all groups, once']
  ],
  async run(context) {
    const { args } = context
    const interval = args.one('interval')
    const everyMs = interval === undefined ? INTERVAL_MS : duration('interval', interval)
    if (everyMs < LEAST_INTERVAL_MS) throw new CommandLineError(`--interval is "${interval}"; give at least ${LEAST_INTERVAL_MS}ms`)
    const count = args.one('count')
    const most = count === undefined ? Number.POSITIVE_INFINITY : wholeNumber('count', count, 1)
    return watchGroups(context, await context.connect(), everyMs, most)
  }
}

async function watchGroups(context: Context, cluster: Cluster, everyMs: number, most: number): Promise<number> {
  const { terminal, world, interrupted, args } = context
  const { terminal: drawn, json, colour } = context.style
  const pulse = new Pulse(world, LEAST_GAP_MS)
  const stopped = new Promise<undefined>(resolve => {
    const stop = () => {
      pulse.end()
      resolve(undefined)
    }
    if (interrupted.aborted) stop()
    interrupted.addEventListener('abort', stop, { once: true })
    terminal.out.whenBroken(stop)
  })
  const changed = () => pulse.poke()
  const screen = drawn && !json ? new Screen(terminal.out, colour) : undefined
  for (let looks = 0; looks < most && (await pulse.next(everyMs)); looks++) {
    // What is asked may take long; whoever gives up does not wait for it.
    const moment = await Promise.race([look(cluster, args.positionals, changed), stopped])
    if (moment === undefined) break
    tell(context, screen, moment)
    await terminal.out.room()
  }
  return context.interruptCode ?? EXIT.ok
}

function tell({ terminal, world }: Context, screen: Screen | undefined, moment: Moment): void {
  const nowMs = world.now()
  if (screen) screen.draw([{ text: `${new Date(nowMs).toISOString().slice(11, 19)}Z` }, ...momentLines(moment)])
  else for (const record of momentRecords(moment, nowMs)) terminal.out.write(`${jsonText(record)}\n`)
}
