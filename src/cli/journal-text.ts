/**
 * Recordings as text: inputs on a line, moments, and what differs between two of them.
 */
import { isDeepStrictEqual } from 'node:util'
import type { ReplayedActor, Step } from '../replay.ts'

const EVENT_CHARACTERS = 160

export const bigintsAsText = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value)

export const timeText = (ms: number) => new Date(ms).toISOString().slice(11, 23)

/** Its type, and the small part of what it carries. */
export function eventText({ type, ...carried }: { type: string }): string {
  const entries = Object.entries(carried).map(
    ([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value, bigintsAsText)}`
  )
  const text = entries.length > 0 ? `${type} (${entries.join(', ')})` : type
  return text.length > EVENT_CHARACTERS ? `${text.slice(0, EVENT_CHARACTERS - 1)}…` : text
}

export interface Moment {
  actors: ReadonlyMap<string, ReplayedActor>
  steps: readonly Step[]
}

export interface Difference {
  path: string
  what: string
}

/** Actor by actor; `inputs`: also the first input that is another one, where these are two recordings. */
export function diffOf(a: Moment, b: Moment, inputs: boolean): Difference[] {
  const found: Difference[] = []
  const paths = [...new Set([...a.actors.keys(), ...b.actors.keys()])].filter(path => !path.includes('~')).sort()
  for (const path of paths) {
    const [one, other] = [a.actors.get(path), b.actors.get(path)]
    const what = [...stateDiff(one, other), ...(inputs ? inputDiff(stepsOf(a, path), stepsOf(b, path)) : [])]
    if (what.length > 0) found.push({ path, what: what.join('; ') })
  }
  return found
}

const stepsOf = ({ steps }: Moment, path: string) => steps.filter(step => step.path === path && step.event !== undefined)
const json = (value: unknown) => JSON.stringify(value, bigintsAsText) ?? 'undefined'

function stateDiff(a: ReplayedActor | undefined, b: ReplayedActor | undefined): string[] {
  if (!a || a.ended) return b && !b.ended ? [`only in the second, in ${json(b.value)}`] : []
  if (!b || b.ended) return [`only in the first, in ${json(a.value)}`]
  const [before, after] = [a.context, b.context].map(context => (context ?? {}) as Record<string, unknown>) as [
    Record<string, unknown>,
    Record<string, unknown>
  ]
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    name => name !== 'instance' && !isDeepStrictEqual(before[name], after[name])
  )
  return [
    ...(isDeepStrictEqual(a.value, b.value) ? [] : [`${json(a.value)} → ${json(b.value)}`]),
    ...names.map(name => `${name} ${short(json(before[name]))} → ${short(json(after[name]))}`)
  ]
}

function inputDiff(a: readonly Step[], b: readonly Step[]): string[] {
  const at = a.findIndex((step, index) => !b[index] || json(step.event) !== json(b[index].event))
  const first = at < 0 ? (b.length > a.length ? a.length : -1) : at
  if (first < 0) return []
  const text = (step: Step | undefined) => (step ? `${eventText(step.event!)} (#${step.sequence})` : 'nothing')
  return [`input ${first + 1} is ${text(a[first])} in the first, ${text(b[first])} in the second`]
}

const short = (text: string) => (text.length > 80 ? `${text.slice(0, 79)}…` : text)
