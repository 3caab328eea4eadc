/** The bytes of an outbox: what is written is read, and no damage costs more than the frame that it hit. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BatchMeta, encodeFrame, type OutboxFrame, readFrames } from '../../src/journal/outbox-frames.ts'

const batch = (id: number, more: Partial<BatchMeta> = {}): BatchMeta => ({
  ...{ id, topic: 'orders', partition: 1, free: true, list: 0, count: 3 },
  ...{ uncompressedBytes: 90, compression: 'none', baseTimestamp: 1_700_000_000_000, maxTimestamp: 1_700_000_000_005 },
  ...more
})
const identity = { partition: 1, producerId: '9223372036854775807', producerEpoch: 3, sequence: 2_147_483_640, order: 7 }
const frames: OutboxFrame[] = [
  { type: 'accepted', batch: batch(1), bytes: [Buffer.from('header'), Buffer.from('and the rest')] },
  { type: 'assigned', id: 1, identity },
  { type: 'accepted', batch: batch(2, { list: 9, free: false, compression: 'zstd' }), bytes: [Buffer.alloc(300, 7)] },
  { type: 'done', ids: [1, 2] },
  {
    type: 'split',
    id: 2,
    parts: [
      { batch: batch(3), identity, bytes: [Buffer.from('left')] },
      { batch: batch(4), identity: null, bytes: [Buffer.from('right half')] }
    ]
  }
]
const MARK = 0x534f5801
const whole = (frame: OutboxFrame) => Buffer.concat(encodeFrame(frame, MARK))
const segment = Buffer.concat(frames.map(whole))
const ends = frames.map((_, index) => Buffer.concat(frames.slice(0, index + 1).map(whole)).length)

/** Data in one piece, to be compared. */
function plain(frame: OutboxFrame): unknown {
  if (frame.type === 'accepted') return { ...frame, bytes: Buffer.concat(frame.bytes) }
  if (frame.type === 'split') return { ...frame, parts: frame.parts.map(part => ({ ...part, bytes: Buffer.concat(part.bytes) })) }
  return frame
}

function read(bytes: Buffer) {
  const found: unknown[] = []
  const damages: { kind: string; at: number; bytes: number; frame?: string | null; batch?: BatchMeta | null }[] = []
  for (const one of readFrames(bytes, MARK)) 'frame' in one ? found.push(plain(one.frame)) : damages.push(one.damage)
  return { found, damages }
}

test('what is written is read', () => {
  assert.deepEqual(read(segment), { found: frames.map(plain), damages: [] })
  assert.deepEqual(read(Buffer.alloc(0)), { found: [], damages: [] })
})

test('a segment that was cut at any byte gives every whole frame, and tells of the rest', () => {
  for (let cut = 0; cut < segment.length; cut++) {
    const kept = ends.filter(end => end <= cut).length
    const { found, damages } = read(segment.subarray(0, cut))
    assert.deepEqual(found, frames.slice(0, kept).map(plain), `cut at ${cut}`)
    const at = kept === 0 ? 0 : ends[kept - 1]!
    assert.deepEqual(damages, cut === at ? [] : [{ kind: 'torn', at, bytes: cut - at }], `cut at ${cut}`)
  }
})

test('a flipped bit costs the frame that it hit and no other, and is never taken for good', () => {
  for (let bit = 0; bit < segment.length * 8; bit++) {
    const bytes = Buffer.from(segment)
    bytes[bit >> 3]! ^= 1 << (bit & 7)
    const hit = ends.findIndex(end => bit >> 3 < end)
    const { found, damages } = read(bytes)
    assert.deepEqual(found, frames.filter((_, index) => index !== hit).map(plain), `bit ${bit}`)
    assert.equal(damages.length, 1, `bit ${bit}`)
    // Of the last frame, too: what was cut short was never accepted, what was changed may have been.
    assert.equal(damages[0]!.kind, 'damaged', `bit ${bit}`)
    const { at, bytes: length } = damages[0]!
    assert.deepEqual([at, at + length], [hit === 0 ? 0 : ends[hit - 1]!, ends[hit]!], `bit ${bit}`)
  }
})

test('of a batch whose bytes are damaged it is still known whose it was', () => {
  const bytes = Buffer.from(segment)
  bytes[ends[0]! - 1]! ^= 1
  assert.deepEqual(read(bytes).damages, [{ kind: 'damaged', at: 0, bytes: ends[0], frame: 'accepted', batch: batch(1) }])
})

test('a page of zeros, or of another file, in the middle: what lies behind it is found again', () => {
  const first = whole(frames[0]!)
  const rest = Buffer.concat(frames.slice(1).map(whole))
  for (const hole of [Buffer.alloc(4096), Buffer.from('SOX\x01 looks like a frame, and is none'.repeat(40))]) {
    const { found, damages } = read(Buffer.concat([first, hole, rest]))
    assert.deepEqual(found, frames.map(plain))
    assert.deepEqual(damages, [{ kind: 'damaged', at: first.length, bytes: hole.length, frame: null, batch: null }])
  }
})

test('lengths that a file claims are never allocated', () => {
  const head = whole(frames[0]!)
  head.writeUInt32BE(0xffffffff, 4)
  head.writeUInt32BE(0x7fffffff, 8)
  assert.deepEqual(read(head), { found: [], damages: [{ kind: 'damaged', at: 0, bytes: head.length, frame: null, batch: null }] })
})

test('behind damage a thousand heads of long frames that are none are looked through soon, and what is whole behind them is found', () => {
  const bytes = Buffer.alloc(1024 * 1024)
  for (let at = 1; at + 20 < bytes.length; at += 20) {
    whole(frames[0]!).copy(bytes, at, 0, 4)
    bytes.writeUInt32BE(512 * 1024, at + 4)
    bytes.writeUInt32BE(0, at + 8)
  }
  const started = process.cpuUsage()
  const { found, damages } = read(Buffer.concat([bytes, ...frames.map(whole)]))
  const { user } = process.cpuUsage(started)
  assert.deepEqual(found, frames.map(plain))
  assert.deepEqual(
    damages.map(({ kind, at, bytes: size }) => [kind, at, size]),
    [['damaged', 0, bytes.length]]
  )
  // Each summed to its end they would be 25 thousand million bytes.
  assert.ok(user < 3_000_000, `it took ${user / 1_000} ms`)
})

test('a frame that lies in what somebody published is none, even behind damage: it has not the mark of the file', () => {
  const forged = Buffer.concat(encodeFrame({ type: 'done', ids: [1, 2] }, 0x12345678))
  const carried = whole({ type: 'accepted', batch: batch(5), bytes: [forged] })
  carried[0]! ^= 1
  const { found, damages } = read(Buffer.concat([segment, carried, whole({ type: 'done', ids: [9] })]))
  assert.deepEqual(found, [...frames.map(plain), { type: 'done', ids: [9] }])
  assert.equal(damages.length, 1)
})
