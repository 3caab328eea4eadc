/**
 * What a broker's socket delivers, cut into pieces at random: the frames are the same however it is cut, and so is the refusal.
 */
import assert from 'node:assert/strict'
import { SamsaError } from '../../../src/model/errors.ts'
import { FrameReader } from '../../../src/wire/frames.ts'
import type { Random } from '../../wire/random-message.ts'
import type { Field, Seed } from '../seed.ts'
import type { Target } from '../target.ts'

const MOST_BYTES = 64 * 1024
const PREFIX_BYTES = 4
const GREETINGS = [
  '15030300020228',
  '160301020001',
  Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n').toString('hex'),
  '80000000',
  '00000003'
]

export function streamOf(frames: readonly Buffer[]): { bytes: Buffer; fields: Field[] } {
  const fields: Field[] = []
  const parts: Buffer[] = []
  let at = 0
  for (const frame of frames) {
    const prefix = Buffer.alloc(PREFIX_BYTES)
    prefix.writeInt32BE(frame.length)
    fields.push({ at, bytes: PREFIX_BYTES, kind: 'int32', covers: [at + PREFIX_BYTES, at + PREFIX_BYTES + frame.length] })
    parts.push(prefix, frame)
    at += PREFIX_BYTES + frame.length
  }
  return { bytes: Buffer.concat(parts), fields }
}

/** What comes of a stream in these pieces: the frames, and the code of the error that ended it. */
export function framesOf(push: (chunk: Buffer) => void, bytes: Buffer, pieces: () => number): string {
  try {
    for (let at = 0; at < bytes.length; ) {
      const size = pieces()
      // As a socket's memory is: used again at once.
      const chunk = Buffer.from(bytes.subarray(at, at + size))
      push(chunk)
      chunk.fill(0xaa)
      at += size
    }
    return 'open'
  } catch (error) {
    if (!(error instanceof SamsaError)) throw error
    return error.code
  }
}

export const kafkaFrames: Target = {
  name: 'kafka-frames',
  pool(random: Random): Seed[] {
    const frame = () =>
      random.chance(0.05) ? Buffer.alloc(9_000, 7) : random.bytes(random.pick([4, 5, random.between(4, 60), random.between(4, 300)]))
    const streams = Array.from({ length: 12 }, () => streamOf(Array.from({ length: random.between(1, 4) }, frame)))
    const greetings = GREETINGS.map(hex => ({ what: 'a greeting', bytes: Buffer.from(hex, 'hex'), fields: [], hostile: true }))
    return [...streams.map(({ bytes, fields }, i) => ({ what: `stream ${i}`, bytes, fields })), ...greetings]
  },
  read(stream, random) {
    const whole: Buffer[] = []
    const cut: Buffer[] = []
    const readerOf = (frames: Buffer[]) => new FrameReader({ maxFrameBytes: MOST_BYTES, onFrame: frame => frames.push(frame) })
    const [one, other] = [readerOf(whole), readerOf(cut)]
    const end = framesOf(
      chunk => one.push(chunk),
      stream,
      () => stream.length
    )
    const size = stream.length > 2_000 ? 1_000 : random.pick([1, 7, 64, 64, 1_000, 1_000])
    assert.equal(
      framesOf(
        chunk => other.push(chunk),
        stream,
        () => random.between(1, size)
      ),
      end
    )
    assert.ok(Buffer.concat(cut).equals(Buffer.concat(whole)) && cut.length === whole.length)
    assert.ok(whole.every(frame => frame.length >= PREFIX_BYTES && frame.length <= MOST_BYTES))
    // The error itself, as its owner would hear it.
    if (end !== 'open') readerOf([]).push(stream)
  }
}
