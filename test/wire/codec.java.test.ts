/**
 * Every message in every version against Kafka's own generated classes, both ways, byte for byte: what Java writes is what we write,
 * what Java reads of ours is the value. Each version is judged by every release that has it.
 * With SAMSA_UPDATE_FIXTURES set, what Java wrote is kept for the tests that run without it (`codec.test.ts`).
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import type { Definition } from '../../src/wire/definition.ts'
import { CodecOracle, releases } from './codec-oracle.ts'
import { allDefinitions, decode, encode } from './definitions.ts'
import { goldenFile, goldenSamples, sampleOf, samples } from './golden.ts'
import { javaJson } from './random-message.ts'

describe('codecs against Java', () => {
  const oracles: CodecOracle[] = []
  const golden: Record<string, Record<string, string[]>> = {}
  let definitions: Definition[]

  before(async () => {
    definitions = await allDefinitions()
    for (const release of releases) oracles.push(await CodecOracle.start(release))
  })
  after(() => {
    for (const oracle of oracles) oracle.close()
  })

  it('writes and reads what Java does, in all messages and versions', async () => {
    const judged = new Set<string>()
    for (const [index, oracle] of oracles.entries()) {
      for (const definition of definitions) {
        const range = await oracle.range(definition.name)
        if (!range) continue
        const [low, high] = definition.versions
        assert.ok(range[0] >= low && range[1] <= high, `${definition.name}: ${releases[index]} has versions ${range}, we ${low},${high}`)
        for (let version = range[0]; version <= range[1]; version++) {
          await Promise.all(Array.from({ length: samples }, (_, number) => judge(oracle, definition, version, number)))
          judged.add(`${definition.name} ${version}`)
        }
      }
    }
    for (const { name, versions } of definitions)
      for (let version = versions[0]; version <= versions[1]; version++)
        assert.ok(judged.has(`${name} ${version}`), `${name} ${version} is in neither release`)
    if (process.env.SAMSA_UPDATE_FIXTURES) writeFileSync(goldenFile, goldenText(golden))
  })

  async function judge(oracle: CodecOracle, definition: Definition, version: number, number: number): Promise<void> {
    const what = `${definition.name} ${version}, sample ${number}`
    const value = sampleOf(definition, version, number)
    const ours = encode(definition, version, value)
    const java = await oracle.judge(definition.name, version, javaJson(definition.fields, value, version), ours).catch(error => {
      throw new Error(`${what}: ${error.message}`)
    })
    assert.equal(ours.toString('hex'), java.hex, `${what}: the bytes differ`)
    assert.ok(java.equal, `${what}: Java reads another value`)
    assert.equal(java.left, 0, `${what}: Java leaves bytes over`)
    assert.equal(java.again, java.hex, `${what}: Java writes our bytes back otherwise`)
    assert.deepEqual(decode(definition, version, Buffer.from(java.hex, 'hex')), value, `${what}: we read another value`)
    if (number < goldenSamples) ((golden[definition.name] ??= {})[version] ??= [])[number] = java.hex
  }
})

/** One line per message and version, so that a difference can be read. */
function goldenText(golden: Record<string, Record<string, string[]>>): string {
  const messages = Object.entries(golden).map(([name, versions]) => {
    const lines = Object.entries(versions).map(([version, hex]) => `  "${version}": ${JSON.stringify(hex)}`)
    return ` "${name}": {\n${lines.join(',\n')}\n }`
  })
  return `{\n${messages.join(',\n')}\n}\n`
}
