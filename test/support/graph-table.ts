/**
 * What a machine does, as a table that is kept beside its tests: one line for each thing that it does in a state on an event. A change of a machine is
 * a change of its table, to be looked at; `npm run tables` writes them anew.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Graph } from './graph.ts'

const folder = fileURLToPath(new URL('../machines/tables/', import.meta.url))
const SHOWN = 10

/**
 * By state; a line for each event, target and list of actions: `EVENT ─► state: action; action #1a2b3c4d`. The number sums up all that these have as
 * fields and parameters, which would be a megabyte for the largest of them.
 */
export function tableOf(graphs: readonly Graph[]): string {
  const states = new Map<string, Map<string, Set<string>>>()
  const starts = graphs.map(({ start }) => start.map(({ type, params }) => `${type} ${textOf(params)}`).join('; '))
  for (const { nodes, edges } of graphs)
    for (const { from, to, event, actions } of edges) {
      const [before, after] = [nodes[from]!.value, nodes[to]!.value]
      const target = after === before ? '' : ` ─► ${after}`
      const did = actions.map(({ type }) => type).join('; ')
      if (!target && !did) continue
      const lines = states.get(before) ?? new Map<string, Set<string>>()
      states.set(before, lines)
      const line = `${event.split(' ')[0]}${target}${did && `: ${did}`}`
      const whole = lines.get(line) ?? new Set()
      lines.set(line, whole.add(`${event} ${actions.map(({ params }) => textOf(params)).join(' ')}`))
    }
  const text = ([line, whole]: [string, Set<string>]) => `  ${line} #${digestOf([...whole].sort())}`
  const begin = graphs[0]!.start.map(({ type }) => type).join('; ')
  const begins = begin ? `begins: ${begin} #${digestOf(starts)}\n\n` : ''
  return begins + [...states].map(([state, lines]) => `${state}\n${[...lines].map(text).sort().join('\n')}\n`).join('\n')
}

function digestOf(lines: readonly string[]): string {
  return createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 8)
}

/** Fails when the machine does anything else than its table says. */
export function assertTable(name: string, ...graphs: readonly Graph[]): void {
  const file = `${folder}${name}.txt`
  const table = tableOf(graphs)
  if (process.env.SAMSA_TABLES === 'write') return writeFileSync(file, table)
  const kept = readFileSync(file, 'utf8')
  if (kept === table) return
  const [was, is] = [new Set(kept.split('\n')), new Set(table.split('\n'))]
  const changes = [
    ...[...was].filter(line => !is.has(line)).map(line => `-${line}`),
    ...[...is].filter(line => !was.has(line)).map(line => `+${line}`)
  ]
  const more = changes.length > SHOWN ? `\n… and ${changes.length - SHOWN} more` : ''
  assert.fail(
    `The machine does not do what test/machines/tables/${name}.txt says:\n${changes.slice(0, SHOWN).join('\n')}${more}\nIf that is meant: npm run tables`
  )
}

function textOf(value: unknown): string {
  return (
    JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? `${item}n` : item instanceof Error ? item.message : item)) ?? 'undefined'
  )
}
