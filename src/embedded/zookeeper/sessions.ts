/**
 * Sessions: who is there, when they were last heard of, and when they are over. Who holds one (a connection, or this process) is told of its end.
 */
import type { World } from '../../model/world.ts'
import type { Identity } from './acl.ts'

/** What has a session at the moment. */
export interface Holder {
  /** Another connection has taken the session over. */
  moved(): void
  /** It is over: expired, or closed by somebody else. */
  expired(): void
}

export interface Session {
  readonly id: bigint
  readonly password: Buffer
  readonly timeoutMs: number
  identities: Identity[]
  holder: Holder | undefined
  lastHeardMs: number
}

const PASSWORD_BYTES = 16

export class Sessions {
  readonly all = new Map<bigint, Session>()
  #world: World
  #limits: { minSessionTimeoutMs: number; maxSessionTimeoutMs: number }
  #end: (id: bigint) => void
  #timers = new Map<bigint, object>()
  /** Those that end when they are not heard of. */
  #timed = new Set<Session>()
  #next: bigint
  #paused = false

  constructor(world: World, limits: { minSessionTimeoutMs: number; maxSessionTimeoutMs: number }, end: (id: bigint) => void) {
    this.#world = world
    this.#limits = limits
    this.#end = end
    // As a real server's: its number, the time, a count.
    this.#next = (1n << 56n) | ((BigInt(world.now()) & 0xff_ffff_ffffn) << 16n)
  }

  /** Without a timeout it ends only when it is told to: a process does not lose touch with itself. */
  open(timeoutMs: number | undefined): Session {
    const { minSessionTimeoutMs, maxSessionTimeoutMs } = this.#limits
    const session: Session = {
      id: this.#next++,
      password: this.#world.randomBytes(PASSWORD_BYTES),
      timeoutMs: Math.min(Math.max(timeoutMs ?? 0, minSessionTimeoutMs), maxSessionTimeoutMs),
      identities: [{ scheme: 'ip', id: '127.0.0.1' }],
      holder: undefined,
      lastHeardMs: this.#world.monotonicMs()
    }
    this.all.set(session.id, session)
    if (timeoutMs === undefined) return session
    this.#timed.add(session)
    if (!this.#paused) this.#arm(session)
    return session
  }

  /** A holder's session, or undefined: it is over, or the password is not its. */
  resume(id: bigint, password: Buffer): Session | undefined {
    const session = this.all.get(id)
    if (!session?.password.equals(password)) return undefined
    session.holder?.moved()
    session.holder = undefined
    this.heard(session)
    return session
  }

  heard(session: Session): void {
    session.lastHeardMs = this.#world.monotonicMs()
  }

  /** Ends a session, with its ephemerals; its holder is told unless it is the one who ends it. */
  end(id: bigint, by?: Holder): void {
    const session = this.all.get(id)
    if (!session) return
    this.all.delete(id)
    this.#timed.delete(session)
    this.#disarm(id)
    const { holder } = session
    session.holder = undefined
    this.#end(id)
    if (holder !== by) holder?.expired()
  }

  /** No session ends by itself while the ensemble has no quorum; afterwards all have their whole time again. */
  pause(paused: boolean): void {
    this.#paused = paused
    for (const session of this.#timed) {
      this.#disarm(session.id)
      this.heard(session)
      if (!paused) this.#arm(session)
    }
  }

  close(): void {
    this.#paused = true
    for (const id of [...this.#timers.keys()]) this.#disarm(id)
  }

  #arm(session: Session): void {
    const dueMs = session.lastHeardMs + session.timeoutMs
    const timer = this.#world.setTimer(
      () => {
        const quietMs = this.#world.monotonicMs() - session.lastHeardMs
        if (quietMs < session.timeoutMs) this.#arm(session)
        else this.end(session.id)
      },
      Math.max(1, dueMs - this.#world.monotonicMs())
    )
    this.#timers.set(session.id, timer)
  }

  #disarm(id: bigint): void {
    const timer = this.#timers.get(id)
    if (timer) this.#world.clearTimer(timer)
    this.#timers.delete(id)
  }
}
