/**
 * The bars: what each workload's figures are to be at most, alone or as a ratio to a peer's; and the table that says which are reached.
 */
import { median, table } from './page.ts'
import { digits, ratio } from './report.ts'
import type { Run } from './results.ts'

export interface Bar {
  workload: string
  figure: string
  /** As a ratio where `of` is given, else in the figure's unit. */
  atMost: number
  /** The peer it is measured by; of several, the one that is best. */
  of?: string[]
  moonshot?: true
}

const inNode = ['kafkajs', 'platformatic', 'confluent', 'confluent-events', 'node-rdkafka']
const all = [...inNode, 'java', 'franz-go']

const cpu = (workload: string, of: string[], atMost: number): Bar => ({ workload, figure: 'usPerMessage', of, atMost })
const moonshot = (bar: Bar): Bar => ({ ...bar, moonshot: true })

export const bars: Bar[] = [
  cpu('P1', ['java'], 0.5),
  moonshot(cpu('P1', ['franz-go'], 1)),
  cpu('P2', inNode, 1),
  moonshot(cpu('P2', ['franz-go'], 1)),
  { workload: 'P3', figure: 'p50Ms', of: all, atMost: 1 },
  moonshot({ workload: 'P3', figure: 'p50Ms', of: ['raw'], atMost: 1.1 }),
  cpu('P4', ['java'], 1),
  moonshot({ workload: 'P4', figure: 'usPerMessage', atMost: 3 }),
  cpu('C1m', ['java'], 1),
  moonshot(cpu('C1m', ['franz-go'], 1)),
  cpu('C1b', ['java'], 1),
  moonshot(cpu('C1b', ['franz-go'], 1)),
  cpu('C2', ['platformatic'], 0.6),
  moonshot(cpu('C2', ['franz-go'], 1)),
  { workload: 'E1', figure: 'p50Ms', of: inNode, atMost: 1 },
  moonshot({ workload: 'E1', figure: 'p50Ms', of: ['franz-go'], atMost: 1 }),
  { workload: 'G1', figure: 'firstMs', of: all, atMost: 1 },
  { workload: 'G1', figure: 'secondMs', atMost: 500 },
  { workload: 'G1', figure: 'silenceMs', of: all, atMost: 1 },
  moonshot({ workload: 'G1', figure: 'firstMs', atMost: 50 }),
  moonshot({ workload: 'G1', figure: 'secondMs', atMost: 200 }),
  { workload: 'M1', figure: 'totalMs', atMost: 150 },
  { workload: 'M1', figure: 'totalMs', of: inNode, atMost: 1 },
  moonshot({ workload: 'M1', figure: 'totalMs', of: ['raw'], atMost: 1.3 }),
  ...['P1', 'C1b', 'C1m'].flatMap((workload): Bar[] => [
    { workload, figure: 'rssMb', atMost: 150 },
    moonshot({ workload, figure: 'rssMb', of: ['raw'], atMost: 1.3 })
  ]),
  { workload: 'C1b', figure: 'starvedMs', atMost: 50 }
]

const units: Record<string, string> = { usPerMessage: 'µs CPU/message', rssMb: 'MB', starvedMs: 'ms a timer is late', p50Ms: 'ms p50' }
const names: Record<string, string> = {
  firstMs: 'ms, first member',
  secondMs: 'ms, second member',
  silenceMs: 'ms, silence',
  totalMs: 'ms'
}

/** Of these clients, the one whose median is least; undefined when none was measured. */
export function bestOf(runs: readonly Run[], clients: readonly string[], figure: string): string | undefined {
  const medianOf = (client: string) => median(runs.filter(run => run.client === client).flatMap(run => run.figures[figure] ?? []))
  return clients.filter(client => runs.some(run => run.client === client)).sort((a, b) => medianOf(a) - medianOf(b))[0]
}

/** Those that were given more rounds than others, because they decide: three rounds more or less are no ground to prefer another. */
function mostMeasured(runs: readonly Run[], clients: readonly string[]): string[] {
  const rounds = (client: string) => runs.filter(run => run.client === client).length
  const most = Math.max(...clients.map(rounds))
  return clients.filter(client => rounds(client) > most / 2)
}

/** The peers that decide whether a workload's bars are reached: those that are worth more rounds. */
export function rivals(name: string, runs: readonly Run[]): Set<string> {
  const decided = bars.filter(({ workload }) => workload === name).map(({ of, figure }) => of && bestOf(runs, of, figure))
  return new Set(decided.filter(client => client !== undefined))
}

/** A line for each bar: the figure, what it is measured by, and whether it is reached. */
export function barsTable(all: readonly Run[]): string {
  const rows = bars.flatMap(bar => {
    const runs = all.filter(({ workload }) => workload === bar.workload)
    const mine = runs.filter(({ client }) => client === 'samsa').flatMap(run => run.figures[bar.figure] ?? [])
    if (mine.length === 0) return []
    const value = median(mine)
    const what = `${digits(value)} ${units[bar.figure] ?? names[bar.figure]}`
    const kind = bar.moonshot ? 'moonshot' : 'bar'
    if (!bar.of) return [[bar.workload, kind, `at most ${bar.atMost}`, what, '', value <= bar.atMost ? 'reached' : '**not reached**']]
    const best = bestOf(runs, mostMeasured(runs, bar.of), bar.figure)
    const found = best && ratio(runs, 'samsa', best, bar.figure)
    if (!found) return []
    const beside = `${digits(found.ratio)} x ${best} (${found.pairs} pairs)`
    const at = bar.of.length > 1 ? `at most ${bar.atMost} x the best of ${bar.of.length} peers` : `at most ${bar.atMost} x ${best}`
    return [[bar.workload, kind, at, what, beside, found.ratio <= bar.atMost ? 'reached' : '**not reached**']]
  })
  return table(['work', '', 'to be', 'is', 'ratio', ''], rows)
}
