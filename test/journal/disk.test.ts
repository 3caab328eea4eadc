/** The journal on disk: every file is a recording by itself, their number is bounded, and a disk that fails costs only what happens meanwhile. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DiskJournal } from '../../src/journal/disk.ts'
import { readJournal } from '../../src/journal/read-journal.ts'
import { createRecorder, type Recorder } from '../../src/journal/recorder.ts'
import { decodeRecording } from '../../src/journal/recording.ts'
import { replay } from '../../src/journal/replay.ts'
import { walk } from '../../src/journal/walk.ts'
import { MemoryFiles } from '../support/memory-files.ts'
import { VirtualWorld } from '../support/virtual-world.ts'
import { counterMachine } from './machines.ts'

const machines = { counter: counterMachine }

function start(files = new MemoryFiles(), maxBytes = 1 << 20, instance = 'one') {
  const virtual = new VirtualWorld({ world: { files } })
  const recorder = createRecorder({ maxBytes: 1 << 16, now: virtual.world.now, instance })
  const troubles: string[] = []
  const journal = new DiskJournal({
    world: virtual.world,
    directory: 'j',
    maxBytes,
    recorder,
    onTrouble: error => troubles.push(error.message)
  })
  return { files, virtual, recorder, journal, troubles }
}

/** Stands in for an actor that counts. */
function counter(recorder: Recorder, path: string) {
  let context = { instance: 'i', path, total: 0 }
  recorder.birth(path, 'counter', 'on', context)
  return {
    add(by: number, during = () => {}) {
      recorder.event(path, { type: 'ADD', by } as never)
      during()
      context = { ...context, total: context.total + by }
      recorder.state(path, 'on', context)
    },
    end: () => recorder.end(path),
    get total() {
      return context.total
    }
  }
}

const totals = (bytes: Uint8Array) =>
  Object.fromEntries(
    [...replay(decodeRecording(bytes), machines)]
      .filter(([, { ended }]) => !ended)
      .map(([path, { context }]) => [path, (context as { total: number }).total])
  )
const stored = (files: MemoryFiles) => [...files.stored].map(([path, { bytes }]) => ({ path, bytes }))

test('what came in is on disk a moment later, births first, and gives the state', async () => {
  const { files, virtual, recorder } = start()
  const one = counter(recorder, 'a')
  one.add(3)
  await virtual.advance(150)
  one.add(4)
  await virtual.advance(150)
  const [file] = stored(files)
  assert.deepEqual([stored(files).length, file!.path, totals(file!.bytes)], [1, 'j/0000000001.journal', { a: 7 }])
  assert.deepEqual(
    decodeRecording(file!.bytes).entries.map(({ kind }) => kind),
    ['birth', 'event', 'event']
  )
})

test('files are bounded in size and number; the oldest goes, and each gives the states at its end by itself', async () => {
  const { files, virtual, recorder } = start(new MemoryFiles(), 16_384)
  const [one, two] = [counter(recorder, 'a'), counter(recorder, 'b')]
  for (let i = 0; i < 400; i++) {
    for (let n = 0; n < 10; n++) one.add(n)
    if (i % 7 === 0) two.add(1)
    if (i === 300) two.end()
    await virtual.advance(120)
    const newest = stored(files).at(-1)!
    assert.deepEqual(totals(newest.bytes), i >= 300 ? { a: one.total } : { a: one.total, b: two.total })
    assert.ok(stored(files).reduce((sum, { bytes }) => sum + bytes.length, 0) <= 16_384)
  }
  assert.ok(stored(files).length >= 5, `${stored(files).length} files`)
  assert.ok(!files.stored.has('j/0000000001.journal'))
  const ends = stored(files).map(({ bytes }) => totals(bytes).a!)
  assert.deepEqual(
    ends,
    [...ends].sort((a, b) => a - b)
  )
})

