/**
 * Frames out of a stream, however it is cut; memory that stays the receiver's; sizes refused before anything is made by them.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FrameReader } from '../../src/wire/frames.ts'
import { Random } from './random-message.ts'

function frame(body: Buffer): Buffer {
  const out = Buffer.alloc(4 + body.length)
  out.writeInt32BE(body.length)
  body.copy(out, 4)
  return out
}

function collect(maxFrameBytes?: number): { reader: FrameReader; frames: Buffer[] } {
  const frames: Buffer[] = []
  return { reader: new FrameReader({ ...(maxFrameBytes ? { maxFrameBytes } : {}), onFrame: each => frames.push(each) }), frames }
}

const ofSize = (size: number) => {
  const prefix = Buffer.alloc(4)
  prefix.writeInt32BE(size)
  return prefix
}

describe('frames', () => {
  const random = new Random('frames')
  const bodies = [4, 5, 100, 8_192, 8_193, 70_000, 4, 64_000, 33].map(size => random.bytes(size))
  const stream = Buffer.concat(bodies.map(frame))

  it('come out as they went in, whole', () => {
    const { reader, frames } = collect()
    reader.push(stream)
    assert.deepEqual(frames, bodies)
  })

  it('come out the same when every byte comes alone', () => {
    const { reader, frames } = collect()
    for (const byte of stream) reader.push(Buffer.from([byte]))
    assert.deepEqual(frames, bodies)
  })

  it('come out the same however the stream is cut, from memory that is used again at once', () => {
    for (let run = 0; run < 100; run++) {
      const { reader, frames } = collect()
      const shared = Buffer.alloc(70_000)
      for (let at = 0; at < stream.length; ) {
        const length = Math.min(stream.length - at, random.chance(0.5) ? random.between(1, 9) : random.between(1, shared.length))
        stream.copy(shared, 0, at, at + length)
        reader.push(shared.subarray(0, length))
        shared.fill(0xee)
        at += length
      }
      assert.deepEqual(frames, bodies)
    }
  })

  it('do not share bytes with each other or with what comes later', () => {
    const { reader, frames } = collect()
    for (let i = 0; i < 2_000; i++) reader.push(frame(Buffer.alloc(100, i % 256)))
    for (const each of frames) each.fill(0)
    for (let i = 0; i < 2_000; i++) reader.push(frame(Buffer.alloc(100, i % 256)))
    for (let i = 0; i < 2_000; i++) {
      assert.ok(frames[i]!.equals(Buffer.alloc(100)), `frame ${i} was written to again`)
      assert.ok(frames[2_000 + i]!.equals(Buffer.alloc(100, i % 256)))
    }
  })

  it('of a large size are one piece of memory of exactly that size', () => {
    const { reader, frames } = collect()
    const body = Buffer.alloc(1 << 20, 7)
    for (let at = 0; at < body.length + 4; at += 65_536) reader.push(frame(body).subarray(at, at + 65_536))
    assert.equal(frames[0]!.buffer.byteLength, body.length)
  })

  it('that throw where they are handled end the push', () => {
    const reader = new FrameReader({
      onFrame: () => {
        throw new Error('enough')
      }
    })
    assert.throws(() => reader.push(stream), /enough/)
  })
})

describe('a size', () => {
  const refused = (prefix: Buffer, code: string, words: RegExp, maxFrameBytes?: number) =>
    assert.throws(() => collect(maxFrameBytes).reader.push(prefix), { name: 'ProtocolError', code, message: words })

  it('is refused when it is negative or too small for a correlation id', () => {
    for (const size of [-1, -(2 ** 31), 0, 3]) refused(ofSize(size), 'BAD_FRAME_SIZE', new RegExp(`of ${size} bytes`))
  })

  it('is refused above the limit, without the memory for it', () => {
    refused(ofSize(2 ** 31 - 1), 'BAD_FRAME_SIZE', /maxFrameBytes/)
    refused(ofSize(100 * 1024 * 1024 + 1), 'BAD_FRAME_SIZE', /104857600/)
    refused(ofSize(1_001), 'BAD_FRAME_SIZE', /4 to 1000/, 1_000)
    const { reader, frames } = collect(1_000)
    reader.push(frame(Buffer.alloc(1_000)))
    assert.equal(frames.length, 1)
  })

  it('is refused as soon as it is there, also when it came byte by byte', () => {
    const { reader } = collect()
    const [a, b, c, d] = ofSize(-1)
    for (const byte of [a!, b!, c!]) reader.push(Buffer.from([byte]))
    assert.throws(() => reader.push(Buffer.from([d!])), { code: 'BAD_FRAME_SIZE' })
  })

  it('that is a TLS alert, a TLS handshake or HTTP is named as that', () => {
    refused(Buffer.from('15030300020228', 'hex'), 'TLS_PEER', /TLS/)
    refused(Buffer.from('1603010200', 'hex'), 'TLS_PEER', /TLS/)
    refused(Buffer.from('HTTP/1.1 400 Bad Request\r\n'), 'HTTP_PEER', /HTTP/)
  })
})
