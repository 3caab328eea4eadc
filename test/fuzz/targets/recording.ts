/**
 * Recordings, as the recorder exports them: the frames' lengths and checksums made right around the damage, so that it reaches the reader of
 * values and of entries.
 */
import { crc32c } from '../../../src/journal/crc32c.ts'
import { FRAME_HEAD_BYTES, MAGIC } from '../../../src/journal/frame.ts'
import { createRecorder } from '../../../src/journal/recorder.ts'
import { decodeRecording } from '../../../src/journal/recording.ts'
import { ProtocolError } from '../../../src/model/errors.ts'
import type { Random } from '../../wire/random-message.ts'
import type { Field, Seed } from '../seed.ts'
import type { Target } from '../target.ts'
import { msgpackFields } from './msgpack-fields.ts'

function valid(random: Random): Seed {
  let clock = 1_000
  const recorder = createRecorder({ maxBytes: 1 << 16, now: () => (clock += random.between(-2, 50)) })
  const context = () => ({
    instance: 'i',
    path: 'a',
    total: random.between(0, 1e6),
    text: 'ż'.repeat(random.between(0, 40)),
    none: undefined
  })
  recorder.birth('a', 'counter', { on: 'idle' }, context())
  for (let left = random.between(0, 90); left > 0; left--) {
    recorder.event('a', {
      type: random.pick(['ADD', 'LEADER']),
      by: random.between(-9, 300),
      at: 1n << 40n,
      list: [1, [2.5, 'x']]
    } as never)
    recorder.state('a', 'on', context())
  }
  if (random.chance(0.5)) recorder.end('a')
  const bytes = Buffer.from(recorder.export())
  return { what: 'a recording', bytes, fields: fieldsOf(bytes), repair }
}

function* frames(bytes: Buffer): Generator<[at: number, start: number, end: number]> {
  for (let at = MAGIC.length; bytes.length - at >= FRAME_HEAD_BYTES; ) {
    const start = at + FRAME_HEAD_BYTES
    const end = start + bytes.readUInt32BE(at)
    if (end > bytes.length) return
    yield [at, start, end]
    at = end
  }
}

function fieldsOf(bytes: Buffer): Field[] {
  return [...frames(bytes)].flatMap(([at, start, end]) => [
    { at, bytes: 4, kind: 'int32', covers: [start, end] } as const,
    ...msgpackFields(bytes, start, end)
  ])
}

function repair(bytes: Buffer): void {
  for (const [at, start, end] of frames(bytes)) bytes.writeUInt32BE(crc32c(bytes, start, end), at + 4)
}

export const recording: Target = {
  name: 'recording',
  timesInput: 200,
  pool: random => Array.from({ length: 6 }, () => valid(random)),
  read(bytes) {
    const { torn, frames: read } = decodeRecording(bytes)
    if (torn && (torn.atByte < 0 || torn.atByte > bytes.length || torn.reason === '')) throw new Error('it does not say where it is torn')
    if (torn) throw new ProtocolError('TORN', `It is told as torn, after ${read} frames.`)
  }
}
