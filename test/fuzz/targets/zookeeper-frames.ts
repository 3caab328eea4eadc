/**
 * What a ZooKeeper's socket delivers: cut into frames, judged, and, where the judge lets it pass, read by the library, which would trust
 * anything. It may not throw then.
 */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { FrameReader } from '../../../src/registry/zookeeper/frames.ts'
import {
  checkConnectAnswer,
  checkNotification,
  checkReply,
  isUnder,
  readReplyHead,
  replaceUnknownCodes
} from '../../../src/registry/zookeeper/replies.ts'
import { jute } from '../../support/hostile-zookeeper.ts'
import type { Random } from '../../wire/random-message.ts'
import type { Field, Seed } from '../seed.ts'
import type { Target } from '../target.ts'
import { framesOf } from './kafka-frames.ts'

const MOST_BYTES = 64 * 1024
const CHROOT = '/kafka'
const HEAD_BYTES = 4
const REPLY_HEAD_BYTES = 20

interface LibraryRecord {
  setChrootPath(path: string): void
  deserialize(bytes: Buffer, at: number): number
}
type RecordClass = new () => LibraryRecord
const { protocol, TransactionResponse } = createRequire(import.meta.url)('node-zookeeper-client/lib/jute') as {
  protocol: Record<string, RecordClass>
  TransactionResponse: RecordClass
}

/** What is asked, and the library's class for its answer. The stream's first byte chooses. */
const ASKED: readonly [type: number, record: RecordClass | null][] = [
  [0, null],
  [-1, protocol.WatcherEvent!],
  [1, protocol.CreateResponse!],
  [2, null],
  [3, protocol.ExistsResponse!],
  [4, protocol.GetDataResponse!],
  [5, protocol.SetDataResponse!],
  [12, protocol.GetChildren2Response!],
  [14, TransactionResponse]
]

/** Writes jute and notes where its numbers lie. */
class Traced {
  bytes = Buffer.alloc(0)
  readonly fields: Field[] = []

  add(bytes: Buffer): this {
    this.bytes = Buffer.concat([this.bytes, bytes])
    return this
  }
  int(value: number): this {
    this.fields.push({ at: this.bytes.length, bytes: 4, kind: 'int32' })
    return this.add(jute.int(value))
  }
  long(value: bigint): this {
    this.fields.push({ at: this.bytes.length, bytes: 8, kind: 'int64' })
    return this.add(jute.long(value))
  }
  buffer(value: Buffer): this {
    const at = this.bytes.length
    this.fields.push({ at, bytes: 4, kind: 'int32', covers: [at + 4, at + 4 + value.length] })
    return this.add(jute.buffer(value))
  }
}

function valid(random: Random, asked: number): Seed {
  const out = new Traced().add(Buffer.from([asked]))
  const size = out.bytes.length
  out.int(0)
  const path = () => out.buffer(Buffer.from(`${CHROOT}/${'x'.repeat(random.between(1, 30))}`))
  const [type] = ASKED[asked]!
  if (type === 0)
    out
      .int(0)
      .int(6_000)
      .long(5n)
      .buffer(random.bytes(16))
      .add(Buffer.from([0]))
  else
    out
      .int(type === -1 ? -1 : 7)
      .long(random.pick([-1n, 17n]))
      .int(random.chance(0.1) ? -101 : 0)
  if (type === -1) out.int(random.between(1, 4)).int(3)
  if (type === -1) path()
  else if (type === 1) path()
  else if (type === 3 || type === 5) out.add(jute.stat(random.between(0, 9)))
  else if (type === 4) out.buffer(random.bytes(random.between(0, 80))).add(jute.stat())
  else if (type === 12) {
    const count = random.between(0, 5)
    out.int(count)
    for (let i = 0; i < count; i++) out.buffer(Buffer.from(`child-${i}`))
    out.add(jute.stat())
  } else if (type === 14) {
    for (const step of Array.from({ length: random.between(0, 4) }, () => random.pick([1, 2, 5, 13, -1]))) {
      out
        .int(step)
        .add(Buffer.from([0]))
        .int(0)
      if (step === 1) path()
      else if (step === 5) out.add(jute.stat())
      else if (step === -1) out.int(random.pick([-2, -101, -555]))
    }
    out
      .int(-1)
      .add(Buffer.from([1]))
      .int(-1)
  }
  out.bytes.writeInt32BE(out.bytes.length - size - HEAD_BYTES, size)
  out.fields[0] = { ...out.fields[0]!, covers: [size + HEAD_BYTES, out.bytes.length] }
  return { what: `answer to ${type}`, bytes: out.bytes, fields: out.fields }
}

function readFrame(frame: Buffer, asked: number): void {
  const [type, record] = ASKED[asked]!
  if (type === 0) {
    checkConnectAnswer(frame)
    new protocol.ConnectResponse!().deserialize(frame, HEAD_BYTES)
    return
  }
  const head = readReplyHead(frame)
  if (type === -1) {
    const { path } = checkNotification(frame)
    if (!isUnder(path, CHROOT)) return
  } else {
    if (head.err === 0) checkReply(frame, type, CHROOT)
    replaceUnknownCodes(frame, head, type)
    if (head.err !== 0) return
  }
  if (!record) return
  const read = new record()
  read.setChrootPath(CHROOT)
  // What the manager of the library does first, and what it would die of.
  if (frame.length > REPLY_HEAD_BYTES) read.deserialize(frame, REPLY_HEAD_BYTES)
}

export const zookeeperFrames: Target = {
  name: 'zookeeper-frames',
  pool: random => ASKED.flatMap((_, asked) => [valid(random, asked), valid(random, asked)]),
  read(bytes, random) {
    if (bytes.length === 0) return
    const asked = bytes[0]! % ASKED.length
    const stream = bytes.subarray(1)
    const whole: Buffer[] = []
    const cut: Buffer[] = []
    const [one, other] = [whole, cut].map(frames => new FrameReader(MOST_BYTES, frame => frames.push(frame)))
    const end = framesOf(
      chunk => one!.push(chunk),
      stream,
      () => stream.length
    )
    const size = random.pick([1, 7, 64, 64, 1_000])
    assert.equal(
      framesOf(
        chunk => other!.push(chunk),
        stream,
        () => random.between(1, size)
      ),
      end
    )
    assert.ok(Buffer.concat(cut).equals(Buffer.concat(whole)) && cut.length === whole.length)
    for (const frame of whole) readFrame(frame, asked)
    if (end !== 'open') new FrameReader(MOST_BYTES, () => {}).push(stream)
  }
}
