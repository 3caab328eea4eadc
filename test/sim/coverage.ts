/**
 * Which transitions of the machines were taken: counted from XState's own inspection, against all that the machines have.
 */
import type { AnyStateMachine, InspectionEvent } from 'xstate'
import { allMachines } from '../../src/machines/index.ts'

interface Microstep {
  type: '@xstate.microstep'
  _transitions?: readonly { source: { id: string }; eventType: string }[]
}

const keyOf = (source: string, event: string) =>
  `${source} on ${event === '' ? 'always' : event.replace(/^xstate\.after\.([^.]+)\..*$/, 'after $1')}`

export class Coverage {
  readonly taken = new Set<string>()

  readonly inspect = (event: InspectionEvent): void => {
    const step = event as unknown as Microstep
    if (step.type !== '@xstate.microstep') return
    for (const { source, eventType } of step._transitions ?? []) this.taken.add(keyOf(source.id, eventType))
  }

  add(taken: Iterable<string>): void {
    for (const each of taken) this.taken.add(each)
  }

  /** Of each machine: taken, all, and those that were not. */
  report(): { machine: string; taken: number; all: number; missing: string[] }[] {
    return Object.values(allMachines).map(machine => {
      const all = transitionsOf(machine)
      const missing = all.filter(each => !this.taken.has(each))
      return { machine: machine.id, taken: all.length - missing.length, all: all.length, missing }
    })
  }
}

function transitionsOf(machine: AnyStateMachine): string[] {
  const keys = new Set<string>()
  const walk = (node: AnyStateMachine['root']) => {
    for (const [event] of node.transitions) keys.add(keyOf(node.id, event))
    for (const { eventType } of node.always ?? []) keys.add(keyOf(node.id, eventType))
    for (const child of Object.values(node.states)) walk(child)
  }
  walk(machine.root)
  return [...keys].sort()
}
