/**
 * Which address to dial next: the servers in random order, every address of each name, then a pause that doubles, with
 * jitter. Names are looked up again in each round, so a server that moved is found.
 */
import { plainError } from '../../model/errors.ts'
import type { Timer, World } from '../../model/world.ts'
import type { ServerName } from './connect-string.ts'

const firstPauseMs = 100
const longestPauseMs = 2_000
const maxAddressesPerName = 16

export interface AddressEvents {
  /** Dial this one. */
  dial(address: ServerName): void
  /** A name could not be looked up. */
  unresolved(server: ServerName, why: string): void
  /** Every address was tried since the last pause; the next round begins after it. */
  roundEnded(pauseMs: number): void
}

export class Addresses {
  readonly #world: World
  readonly #servers: readonly ServerName[]
  readonly #lookupMs: number
  readonly #events: AddressEvents
  #names: ServerName[]
  #addresses: ServerName[] = []
  #rounds = 0
  #timer: Timer | undefined
  /** Each request for an address has a number; an answer to an older one is stale. */
  #turn = 0

  constructor(world: World, servers: readonly ServerName[], lookupMs: number, events: AddressEvents) {
    this.#world = world
    this.#servers = servers
    this.#lookupMs = lookupMs
    this.#events = events
    this.#names = shuffled(servers, world)
  }

  /** Answers with `dial`, now or later. A second call before that replaces the first. */
  next(): void {
    this.stop()
    const known = this.#addresses.shift()
    const server = known ? undefined : this.#names.shift()
    if (known) this.#events.dial(known)
    else if (server) this.#lookUp(server)
    else this.#pause()
  }

  /** The connection proved good: the next pause is short again. */
  succeeded(): void {
    this.#rounds = 0
  }

  stop(): void {
    this.#turn++
    if (this.#timer) this.#world.clearTimer(this.#timer)
    this.#timer = undefined
  }

  #lookUp(server: ServerName): void {
    const turn = this.#turn
    const answer = (addresses: string[] | undefined, why: string) => {
      if (turn !== this.#turn) return
      this.stop()
      const next = this.#turn
      if (!addresses || addresses.length === 0) this.#events.unresolved(server, why)
      else this.#addresses = addresses.slice(0, maxAddressesPerName).map(host => ({ host, port: server.port }))
      // Whoever was told may have stopped it.
      if (next === this.#turn) this.next()
    }
    this.#timer = this.#world.setTimer(() => answer(undefined, `no answer within ${this.#lookupMs} ms`), this.#lookupMs)
    this.#world.resolve(server.host).then(
      addresses => answer(addresses, 'it has no address'),
      error => answer(undefined, plainError(error).message)
    )
  }

  #pause(): void {
    const limitMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(this.#rounds, 16))
    const pauseMs = limitMs * (0.5 + this.#world.random() / 2)
    this.#rounds++
    const turn = this.#turn
    this.#events.roundEnded(pauseMs)
    // Whoever was told may have stopped it.
    if (turn !== this.#turn) return
    this.#timer = this.#world.setTimer(() => {
      if (turn !== this.#turn) return
      this.#names = shuffled(this.#servers, this.#world)
      this.next()
    }, pauseMs)
  }
}

/** Fisher and Yates, with the World's randomness. */
export function shuffled<T>(list: readonly T[], world: World): T[] {
  const copy = [...list]
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(world.random() * (i + 1))
    ;[copy[i], copy[j]] = [copy[j]!, copy[i]!]
  }
  return copy
}
