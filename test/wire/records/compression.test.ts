/**
 * The codecs alone: round trips, the framings that other clients write, bombs of every codec stopped at the limit,
 * and bytes that are none of it refused by a typed error.
 */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { loadPackage } from '../../../src/wire/records/codec.ts'
import { BatchWriter, compress, crc32c, decompress, stamp } from '../../../src/wire/records/index.ts'
import { xxh32 } from '../../../src/wire/records/xxh32.ts'
import { decodeAll, likeJson } from './plain.ts'

const codecs = ['gzip', 'snappy', 'lz4', 'zstd'] as const
const MiB = 1024 * 1024
const sizes = [0, 1, 100, 65_535, 65_536, 65_537, 300_000, 1_500_000]
const require = createRequire(import.meta.url)
const lz4Block = require('lz4-napi') as { compressSync(data: Buffer, dictionary?: Buffer): Buffer }
const rawSnappy = require('snappy') as { compressSync(data: Buffer): Buffer }

const LIMIT = { name: 'LimitError', code: 'DECOMPRESSION_LIMIT' }

function noise(bytes: number): Buffer {
  let state = 12345
  return Buffer.from(Array.from({ length: bytes }, () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 11) & 255))
}

describe('every codec', () => {
  for (const codec of codecs) {
    it(`${codec} gives back what it got, at every size`, () => {
      for (const bytes of sizes)
        for (const plain of [likeJson(bytes), noise(bytes), Buffer.alloc(bytes)])
          assert.ok(decompress(codec, compress(codec, plain), { limitBytes: bytes }).equals(plain), `${bytes}`)
    })

    it(`${codec} stops one byte above the limit`, () => {
      for (const bytes of sizes.slice(1))
        for (const plain of [likeJson(bytes), Buffer.alloc(bytes)])
          assert.throws(
            () => decompress(codec, compress(codec, plain), { limitBytes: bytes - 1 }),
            { name: 'LimitError', code: 'DECOMPRESSION_LIMIT' },
            `${bytes}`
          )
    })

    it(`${codec} does not touch its input`, () => {
      const plain = likeJson(100_000)
      const packed = Buffer.from(compress(codec, plain))
      const sum = crc32c(packed, 0, packed.length)
      decompress(codec, packed, { limitBytes: MiB })
      assert.ok(plain.equals(likeJson(100_000)))
      assert.equal(crc32c(packed, 0, packed.length), sum)
    })

    it(`${codec} takes any view of memory, not only Buffers`, () => {
      const plain = new Uint8Array(likeJson(5000))
      const packed = new Uint8Array(compress(codec, plain))
      assert.ok(decompress(codec, packed, { limitBytes: MiB }).equals(plain))
    })

    it(`${codec} refuses what is cut off at any byte`, () => {
      const packed = compress(codec, likeJson(700))
      for (let cut = 0; cut < packed.length; cut++) {
        // A snappy stream may end after its header, or between two streams: Java reads that as empty.
        if (codec === 'snappy' && cut === 16) continue
        assert.throws(
          () => decompress(codec, packed.subarray(0, cut), { limitBytes: MiB }),
          { code: 'CORRUPT_COMPRESSION' },
          `cut at ${cut}`
        )
      }
    })
  }
})

