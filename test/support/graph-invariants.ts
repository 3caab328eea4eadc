/**
 * What must hold in every state of every machine of ours, and how to state more of it.
 */
import assert from 'node:assert/strict'
import type { AnyMachineSnapshot } from 'xstate'
import { isClean } from '../../src/journal/sanitise.ts'
import type { Stepper } from './graph-steps.ts'

/** Throws when it does not hold. `path`: the events that led there. */
export type Invariant<TSnapshot> = (snapshot: TSnapshot, path: readonly string[]) => void

/** Context is plain data without bigint, and nothing in it stands under the name of a credential: it can be recorded as it is. */
export const isPlain: Invariant<AnyMachineSnapshot> = ({ context }) => {
  assert.ok(isClean(context), 'The context holds something that is not plain data, or under the name of a credential.')
  assert.deepEqual(JSON.parse(JSON.stringify(context, asMarker)), withoutUndefined(context), 'The context does not survive JSON.')
}

/** The state as a recording would have it: value and context alone. */
export function restored(stepper: Stepper, { value, context }: AnyMachineSnapshot): AnyMachineSnapshot {
  return stepper.machine.resolveState(structuredClone({ value, context: context as unknown }) as never) as AnyMachineSnapshot
}

/** The step from the restored state ends where the real step ended: nothing else counts. */
export function isFaithful(stepper: Stepper, before: AnyMachineSnapshot, event: { type: string }, after: AnyMachineSnapshot): void {
  const again = stepper.step(before, event).snapshot
  assert.deepEqual(
    { value: again.value, context: again.context, status: again.status },
    { value: after.value, context: after.context, status: after.status },
    'The same state and event gave two results: the machine reads something that is neither (a clock, chance, history, a child).'
  )
}

const asMarker = (_: string, item: unknown) => (typeof item === 'bigint' ? '[bigint]' : item)

function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(item => (item === undefined ? null : withoutUndefined(item)))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([key, item]) => [key, withoutUndefined(item)])
  )
}
