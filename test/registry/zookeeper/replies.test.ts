/**
 * Answers are judged before the library reads them: truncated at every byte, mutated at random, with lengths that lie.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isZooKeeperError } from '../../../src/registry/zookeeper/errors.ts'
import {
  checkConnectAnswer,
  checkNotification,
  checkReply,
  isUnder,
  readReplyHead,
  replaceUnknownCodes
} from '../../../src/registry/zookeeper/replies.ts'
import { jute } from '../../support/hostile-zookeeper.ts'

const head = (error = 0) => [jute.int(1), jute.long(1n), jute.int(error)]
const step = (type: number, ...payload: Buffer[]) => Buffer.concat([jute.int(type), Buffer.from([0]), jute.int(0), ...payload])
const end = Buffer.concat([jute.int(-1), Buffer.from([1]), jute.int(-1)])
const multi = jute.frame(...head(), step(1, jute.string('/a/b')), step(5, jute.stat()), step(2), step(13), step(-1, jute.int(-555)), end)

const samples: [name: string, frame: Buffer, check: (frame: Buffer) => unknown][] = [
  [
    'a handshake',
    jute.frame(jute.int(0), jute.int(6_000), jute.long(5n), jute.buffer(Buffer.alloc(16)), Buffer.from([0])),
    checkConnectAnswer
  ],
  ['an event', jute.frame(jute.int(-1), jute.long(-1n), jute.int(0), jute.int(3), jute.int(3), jute.string('/a')), checkNotification],
  ['create', jute.frame(...head(), jute.string('/a')), frame => checkReply(frame, 1, '')],
  ['exists', jute.frame(...head(), jute.stat()), frame => checkReply(frame, 3, '')],
  ['getData', jute.frame(...head(), jute.string('data'), jute.stat()), frame => checkReply(frame, 4, '')],
  ['getChildren', jute.frame(...head(), jute.int(2), jute.string('a'), jute.string('bc'), jute.stat()), frame => checkReply(frame, 12, '')],
  ['multi', multi, frame => checkReply(frame, 14, '')]
]

/** Everything or a ZK_PROTOCOL error, nothing else. */
function judged(check: (frame: Buffer) => unknown, frame: Buffer): boolean {
  try {
    check(frame)
    return true
  } catch (error) {
    assert.ok(isZooKeeperError(error, 'ZK_PROTOCOL'), String(error))
    return false
  }
}

describe('answers', () => {
  for (const [name, frame, check] of samples) {
    it(`${name}: whole it passes, cut anywhere it does not`, () => {
      assert.ok(judged(check, frame))
      // An old server leaves the last byte of the handshake out.
      const shortest = name === 'a handshake' ? frame.length - 1 : frame.length
      for (let length = 4; length < shortest; length++) assert.ok(!judged(check, frame.subarray(0, length)), `cut at ${length}`)
    })

    it(`${name}: any mutation passes or is refused, quickly`, () => {
      const place = fc.integer({ min: 4, max: frame.length - 4 })
      const values = fc.constantFrom(-1, -4, -7, 0, 1, 0x7fff_ffff, -0x8000_0000, 0x10000)
      fc.assert(
        fc.property(fc.array(fc.tuple(place, values), { minLength: 1, maxLength: 4 }), changes => {
          const mutated = Buffer.from(frame)
          for (const [at, value] of changes) mutated.writeInt32BE(value, at)
          judged(check, mutated)
        }),
        { numRuns: 1_000, seed: 1 }
      )
    })
  }

  it('unknown numbers are replaced for the library and kept for us', () => {
    const frame = Buffer.from(multi)
    assert.deepEqual(replaceUnknownCodes(frame, readReplyHead(frame), 14), { reply: 0, steps: [0, 0, 0, 0, -555] })
    assert.deepEqual(replaceUnknownCodes(frame, readReplyHead(frame), 14).steps.at(-1), -1)
    const refused = jute.frame(...head(-124))
    assert.equal(replaceUnknownCodes(refused, readReplyHead(refused), 4).reply, -124)
    assert.equal(readReplyHead(refused).err, -1)
    const known = jute.frame(...head(-101))
    replaceUnknownCodes(known, readReplyHead(known), 4)
    assert.equal(readReplyHead(known).err, -101)
  })

  it('paths must lie under the chroot', () => {
    assert.ok(isUnder('/kafka', '/kafka') && isUnder('/kafka/a', '/kafka') && isUnder('/a', '') && isUnder('/', ''))
    assert.ok(!isUnder('/kafkaesque', '/kafka') && !isUnder('/', '/kafka') && !isUnder('a', '') && !isUnder('', ''))
  })
})
