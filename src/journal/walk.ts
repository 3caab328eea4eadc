/**
 * Goes through a recording input by input: who got it, and what it was before and after.
 */
import type { AnyStateMachine } from 'xstate'
import type { Entry, Recording } from './recording.ts'
import { Fold, isAfter, type ReplayUntil } from './replay.ts'

export interface Step {
  sequence: number
  time: number
  path: string
  machine: string
  kind: Entry['kind']
  /** Of an input. */
  event: { type: string } | undefined
  /** As text (`led.inFlight`); undefined: not known, or not born. */
  before: string | undefined
  after: string | undefined
}

type Machines = Readonly<Record<string, AnyStateMachine>>

/** Every step, in order. What does not fit the machines is passed over: its states are not known. */
export function* walk(recording: Recording, machines: Machines, until?: ReplayUntil): Generator<Step> {
  const fold = new Fold(machines, recording.header.machines, () => {})
  for (const entry of recording.entries) {
    if (until && isAfter(entry, until)) return
    const before = fold.look(entry.life)
    fold.apply(entry)
    const now = fold.look(entry.life)
    if (!now) continue
    yield {
      ...{ sequence: entry.sequence, time: entry.time, path: now.path, machine: now.machine, kind: entry.kind },
      event: entry.kind === 'event' ? entry.event : undefined,
      before: before?.known ? stateText(before.value) : undefined,
      after: now.known ? stateText(now.value) : undefined
    }
  }
}

/** `{ led: 'inFlight' }` as `led.inFlight`; parallel states with `+` between. */
export function stateText(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value !== 'object' || value === null) return String(value)
  return Object.entries(value)
    .map(([name, inner]) => (inner && typeof inner === 'object' && Object.keys(inner).length === 0 ? name : `${name}.${stateText(inner)}`))
    .join(' + ')
}
