/** Replay: the same inputs give the same states, for everything that XState turns into events of its own. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type AnyActorRef, type AnyMachineSnapshot, type AnyStateMachine, createActor, SimulatedClock, waitFor } from 'xstate'
import { createRecorder, type Recorder } from '../../src/journal/recorder.ts'
import { decodeRecording } from '../../src/journal/recording.ts'
import { type Mismatch, type ReplayedActor, replay } from '../../src/journal/replay.ts'
import { machineVersion, machineVersions } from '../../src/journal/versions.ts'
import { SamsaError } from '../../src/model/errors.ts'
import { assertReplays } from '../support/replay.ts'
import { busyMachine, counterMachine } from './machines.ts'

const machines: Record<string, AnyStateMachine> = { busy: busyMachine, counter: counterMachine }
const total = (actors: Map<string, ReplayedActor>, path: string) => ((actors.get(path)?.context ?? {}) as { total?: number }).total
const make = () => {
  let at = 0
  return createRecorder({ maxBytes: 1 << 20, now: () => at++, versions: () => machineVersions(machines) })
}

/** The recording half of `bind`. */
function recorded<T extends AnyStateMachine>(machine: T, recorder: Recorder, live: Map<string, AnyActorRef>): T {
  const bound = machine.provide({}) as T
  const birth = bound.getInitialSnapshot.bind(bound)
  const step = bound.transition.bind(bound)
  const pathOf = (snapshot: AnyMachineSnapshot) => (snapshot.context as { path: string }).path
  bound.getInitialSnapshot = ((scope: { self: AnyActorRef }, input: never) => {
    const snapshot = birth(scope as never, input)
    recorder.birth(pathOf(snapshot), machine.id, snapshot.value, snapshot.context, scope.self)
    live.set(pathOf(snapshot), scope.self)
    return snapshot
  }) as never
  bound.transition = ((snapshot: AnyMachineSnapshot, event: { type: string }, scope: { self: AnyActorRef }) => {
    const path = pathOf(snapshot)
    const stopping = event.type === 'xstate.stop'
    if (!stopping) recorder.event(path, event, scope.self)
    const next = step(snapshot as never, event as never, scope as never)
    if (!stopping) recorder.state(path, next.value, next.context, scope.self)
    if (stopping || next.status !== 'active') {
      recorder.end(path, scope.self)
      live.delete(path)
    }
    return next
  }) as never
  return bound
}

/** A busy machine that has gone through its timers, raises and children. */
async function busyRun() {
  const recorder = make()
  const live = new Map<string, AnyActorRef>()
  const clock = new SimulatedClock()
  const actor = createActor(recorded(busyMachine, recorder, live), { input: { path: 'busy/1' }, clock }).start()
  const answered = (times: number) =>
    waitFor(actor, ({ context }) => context.log.filter(type => type === 'xstate.done.actor.answer').length === times, { timeout: 5_000 })
  actor.send({ type: 'GO' })
  await answered(1)
  clock.increment(3)
  actor.send({ type: 'STOP' })
  actor.send({ type: 'GO' })
  await answered(2)
  clock.increment(3)
  clock.increment(50)
  return { recorder, live, actor }
}

