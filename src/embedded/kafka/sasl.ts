/**
 * Who may ask: SASL with PLAIN (RFC 4616) and SCRAM (RFC 5802, 7677), for brokers that were given users. Without users everybody may.
 */
import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto'
import { ProtocolError } from '../../model/errors.ts'
import type { World } from '../../model/world.ts'
import type { ApiName } from '../../wire/apis.ts'
import type { ClusterState } from './state.ts'

const SCRAM = { 'SCRAM-SHA-256': 'sha256', 'SCRAM-SHA-512': 'sha512' } as const
export const MECHANISMS: readonly string[] = ['PLAIN', ...Object.keys(SCRAM)]
/** `ScramMechanism.minIterations`. */
const ITERATIONS = 4_096
/** What may be asked before (`SaslServerAuthenticator`). */
const OPEN: readonly ApiName[] = ['ApiVersions', 'SaslHandshake', 'SaslAuthenticate']

/** A step of the exchange: what is answered, and whether that was all. Throws AuthenticationError. */
interface Step {
  answer: Buffer
  done: boolean
}

export class AuthenticationError extends ProtocolError {
  constructor(why = 'Invalid username or password') {
    super('AUTHENTICATION_FAILED', `Authentication failed: ${why}`)
  }
}

type Mechanism = (token: Buffer) => Step

/** Of one cluster: which connections have shown who they are. */
export class Sasl {
  #world: World
  #users: Readonly<Record<string, string>> | undefined
  #exchanges = new WeakMap<object, Mechanism>()
  /** Those whose tokens come bare (SaslHandshake v0). */
  #bare = new WeakSet<object>()
  #known = new WeakSet<object>()
  #refused = new WeakSet<object>()

  constructor(state: ClusterState) {
    this.#world = state.world
    this.#users = state.users
  }

  get enabled(): boolean {
    return this.#users !== undefined
  }

  isKnown(connection: object): boolean {
    return !this.#users || this.#known.has(connection)
  }

  /** It could not show who it is: its connection ends behind the answer that says so. */
  isRefused(connection: object): boolean {
    return this.#refused.has(connection)
  }

  takesBareTokens(connection: object): boolean {
    return this.#bare.has(connection)
  }

  mayAsk(connection: object, api: ApiName): boolean {
    return this.isKnown(connection) || OPEN.includes(api)
  }

  /** `bare`: what follows are tokens, and no requests around them. False: there is no such mechanism. */
  begin(connection: object, mechanism: string, bare: boolean): boolean {
    if (!this.#users || !MECHANISMS.includes(mechanism)) {
      this.#refused.add(connection)
      return false
    }
    this.#known.delete(connection)
    if (bare) this.#bare.add(connection)
    this.#exchanges.set(connection, mechanism === 'PLAIN' ? this.#plain() : this.#scram(SCRAM[mechanism as keyof typeof SCRAM]))
    return true
  }

  /** Undefined: no exchange has begun. Throws AuthenticationError. */
  step(connection: object, token: Buffer): Buffer | undefined {
    const mechanism = this.#exchanges.get(connection)
    if (!mechanism) {
      this.#refused.add(connection)
      return undefined
    }
    try {
      const { answer, done } = mechanism(token)
      if (!done) return answer
      this.#known.add(connection)
      this.#end(connection)
      return answer
    } catch (error) {
      this.#refused.add(connection)
      this.#end(connection)
      throw error
    }
  }

  #end(connection: object): void {
    this.#exchanges.delete(connection)
    this.#bare.delete(connection)
  }

  #passwordOf(user: string): string | undefined {
    return this.#users && Object.hasOwn(this.#users, user) ? this.#users[user] : undefined
  }

  /** `authorization NUL user NUL password`. */
  #plain(): Mechanism {
    return token => {
      const [as, user, password, ...rest] = token.toString('utf8').split('\0')
      const refused = user === undefined || password === undefined || rest.length > 0 || (as !== '' && as !== user)
      if (refused || this.#passwordOf(user) !== password) throw new AuthenticationError()
      return { answer: Buffer.alloc(0), done: true }
    }
  }

  #scram(hash: 'sha256' | 'sha512'): Mechanism {
    let first: { bare: string; server: string; nonce: string; salted: Buffer | undefined } | undefined
    const hmac = (key: Buffer, text: string | Buffer) => createHmac(hash, key).update(text).digest()
    return token => {
      const text = token.toString('utf8')
      if (!first) {
        const match = /^n,[^,]*,(n=([^,]*),r=([^,]+)(?:,.*)?)$/.exec(text)
        if (!match) throw new AuthenticationError('the first message is no SCRAM client’s')
        const [, bare, name, clientNonce] = match
        const password = this.#passwordOf(name!.replaceAll('=2C', ',').replaceAll('=3D', '='))
        const salt = this.#world.randomBytes(16)
        const nonce = `${clientNonce}${this.#world.randomBytes(18).toString('hex')}`
        const server = `r=${nonce},s=${salt.toString('base64')},i=${ITERATIONS}`
        const size = hash === 'sha256' ? 32 : 64
        const salted = password === undefined ? undefined : pbkdf2Sync(password, salt, ITERATIONS, size, hash)
        first = { bare: bare!, server, nonce, salted }
        return { answer: Buffer.from(server), done: false }
      }
      const match = /^(c=[^,]*,r=([^,]*)(?:,[^p][^,]*)*),p=([A-Za-z0-9+/=]+)$/.exec(text)
      const { bare, server, nonce, salted } = first
      if (!match || match[2] !== nonce || !salted) throw new AuthenticationError()
      const signed = `${bare},${server},${match[1]}`
      const clientKey = hmac(salted, 'Client Key')
      const storedKey = createHash(hash).update(clientKey).digest()
      const signature = hmac(storedKey, signed)
      const proof = Buffer.from(match[3]!, 'base64')
      const wanted = Buffer.from(clientKey.map((byte, index) => byte ^ signature[index]!))
      if (proof.length !== wanted.length || !timingSafeEqual(proof, wanted)) throw new AuthenticationError()
      return { answer: Buffer.from(`v=${hmac(hmac(salted, 'Server Key'), signed).toString('base64')}`), done: true }
    }
  }
}
