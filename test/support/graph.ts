/**
 * Walks a machine along every transition of its own graph: breadth-first over `transition`, from its first state, with sample events,
 * with its timers (only those that are set) and the ends of its invoked children. Tells which transitions were taken
 * (state × event × branch), and checks what must hold in every state that was reached. Nothing is executed, nothing waits.
 */
import assert from 'node:assert/strict'
import type { AnyMachineSnapshot, AnyStateMachine, EventFromLogic, InputFrom, SnapshotFrom } from 'xstate'
import { type Invariant, isFaithful, isPlain, restored } from './graph-invariants.ts'
import { type Branch, branchesOf, Stepper } from './graph-steps.ts'

/** An event, or what gives events for a state: `snapshot => snapshot.matches('ready') && { type: 'CLOSED', link: snapshot.context.link }`. */
export type Sample<TMachine extends AnyStateMachine> =
  | EventFromLogic<TMachine>
  | ((snapshot: SnapshotFrom<TMachine>) => EventFromLogic<TMachine> | readonly EventFromLogic<TMachine>[] | false | undefined)

export interface GraphOptions<TMachine extends AnyStateMachine> {
  input?: InputFrom<TMachine>
  /** Sent in every state that is reached. */
  events: readonly Sample<TMachine>[]
  /** What makes two states of one value different. Default: the whole context. Leave out what only counts up. */
  identity?: (context: SnapshotFrom<TMachine>['context']) => unknown
  /** Outputs with which invoked children end, by invoke id. Default: one undefined. */
  outputs?: Readonly<Record<string, readonly unknown[]>>
  /** Errors of invoked children, by invoke id. Default: one, where the machine has an `onError` for it. */
  errors?: Readonly<Record<string, readonly unknown[]>>
  /** Hold in every state that is reached, beside the built-in ones: throw when they do not. */
  invariants?: readonly Invariant<SnapshotFrom<TMachine>>[]
  /** Branches that cannot be taken, by label, each with its reason. One that is taken after all, or does not exist, is a failure. */
  unreachable?: Readonly<Record<string, string>>
  /** State values (as `JSON.stringify` gives them, a plain name for a plain one) that a machine may stay in for ever. */
  restsIn?: readonly string[]
  /** Default 5,000 states. */
  maxNodes?: number
  /** Longest path. Default 30 events. */
  maxDepth?: number
}

export interface Graph {
  /** What it does as it begins. */
  start: { type: string; params: unknown }[]
  /** States reached, with the events that lead there. */
  nodes: { value: string; path: string[] }[]
  edges: { from: number; to: number; event: string; actions: { type: string; params: unknown }[] }[]
  covered: string[]
  uncovered: string[]
  /** Values of states that nothing sent ever left, and that are not final. */
  deadEnds: string[]
  /** The limit of nodes or depth was met: some of the graph was not seen. */
  truncated: boolean
}

interface Node {
  snapshot: AnyMachineSnapshot
  value: string
  depth: number
  path: string[]
  /** Timers that are set: id -> event. */
  timers: ReadonlyMap<string, { type: string }>
  /** Itself, written down and read again. */
  restored: AnyMachineSnapshot
}

const nameOf = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))

/** Explores. Throws, with the path of events that leads there, when a transition throws or an invariant does not hold. */
export function explore<TMachine extends AnyStateMachine>(machine: TMachine, options: GraphOptions<TMachine>): Graph {
  return new Walk(machine, options).run()
}

/**
 * Fails when a transition of the machine was never taken (and is not listed in `unreachable`), when a state that is not final is never
 * left (and is not listed in `restsIn`), when an invariant does not hold, or when a transition throws. Built-in invariants: context
 * is plain, and a state that was written down and read again does what the original does.
 */
export function assertEveryTransition<TMachine extends AnyStateMachine>(machine: TMachine, options: GraphOptions<TMachine>): Graph {
  const graph = explore(machine, options)
  const unreachable = Object.keys(options.unreachable ?? {})
  const missing = graph.uncovered.filter(label => !unreachable.includes(label))
  const stale = unreachable.filter(label => !graph.uncovered.includes(label))
  const stuck = graph.deadEnds.filter(value => !options.restsIn?.includes(value))
  const seen = `${graph.nodes.length} states, ${graph.edges.length} steps${graph.truncated ? ', stopped at the limit' : ''}`
  const problems = [
    ...missing.map(label => `never taken: ${label}`),
    ...stale.map(label => `listed as unreachable, but ${graph.covered.includes(label) ? 'taken' : 'not a transition'}: ${label}`),
    ...stuck.map(value => `never left, and not final: ${value}`)
  ]
  if (problems.length > 0) assert.fail(`Machine ${machine.id} (${seen}):\n  ${problems.join('\n  ')}`)
  return graph
}

class Walk<TMachine extends AnyStateMachine> {
  readonly #options: GraphOptions<TMachine>
  readonly #stepper: Stepper
  readonly #branches: Branch[]
  readonly #invariants: readonly Invariant<never>[]
  readonly #nodes: Node[] = []
  readonly #ids = new Map<string, number>()
  readonly #edges: Graph['edges'] = []
  readonly #covered = new Set<string>()
  #truncated = false

