/**
 * Replay: folds a recording through the pure machines, to its end or to any moment before. No effect runs: `transition` returns
 * actions and nobody executes them, so timers, children and sockets are not born again; what came of them lies in the recording
 * as events (`xstate.after.…`, `xstate.done.actor.…`, levels).
 */
import { type AnyEventObject, type AnyMachineSnapshot, type AnyStateMachine, transition } from 'xstate'
import { plainError, SamsaError, UsageError } from '../model/errors.ts'
import type { Entry, Recording } from './recording.ts'
import { machineVersion } from './versions.ts'

/** The recording and the machines at hand do not fit together. */
export interface Mismatch {
  sequence: number
  path: string
  machine: string
  /** `unknown machine`, `other version`, `invalid state`, `transition threw`, `not born` */
  reason: string
  detail: string
}

/** One actor at the moment asked for. */
export interface ReplayedActor {
  machine: string
  value: unknown
  context: unknown
  status: 'active' | 'done' | 'error' | 'stopped'
  /** Folded since its birth or checkpoint. */
  events: number
  ended: boolean
  /** False after a gap or a mismatch, until a checkpoint: value and context are the last known ones. */
  known: boolean
}

/** Inclusive: the entry of that sequence number, the entries of that millisecond, are folded too. Default: everything. */
export type ReplayUntil = { sequence: number } | { time: number }

export interface ReplayOptions {
  /** `fail` (default): the first mismatch throws REPLAY_MISMATCH. A function: it is told of each, and that actor is not `known` from there. */
  onMismatch?: 'fail' | ((mismatch: Mismatch) => void)
}

/**
 * Every actor by path, as it was at the moment asked for; of several lives of one path the newest.
 * `machines`: machine id -> the pure machine.
 */
export function replay(
  recording: Recording,
  machines: Readonly<Record<string, AnyStateMachine>>,
  until?: ReplayUntil,
  options: ReplayOptions = {}
): Map<string, ReplayedActor> {
  const fold = new Fold(machines, recording.header.machines, options.onMismatch ?? 'fail')
  if (until) checkReach(recording, until)
  for (const entry of recording.entries) {
    if (until && isAfter(entry, until)) break
    fold.apply(entry)
  }
  return fold.result()
}

/** A checkpoint is the state before the next entry, and belongs to the moment before that one. */
export function isAfter(entry: Entry, until: ReplayUntil): boolean {
  if ('sequence' in until) return entry.sequence > until.sequence + (entry.kind === 'checkpoint' ? 1 : 0)
  return entry.time > until.time && entry.kind !== 'checkpoint'
}

/** A ring forgets: what is before its first entry cannot be told any more. */
function checkReach(recording: Recording, until: ReplayUntil): void {
  const first = recording.entries.find(entry => entry.kind !== 'checkpoint')
  if (!first || recording.header.droppedFrames === 0) return
  if ('sequence' in until ? until.sequence >= first.sequence - 1 : until.time >= first.time) return
  throw new UsageError(
    'REPLAY_TOO_EARLY',
    `The recording begins at entry ${first.sequence} (${new Date(first.time).toISOString()}); what was before it had to make room. ` +
      'Ask for a later moment, or record with a larger recorderMaxBytes.'
  )
}

interface Life {
  path: string
  machine: string
  snapshot: AnyMachineSnapshot | undefined
  value: unknown
  context: unknown
  events: number
  ended: boolean
  known: boolean
}

/** The states of all actors, entry by entry. */
export class Fold {
  readonly #machines: Readonly<Record<string, AnyStateMachine>>
  readonly #versions: Readonly<Record<string, string>>
  readonly #onMismatch: 'fail' | ((mismatch: Mismatch) => void)
  readonly #lives = new Map<number, Life>()
  readonly #compared = new Set<string>()

  constructor(
    machines: Readonly<Record<string, AnyStateMachine>>,
    versions: Readonly<Record<string, string>>,
    onMismatch: 'fail' | ((mismatch: Mismatch) => void)
  ) {
    this.#machines = machines
    this.#versions = versions
    this.#onMismatch = onMismatch
  }

