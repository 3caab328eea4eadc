/**
 * One pure step of a machine, with what it took and what it would have done. XState tells the transitions of each microstep to its
 * inspector only; the little of it that is not public is used here and nowhere else in the tests.
 */
import { type AnyMachineSnapshot, type AnyStateMachine, createActor } from 'xstate'

/** One branch of the machine's config: the transition `definition` of a state. */
export interface Branch {
  /** `state ─ EVENT → target`, with `[guard]` and, where several share an event, their number. */
  label: string
  definition: unknown
}

interface Definition {
  eventType: string
  guard?: unknown
  target?: readonly { id: string }[]
}

interface StateNode {
  id: string
  states: Record<string, StateNode>
  transitions: Map<string, Definition[]>
  always?: Definition[]
}

/** All branches that the config of the machine has, in its order. */
export function branchesOf(machine: AnyStateMachine): Branch[] {
  const out: Branch[] = []
  const visit = (node: StateNode) => {
    for (const [event, list] of node.transitions)
      for (const [i, definition] of list.entries()) out.push(branch(node, event, i, list, definition))
    for (const [i, definition] of (node.always ?? []).entries()) out.push(branch(node, 'always', i, node.always ?? [], definition))
    for (const child of Object.values(node.states)) visit(child)
  }
  visit(machine.root as unknown as StateNode)
  return out
}

function branch(node: StateNode, event: string, index: number, list: Definition[], definition: Definition): Branch {
  const number = list.length > 1 ? ` #${index + 1}` : ''
  const guard = definition.guard === undefined ? '' : ` [${guardName(definition.guard)}]`
  const target = definition.target?.length ? ` → ${definition.target.map(({ id }) => id).join(', ')}` : ''
  return { label: `${node.id} ─ ${event}${number}${guard}${target}`, definition }
}

function guardName(guard: unknown): string {
  if (typeof guard === 'string') return guard
  if (typeof guard === 'object' && guard !== null && 'type' in guard) return String(guard.type)
  return 'inline'
}

export interface Step {
  snapshot: AnyMachineSnapshot
  /** Definitions of the transitions that were taken, of all microsteps. */
  taken: readonly unknown[]
  actions: { type: string; params: unknown }[]
  /** The timers that are set after it, from those that were set before it. */
  timers(before: ReadonlyMap<string, { type: string }>): Map<string, { type: string }>
}

type Logic = {
  getInitialSnapshot(scope: unknown, input: unknown): AnyMachineSnapshot
  transition(snapshot: AnyMachineSnapshot, event: { type: string }, scope: unknown): AnyMachineSnapshot
}

/** Steps a machine without executing anything. */
export class Stepper {
  readonly machine: AnyStateMachine
  readonly #scope: unknown
  #taken: unknown[] = []
  #actions: { type: string; params: unknown }[] = []

  constructor(machine: AnyStateMachine) {
    this.machine = machine
    const inspect = (event: { type: string; _transitions?: unknown[] }) => {
      if (event.type === '@xstate.microstep') this.#taken.push(...(event._transitions ?? []))
    }
    const self = createActor(machine, { inspect } as never) as unknown as { _actorScope: object }
    this.#scope = {
      ...self._actorScope,
      defer: () => {},
      stopChild: () => {},
      emit: () => {},
      logger: () => {},
      actionExecutor: ({ type, params }: { type: string; params: unknown }) => this.#actions.push({ type, params })
    }
  }

  first(input: unknown): Step {
    return this.#run(logic => logic.getInitialSnapshot(this.#scope, input))
  }

  step(snapshot: AnyMachineSnapshot, event: { type: string }): Step {
    return this.#run(logic => logic.transition(snapshot, event, this.#scope))
  }

  #run(run: (logic: Logic) => AnyMachineSnapshot): Step {
    this.#taken = []
    this.#actions = []
    const snapshot = run(this.machine as unknown as Logic)
    const actions = this.#actions
    return { snapshot, taken: this.#taken, actions, timers: before => timersAfter(before, actions) }
  }
}

/** `after` and delayed `raise` set a timer, `cancel` and the exit of a state with `after` end it. */
function timersAfter(before: ReadonlyMap<string, { type: string }>, actions: Step['actions']): Map<string, { type: string }> {
  const timers = new Map(before)
  for (const { type, params } of actions) {
    const { event, id, delay, sendId } = (params ?? {}) as { event?: { type: string }; id?: string; delay?: number; sendId?: string }
    if (type === 'xstate.raise' && delay !== undefined && event) timers.set(id ?? event.type, event)
    if (type === 'xstate.cancel' && sendId !== undefined) timers.delete(sendId)
  }
  return timers
}
