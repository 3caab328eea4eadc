/** Recordings as files are: torn, flipped, of another version, or not recordings at all. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Packr } from 'msgpackr/pack'
import { crc32c } from '../../src/journal/crc32c.ts'
import { MAGIC } from '../../src/journal/frame.ts'
import { createRecorder } from '../../src/journal/recorder.ts'
import { decodeRecording } from '../../src/journal/recording.ts'
import { replay } from '../../src/journal/replay.ts'
import { ProtocolError } from '../../src/model/errors.ts'
import { counterMachine } from './machines.ts'

const packr = new Packr({ useBigIntExtension: true })

function frame(content: unknown): Buffer {
  const body = packr.pack(content)
  const head = Buffer.alloc(8)
  head.writeUInt32BE(body.length, 0)
  head.writeUInt32BE(crc32c(body), 4)
  return Buffer.concat([head, body])
}
const goodHeader = { format: 1, exportedAt: 0, machines: {}, droppedFrames: 0 }
const recordingOf = (...frames: unknown[]) => Buffer.concat([MAGIC, frame(goodHeader), ...frames.map(frame)])

function sample(): Uint8Array {
  const recorder = createRecorder({ maxBytes: 1 << 20, now: () => 5 })
  recorder.birth('a', 'counter', 'on', { instance: 'i', path: 'a', total: 0 })
  for (let i = 0; i < 200; i++) {
    recorder.event('a', { type: 'ADD', by: 1 } as never)
    recorder.state('a', 'on', { instance: 'i', path: 'a', total: i + 1 })
  }
  return recorder.export()
}

describe('decodeRecording', () => {
  it('cuts a torn tail at every byte, keeps the whole frames before it, and says so', () => {
    const bytes = sample()
    const whole = decodeRecording(bytes)
    assert.equal(whole.torn, null)
    assert.equal(whole.entries.length, 201)
    let least = 0
    for (let cut = 0; cut < bytes.length; cut++) {
      const part = bytes.subarray(0, cut)
      try {
        const { entries, torn } = decodeRecording(part)
        assert.deepEqual(entries, whole.entries.slice(0, entries.length))
        assert.ok(entries.length >= least)
        assert.ok(torn === null || (torn.atByte <= cut && torn.reason.length > 0))
        least = entries.length
      } catch (error) {
        assert.ok(error instanceof ProtocolError && error.code === 'RECORDING_INVALID')
        assert.equal(least, 0)
      }
    }
    assert.equal(least, 192)
  })

  it('finds any flipped bit, and replays what is before it', () => {
    const bytes = sample()
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(7), (at, bit) => {
        const bad = Uint8Array.from(bytes)
        bad[at]! ^= 1 << bit
        try {
          const recording = decodeRecording(bad)
          assert.ok(recording.torn)
          const context = replay(recording, { counter: counterMachine }).get('a')?.context ?? { total: 0 }
          assert.equal((context as { total: number }).total, Math.max(0, recording.entries.length - 1))
        } catch (error) {
          assert.ok(error instanceof ProtocolError && error.code === 'RECORDING_INVALID', String(error))
        }
      }),
      { numRuns: 250, seed: 1 }
    )
  })

  it('cuts a tail of zeros and appended rubbish', () => {
    const bytes = sample()
    for (const tail of [Buffer.alloc(4_096), Buffer.from('rubbish that is no frame')]) {
      const { entries, torn } = decodeRecording(Buffer.concat([bytes, tail]))
      assert.equal(entries.length, 201)
      assert.equal(torn?.atByte, bytes.length)
    }
  })

  it('refuses what is not a recording, and a recording of another format, by name', () => {
    const refusal = (bytes: Uint8Array, code: string) =>
      assert.throws(
        () => decodeRecording(bytes),
        (error: unknown) => error instanceof ProtocolError && error.code === code
      )
    refusal(Buffer.from('{"not": "a recording"}'), 'RECORDING_INVALID')
    refusal(new Uint8Array(0), 'RECORDING_INVALID')
    refusal(MAGIC, 'RECORDING_INVALID')
    refusal(Buffer.concat([MAGIC, frame({ ...goodHeader, format: 2 })]), 'RECORDING_FORMAT')
    refusal(Buffer.concat([MAGIC, frame({ ...goodHeader, machines: { a: 1 } })]), 'RECORDING_INVALID')
    refusal(Buffer.concat([MAGIC, frame([1, 2])]), 'RECORDING_INVALID')
  })

  it('refuses entries of a wrong shape although their checksum is right', () => {
    const bad: unknown[] = [
      'text',
      [0, 1],
      [-1, 0, []],
      [0, Number.NaN, []],
      [0, 0, [[9, 1, 0]]],
      [0, 0, [[0, 1, 0, { notype: 1 }]]],
      [0, 0, [[0, -1, 0, { type: 'A' }]]],
      [0, 0, [[1, 1, 0, 'path', 5, 'on', {}]]],
      [0, 0, [[3, 1, 0, 'more']]],
      [0, 0, [null]]
    ]
    for (const content of bad) {
      const { entries, torn } = decodeRecording(recordingOf(content))
      assert.deepEqual(entries, [])
      assert.ok(torn, JSON.stringify(content))
    }
  })

  it('stops where a frame is missing: the inputs after it do not follow on the states before it', () => {
    const one = [0, 0, [[3, 1, 0]]]
    assert.match(decodeRecording(recordingOf(one, [2, 0, [[3, 2, 0]]])).torn?.reason ?? '', /frame is missing/)
    assert.match(decodeRecording(recordingOf(one, one)).torn?.reason ?? '', /frame is missing/)
    assert.equal(decodeRecording(recordingOf(one, [1, 0, [[3, 2, 0]]])).torn, null)
  })
})
