/**
 * Rows of the fault table in which the network between clients and a broker breaks, by the proxy in front of it; among themselves the brokers are well, so
 * that no other leader is elected.
 */
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { FrontProxy } from './front.ts'
import type { Stage } from './run.ts'
import type { Fault } from './table.ts'

const CUT_MS = 8_000
const SLOW_MS = 10_000

/** Breaks the way to a leader for a while; something must have run into it. */
async function cut({ ground, leader }: Stage, broken: (front: FrontProxy) => void): Promise<string> {
  const front = ground.fronts.get(leader)!
  broken(front)
  await delay(CUT_MS)
  const { connections, bytes } = front.hit
  assert.ok(connections + bytes > 0, 'nothing ran into the cut')
  front.heal()
  return `broker ${leader}: ${connections} connections reset or refused, ${bytes} bytes swallowed`
}

const row = (name: string, does: string, broken: (front: FrontProxy) => void, more: Partial<Fault> = {}): Fault => ({
  ...{ name, does, holds: 'bounded by the request timeout (5 s); back within the Java client’s time + 1 s', timed: true, by: 'fronts' },
  ...more,
  befall: stage => cut(stage, broken)
})

export const networkFaults: readonly Fault[] = [
  row('network: refused', 'every connection to a leader is reset and refused for 8 s', front => front.refuse()),
  {
    name: 'network: reset',
    does: 'every connection of every client is reset once (RST)',
    holds: 'back at once; no rebalance',
    ...{ timed: true, by: 'fronts', rebalances: 0, cut: true },
    befall: async ({ ground, flowing }) => {
      let connections = 0
      for (const front of ground.fronts.values()) {
        front.hit.connections = 0
        front.reset()
        connections += front.hit.connections
      }
      assert.ok(connections > 0)
      await flowing()
      return `${connections} connections reset`
    }
  },
  row('network: black hole', 'what is sent to or from a leader is swallowed for 8 s', front => front.silence('up', 'down')),
  row('network: black hole, hurried', 'the same, and publishes have 3 s', front => front.silence('up', 'down'), {
    holds: 'what nobody knows is told as unknown, and is no failure that was written',
    ...{ java: false, timed: false, hurried: true },
    judge: ({ unknown }) => assert.ok(unknown > 0, 'no outcome was unknown')
  }),
  row('network: silent up', 'what clients send to a leader is swallowed for 8 s', front => front.silence('up')),
  row('network: silent down', 'what a leader answers is swallowed for 8 s', front => front.silence('down')),
  {
    name: 'network: slow',
    does: 'for 10 s, 200 ms each way and 200 kB/s for each connection',
    holds: 'goes on, later; no rebalance',
    ...{ timed: true, by: 'fronts', rebalances: 0 },
    befall: async ({ ground }) => {
      for (const front of ground.fronts.values()) front.slow(200, 200)
      await delay(SLOW_MS)
      const bytes = [...ground.fronts.values()].reduce((sum, front) => sum + front.hit.bytes, 0)
      assert.ok(bytes > 0)
      for (const front of ground.fronts.values()) front.heal()
      return `${bytes} bytes were late`
    }
  }
]