test('a file that is cut at any byte gives every whole frame before', async () => {
  const { files, virtual, recorder } = start()
  const one = counter(recorder, 'a')
  for (let i = 0; i < 5; i++) {
    one.add(1)
    await virtual.advance(120)
  }
  const { bytes } = stored(files)[0]!
  const whole = decodeRecording(bytes).entries.length
  const header = decodeRecording(bytes.subarray(0, bytes.length - 1))
  assert.ok(header.torn !== null && header.entries.length === whole - 1)
  let least = 0
  for (let cut = bytes.length; cut > 60; cut--) {
    try {
      const { entries } = decodeRecording(bytes.subarray(0, cut))
      assert.ok(entries.length <= whole)
      least++
    } catch (error) {
      assert.equal((error as { code: string }).code, 'RECORDING_INVALID')
    }
  }
  assert.ok(least > 50)
})

test('a full disk is told once; with room a new file begins with the states of then', async () => {
  const { files, virtual, recorder, troubles } = start()
  const one = counter(recorder, 'a')
  one.add(1)
  await virtual.advance(150)
  files.capacityBytes = 0
  one.add(10)
  await virtual.advance(150)
  one.add(100)
  await virtual.advance(1_000)
  assert.equal(troubles.length, 1)
  assert.match(troubles[0]!, /The journal in j cannot be written: ENOSPC.* tried again in 5 s/)
  files.capacityBytes = Number.POSITIVE_INFINITY
  await virtual.advance(5_000)
  one.add(1_000)
  await virtual.advance(150)
  assert.deepEqual(
    stored(files)
      .map(({ bytes }) => totals(bytes))
      .at(-1),
    { a: 1_111 }
  )
  assert.equal(troubles.length, 1)
})

test('a new file waits until no actor is in the middle of a transition', async () => {
  const { files, virtual, recorder } = start(new MemoryFiles(), 8_192)
  const one = counter(recorder, 'a')
  for (let i = 0; i < 200; i++) one.add(1)
  await virtual.advance(150)
  let during: Promise<void> | undefined
  one.add(5, () => {
    during = virtual.advance(150)
  })
  await during
  one.add(1)
  await virtual.advance(300)
  for (const { bytes } of stored(files)) assert.equal(decodeRecording(bytes).torn, null)
  assert.deepEqual(totals(stored(files).at(-1)!.bytes), { a: one.total })
})

test('files of one process follow on each other, those of an earlier one count to the bound and are told apart', async () => {
  const files = new MemoryFiles()
  const first = start(files, 16_384, 'first')
  counter(first.recorder, 'a').add(1)
  await first.virtual.advance(150)
  await first.journal.close()
  const second = start(files, 16_384, 'second')
  const one = counter(second.recorder, 'b')
  for (let i = 0; i < 60; i++) {
    for (let n = 0; n < 10; n++) one.add(1)
    await second.virtual.advance(120)
  }
  await second.journal.close()
  const { whole, recordings } = await readJournal(files, 'j')
  assert.ok(recordings.length >= 3)
  assert.deepEqual(recordings.map(({ header }) => header.instance).slice(0, 2), ['first', 'second'])
  const steps = [...walk(whole, machines)].filter(({ kind }) => kind === 'event')
  assert.equal(steps.length, 600)
  assert.ok(steps.every(({ path, before, after }) => path === 'b' && before === 'on' && after === 'on'))
})

test('no secret gets into a file', async () => {
  const { files, virtual, recorder } = start()
  recorder.birth('a', 'counter', 'on', { instance: 'i', path: 'a', total: 0, password: 'CANARY', nested: { saslSecret: 'CANARY' } })
  recorder.event('a', { type: 'ADD', by: 1, token: 'CANARY' } as never)
  await virtual.advance(150)
  assert.doesNotMatch(String(stored(files)[0]!.bytes), /CANARY/)
})

test('where there is no journal that is said, and what to give', async () => {
  await assert.rejects(readJournal(new MemoryFiles(), 'nowhere'), { code: 'JOURNAL_EMPTY' })
})
