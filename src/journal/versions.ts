/**
 * A fingerprint of a machine: its states, transitions, and the names of its guards, actions and delays. Written into recordings,
 * so that a replay with another version of the machine is noticed. The code of inline functions is not part of it (it reads
 * differently from source and from a build); the comparison of states finds what changed there.
 */
import type { AnyStateMachine } from 'xstate'
import { crc32c } from './crc32c.ts'

const known = new WeakMap<AnyStateMachine, string>()

/** Eight hex digits, the same for the same structure. `version` of the machine's config counts too. */
export function machineVersion(machine: AnyStateMachine): string {
  const before = known.get(machine)
  if (before !== undefined) return before
  const text = JSON.stringify(outline(machine.config))
  const version = crc32c(new TextEncoder().encode(text)).toString(16).padStart(8, '0')
  known.set(machine, version)
  return version
}

/** The fingerprints of all machines, for `createRecorder({ versions })`. */
export function machineVersions(machines: Readonly<Record<string, AnyStateMachine>>): Record<string, string> {
  return Object.fromEntries(Object.entries(machines).map(([id, machine]) => [id, machineVersion(machine)]))
}

function outline(value: unknown): unknown {
  if (typeof value === 'function') return builtInName(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(outline)
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== 'context')
      .map(([key, item]) => [key, outline(item)])
  )
}

/** `xstate.assign`, `xstate.raise`, … carry their name; other functions are only functions. */
function builtInName(value: object): string {
  const { type } = value as { type?: unknown }
  return typeof type === 'string' ? type : 'function'
}
