/**
 * The check that every integration test ends with: its recording, folded through the pure machines, gives the very states that the
 * running actors are in. A difference means that a machine reads something that is not an input, or that an input was not recorded.
 */
import assert from 'node:assert/strict'
import type { AnyStateMachine } from 'xstate'
import type { Recorder } from '../../src/journal/recorder.ts'
import { decodeRecording } from '../../src/journal/recording.ts'
import { type Mismatch, type ReplayedActor, replay } from '../../src/journal/replay.ts'
import { sanitise } from '../../src/journal/sanitise.ts'

/** What is needed of a running actor; an XState actor of a machine has it. */
export interface LiveActor {
  getSnapshot(): unknown
}

export interface ReplayCheck {
  /** Inputs too large to be kept are a failure unless this is true. */
  allowGaps?: boolean
  /** Paths that are not compared, with a reason to be read in the test. */
  except?: readonly string[]
}

/**
 * Fails with the difference, actor by actor, when a replay does not end where the running actors are, when one of them is missing in it,
 * or when it has one that runs no more. Call it when the system is at rest. Returns how many actors and inputs were compared.
 */
export function assertReplays(
  recorder: Recorder,
  live: ReadonlyMap<string, LiveActor>,
  machines: Readonly<Record<string, AnyStateMachine>>,
  check: ReplayCheck = {}
): { actors: number; events: number } {
  const recording = decodeRecording(recorder.export())
  assert.equal(recording.torn, null, 'The recording cannot be read to its end.')
  if (!check.allowGaps) assert.equal(recorder.stats.gaps, 0, 'Inputs were too large for the recorder.')
  const problems: string[] = []
  const onMismatch = (m: Mismatch) => problems.push(`${m.path} (${m.machine}), entry ${m.sequence}: ${m.reason}. ${m.detail}`)
  const replayed = replay(recording, machines, undefined, { onMismatch })
  let events = 0
  for (const [path, actor] of live) {
    if (check.except?.includes(path)) continue
    const problem = difference(path, actor.getSnapshot(), replayed.get(path))
    if (problem) problems.push(problem)
    events += replayed.get(path)?.events ?? 0
  }
  for (const [path, actor] of replayed)
    if (!actor.ended && !live.has(path)) problems.push(`${path} (${actor.machine}): ended in silence; its end is not recorded.`)
  if (problems.length > 0)
    assert.fail(`${problems.length} of ${live.size} actors differ from their replay.\n\n${problems.slice(0, 10).join('\n\n')}`)
  return { actors: live.size, events }
}

function difference(path: string, snapshot: unknown, replayed: ReplayedActor | undefined): string | undefined {
  if (!replayed) return `${path}: runs, but the recording does not have it.`
  if (replayed.ended) return `${path} (${replayed.machine}): runs, but has ended in the recording.`
  const { value, context } = snapshot as { value: unknown; context: unknown }
  try {
    assert.deepStrictEqual({ value: replayed.value, context: plain(replayed.context) }, { value, context: plain(context) }, undefined)
    return undefined
  } catch (error) {
    return `${path} (${replayed.machine}), + replayed - running:\n${(error as Error).message.split('\n').slice(2).join('\n')}`
  }
}

/** What the recorder would have written of it, without the prototypes. */
const plain = (value: unknown) => structuredClone(sanitise(value))
