/**
 * Matches whole names against a parsed pattern in time that grows with name × pattern and no faster: all ways are walked side by side
 * (Thompson's construction), none is tried after another.
 */
import { ALL, type CharacterSet, type RegexNode, type RegexTree } from './java-regex.ts'

const maxSteps = 2_000

type Step =
  | { do: 'take'; set: readonly boolean[] }
  | { do: 'fork'; to: number }
  | { do: 'jump'; to: number }
  | { do: 'begin' | 'end' | 'match' }

/** Whole-name matching, or why the pattern is too big. */
export function compileRegex(tree: RegexTree): { matches: (name: string) => boolean } | { problem: string } {
  const size = { left: maxSteps }
  const branches = tree.branches.map(({ looks, node }) => ({
    looks: looks.map(look => ({ negative: look.negative, program: program(withAnyTail(look.node), size) })),
    program: program(node, size)
  }))
  if (size.left < 0) return { problem: `it would take more than ${maxSteps} steps` }
  return {
    matches: name =>
      branches.some(branch => branch.looks.every(look => run(look.program, name) !== look.negative) && run(branch.program, name))
  }
}

function withAnyTail(node: RegexNode): RegexNode {
  return { type: 'sequence', nodes: [node, { type: 'repeat', node: { type: 'set', set: ALL }, min: 0, max: null }] }
}

function program(node: RegexNode, size: { left: number }): Step[] {
  const steps: Step[] = []
  emit(node, steps, size)
  steps.push({ do: 'match' })
  return steps
}

/** `size.left` below 0: given up, the steps are of no use. */
function emit(node: RegexNode, steps: Step[], size: { left: number }): void {
  if (size.left-- < 0) return
  switch (node.type) {
    case 'set':
      steps.push({ do: 'take', set: table(node.set) })
      return
    case 'begin':
    case 'end':
      steps.push({ do: node.type })
      return
    case 'sequence':
      for (const each of node.nodes) emit(each, steps, size)
      return
    case 'choice':
      emitChoice(node.nodes, steps, size)
      return
    case 'repeat':
      emitRepeat(node.node, node.min, node.max, steps, size)
  }
}

const table = (set: CharacterSet) => Array.from({ length: 128 }, (_, code) => ((set >> BigInt(code)) & 1n) === 1n)

function emitChoice(nodes: RegexNode[], steps: Step[], size: { left: number }): void {
  const ends: { do: 'jump'; to: number }[] = []
  for (const [index, node] of nodes.entries()) {
    const fork = { do: 'fork' as const, to: 0 }
    if (index < nodes.length - 1) steps.push(fork)
    emit(node, steps, size)
    const end = { do: 'jump' as const, to: 0 }
    steps.push(end)
    ends.push(end)
    fork.to = steps.length
  }
  for (const end of ends) end.to = steps.length
}

function emitRepeat(node: RegexNode, min: number, max: number | null, steps: Step[], size: { left: number }): void {
  for (let i = 0; i < min && size.left >= 0; i++) emit(node, steps, size)
  const forks: { do: 'fork'; to: number }[] = []
  const fork = () => {
    const step = { do: 'fork' as const, to: 0 }
    forks.push(step)
    steps.push(step)
  }
  if (max === null) {
    const start = steps.length
    fork()
    emit(node, steps, size)
    steps.push({ do: 'jump', to: start })
  } else {
    for (let i = min; i < max && size.left >= 0; i++) {
      fork()
      emit(node, steps, size)
    }
  }
  for (const step of forks) step.to = steps.length
}

function run(steps: readonly Step[], name: string): boolean {
  let now: number[] = []
  let next: number[] = []
  const seenAt = new Int32Array(steps.length).fill(-1)
  follow(steps, 0, now, seenAt, 0, name.length)
  for (let at = 0; at < name.length; at++) {
    const code = name.charCodeAt(at)
    next.length = 0
    for (const index of now) {
      const step = steps[index]!
      if (step.do === 'take' && step.set[code]) follow(steps, index + 1, next, seenAt, at + 1, name.length)
    }
    ;[now, next] = [next, now]
    if (now.length === 0) return false
  }
  return now.some(index => steps[index]!.do === 'match')
}

/** All places that can be reached from one without taking a character. */
function follow(steps: readonly Step[], from: number, into: number[], seenAt: Int32Array, at: number, length: number): void {
  const open = [from]
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    if (seenAt[index] === at) continue
    seenAt[index] = at
    const step = steps[index]!
    if (step.do === 'fork') open.push(index + 1, step.to)
    else if (step.do === 'jump') open.push(step.to)
    else if (step.do === 'begin' || step.do === 'end') {
      if (step.do === 'begin' ? at === 0 : at === length) open.push(index + 1)
    } else into.push(index)
  }
}
