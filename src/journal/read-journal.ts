/**
 * Reads what `DiskJournal` wrote, or a recording that was saved: a directory, or a file of one. Files of one cluster follow on each other; those of earlier
 * processes lie before them.
 */
import { UsageError } from '../model/errors.ts'
import type { World } from '../model/world.ts'
import { listJournal } from './disk.ts'
import { decodeRecording, type Entry, type Recording } from './recording.ts'

export interface Journal {
  /** In order; each can be replayed by itself. */
  recordings: (Recording & { file: string })[]
  /** Of the newest process alone, one after the other: what a later file repeats at its beginning is left out. */
  whole: Recording
}

/** Throws UsageError JOURNAL_EMPTY, ProtocolError RECORDING_INVALID, and what the system says. */
export async function readJournal(files: World['files'], path: string): Promise<Journal> {
  const paths = await pathsOf(files, path)
  if (paths.length === 0)
    throw new UsageError(
      'JOURNAL_EMPTY',
      `There is no journal in ${path}. Give the directory that was given as \`journal\`, or a saved recording.`
    )
  const recordings = []
  for (const file of paths) recordings.push({ ...decodeRecording(await files.read(file)), file })
  return { recordings, whole: joined(recordings) }
}

async function pathsOf(files: World['files'], path: string): Promise<string[]> {
  try {
    return await listJournal(files, path.replace(/\/+$/, ''))
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOTDIR') return [path]
    throw error
  }
}

function joined(recordings: readonly Recording[]): Recording {
  const newest = recordings.at(-1)!
  const { instance } = newest.header
  const own = recordings.filter(({ header }) => header.instance === instance)
  const entries: Entry[] = []
  let next = 0
  for (const recording of own) {
    const first = recording.entries.find(({ kind }) => kind !== 'checkpoint')
    const begins = recording.entries[0]?.sequence ?? next
    // Where nothing is missing between two files, the states with which the later one begins are known.
    const follows = entries.length > 0 && begins === next
    for (const entry of recording.entries)
      if (!(follows && entry.kind === 'checkpoint' && entry.sequence === begins && entry !== first)) entries.push(entry)
    const last = recording.entries.at(-1)
    if (last) next = last.kind === 'checkpoint' ? last.sequence : last.sequence + 1
  }
  return { header: own[0]!.header, entries, frames: own.reduce((sum, { frames }) => sum + frames, 0), torn: newest.torn }
}
