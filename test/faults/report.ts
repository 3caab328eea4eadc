/**
 * The figures as tables: on the terminal, and between the markers of docs/FAULTS.md.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import type { EmbeddedResult } from './embedded.ts'
import type { Fault, Result } from './table.ts'

const seconds = (ms: number | undefined) => (ms === undefined ? '–' : (ms / 1_000).toFixed(1))
const row = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`
const table = (head: readonly string[], rows: readonly string[]) => [row(head), row(head.map(() => '---')), ...rows].join('\n')

const REAL = [
  ...['fault', 'acked', 'failed', 'unknown', 'lost', 'doubled', 'disordered', 'given again'],
  ...['ack s (Java)', 'record s (Java)', 'rebalances (Java)', 'peak MB']
]

export function realTable(results: readonly Result[]): string {
  const rows = results.map(({ name, figures, java }) => {
    const beside = (own: string | number, theirs: string | number | undefined) => (theirs === undefined ? `${own}` : `${own} (${theirs})`)
    return row([
      ...[name, figures.acked, figures.failed, figures.unknown, figures.lost, figures.doubled, figures.disordered, figures.again],
      beside(seconds(figures.ackMs), java && seconds(java.ackMs)),
      beside(seconds(figures.readMs), java && seconds(java.readMs)),
      beside(figures.rebalances, java?.rebalances),
      Math.round((figures.peakBytes ?? 0) / 1e6)
    ])
  })
  return table(REAL, rows)
}

export function proofTable(results: readonly Result[], faults: readonly Fault[]): string {
  const rows = results.map(({ name, proof }) => {
    const { does, holds } = faults.find(fault => fault.name === name)!
    return row([name, does, holds, proof])
  })
  return table(['fault', 'what is done', 'what must hold beside the rest', 'what was seen'], rows)
}

const EMBEDDED = ['fault', 'seeds', 'acked', 'lost', 'doubled', 'disordered', 'longest ack s', 'longest record s', 'rebalances']

/** Sums and worst of all seeds of each row. */
export function embeddedTable(results: readonly EmbeddedResult[]): string {
  const names = [...new Set(results.map(({ name }) => name))]
  const rows = names.map(name => {
    const all = results.filter(each => each.name === name).map(({ figures }) => figures)
    const sum = (of: (figures: EmbeddedResult['figures']) => number) => all.reduce((total, figures) => total + of(figures), 0)
    const most = (of: (figures: EmbeddedResult['figures']) => number) => Math.max(...all.map(of))
    return row([
      ...[name, all.length, sum(({ acked }) => acked), sum(({ lost }) => lost), sum(({ doubled }) => doubled)],
      ...[sum(({ disordered }) => disordered), seconds(most(({ ackMs }) => ackMs)), seconds(most(({ readMs }) => readMs))],
      most(({ rebalances }) => rebalances)
    ])
  })
  return table(EMBEDDED, rows)
}

const nameOf = (line: string) => line.split(' | ')[0]!.replace(/^\| /, '')

/** Puts a table between `<!-- name -->` and `<!-- /name -->` of a file; rows that are there and not in it stay, and `order` names those that may. */
export function writeTable(path: string, name: string, table: string, order: readonly string[]): void {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const text = readFileSync(path, 'utf8')
  const [from, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)]
  if (from < begin.length || to < from) throw new Error(`${path} has no place for ${name}`)
  const [head, line, ...rows] = table.split('\n')
  const all = new Map([...text.slice(from, to).trim().split('\n').slice(2), ...rows].map(each => [nameOf(each), each]))
  const known = order.flatMap(each => all.get(each) ?? [])
  writeFileSync(path, `${text.slice(0, from)}\n${[head, line, ...known].join('\n')}\n${text.slice(to)}`)
}