describe('bombs', () => {
  for (const codec of codecs)
    it(`of ${codec} are stopped without the memory that they ask for`, () => {
      const bomb = compress(codec, Buffer.alloc(256 * MiB))
      assert.ok(bomb.length < 16 * MiB)
      const before = process.memoryUsage()
      assert.throws(() => decompress(codec, bomb, { limitBytes: 4 * MiB }), { name: 'LimitError', code: 'DECOMPRESSION_LIMIT' })
      const { external, rss } = process.memoryUsage()
      assert.ok(external - before.external < 32 * MiB, `external grew by ${(external - before.external) / MiB} MiB`)
      assert.ok(rss - before.rss < 64 * MiB, `rss grew by ${(rss - before.rss) / MiB} MiB`)
    })

  it('inside bombs stay packed: a batch is unpacked once', () => {
    for (const codec of codecs) {
      const inner = compress(codec, compress(codec, Buffer.alloc(64 * MiB)))
      const writer = new BatchWriter({ limitBytes: MiB })
      writer.append(0, null, inner, undefined)
      writer.append(0, null, Buffer.alloc(100_000), undefined)
      const batch = writer.seal(codec)
      stamp(batch, { producerId: -1n, producerEpoch: -1, baseSequence: -1 })
      assert.ok(decodeAll(batch.buffer, 0n, { maxDecompressedBytes: MiB + inner.length })[0]!.value!.equals(inner), codec)
    }
  })

  it('of gzip in many members, and with a lie about the size at the end, are stopped too', () => {
    const member = gzipSync(Buffer.alloc(MiB))
    const many = Buffer.concat(Array.from({ length: 64 }, () => member))
    assert.throws(() => decompress('gzip', many, { limitBytes: 8 * MiB }), { code: 'DECOMPRESSION_LIMIT' })
    const lie = gzipSync(Buffer.alloc(64 * MiB))
    lie.writeUInt32LE(10, lie.length - 4)
    assert.throws(() => decompress('gzip', lie, { limitBytes: 8 * MiB }), { code: 'DECOMPRESSION_LIMIT' })
  })

  it('of one byte do not pass a limit of none, whatever the size at the end says', () => {
    for (const codec of codecs) assert.throws(() => decompress(codec, compress(codec, Buffer.alloc(1)), { limitBytes: 0 }), LIMIT, codec)
    // A zero behind it, as tapes have it, and the size reads as another one.
    const padded = Buffer.concat([gzipSync(Buffer.alloc(1)), Buffer.alloc(1)])
    assert.equal(decompress('gzip', padded, { limitBytes: 1 }).length, 1)
    assert.throws(() => decompress('gzip', padded, { limitBytes: 0 }), LIMIT)
  })

  it('of zstd that only say their size in blocks, or ask for a huge window, are stopped', () => {
    // Magic; no content size, a window of 128 KiB; then run-length blocks of 128 KiB in four bytes each.
    const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38])
    const block = (last: boolean) => {
      const head = Buffer.alloc(4)
      head.writeUIntLE((131_072 << 3) | 2 | (last ? 1 : 0), 0, 3)
      return head
    }
    const blocks = Array.from({ length: 2000 }, (_, i) => block(i === 1999))
    assert.throws(() => decompress('zstd', Buffer.concat([header, ...blocks]), { limitBytes: 8 * MiB }), { code: 'DECOMPRESSION_LIMIT' })
    assert.equal(decompress('zstd', Buffer.concat([header, block(true)]), { limitBytes: 131_072 }).length, 131_072)
    const wide = Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf8]), block(true)])
    assert.throws(() => decompress('zstd', wide, { limitBytes: 8 * MiB }), { code: 'DECOMPRESSION_LIMIT' })
  })

  it('of snappy whose size cannot be true are refused as damaged', () => {
    assert.throws(() => decompress('snappy', Buffer.from([0xff, 0xff, 0xff, 0x7f, 0, 0]), { limitBytes: 2 ** 30 }), {
      code: 'CORRUPT_COMPRESSION'
    })
  })
})

describe('zstd frames', () => {
  it('are read one behind the other, skippable ones between them', () => {
    const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3])
    const frames = Buffer.concat([compress('zstd', Buffer.from('abc')), skippable, compress('zstd', Buffer.from('def'))])
    assert.equal(String(decompress('zstd', frames, { limitBytes: 6 })), 'abcdef')
  })
})

describe('snappy framings', () => {
  it('reads a raw block, as clients without framing send it', () => {
    const plain = likeJson(200_000)
    assert.ok(decompress('snappy', rawSnappy.compressSync(plain), { limitBytes: MiB }).equals(plain))
  })

  it('reads streams one behind the other, each with its header', () => {
    const twice = Buffer.concat([compress('snappy', Buffer.from('abc')), compress('snappy', Buffer.from('def'))])
    assert.equal(String(decompress('snappy', twice, { limitBytes: 6 })), 'abcdef')
  })

  it('refuses chunk lengths that are negative, zero or over the end', () => {
    for (const length of [-1, 0, 1000, 0x7fffffff]) {
      const packed = Buffer.from(compress('snappy', Buffer.from('abc')))
      packed.writeInt32BE(length, 16)
      assert.throws(() => decompress('snappy', packed, { limitBytes: MiB }), { code: 'CORRUPT_COMPRESSION' }, String(length))
    }
  })
})

