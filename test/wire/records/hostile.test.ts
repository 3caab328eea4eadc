/**
 * Mutated batches: whatever the bytes, the reader answers with messages or with a ProtocolError or LimitError, soon.
 * The CRC of most mutants is written anew, so that they reach the codecs and the records. A failure prints the seed and the bytes.
 * `SAMSA_MUTANTS=1000000` sets how many there are (default 15,000); `SAMSA_SEED` repeats a run.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { crc32 } from 'node:zlib'
import { LimitError, ProtocolError } from '../../../src/model/errors.ts'
import { crc32c } from '../../../src/wire/records/index.ts'
import { decodeAll } from './plain.ts'

const golden = JSON.parse(readFileSync(new URL('../../fixtures/records-golden.json', import.meta.url), 'utf8')) as Record<string, string>
const originals = Object.values(golden).map(hex => Buffer.from(hex, 'hex'))
const mutants = Number(process.env.SAMSA_MUTANTS ?? 15_000)
const seed = Number(process.env.SAMSA_SEED ?? 20_260_101)
const limits = { maxDecompressedBytes: 65_536 }

/** mulberry32. */
function randomFrom(state: number): (below: number) => number {
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

const interesting = [0, 1, 2, 0x7f, 0x80, 0xff, 0xfe, 61, 16]

function mutate(original: Buffer, random: (below: number) => number): Buffer {
  let bytes = Buffer.from(original)
  for (let n = 1 + random(4); n > 0; n--) {
    const at = random(bytes.length)
    const kind = random(6)
    if (kind === 0) bytes[at]! ^= 1 << random(8)
    else if (kind === 1) bytes[at] = interesting[random(interesting.length)]!
    else if (kind === 2) bytes[at] = random(256)
    else if (kind === 3 && bytes.length - at >= 4) bytes.writeInt32BE([-1, 0, 0x7fffffff, -2147483648, 1 << 24][random(5)]!, at)
    else if (kind === 4) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(random(bytes.length))])
    else bytes.copyWithin(at, random(bytes.length), random(bytes.length))
    if (bytes.length === 0) return bytes
  }
  return random(8) === 0 ? bytes : sign(bytes, random)
}

/** Makes length and CRC right again, so that the damage lies deeper. */
function sign(bytes: Buffer, random: (below: number) => number): Buffer {
  if (bytes.length < 26) return bytes
  if (random(4) > 0) bytes.writeInt32BE(bytes.length - 12, 8)
  if (bytes[16] === 2) bytes.writeUInt32BE(crc32c(bytes, 21, bytes.length), 17)
  else bytes.writeUInt32BE(crc32(bytes.subarray(16)), 12)
  return bytes
}

/** Everything that a consumer may touch of a message. */
function touch(bytes: Buffer): number {
  let sum = 0
  for (const message of decodeAll(bytes, 0n, limits)) {
    const { key, value, headerList, offset, timestamp } = message
    sum += (key?.length ?? 0) + (value?.length ?? 0) + headerList.length + Number(offset & 1n) + Number(timestamp & 1n)
  }
  return sum
}

describe('hostile batches', () => {
  it(`${mutants} mutants give messages or a typed error (seed ${seed})`, t => {
    const random = randomFrom(seed)
    let read = 0
    // Most of the time went into stack traces that nobody reads.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    t.after(() => {
      Error.stackTraceLimit = stackTraceLimit
    })
    for (let i = 0; i < mutants; i++) {
      const bytes = mutate(originals[random(originals.length)]!, random)
      try {
        touch(bytes)
        read++
      } catch (error) {
        if (!(error instanceof ProtocolError || error instanceof LimitError))
          assert.fail(`mutant ${i} of seed ${seed}: ${String(error)}\n${bytes.toString('hex')}`)
      }
    }
    // Neither all refused (the mutants would not reach deep) nor all read.
    assert.ok(read > mutants / 50 && read < mutants, `${read} of ${mutants} were read`)
  })

  it('a batch cut at every byte, with its length and CRC made right, is refused', () => {
    for (const [name, hex] of Object.entries(golden)) {
      const whole = Buffer.from(hex, 'hex')
      if (whole[16] !== 2 || name.includes('marker')) continue
      for (let cut = 61; cut < whole.length; cut++) {
        const bytes = Buffer.from(whole.subarray(0, cut))
        bytes.writeInt32BE(cut - 12, 8)
        bytes.writeUInt32BE(crc32c(bytes, 21, cut), 17)
        assert.throws(() => touch(bytes), ProtocolError, `${name} cut at ${cut}`)
      }
    }
  })

  it('random bytes are refused or hold no batch', () => {
    const random = randomFrom(seed)
    for (let i = 0; i < 5000; i++) {
      const bytes = Buffer.from(Array.from({ length: random(200) }, () => random(256)))
      try {
        assert.equal(touch(bytes), 0)
      } catch (error) {
        assert.ok(error instanceof ProtocolError, String(error))
      }
    }
  })
})
