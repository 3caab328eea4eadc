/**
 * The live picture: it stays inside the terminal, is drawn over the last one, and comes when something changes, not too often.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Pulse } from '../../src/cli/pulse.ts'
import { drawing, fit } from '../../src/cli/screen.ts'
import { VirtualWorld } from '../support/virtual-world.ts'

const lines = (count: number) => Array.from({ length: count }, (_, i) => ({ text: `line ${i}` }))

describe('a picture', () => {
  test('that fits is left as it is', () => {
    assert.deepEqual(fit(lines(4), { rows: 5, columns: 6 }), lines(4))
  })

  test('is cut at the right and at the bottom, with a word on what is left out', () => {
    assert.deepEqual(
      fit([{ text: 'ümlaut', bold: true }, ...lines(5)], { rows: 4, columns: 20 }).map(({ text }) => text),
      ['ümlaut', 'line 0', '… 4 more lines']
    )
    assert.deepEqual(fit([{ text: 'abcdef', bold: true }], { rows: 9, columns: 4 }), [{ text: 'abc…', bold: true }])
    assert.deepEqual(fit(lines(3), { rows: 1, columns: 20 }), [{ text: '… 3 more lines' }])
  })

  test('goes over the one before', () => {
    assert.equal(drawing([{ text: 'a', bold: true }, { text: 'b' }], 0, true), '\r\x1b[J\x1b[1ma\x1b[22m\nb\n')
    assert.equal(drawing([{ text: 'a', bold: true }], 2, false), '\x1b[2A\r\x1b[Ja\n')
  })
})

describe('the pulse', () => {
  const ticks = (world: VirtualWorld, pulse: Pulse, everyMs: number) => {
    const at: number[] = []
    const run = (async () => {
      while (await pulse.next(everyMs)) at.push(world.nowMs - 1_000_000)
    })()
    return { at, run }
  }

  test('beats at once, then at its interval, until it ends', async () => {
    const world = new VirtualWorld()
    const pulse = new Pulse(world.world, 100)
    const { at, run } = ticks(world, pulse, 1_000)
    await world.advance(2_500)
    pulse.end()
    await run
    assert.deepEqual(at, [0, 1_000, 2_000])
  })

  test('a change makes it beat at once, a burst of them once in the least gap', async () => {
    const world = new VirtualWorld()
    const pulse = new Pulse(world.world, 100)
    const { at, run } = ticks(world, pulse, 1_000)
    await world.advance(500)
    pulse.poke()
    await world.advance(10)
    pulse.poke()
    pulse.poke()
    await world.advance(990)
    pulse.end()
    await run
    assert.deepEqual(at, [0, 500, 600])
  })
})
