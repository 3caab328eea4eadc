/**
 * Binds a pure machine to the world: provides its effects, lists the running actor in its cluster's directory and gives
 * every input to the recorder. All that is semi-internal in XState is used here and nowhere else.
 */
import type { AnyActorRef, AnyEventObject, AnyMachineSnapshot, AnyStateMachine } from 'xstate'
import { findInstance } from './instance.ts'

interface Scope {
  self: AnyActorRef
}

interface Place {
  instance: string
  path: string
}

/** The machines that were bound, by id: what a recording is made of. */
export const boundMachines: Record<string, AnyStateMachine> = {}

/**
 * Returns the machine with its implementations, recorded. `context` must begin with `{ instance, path }`.
 * XState calls `getInitialSnapshot` once at birth and `transition` for every event, timers and children's ends included, so these
 * two are all that replay needs. `xstate.stop` is the parent's or user's stop: it is not an input that moves the machine.
 */
export function bind<TMachine extends AnyStateMachine>(machine: TMachine, implementations: Parameters<TMachine['provide']>[0]): TMachine {
  boundMachines[machine.id] = machine
  const bound = machine.provide(implementations as never) as TMachine
  const transition = bound.transition.bind(bound)
  const getInitialSnapshot = bound.getInitialSnapshot.bind(bound)

  bound.getInitialSnapshot = ((scope: Scope, input: unknown) => {
    const snapshot = getInitialSnapshot(scope as never, input as never) as AnyMachineSnapshot
    const place = snapshot.context as Place
    const instance = findInstance(place.instance)
    if (instance) {
      instance.spawning.delete(place.path)
      instance.directory.set(place.path, scope.self)
      instance.recorder.birth(place.path, machine.id, snapshot.value, snapshot.context, scope.self)
    }
    return snapshot
  }) as never

  bound.transition = ((snapshot: AnyMachineSnapshot, event: AnyEventObject, scope: Scope) => {
    const place = snapshot.context as Place
    const instance = findInstance(place.instance)
    const stopping = event.type === 'xstate.stop'
    if (!stopping) instance?.recorder.event(place.path, event, scope.self)
    let next: AnyMachineSnapshot
    try {
      next = transition(snapshot as never, event as never, scope as never) as unknown as AnyMachineSnapshot
    } catch (error) {
      // A throw in an effect kills the actor (XState); it must not stay listed as if it ran.
      if (instance?.directory.get(place.path) === scope.self) instance.directory.delete(place.path)
      instance?.recorder.end(place.path, scope.self)
      throw error
    }
    if (!stopping) instance?.recorder.state(place.path, next.value, next.context, scope.self)
    if (instance && (stopping || next.status !== 'active')) {
      // A successor of the same path may have been born already; only the actor that is listed takes itself off.
      if (instance.directory.get(place.path) === scope.self) instance.directory.delete(place.path)
      instance.recorder.end(place.path, scope.self)
    }
    return next
  }) as never
  return bound
}
