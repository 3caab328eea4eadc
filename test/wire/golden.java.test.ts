/**
 * The kept bytes of `test/fixtures/wire-golden.json` are what Java writes for the samples, today as then: one line per message and version.
 * With SAMSA_UPDATE_FIXTURES set they are written anew.
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { CodecOracle, JAR_SETS } from './codec-oracle.ts'
import { allDefinitions, encode } from './definitions.ts'
import { goldenFile, goldenSamples, sampleOf } from './golden.ts'
import { javaJson } from './random-message.ts'

const oracles: CodecOracle[] = []

before(async () => {
  // The newest first: it judges what it has, the older one the rest.
  for (const set of [...JAR_SETS].reverse()) oracles.push(await CodecOracle.start(set))
})
after(() => {
  for (const oracle of oracles) oracle.close()
})

test('the kept bytes are those of Java', async () => {
  const definitions = await allDefinitions()
  const ranges = await Promise.all(oracles.map(oracle => oracle.versions(definitions.map(({ name }) => name))))
  const messages: string[] = []
  for (const definition of definitions) {
    const lines: string[] = []
    for (let version = definition.versions[0]; version <= definition.versions[1]; version++) {
      const judge = ranges.findIndex(of => {
        const range = of.get(definition.name)
        return range && version >= range[0] && version <= range[1]
      })
      assert.notEqual(judge, -1, `${definition.name} ${version} is in neither release`)
      const kept = Array.from({ length: goldenSamples }, async (_, number) => {
        const value = sampleOf(definition, version, number)
        const json = javaJson(definition.fields, value, version)
        const ours = encode(definition, version, value).toString('hex')
        return (await oracles[judge]!.exchange(definition.name, version, json, ours)).written
      })
      lines.push(`  "${version}": ${JSON.stringify(await Promise.all(kept))}`)
    }
    messages.push(` "${definition.name}": {\n${lines.join(',\n')}\n }`)
  }
  const text = `{\n${messages.join(',\n')}\n}\n`
  if (process.env.SAMSA_UPDATE_FIXTURES) writeFileSync(goldenFile, text)
  assert.deepEqual(JSON.parse(readFileSync(goldenFile, 'utf8')), JSON.parse(text))
})
