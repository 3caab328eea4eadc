/**
 * Why an actor is where it is: the inputs that led there, what it waits for now, and where those stand on whom it depends.
 */
import type { AnyStateMachine } from 'xstate'
import { UsageError } from '../model/errors.ts'
import type { Recording } from './recording.ts'
import { type ReplayedActor, type ReplayUntil, replay } from './replay.ts'
import { type Step, stateText, walk } from './walk.ts'

type Machines = Readonly<Record<string, AnyStateMachine>>

/** Of one actor. */
export interface Because {
  path: string
  machine: string
  state: string
  /** Since when it is in this state, and the input that brought it there. */
  since: Step | undefined
  /** The inputs that changed its state, oldest first, the last `steps` of them. */
  chain: Step[]
  /** Inputs since then that changed no state. */
  later: Step[]
  /** Inputs that the present state reacts to. */
  waitsFor: string[]
  /** What it knows, in plain values. */
  context: Readonly<Record<string, unknown>>
  ended: boolean
}

export interface Why {
  /** Those that were asked about. */
  actors: Because[]
  /** On whom they depend. */
  related: Because[]
  /** What the question could not find, and what that says. */
  notes: string[]
}

export interface WhyOptions {
  until?: ReplayUntil
  /** Default 12. */
  steps?: number
}

/**
 * `question`: the path of an actor (`topics/orders/3`), its end (`orders/3`), or a topic. Throws UsageError NO_SUCH_ACTOR, with those that are there.
 */
export function why(recording: Recording, machines: Machines, question: string, { until, steps = 12 }: WhyOptions = {}): Why {
  const actors = replay(recording, machines, until, { onMismatch: () => {} })
  const histories = historiesOf(recording, machines, until)
  const explain = (path: string) => explained(path, actors.get(path)!, histories.get(path) ?? [], machines, steps)
  const found = matching(actors, question)
  const notes = notesOf(actors, question, found)
  if (found.length === 0 && notes.length === 0) throw noSuchActor(actors, question)
  const related = new Set(found.flatMap(path => relatedTo(path, actors)))
  if (notes.length > 0) for (const path of actors.keys()) if (/^consumers\/\d+(\/member)?$/.test(path)) related.add(path)
  for (const path of found) related.delete(path)
  return { actors: found.map(explain), related: [...related].map(explain), notes }
}

function historiesOf(recording: Recording, machines: Machines, until: ReplayUntil | undefined): Map<string, Step[]> {
  const histories = new Map<string, Step[]>()
  for (const step of walk(recording, machines, until)) {
    const steps = histories.get(step.path)
    // Another life of the same path begins anew.
    if (!steps || step.kind === 'birth') histories.set(step.path, [step])
    else steps.push(step)
  }
  return histories
}

function explained(path: string, actor: ReplayedActor, history: readonly Step[], machines: Machines, steps: number): Because {
  const changes = history.filter(step => step.kind === 'birth' || step.kind === 'end' || step.before !== step.after || isReentry(step))
  const since = changes.at(-1)
  return {
    ...{
      path,
      machine: actor.machine,
      state: actor.known ? stateText(actor.value) : `unknown (last known: ${stateText(actor.value)})`,
      ended: actor.ended
    },
    ...{ since, chain: changes.slice(-steps), later: since ? history.slice(history.indexOf(since) + 1).slice(-5) : [] },
    waitsFor: actor.ended ? [] : handled(actor, machines[actor.machine]),
    context: plainContext(actor.context)
  }
}

/** A refusal says something also where the state's name is the same again. */
const isReentry = ({ event }: Step) => event !== undefined && ('reason' in event || 'error' in event)

/** Timers as words: `xstate.after.pause.partition.led.retrying` is a pause that ends. */
function handled(actor: ReplayedActor, machine: AnyStateMachine | undefined): string[] {
  if (!machine || actor.status !== 'active') return []
  const snapshot = machine.resolveState({ value: actor.value as never, context: actor.context as never }) as unknown as {
    _nodes: { ownEvents: string[] }[]
  }
  const own = snapshot._nodes.flatMap(node => node.ownEvents)
  return [
    ...new Set(
      own.map(type =>
        type.replace(/^xstate\.after\.([^.]+)\..*$/, 'the end of its $1').replace(/^xstate\.done\.actor\.(.*)$/, 'the end of $1')
      )
    )
  ]
}

/** Small plain values, and reasons: what a person looks at first. */
function plainContext(context: unknown): Record<string, unknown> {
  if (typeof context !== 'object' || context === null) return {}
  const small = (value: unknown) =>
    value !== null && value !== '' && (typeof value !== 'object' || JSON.stringify(value, bigints).length <= 120)
  return Object.fromEntries(Object.entries(context).filter(([name, value]) => name !== 'instance' && name !== 'path' && small(value)))
}

const bigints = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value)

function matching(actors: ReadonlyMap<string, ReplayedActor>, question: string): string[] {
  const wanted = question.replace(/^\/+|\/+$/g, '')
  if (actors.has(wanted)) return [wanted]
  return [...actors.keys()].filter(path => path.endsWith(`/${wanted}`) && !path.includes('~'))
}

/** "Why does nobody own partition 3?": no consumer has it, and that is an answer. */
function notesOf(actors: ReadonlyMap<string, ReplayedActor>, question: string, found: readonly string[]): string[] {
  const place = /^(?:.*\/)?([^/]+)\/(\d+)$/.exec(question)
  const consumers = [...actors].filter(([path, { ended }]) => /^consumers\/\d+$/.test(path) && !ended)
  if (!place || consumers.length === 0) return []
  const owners = found.filter(path => path.startsWith('consumers/') && !actors.get(path)!.ended)
  if (owners.length > 0) return []
  const [, topic, partition] = place
  return [
    `No consumer of this process has ${topic}/${partition} now; where their members stand is below. Another process may own it (samsa groups describe).`
  ]
}

function relatedTo(path: string, actors: ReadonlyMap<string, ReplayedActor>): string[] {
  const context = (actors.get(path)?.context ?? {}) as { topic?: unknown; leader?: unknown; node?: unknown }
  const paths: string[] = []
  if (typeof context.topic === 'string') paths.push(`topics/${context.topic}`)
  for (const node of [context.leader, context.node])
    if (typeof node === 'number') paths.push(...[...actors.keys()].filter(each => each.startsWith(`brokers/${node}/`)))
  const consumer = /^(consumers\/\d+)\//.exec(path)?.[1]
  if (consumer) paths.push(consumer, `${consumer}/member`)
  if (path.startsWith('topics/')) paths.push('cluster/identity', 'cluster/outbox')
  paths.push('cluster/registry', 'cluster')
  return paths.filter(each => each !== path && actors.has(each))
}

function noSuchActor(actors: ReadonlyMap<string, ReplayedActor>, question: string): UsageError {
  const paths = [...actors.keys()].filter(path => !path.includes('~')).sort()
  const shown = paths.length > 40 ? `${paths.slice(0, 40).join(', ')}, … (${paths.length} in all)` : paths.join(', ')
  return new UsageError('NO_SUCH_ACTOR', `Nothing in this journal is called ${question}. There are: ${shown}.`, { details: { question } })
}
