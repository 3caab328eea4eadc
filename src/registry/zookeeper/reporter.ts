/**
 * What goes out of the ZooKeeper registry: levels only when they have changed or were asked for, quarantined nodes once per
 * reason, and a listener that throws contained.
 */
import { plainError, RegistryError, SamsaError } from '../../model/errors.ts'
import type { RegistryEvent, RegistryListener } from '../registry.ts'

/** So many nodes are quarantined one by one; memory must not grow with what a stranger writes. */
const maxQuarantined = 1_000

export class Reporter {
  #listener: RegistryListener | undefined
  /** The last told level of each subject, as JSON. */
  readonly #told = new Map<string, string>()
  /** Path of a quarantined node, and why. */
  readonly #quarantined = new Map<string, string>()
  #silenced = false

  /** Events go there from now on. */
  listen(listener: RegistryListener): void {
    this.#listener = listener
  }

  get isListening(): boolean {
    return this.#listener !== undefined
  }

  emit(event: RegistryEvent): void {
    if (this.#silenced) return
    try {
      this.#listener?.(event)
    } catch (error) {
      if (event.type === 'trouble') return
      const message = `A listener of registry events threw at "${event.type}": ${plainError(error).message}`
      this.trouble(new SamsaError('LISTENER_THREW', message, { cause: error }))
    }
  }

  /** Nothing goes out any more. */
  silence(): void {
    this.#silenced = true
  }

  /** Emits the level of a subject when it differs from what was told last, or when it was asked for. */
  level(subject: string, event: RegistryEvent, askedFor: boolean): void {
    const level = JSON.stringify(event)
    if (!askedFor && this.#told.get(subject) === level) return
    this.#told.set(subject, level)
    this.emit(event)
  }

  /** The next level of this subject is told whatever it is. */
  forget(subject: string): void {
    this.#told.delete(subject)
  }

  trouble(error: SamsaError): void {
    this.emit({ type: 'trouble', error: error.toJSON() })
  }

  /**
   * Reads a node's data with `parse`. Undefined: it cannot be used, which was told (once per reason).
   * @throws what is no RegistryError
   */
  judge<T>(path: string, parse: () => T): T | undefined {
    try {
      const value = parse()
      this.#quarantined.delete(path)
      return value
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error
      this.quarantine(path, error)
      return undefined
    }
  }

  quarantine(path: string, error: RegistryError): void {
    if (this.#quarantined.get(path) === error.message) return
    if (this.#quarantined.size >= maxQuarantined && !this.#quarantined.has(path)) {
      this.#tooMany()
      return
    }
    this.#quarantined.set(path, error.message)
    this.emit({ type: 'quarantine', path, error: error.toJSON() })
  }

  #tooMany(): void {
    const message = `More than ${maxQuarantined} nodes cannot be used; the others are left out without a word.`
    this.level('quarantine', { type: 'trouble', error: new RegistryError('ZNODE_INVALID', message).toJSON() }, false)
  }

  /** The node is gone, and with it the reason. */
  release(path: string): void {
    this.#quarantined.delete(path)
  }

  isQuarantined(path: string): boolean {
    return this.#quarantined.has(path)
  }
}