/** A frame with these flags around blocks of the package's; every checksum that the flags name is right. */
function lz4Frame(flags: number, blocks: { plain: Buffer; window?: Buffer }[]): Buffer {
  const word = (value: number) => {
    const out = Buffer.alloc(4)
    out.writeUInt32LE(value)
    return out
  }
  const header = Buffer.from([0x04, 0x22, 0x4d, 0x18, flags, 0x40, 0])
  header[6] = (xxh32(header, 4, 6) >>> 8) & 255
  const parts: Buffer[] = [header]
  for (const { plain, window } of blocks) {
    const block = lz4Block.compressSync(plain, window).subarray(4)
    parts.push(word(block.length), block)
    if (flags & 0x10) parts.push(word(xxh32(block, 0, block.length)))
  }
  parts.push(word(0))
  const content = Buffer.concat(blocks.map(one => one.plain))
  if (flags & 0x04) parts.push(word(xxh32(content, 0, content.length)))
  return Buffer.concat(parts)
}

describe('lz4 frames', () => {
  const plain = likeJson(200_000)
  const starts = [0, 65_536, 131_072, 196_608]

  it('reads dependent blocks, as other libraries write them', () => {
    const blocks = starts.map(at => ({ plain: plain.subarray(at, at + 65_536), window: plain.subarray(Math.max(0, at - 65_536), at) }))
    assert.ok(decompress('lz4', lz4Frame(0x40, blocks), { limitBytes: plain.length }).equals(plain))
  })

  it('checks the checksums of blocks and content', () => {
    const blocks = starts.map(at => ({ plain: plain.subarray(at, at + 65_536) }))
    for (const flags of [0x70, 0x64]) {
      const frame = lz4Frame(flags, blocks)
      assert.ok(decompress('lz4', frame, { limitBytes: plain.length }).equals(plain))
      // The last block's, in front of the end mark; the content's, behind it.
      frame[frame.length - (flags === 0x70 ? 5 : 1)]! ^= 1
      assert.throws(() => decompress('lz4', frame, { limitBytes: plain.length }), { code: 'CORRUPT_COMPRESSION', message: /checksum/ })
    }
  })

  it('refuses a block that unpacks to more than the frame allows a block', () => {
    const frame = lz4Frame(0x60, [{ plain: Buffer.alloc(65_537) }])
    assert.throws(() => decompress('lz4', frame, { limitBytes: MiB }), { code: 'CORRUPT_COMPRESSION' })
  })

  it('refuses a wrong header checksum, foreign flags, and blocks over their size', () => {
    const good = compress('lz4', likeJson(1000))
    for (const [at, value] of [
      [4, 0x20],
      [4, 0x61],
      [5, 0x30],
      [5, 0xc0],
      [6, 0x83],
      [0, 0]
    ] as const) {
      const bad = Buffer.from(good)
      bad[at] = value
      assert.throws(() => decompress('lz4', bad, { limitBytes: MiB }), { code: 'CORRUPT_COMPRESSION' }, `byte ${at} = ${value}`)
    }
    for (const size of [65_537, 0x7fffffff, 0xffffffff]) {
      const bad = Buffer.from(good)
      bad.writeUInt32LE(size, 7)
      assert.throws(() => decompress('lz4', bad, { limitBytes: MiB }), { code: 'CORRUPT_COMPRESSION' }, `block of ${size}`)
    }
  })
})

describe('a codec without its package', () => {
  it('is an error that names the package', () => {
    assert.throws(() => loadPackage('lz4', '@samsa/not-there'), {
      name: 'SamsaError',
      code: 'COMPRESSION_UNAVAILABLE',
      message: /npm install @samsa\/not-there/
    })
  })
})
