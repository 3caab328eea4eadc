/**
 * Judges an answer's structure before the library reads it: every length must lie inside the frame. The library believes
 * lengths (a password of -7 bytes throws, one of 2 GiB is allocated, a string of -4 bytes loops for ever).
 */
import { ZooKeeperError } from './errors.ts'
import { opcode } from './library.ts'

const headBytes = 4
const statBytes = 68
const passwordBytes = 16
/** Longer sessions than an hour are not granted by any sane server; its timers would also overflow. */
const maxSessionTimeoutMs = 3_600_000

export interface ConnectAnswer {
  timeoutMs: number
  sessionId: bigint
}

export interface ReplyHead {
  xid: number
  zxid: bigint
  err: number
}

/** Reads inside one frame; every step is checked. */
class Walker {
  #at: number
  readonly frame: Buffer
  constructor(frame: Buffer, at: number) {
    this.frame = frame
    this.#at = at
  }
  skip(bytes: number, what: string): number {
    const at = this.#at
    if (bytes < 0 || at + bytes > this.frame.length) {
      throw broken(`${what} of ${bytes} bytes where ${this.frame.length - at} are left`)
    }
    this.#at += bytes
    return at
  }
  int(what: string): number {
    return this.frame.readInt32BE(this.skip(4, what))
  }
  long(what: string): bigint {
    return this.frame.readBigInt64BE(this.skip(8, what))
  }
  /** A buffer; -1 is null and stands for no bytes. */
  buffer(what: string): number {
    const length = this.int(what)
    if (length !== -1) this.skip(length, what)
    return length
  }
  string(what: string): string {
    const length = this.int(what)
    const at = this.skip(length, what)
    return this.frame.toString('utf8', at, at + length)
  }
  strings(what: string): void {
    const count = this.int(what)
    if (count < -1 || count * 4 > this.frame.length - this.#at) throw broken(`${what}: ${count} elements`)
    for (let i = 0; i < count; i++) this.skip(this.int(what), what)
  }
  stat(): void {
    this.skip(statBytes, 'a stat')
  }
}

/** The answer to a ConnectRequest. Old servers leave its last byte (read-only) out. */
export function checkConnectAnswer(frame: Buffer): ConnectAnswer {
  const walker = new Walker(frame, headBytes)
  walker.int('protocol version')
  const timeoutMs = walker.int('session timeout')
  const sessionId = walker.long('session id')
  const password = walker.buffer('session password')
  if (password !== passwordBytes) throw broken(`a session password of ${password} bytes`)
  if (timeoutMs > maxSessionTimeoutMs) throw broken(`a session timeout of ${timeoutMs} ms`)
  if (timeoutMs > 0 && sessionId === 0n) throw broken('a session without an id')
  return { timeoutMs, sessionId }
}

export function readReplyHead(frame: Buffer): ReplyHead {
  const walker = new Walker(frame, headBytes)
  return { xid: walker.int('xid'), zxid: walker.long('zxid'), err: walker.int('error') }
}

const afterHead = headBytes + 16

/** A watch event's type and full path. */
export function checkNotification(frame: Buffer): { type: number; path: string } {
  const walker = new Walker(frame, afterHead)
  const type = walker.int('event type')
  walker.int('event state')
  return { type, path: walker.string('event path') }
}

/** The body of a reply without error, for the request of this opcode. */
export function checkReply(frame: Buffer, type: number, chroot: string): void {
  const walker = new Walker(frame, afterHead)
  if (type === opcode.create) checkPath(walker.string('path'), chroot)
  else if (type === opcode.exists || type === opcode.setData) walker.stat()
  else if (type === opcode.getData) {
    walker.buffer('data')
    walker.stat()
  } else if (type === opcode.getChildren2) {
    walker.strings('children')
    walker.stat()
  } else if (type === opcode.multi) checkMulti(walker, chroot)
}

function checkMulti(walker: Walker, chroot: string): void {
  for (;;) {
    const type = walker.int('result type')
    const done = walker.frame[walker.skip(1, 'result end')] === 1
    walker.int('result error')
    if (done) return
    if (type === opcode.create) checkPath(walker.string('path'), chroot)
    else if (type === opcode.setData) walker.stat()
    else if (type === opcode.error) walker.int('error')
    else if (type !== opcode.delete && type !== opcode.check) throw broken(`a transaction result of type ${type}`)
  }
}

/** A server answers with full paths; one outside our chroot was not asked for. */
export function isUnder(path: string, chroot: string): boolean {
  return path.startsWith('/') && (chroot === '' || path === chroot || path.startsWith(`${chroot}/`))
}

function checkPath(path: string, chroot: string): void {
  if (!isUnder(path, chroot)) throw broken(`the path ${JSON.stringify(path.slice(0, 120))}, which lies outside the chroot`)
}

/** The connection that such bytes came from is dropped. */
export function broken(what: string): ZooKeeperError {
  return new ZooKeeperError('ZK_PROTOCOL', `The ZooKeeper server answered with ${what}. The connection is closed.`, { retriable: true })
}

const knownCodes = new Set([0, -1, -2, -3, -4, -5, -6, -7, -8, -100, -101, -102, -103, -108, -110, -111, -112, -113, -114, -115])

/** The library throws for error numbers that it does not list (-118 session moved, -119 read-only …). */
export function isKnownToLibrary(code: number): boolean {
  return knownCodes.has(code)
}

/** What the library is given in place of a number it does not know. */
export const standInCode = -1
const errorOffset = headBytes + 12

/**
 * Replaces error numbers that the library would throw for, in the frame itself, and answers with the true ones:
 * one for the reply, and one per step of a transaction (undefined where the step has none).
 */
export function replaceUnknownCodes(frame: Buffer, head: ReplyHead, type: number): { reply: number; steps: number[] } {
  const steps: number[] = []
  if (!isKnownToLibrary(head.err)) frame.writeInt32BE(standInCode, errorOffset)
  else if (head.err === 0 && type === opcode.multi) {
    const walker = new Walker(frame, afterHead)
    for (;;) {
      const resultType = walker.int('result type')
      if (frame[walker.skip(1, 'result end')] === 1) break
      walker.int('result error')
      if (resultType === opcode.create) walker.string('path')
      else if (resultType === opcode.setData) walker.stat()
      if (resultType !== opcode.error) {
        steps.push(0)
        continue
      }
      const at = walker.skip(4, 'error')
      const code = frame.readInt32BE(at)
      steps.push(code)
      if (!isKnownToLibrary(code)) frame.writeInt32BE(standInCode, at)
    }
  }
  return { reply: head.err, steps }
}
