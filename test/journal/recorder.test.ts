/** The recorder: what it keeps, what it drops, and that a recording is replayable from wherever it begins. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createRecorder, type Recorder, type RecorderOptions } from '../../src/journal/recorder.ts'
import { decodeRecording } from '../../src/journal/recording.ts'
import { replay } from '../../src/journal/replay.ts'
import type { SamsaError } from '../../src/model/errors.ts'
import { counterMachine } from './machines.ts'

const machines = { counter: counterMachine }
const make = (options: Partial<RecorderOptions> = {}) => {
  let at = 1_000
  return createRecorder({ maxBytes: 1 << 20, now: () => at++, ...options })
}

/** Stands in for `bind`: a counter whose state follows its ADD events. */
function driver(recorder: Recorder, path: string, self?: object) {
  const context = { instance: 'i', path, total: 0 }
  let now = context
  recorder.birth(path, 'counter', 'on', context, self)
  return {
    add(by: number, extra: object = {}, during: () => void = () => {}) {
      recorder.event(path, { type: 'ADD', by, ...extra } as never, self)
      during()
      now = { ...now, total: now.total + by }
      recorder.state(path, 'on', now, self)
    },
    end: () => recorder.end(path, self),
    total: () => now.total
  }
}

const totalOf = (recorder: Recorder, path: string) =>
  (replay(decodeRecording(recorder.export()), machines).get(path)?.context as { total: number } | undefined)?.total