  apply(entry: Entry): void {
    if (entry.kind === 'birth' || entry.kind === 'checkpoint') {
      this.#begin(entry)
      return
    }
    const life = this.#lives.get(entry.life)
    if (!life) this.#mismatch(entry, { path: '', machine: '' }, 'not born', `Life ${entry.life} has neither birth nor checkpoint.`)
    else if (entry.kind === 'end') life.ended = true
    else if (entry.kind === 'gap') life.known = false
    else if (entry.kind === 'event' && life.known) this.#event(entry, life)
  }

  /** One life as it is now. */
  look(id: number): { path: string; machine: string; value: unknown; known: boolean } | undefined {
    const life = this.#lives.get(id)
    return life && { path: life.path, machine: life.machine, value: life.snapshot ? life.snapshot.value : life.value, known: life.known }
  }

  result(): Map<string, ReplayedActor> {
    const out = new Map<string, ReplayedActor>()
    // Lives are numbered as they are born: a later one of the same path replaces the earlier.
    for (const [, life] of [...this.#lives].sort(([a], [b]) => a - b)) {
      const { path, machine, snapshot, events, ended, known } = life
      const value = snapshot ? snapshot.value : life.value
      const context = snapshot ? snapshot.context : life.context
      out.set(path, { machine, value, context, status: snapshot?.status ?? 'active', events, ended, known })
    }
    return out
  }

  #begin(entry: Extract<Entry, { kind: 'birth' | 'checkpoint' }>): void {
    const { path, machine: id, value, context } = entry
    const events = this.#lives.get(entry.life)?.events ?? 0
    const life: Life = { path, machine: id, snapshot: undefined, value, context, events, ended: false, known: false }
    this.#lives.set(entry.life, life)
    const machine = Object.hasOwn(this.#machines, id) ? this.#machines[id] : undefined
    if (!machine) {
      this.#mismatch(entry, life, 'unknown machine', 'No machine of this id is at hand.')
      return
    }
    this.#compareVersions(entry, life, machine)
    try {
      life.snapshot = machine.resolveState({ value: value as never, context: context as never }) as AnyMachineSnapshot
      life.known = true
    } catch (error) {
      this.#mismatch(entry, life, 'invalid state', plainError(error).message)
    }
  }

  /** Another version is told once for each machine, and replayed all the same: the states will show what differs. */
  #compareVersions(entry: Entry, life: Life, machine: AnyStateMachine): void {
    const recorded = Object.hasOwn(this.#versions, life.machine) ? this.#versions[life.machine] : undefined
    if (recorded === undefined || this.#compared.has(life.machine)) return
    this.#compared.add(life.machine)
    const present = machineVersion(machine)
    if (recorded !== present) this.#mismatch(entry, life, 'other version', `Recorded with ${recorded}, replayed with ${present}.`)
  }

  #event(entry: Extract<Entry, { kind: 'event' }>, life: Life): void {
    const event: AnyEventObject = entry.event
    const machine = this.#machines[life.machine] as AnyStateMachine
    try {
      const [next] = transition(machine, life.snapshot as never, event as never) as unknown as [AnyMachineSnapshot]
      if (next.status === 'error') throw next.error
      life.snapshot = next
      life.events++
    } catch (error) {
      life.known = false
      this.#mismatch(entry, life, 'transition threw', `Event ${event.type}: ${plainError(error).message}`)
    }
  }

  #mismatch(entry: Entry, { path, machine }: { path: string; machine: string }, reason: string, detail: string): void {
    const mismatch: Mismatch = { sequence: entry.sequence, path, machine, reason, detail }
    if (this.#onMismatch !== 'fail') {
      this.#onMismatch(mismatch)
      return
    }
    throw new SamsaError(
      'REPLAY_MISMATCH',
      `The recording does not fit the machines, at entry ${entry.sequence} of ${path || 'an unknown actor'} (machine ${machine || 'unknown'}): ${reason}. ` +
        `${detail} Replay it with the version of samsa that wrote it, or ask for warnings instead.`,
      { details: { sequence: entry.sequence, path, machine, reason } }
    )
  }
}
