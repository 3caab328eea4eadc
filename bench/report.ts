/**
 * Runs become tables: medians with the least and the most, and ratios of pairs that were measured one after the other.
 */
import { median, table } from './page.ts'
import type { Run } from './results.ts'
import { workloads } from './workloads.ts'

const titles: Record<string, string> = {
  usPerMessage: 'CPU µs/message',
  kPerSecond: 'k/s',
  rssMb: 'peak MB',
  starvedMs: 'timer late, ms',
  p50Ms: 'p50 ms',
  p99Ms: 'p99 ms',
  firstMs: 'first member, ms',
  secondMs: 'second member, ms',
  silenceMs: 'silence, ms',
  totalMs: 'all in all, ms',
  totalCpuMs: 'CPU ms'
}

export const digits = (value: number) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2))

/** `median (least–most)` of one figure. */
function spread(runs: readonly Run[], figure: string): string {
  const values = runs.map(({ figures }) => figures[figure]).filter(value => value !== undefined)
  if (values.length === 0) return '–'
  const [least, most] = [Math.min(...values), Math.max(...values)]
  return values.length === 1 ? digits(median(values)) : `${digits(median(values))} (${digits(least)}–${digits(most)})`
}

/** The median of `client`'s figure by `other`'s, of those rounds that have both; undefined: there is none. */
export function ratio(runs: readonly Run[], client: string, other: string, figure: string): { ratio: number; pairs: number } | undefined {
  const of = (name: string) => new Map(runs.filter(run => run.client === name).map(run => [run.round, run.figures[figure]]))
  const [mine, theirs] = [of(client), of(other)]
  const ratios = [...mine].flatMap(([round, value]) => {
    const beside = theirs.get(round)
    return value !== undefined && beside !== undefined && beside > 0 ? [value / beside] : []
  })
  return ratios.length > 0 ? { ratio: median(ratios), pairs: ratios.length } : undefined
}

/** One workload: a line for each client; the first figure is also given as ratio to samsa's. */
export function workloadTable(name: string, all: readonly Run[]): string {
  const { what, figures, clients } = workloads[name]!
  const runs = all.filter(run => run.workload === name)
  // A build of before is in no list; it stands behind the one of now.
  const order = (client: string) => (client === 'before' ? 0.5 : clients.indexOf(client))
  const present = [...new Set(runs.map(({ client }) => client))].sort((a, b) => order(a) - order(b))
  const rows = present.map(client => {
    const mine = runs.filter(run => run.client === client)
    const beside = ratio(runs, client, 'samsa', figures[0]!)
    return [
      client.startsWith('samsa') ? client : `${client} ${mine[0]!.version === client ? '' : mine[0]!.version}`.trim(),
      ...figures.map(figure => spread(mine, figure)),
      client === 'samsa' ? '1' : beside ? digits(beside.ratio) : '–'
    ]
  })
  const rounds = Math.max(...runs.map(({ client }) => runs.filter(run => run.client === client).length))
  return `**${name}**: ${what} (${rounds} rounds)\n\n${table(['', ...figures.map(figure => titles[figure]!), 'x samsa'], rows)}`
}