describe('replay', () => {
  it('ends in the very state of the running actor, through timers, delayed raises, children and their ends', async () => {
    const { recorder, live, actor } = await busyRun()
    assert.deepEqual(actor.getSnapshot().context.log, [
      'GO',
      'CALLED',
      'xstate.done.actor.answer',
      'LATER',
      'GO',
      'CALLED',
      'xstate.done.actor.answer',
      'LATER',
      'xstate.after.pause.busy.working'
    ])
    const compared = assertReplays(recorder, live, machines)
    assert.equal(compared.actors, 1)
    assert.equal(compared.events, 8)
    actor.send({ type: 'DONE', random: 0.5 })
    assertReplays(recorder, live, machines)
    const last = replay(decodeRecording(recorder.export()), machines).get('busy/1')
    assert.deepEqual([last?.value, last?.status, last?.ended], ['end', 'done', true])
  })

  it('gives every moment in between', async () => {
    const { recorder } = await busyRun()
    const recording = decodeRecording(recorder.export())
    const at = (until: { sequence: number } | { time: number }) => replay(recording, machines, until).get('busy/1')
    const log = (sequence: number) => ((at({ sequence })?.context ?? { log: [] }) as { log: string[] }).log.length
    assert.equal(at({ sequence: 0 })?.value, 'idle')
    assert.equal(at({ sequence: 1 })?.value, 'working')
    assert.equal(log(1), 2)
    const moments = recording.entries.map(({ sequence }) => log(sequence))
    assert.deepEqual(
      moments,
      [...moments].sort((a, b) => a - b)
    )
    assert.deepEqual(at({ time: recording.entries[1]!.time }), at({ sequence: 1 }))
    assert.equal(at({ time: -1 }), undefined)
  })

  it('says when the moment asked for is no longer kept', () => {
    const recorder = createRecorder({ maxBytes: 16_384, now: () => 1 })
    recorder.birth('a', 'counter', 'on', { instance: 'i', path: 'a', total: 0 })
    for (let i = 1; i <= 5_000; i++) {
      recorder.event('a', { type: 'ADD', by: 1 } as never)
      recorder.state('a', 'on', { instance: 'i', path: 'a', total: i })
    }
    const recording = decodeRecording(recorder.export())
    const first = recording.entries.find(({ kind }) => kind === 'event')!.sequence
    assert.ok(first > 100)
    assert.throws(() => replay(recording, machines, { sequence: first - 2 }), { code: 'REPLAY_TOO_EARLY' })
    const at = (sequence: number) => total(replay(recording, machines, { sequence }), 'a')
    assert.equal(at(first - 1), first - 1)
    assert.equal(at(first + 1), first + 1)
    assert.throws(() => replay(recording, machines, { time: 0 }), { code: 'REPLAY_TOO_EARLY' })
  })

  it('fails on what does not fit the machines, or warns and goes on with the others', () => {
    const recorder = make()
    recorder.birth('gone', 'no-such-machine', 'on', {})
    recorder.birth('strange', 'counter', 'no-such-state', {})
    recorder.birth('dies', 'counter', 'on', { instance: 'i', path: 'dies', total: 0 })
    recorder.birth('fine', 'counter', 'on', { instance: 'i', path: 'fine', total: 0 })
    recorder.event('dies', { type: 'FAIL' })
    recorder.event('fine', { type: 'ADD', by: 2 } as never)
    const recording = decodeRecording(recorder.export())
    assert.throws(
      () => replay(recording, machines),
      (error: unknown) => error instanceof SamsaError && error.code === 'REPLAY_MISMATCH' && error.details.path === 'gone'
    )
    const told: Mismatch[] = []
    const actors = replay(recording, machines, undefined, { onMismatch: mismatch => told.push(mismatch) })
    assert.deepEqual(
      told.map(({ path, reason }) => [path, reason]),
      [
        ['gone', 'unknown machine'],
        ['strange', 'invalid state'],
        ['dies', 'transition threw']
      ]
    )
    assert.deepEqual(
      [...actors].map(([path, { known }]) => [path, known]),
      [
        ['gone', false],
        ['strange', false],
        ['dies', false],
        ['fine', true]
      ]
    )
    assert.equal(total(actors, 'fine'), 2)
  })

  it('notices another version of a machine by its structure', () => {
    const recorder = createRecorder({ maxBytes: 1 << 20, now: () => 0, versions: () => ({ counter: 'ffffffff' }) })
    recorder.birth('a', 'counter', 'on', { instance: 'i', path: 'a', total: 0 })
    const told: Mismatch[] = []
    const actors = replay(decodeRecording(recorder.export()), machines, undefined, { onMismatch: mismatch => told.push(mismatch) })
    assert.deepEqual(
      told.map(({ reason }) => reason),
      ['other version']
    )
    assert.equal(actors.get('a')?.known, true)
    assert.match(machineVersion(counterMachine), /^[0-9a-f]{8}$/)
    assert.notEqual(machineVersion(counterMachine), machineVersion(busyMachine))
  })

  it('takes events named like members of Object for what they are', () => {
    const recorder = make()
    recorder.birth('a', '__proto__', 'on', {})
    recorder.birth('b', 'constructor', 'on', {})
    const told: Mismatch[] = []
    replay(decodeRecording(recorder.export()), machines, undefined, { onMismatch: mismatch => told.push(mismatch) })
    assert.deepEqual(
      told.map(({ reason }) => reason),
      ['unknown machine', 'unknown machine']
    )
  })
})

describe('assertReplays', () => {
  const run = () => {
    const recorder = make()
    const live = new Map<string, AnyActorRef>()
    const actor = createActor(recorded(counterMachine, recorder, live)).start()
    return { recorder, live, actor }
  }

  it('fails with the difference when an input was not recorded', () => {
    const { recorder, live, actor } = run()
    const event = recorder.event.bind(recorder)
    recorder.event = () => {}
    actor.send({ type: 'ADD', by: 40 })
    recorder.event = event
    actor.send({ type: 'ADD', by: 2 })
    assert.throws(() => assertReplays(recorder, live, machines), /counter[\s\S]*total: 2[\s\S]*total: 42/)
    assert.doesNotThrow(() => assertReplays(recorder, live, machines, { except: ['counter'] }))
  })

  it('fails when an actor is missing, ended in silence, or runs on after its end', () => {
    const { recorder, live, actor } = run()
    assert.throws(
      () => assertReplays(recorder, new Map<string, AnyActorRef>([...live, ['other', actor]]), machines),
      /other: runs, but the recording/
    )
    assert.throws(() => assertReplays(recorder, new Map(), machines), /ended in silence/)
    recorder.end('counter')
    assert.throws(() => assertReplays(recorder, live, machines), /has ended in the recording/)
  })

  it('fails on gaps unless they are expected', () => {
    const live = new Map<string, AnyActorRef>()
    const recorder = createRecorder({ maxBytes: 1 << 20, maxEventBytes: 100, now: () => 0 })
    const actor = createActor(recorded(counterMachine, recorder, live)).start()
    actor.send({ type: 'ADD', by: 1, payload: 'x'.repeat(200) } as never)
    assert.throws(() => assertReplays(recorder, live, machines), /too large/)
    assert.equal(assertReplays(recorder, live, machines, { allowGaps: true }).actors, 1)
  })
})
