/**
 * Runs a pure machine over a list of events and tells where it is, and what the last event made it do.
 */
import { type AnyMachineSnapshot, type AnyStateMachine, initialTransition, transition } from 'xstate'

type Action = { type: string; params: unknown }

export interface Ran<TContext> {
  snapshot: AnyMachineSnapshot
  value: unknown
  context: TContext
  /** Names of the actions of the last event, in order. */
  actions: string[]
  /** Parameters of the last event's actions of this name. */
  did(type: string): unknown[]
}

export function runMachine<TContext>(machine: AnyStateMachine, input: unknown, events: readonly { type: string }[]): Ran<TContext> {
  let [snapshot, actions] = initialTransition(machine, input as never) as unknown as [AnyMachineSnapshot, Action[]]
  for (const event of events)
    [snapshot, actions] = transition(machine, snapshot as never, event as never) as unknown as [AnyMachineSnapshot, Action[]]
  return {
    snapshot,
    value: snapshot.value,
    context: snapshot.context as TContext,
    actions: actions.map(action => action.type),
    did: type => actions.filter(action => action.type === type).map(action => action.params)
  }
}
