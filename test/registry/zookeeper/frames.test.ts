/**
 * The framer: whole frames out of any pieces, and no length believed.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { FrameReader } from '../../../src/registry/zookeeper/frames.ts'

function frameOf(body: Uint8Array): Buffer {
  const head = Buffer.alloc(4)
  head.writeInt32BE(body.length)
  return Buffer.concat([head, body])
}

describe('frames', () => {
  it('come out whole, whatever the pieces are', () => {
    const bodies = fc.array(fc.uint8Array({ maxLength: 60_000 }), { maxLength: 8 })
    fc.assert(
      fc.property(bodies, fc.array(fc.integer({ min: 1, max: 50_000 }), { minLength: 1, maxLength: 20 }), (given, sizes) => {
        const stream = Buffer.concat(given.map(frameOf))
        const got: Buffer[] = []
        const reader = new FrameReader(60_000, frame => got.push(frame))
        const memory = Buffer.alloc(50_000)
        for (let at = 0, i = 0; at < stream.length; i++) {
          const size = Math.min(sizes[i % sizes.length]!, stream.length - at)
          stream.copy(memory, 0, at, at + size)
          reader.push(memory.subarray(0, size))
          memory.fill(0xee)
          at += size
        }
        assert.deepEqual(
          got.map(frame => frame.toString('hex')),
          given.map(body => frameOf(body).toString('hex'))
        )
      }),
      { numRuns: 100, seed: 1 }
    )
  })

  it('with a length that no frame has are refused before anything is kept', () => {
    for (const length of [-1, -5, -0x8000_0000, 101, 0x7fff_ffff]) {
      const head = Buffer.alloc(4)
      head.writeInt32BE(length)
      const reader = new FrameReader(100, () => assert.fail('no frame'))
      assert.throws(() => reader.push(head), { code: 'ZK_PROTOCOL' })
    }
  })

  it('take memory as they come, not as they are announced', () => {
    const before = process.memoryUsage().arrayBuffers
    const readers = Array.from({ length: 200 }, () => {
      const reader = new FrameReader(4 << 20, () => {})
      const head = Buffer.alloc(5)
      head.writeInt32BE(4 << 20)
      reader.push(head)
      return reader
    })
    assert.equal(readers.length, 200)
    assert.ok(process.memoryUsage().arrayBuffers - before < 50 << 20)
  })

  it('of another protocol are named', () => {
    const reader = () => new FrameReader(100, () => {})
    assert.throws(() => reader().push(Buffer.from('HTTP/1.1 200 OK')), /answers with HTTP/)
    assert.throws(() => reader().push(Buffer.from([0x15, 3, 3, 0, 2])), /answers with TLS/)
  })
})
