/**
 * Who depends on whom: write-write (the next message of a partition is another operation's) and write-read (an operation has read what another
 * wrote). A cycle of the first is G0, one with a read in it G1c. Only operations that write twice, or read and write, can close one.
 */
import type { Findings } from './anomalies.ts'
import { type Logs, UNTOLD } from './logs.ts'

type Edges = Map<number, Set<number>>

export class Dependencies {
  /** By value: index of the operation that wrote it. */
  readonly #writers: number[] = []
  #lastWriting: number | undefined
  readonly #reads: [operation: number, id: number][] = []
  #canCycle = false

  writes(id: number, operation: number): void {
    if (this.#lastWriting === operation) this.#canCycle = true
    this.#lastWriting = operation
    this.#writers[id] = operation
  }

  reads(id: number, operation: number): void {
    this.#canCycle = true
    this.#reads.push([operation, id])
  }

  finish(logs: Logs, findings: Findings): void {
    if (!this.#canCycle) return
    const writes = this.#writeWrite(logs)
    const reads = this.#writeRead()
    const told = new Set<string>()
    for (const cycle of cycles(writes))
      findings.add('G0', { what: `operations ${shown(cycle)} each wrote before the next`, operations: cycle })
    for (const cycle of cycles(reads)) {
      told.add(String([...cycle].sort()))
      findings.add('G1c', { what: `operations ${shown(cycle)} were each read by the next`, operations: cycle })
    }
    // With writes in it: the lack of isolation is Kafka's own, so this is legal where it is not forbidden.
    const both = merged(writes, reads)
    for (const component of components(both)) {
      const cycle = cycleThrough(both, reads, component)
      if (!cycle || told.has(String([...cycle].sort()))) continue
      const what = `operations ${shown(cycle)} each wrote before the next, or were read by it`
      findings.add('G1c', { what, operations: cycle }, { legal: true })
    }
  }

  #writeWrite(logs: Logs): Edges {
    const edges: Edges = new Map()
    for (const log of logs.all) {
      let before: number | undefined
      for (const offset of log.order) {
        const id = log.values.get(offset)!
        const writer = id === UNTOLD ? undefined : this.#writers[id]
        if (writer === undefined) continue
        if (before !== undefined && before !== writer) connect(edges, before, writer)
        before = writer
      }
    }
    return edges
  }

  #writeRead(): Edges {
    const edges: Edges = new Map()
    for (const [reader, id] of this.#reads) {
      const writer = this.#writers[id]
      if (writer !== undefined && writer !== reader) connect(edges, writer, reader)
    }
    return edges
  }
}

const shown = (cycle: readonly number[]) => [...cycle, cycle[0]!].join(' → ')

function connect(edges: Edges, from: number, to: number): void {
  const targets = edges.get(from)
  if (targets) targets.add(to)
  else edges.set(from, new Set([to]))
}

function merged(...all: Edges[]): Edges {
  const edges: Edges = new Map()
  for (const each of all) for (const [from, targets] of each) for (const to of targets) connect(edges, from, to)
  return edges
}

/** One short cycle of each component that has any. */
function cycles(edges: Edges): number[][] {
  return components(edges).map(component => pathBack(edges, component, component[0]!, component[0]!)!)
}

/** A cycle of a component that takes at least one of the `through` edges. */
function cycleThrough(edges: Edges, through: Edges, component: readonly number[]): number[] | undefined {
  const members = new Set(component)
  for (const from of component)
    for (const to of through.get(from) ?? []) {
      if (!members.has(to)) continue
      const path = pathBack(edges, component, to, from)
      if (path) return [from, ...path.filter(node => node !== from)]
    }
  return undefined
}

/** The shortest way from a node to another inside a component, both in it; from a node to itself: around. */
function pathBack(edges: Edges, component: readonly number[], from: number, to: number): number[] | undefined {
  const members = new Set(component)
  const cameFrom = new Map<number, number>()
  const queue = [from]
  for (let at = 0; at < queue.length; at++) {
    const node = queue[at]!
    for (const next of edges.get(node) ?? []) {
      if (!members.has(next)) continue
      if (next === to) {
        const path = to === from ? [] : [to]
        for (let back: number | undefined = node; back !== undefined; back = back === from ? undefined : cameFrom.get(back))
          path.unshift(back)
        return path
      }
      if (next === from || cameFrom.has(next)) continue
      cameFrom.set(next, node)
      queue.push(next)
    }
  }
  return undefined
}

/** Strongly connected components of more than one node (Tarjan's, without recursion). */
function components(edges: Edges): number[][] {
  const found: number[][] = []
  const order = new Map<number, number>()
  const low = new Map<number, number>()
  const onStack = new Set<number>()
  const stack: number[] = []
  for (const root of edges.keys()) {
    if (order.has(root)) continue
    const work: { node: number; targets: Iterator<number> }[] = []
    const enter = (node: number) => {
      order.set(node, order.size)
      low.set(node, order.get(node)!)
      stack.push(node)
      onStack.add(node)
      work.push({ node, targets: (edges.get(node) ?? new Set<number>()).values() })
    }
    enter(root)
    while (work.length > 0) {
      const { node, targets } = work.at(-1)!
      const { value: next, done } = targets.next()
      if (!done) {
        if (!order.has(next)) enter(next)
        else if (onStack.has(next)) low.set(node, Math.min(low.get(node)!, order.get(next)!))
        continue
      }
      work.pop()
      const parent = work.at(-1)?.node
      if (parent !== undefined) low.set(parent, Math.min(low.get(parent)!, low.get(node)!))
      if (low.get(node) !== order.get(node)) continue
      const component: number[] = []
      for (let popped = stack.pop()!; ; popped = stack.pop()!) {
        onStack.delete(popped)
        component.push(popped)
        if (popped === node) break
      }
      if (component.length > 1) found.push(component)
    }
  }
  return found
}