describe('recorder', () => {
  it('keeps birth, inputs, end and time of every actor, in one order', () => {
    const recorder = make()
    const a = driver(recorder, 'a')
    const b = driver(recorder, 'b')
    a.add(1)
    b.add(2)
    a.end()
    const { entries, torn } = decodeRecording(recorder.export())
    assert.equal(torn, null)
    assert.deepEqual(
      entries.map(({ kind, sequence, time, life }) => [kind, sequence, time, life]),
      [
        ['birth', 0, 1000, 1],
        ['birth', 1, 1001, 2],
        ['event', 2, 1002, 1],
        ['event', 3, 1003, 2],
        ['end', 4, 1004, 1]
      ]
    )
    assert.deepEqual(entries[2], { kind: 'event', sequence: 2, time: 1002, life: 1, event: { type: 'ADD', by: 1 } })
    assert.equal(recorder.stats.entries, 5)
  })

  it('does nothing at all with maxBytes 0, and still exports a recording', () => {
    const recorder = make({ maxBytes: 0 })
    driver(recorder, 'a').add(1)
    assert.deepEqual(decodeRecording(recorder.export()).entries, [])
    assert.equal(recorder.stats.entries, 0)
  })

  it('stays within its bytes and replays from the states at the end of what it dropped', () => {
    const recorder = make({ maxBytes: 16_384 })
    const actors = Array.from({ length: 10 }, (_, i) => driver(recorder, `actor/${i}`))
    const quiet = driver(recorder, 'quiet')
    quiet.add(7)
    for (let i = 0; i < 20_000; i++) actors[i % 10]!.add(i % 13, { note: `number ${i}` })
    assert.ok(recorder.stats.droppedFrames > 0)
    assert.ok(recorder.stats.bytes <= 16_384 + 8_192, `${recorder.stats.bytes}`)
    for (const [i, actor] of actors.entries()) assert.equal(totalOf(recorder, `actor/${i}`), actor.total())
    assert.equal(totalOf(recorder, 'quiet'), 7)
  })

  it('forgets actors that ended in what it dropped', () => {
    const recorder = make({ maxBytes: 16_384 })
    for (let i = 0; i < 500; i++) {
      const short = driver(recorder, `short/${i}`)
      short.add(1)
      short.end()
    }
    const long = driver(recorder, 'long')
    for (let i = 0; i < 5_000; i++) long.add(1)
    const { entries } = decodeRecording(recorder.export())
    assert.deepEqual(
      entries.filter(({ kind }) => kind !== 'event').map(entry => 'path' in entry && entry.path),
      ['long']
    )
    assert.equal(totalOf(recorder, 'long'), 5_000)
  })

  it('drops a segment that ended in the middle of a transition without losing that transition', () => {
    const recorder = make({ maxBytes: 16_384 })
    const outer = driver(recorder, 'outer')
    const inner = driver(recorder, 'inner')
    for (let round = 0; round < 5; round++)
      outer.add(100, {}, () => {
        for (let i = 0; i < 2_000; i++) inner.add(1)
      })
    assert.ok(recorder.stats.droppedFrames > 0)
    assert.equal(totalOf(recorder, 'outer'), 500)
    assert.equal(totalOf(recorder, 'inner'), 10_000)
  })

  it('exports in the middle of a transition', () => {
    const recorder = make()
    const outer = driver(recorder, 'outer')
    let bytes: Uint8Array = new Uint8Array()
    outer.add(1, {}, () => {
      bytes = recorder.export()
    })
    assert.equal(decodeRecording(bytes).entries.length, 2)
    assert.equal(totalOf(recorder, 'outer'), 1)
  })

  it('tells two lives of one path apart when the successor is born before the end', () => {
    const recorder = make()
    const [first, second] = [{}, {}]
    const old = driver(recorder, 'same', first)
    const young = driver(recorder, 'same', second)
    young.add(5)
    old.add(1)
    old.end()
    young.add(5)
    const found = replay(decodeRecording(recorder.export()), machines).get('same')
    assert.ok(found && !found.ended)
    assert.equal((found.context as { total: number }).total, 10)
    young.end()
    recorder.event('same', { type: 'ADD' }, second)
    assert.equal(decodeRecording(recorder.export()).entries.filter(({ kind }) => kind === 'event').length, 3)
  })

  it('replaces an input that is too large by a gap and a checkpoint, and says so', () => {
    const told: SamsaError[] = []
    const recorder = make({ maxEventBytes: 1_024, onTrouble: error => told.push(error) })
    const actor = driver(recorder, 'a')
    const other = driver(recorder, 'b')
    actor.add(3, { payload: 'x'.repeat(2_000) })
    other.add(1)
    actor.add(4)
    assert.equal(totalOf(recorder, 'a'), 7)
    actor.add(1)
    assert.equal(totalOf(recorder, 'a'), 8)
    assert.equal(totalOf(recorder, 'b'), 1)
    assert.deepEqual(
      told.map(({ code, details }) => [code, details.path, details.event]),
      [['RECORDER_EVENT_TOO_LARGE', 'a', 'ADD']]
    )
    assert.equal(recorder.stats.gaps, 1)
    const kinds = decodeRecording(recorder.export()).entries.map(({ kind }) => kind)
    assert.deepEqual(kinds, ['birth', 'birth', 'gap', 'event', 'event', 'checkpoint', 'event'])
  })

  it('writes the checkpoint after the transition when a gap is found in the middle of one', () => {
    const recorder = make({ maxEventBytes: 1_024, onTrouble: () => {} })
    const outer = driver(recorder, 'outer')
    const inner = driver(recorder, 'inner')
    outer.add(3, { payload: 'x'.repeat(2_000) }, () => {
      for (let i = 0; i < 100; i++) inner.add(1)
    })
    outer.add(1)
    assert.equal(totalOf(recorder, 'outer'), 4)
    assert.equal(totalOf(recorder, 'inner'), 100)
  })

  it('keeps the order when whoever is told of trouble sends events in turn', () => {
    let other: ReturnType<typeof driver> | undefined
    const recorder = make({ maxEventBytes: 1_024, maxBytes: 16_384, onTrouble: () => other?.add(1) })
    const actor = driver(recorder, 'a')
    other = driver(recorder, 'b')
    for (let i = 0; i < 300; i++) actor.add(1, i % 3 === 0 ? { payload: 'x'.repeat(2_000) } : { note: 'y'.repeat(100) })
    assert.equal(totalOf(recorder, 'a'), 300)
    assert.equal(totalOf(recorder, 'b'), 100)
    assert.ok(recorder.stats.droppedFrames > 0)
  })

  it('never writes credentials, live things or bytes', () => {
    const recorder = make()
    const canary = 'canary-81c3'
    recorder.birth('a', 'counter', 'on', {
      instance: 'i',
      path: 'a',
      total: 0,
      sasl: { username: canary, password: canary },
      topics: { token: 1 }
    })
    recorder.event('a', {
      type: 'LOGIN',
      password: canary,
      tlsKeyPassphrase: canary,
      nested: [{ access_token: canary }],
      error: Object.assign(new Error('refused'), { password: canary }),
      bytes: Buffer.from(canary),
      callback: () => canary,
      map: new Map([[canary, canary]])
    } as never)
    const bytes = recorder.export()
    assert.ok(!Buffer.from(bytes).includes(canary))
    const [, event] = decodeRecording(bytes).entries
    assert.deepEqual(event && 'event' in event && event.event, {
      type: 'LOGIN',
      password: '[redacted]',
      tlsKeyPassphrase: '[redacted]',
      nested: [{ access_token: '[redacted]' }],
      error: { name: 'Error', code: 'UNEXPECTED', message: 'refused', retriable: false, details: {} },
      bytes: '[11 bytes]',
      callback: '[function]',
      map: '[Map]'
    })
  })

  it('ignores inputs of an actor that it does not know', () => {
    const recorder = make()
    recorder.event('nobody', { type: 'X' })
    recorder.state('nobody', 'on', {})
    recorder.end('nobody')
    assert.deepEqual(decodeRecording(recorder.export()).entries, [])
  })

  it('replays every living actor exactly, whatever happened and whatever was dropped', () => {
    const paths = ['a', 'b', 'c', 'd']
    const step = fc.oneof(
      { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const), path: fc.constantFrom(...paths) }) },
      {
        weight: 12,
        arbitrary: fc.record({
          do: fc.constant('add' as const),
          path: fc.constantFrom(...paths),
          by: fc.nat(9),
          size: fc.constantFrom(1, 80, 700, 2_000)
        })
      },
      {
        weight: 4,
        arbitrary: fc.record({
          do: fc.constant('nest' as const),
          path: fc.constantFrom(...paths),
          inner: fc.constantFrom(...paths),
          times: fc.nat(90)
        })
      },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('export' as const) }) }
    )
    let dropped = 0
    let gaps = 0
    fc.assert(
      fc.property(fc.array(step, { minLength: 100, maxLength: 600, size: 'max' }), steps => {
        const recorder = make({ maxBytes: 8_192, maxEventBytes: 1_024, onTrouble: () => {} })
        const actors = new Map(paths.map(path => [path, driver(recorder, path, {})]))
        for (const each of steps) {
          if (each.do === 'export') recorder.export()
          else if (each.do === 'add') actors.get(each.path)!.add(each.by, { note: 'x'.repeat(each.size) })
          else if (each.do === 'nest' && each.inner !== each.path)
            actors.get(each.path)!.add(1, {}, () => {
              for (let i = 0; i < each.times; i++) actors.get(each.inner)!.add(1)
            })
          else if (each.do === 'restart') {
            const successor = driver(recorder, each.path, {})
            actors.get(each.path)!.end()
            actors.set(each.path, successor)
          }
        }
        for (const path of paths) assert.equal(totalOf(recorder, path), actors.get(path)!.total())
        dropped += recorder.stats.droppedFrames
        gaps += recorder.stats.gaps
      }),
      { numRuns: 25, seed: 1 }
    )
    assert.ok(dropped > 100 && gaps > 100, `${dropped} dropped, ${gaps} gaps`)
  })
})
