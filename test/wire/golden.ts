/**
 * The samples that codecs are judged by, and where the bytes that Java wrote for them are kept.
 */
import { fileURLToPath } from 'node:url'
import type { Definition } from '../../src/wire/definition.ts'
import { Random, randomMessage, type Style, type Value } from './random-message.ts'

export const goldenFile = fileURLToPath(new URL('../fixtures/wire-golden.json', import.meta.url))
/** How many are kept of each message and version: everything and nothing. The rest is chance. */
export const goldenSamples = 2

const styles: Style[] = ['full', 'bare']

export function sampleOf(definition: Definition, version: number, number: number): Value {
  return randomMessage(definition, version, new Random(`${definition.name}:${version}:${number}`), styles[number] ?? 'random')
}
