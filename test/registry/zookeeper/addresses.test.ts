/**
 * Which address comes next: every address of every name, in random order, then a pause that grows.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { World } from '../../../src/model/world.ts'
import { Addresses, shuffled } from '../../../src/registry/zookeeper/addresses.ts'
import { nodeWorld } from '../../../src/world/node.ts'
import { Gathered } from '../../support/gathered.ts'

const server = (host: string, port = 2181) => ({ host, port })

/** Names as given, timers that fire at once and are noted, no chance. */
function worldOf(names: Record<string, string[] | Error>) {
  const timersMs: number[] = []
  const world: World = {
    ...nodeWorld(),
    random: () => 0.999,
    setTimer: (callback, delayMs) => {
      timersMs.push(delayMs)
      const timer = { live: true }
      if (delayMs < 50_000) setImmediate(() => timer.live && callback())
      return timer
    },
    clearTimer: timer => {
      ;(timer as { live: boolean }).live = false
    },
    resolve: async host => {
      const found = names[host]
      if (found instanceof Error) throw found
      return found ?? []
    }
  }
  return { world, timersMs }
}

function addressesOf(world: World, hosts: string[]) {
  const dialled = new Gathered<string>()
  const unresolved: string[] = []
  const pausesMs: number[] = []
  const addresses = new Addresses(
    world,
    hosts.map(host => server(host)),
    60_000,
    {
      dial: address => dialled.add(address.host),
      unresolved: (name, why) => void unresolved.push(`${name.host}: ${why}`),
      roundEnded: pauseMs => void pausesMs.push(pauseMs)
    }
  )
  /** As often as told: take an address, find it dead, ask for the next. */
  async function take(count: number): Promise<string[]> {
    for (let i = 0; i < count; i++) {
      const before = dialled.all.length
      addresses.next()
      await dialled.count(before + 1)
    }
    return dialled.all
  }
  return { addresses, take, dialled, unresolved, pausesMs }
}

describe('addresses', () => {
  it('are all tried, those of one name one after the other, before any is tried again', async () => {
    const { world } = worldOf({ a: ['1', '::1'], b: ['2'], c: ['3'] })
    const { take, pausesMs } = addressesOf(world, ['a', 'b', 'c'])
    const first = await take(4)
    assert.deepEqual([...first].sort(), ['1', '2', '3', '::1'])
    assert.equal(first.indexOf('::1'), first.indexOf('1') + 1)
    assert.deepEqual(pausesMs, [])
    await take(1)
    assert.equal(pausesMs.length, 1)
  })

  it('are told of when a name has none, and the others are used', async () => {
    const { world } = worldOf({ a: new Error('ENOTFOUND a'), b: [], c: ['3'] })
    const { take, unresolved } = addressesOf(world, ['a', 'b', 'c'])
    assert.deepEqual(await take(1), ['3'])
    await take(1)
    assert.deepEqual(new Set(unresolved), new Set(['a: ENOTFOUND a', 'b: it has no address']))
  })

  it('come back after pauses that double up to a limit, and are short again after a good connection', async () => {
    const { world } = worldOf({ a: ['1'] })
    const { addresses, take, pausesMs } = addressesOf(world, ['a'])
    await take(9)
    assert.deepEqual(
      pausesMs.map(pauseMs => Math.round(pauseMs)),
      [100, 200, 400, 800, 1599, 1999, 1999, 1999]
    )
    addresses.succeeded()
    await take(1)
    assert.equal(Math.round(pausesMs.at(-1)!), 100)
  })

  it('of a name that is never answered are given up after a while', async () => {
    const { world } = worldOf({ b: ['2'] })
    const stuck: World = { ...world, resolve: host => (host === 'a' ? new Promise(() => {}) : world.resolve(host)) }
    const dialled = new Gathered<string>()
    const unresolved: string[] = []
    const addresses = new Addresses(stuck, [server('a')], 40_000, {
      dial: address => dialled.add(address.host),
      unresolved: (_, why) => {
        unresolved.push(why)
        addresses.stop()
        dialled.add('gave up')
      },
      roundEnded: () => {}
    })
    addresses.next()
    await dialled.count(1)
    assert.deepEqual(unresolved, ['no answer within 40000 ms'])
  })

  it('come no more after a stop by who was just told of the end of a round', async () => {
    const { world, timersMs } = worldOf({})
    let rounds = 0
    const addresses = new Addresses(world, [server('a')], 60_000, {
      dial: () => assert.fail('nothing to dial'),
      unresolved: () => {},
      roundEnded: () => {
        rounds++
        addresses.stop()
      }
    })
    addresses.next()
    for (let i = 0; i < 5; i++) await new Promise(resolve => setImmediate(resolve))
    assert.equal(rounds, 1)
    assert.deepEqual(timersMs, [60_000])
  })

  it('come no more after stop', async () => {
    const { world } = worldOf({ a: ['1'] })
    const { addresses, dialled } = addressesOf(world, ['a'])
    addresses.next()
    addresses.stop()
    await new Promise(resolve => setImmediate(resolve))
    await new Promise(resolve => setImmediate(resolve))
    assert.deepEqual(dialled.all, [])
  })

  it('are shuffled without loss', () => {
    const list = Array.from({ length: 20 }, (_, i) => i)
    const other = shuffled(list, nodeWorld())
    assert.deepEqual(
      [...other].sort((a, b) => a - b),
      list
    )
    assert.deepEqual(list[0], 0)
  })
})