  constructor(machine: TMachine, options: GraphOptions<TMachine>) {
    this.#options = options
    this.#stepper = new Stepper(machine)
    this.#branches = branchesOf(machine)
    this.#invariants = [isPlain, ...((options.invariants ?? []) as readonly Invariant<never>[])]
  }

  run(): Graph {
    const first = this.#stepper.first(this.#options.input)
    this.#cover(first.taken)
    this.#arrive(first.snapshot, first.timers(new Map()), [], 0)
    for (let at = 0; at < this.#nodes.length; at++) this.#expand(at)
    return {
      start: first.actions,
      nodes: this.#nodes.map(({ value, path }) => ({ value, path })),
      edges: this.#edges,
      covered: this.#branches.map(({ label }) => label).filter(label => this.#covered.has(label)),
      uncovered: this.#branches.map(({ label }) => label).filter(label => !this.#covered.has(label)),
      deadEnds: this.#deadEnds(),
      truncated: this.#truncated
    }
  }

  #expand(at: number): void {
    const node = this.#nodes[at] as Node
    if (node.snapshot.status !== 'active') return
    if (node.depth >= (this.#options.maxDepth ?? 30)) {
      this.#truncated = true
      return
    }
    for (const event of this.#samples(node.snapshot)) this.#follow(at, node, event, node.timers)
    for (const [id, event] of node.timers) {
      const left = new Map(node.timers)
      left.delete(id)
      this.#follow(at, node, event, left)
    }
  }

  #follow(at: number, node: Node, event: { type: string }, timers: ReadonlyMap<string, { type: string }>): void {
    const path = [...node.path, label(event)]
    const step = guarded(path, () => this.#stepper.step(node.snapshot, event))
    if (step.snapshot.status === 'error') throw trouble(path, step.snapshot.error)
    guarded(path, () => isFaithful(this.#stepper, node.restored, event, step.snapshot))
    this.#cover(step.taken)
    const to = this.#arrive(step.snapshot, step.timers(timers), path, node.depth + 1)
    if (to !== undefined) this.#edges.push({ from: at, to, event: label(event), actions: step.actions })
  }

  /** The node of this snapshot: a known one, or a new one if there is room. */
  #arrive(snapshot: AnyMachineSnapshot, timers: ReadonlyMap<string, { type: string }>, path: string[], depth: number): number | undefined {
    const context = this.#options.identity ? this.#options.identity(snapshot.context as never) : snapshot.context
    const waiting = [...timers.values()].map(({ type }) => type).sort()
    const exact = (_: string, item: unknown) => (typeof item === 'bigint' ? `${item}n` : item)
    const id = guarded(path, () => JSON.stringify([snapshot.value, snapshot.status, waiting, context], exact))
    const known = this.#ids.get(id)
    if (known !== undefined) return known
    guarded(path, () => {
      for (const invariant of this.#invariants) invariant(snapshot as never, path)
    })
    if (this.#nodes.length >= (this.#options.maxNodes ?? 5_000)) {
      this.#truncated = true
      return undefined
    }
    this.#ids.set(id, this.#nodes.length)
    const again = restored(this.#stepper, snapshot)
    return this.#nodes.push({ snapshot, value: nameOf(snapshot.value), depth, path, timers, restored: again }) - 1
  }

  #samples(snapshot: AnyMachineSnapshot): { type: string }[] {
    const { events, outputs, errors } = this.#options
    const out: { type: string }[] = []
    for (const sample of events as readonly unknown[]) {
      const given = typeof sample === 'function' ? sample(snapshot) : sample
      if (given) out.push(...(Array.isArray(given) ? given : [given]))
    }
    for (const node of snapshot._nodes)
      for (const { id } of node.invoke) {
        for (const output of outputs?.[id] ?? [undefined])
          out.push({ type: `xstate.done.actor.${id}`, output, actorId: id } as { type: string })
        const fallback = node.transitions.has(`xstate.error.actor.${id}`) ? [new Error('sample')] : []
        for (const error of errors?.[id] ?? fallback) out.push({ type: `xstate.error.actor.${id}`, error, actorId: id } as { type: string })
      }
    return out
  }

  #cover(taken: readonly unknown[]): void {
    for (const { label, definition } of this.#branches) if (taken.includes(definition)) this.#covered.add(label)
  }

  #deadEnds(): string[] {
    const left = new Set<string>()
    for (const { from, to } of this.#edges) if (this.#nodes[from]!.value !== this.#nodes[to]!.value) left.add(this.#nodes[from]!.value)
    const active = this.#nodes.filter(({ snapshot }) => snapshot.status === 'active').map(({ value }) => value)
    return [...new Set(active)].filter(value => !left.has(value))
  }
}

function label(event: { type: string }): string {
  const { type, ...rest } = event
  return Object.keys(rest).length === 0 ? type : `${type} ${JSON.stringify(rest)}`
}

function guarded<T>(path: string[], run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw trouble(path, error)
  }
}

function trouble(path: string[], error: unknown): Error {
  const why = error instanceof Error ? error.message : String(error)
  return new assert.AssertionError({ message: `After ${path.length === 0 ? 'the start' : `\n    ${path.join('\n    ')}`}\n  ${why}` })
}
