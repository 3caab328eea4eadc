/**
 * What is fuzzed: something that reads bytes of strangers, with valid inputs for it, and what it may do with any others.
 */
import { LimitError, ProtocolError, RegistryError } from '../../src/model/errors.ts'
import { ZooKeeperError } from '../../src/registry/zookeeper/errors.ts'
import type { Random } from '../wire/random-message.ts'
import type { Seed } from './seed.ts'

export interface Target {
  name: string
  /** Valid inputs, made by chance: hostile ones are made of them. */
  pool(random: Random): Seed[]
  /**
   * Reads an input to its end, everything that samsa ever looks at in it. Throws what samsa would tell: see `isTyped`. What else it throws (a
   * failed assertion, too) is a finding. It must not change the input.
   */
  read(bytes: Buffer, random: Random): void
  /** What reading it may take in memory, beside so many times the input's size. Default 1 MiB. */
  fixedBytes?: number
  /** So many times the input's size. Default 64: an empty object for every byte and a list that holds them. */
  timesInput?: number
  /** In the long lane a tenth of the inputs that others get: there are many like it. */
  oneOfMany?: boolean
}

/** Is this how samsa refuses bytes? */
export function isTyped(error: unknown): boolean {
  return error instanceof ProtocolError || error instanceof LimitError || error instanceof RegistryError || error instanceof ZooKeeperError
}
