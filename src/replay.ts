/**
 * The door for looking back, `samsa/replay`: recordings and journals, the machines that they are folded through, and why an actor is where it is.
 */
import { type Journal, readJournal as read } from './journal/read-journal.ts'
import { nodeWorld } from './world/node.ts'

export type { Journal } from './journal/read-journal.ts'
export { decodeRecording, type Entry, type Recording } from './journal/recording.ts'
export { type Mismatch, type ReplayedActor, type ReplayOptions, type ReplayUntil, replay } from './journal/replay.ts'
export { type Step, stateText, walk } from './journal/walk.ts'
export { type Because, type Why, type WhyOptions, why } from './journal/why.ts'
export { allMachines as machines } from './machines/index.ts'

/** A journal's directory, also while it is written, or one file: of a journal, or a saved `cluster.recording()`. Rejects with UsageError JOURNAL_EMPTY, ProtocolError RECORDING_INVALID. */
export function readJournal(path: string): Promise<Journal> {
  return read(nodeWorld().files, path)
}
