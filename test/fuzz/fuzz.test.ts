/**
 * A hundredth of what the long lane does (`npm run fuzz`): 10,000 hostile inputs for each reader of strangers' bytes, 1,000 for the answers of each
 * API. SAMSA_FUZZ_SEED asks for other ones.
 */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { inputsOf, told } from '../../scripts/fuzz.ts'
import { fuzz } from './pool.ts'
import { targetNames } from './targets/index.ts'

const INPUTS = 10_000
const seed = Number(process.env.SAMSA_FUZZ_SEED ?? 20_261)

it(`hostile bytes are read or refused by a typed error, soon, and within memory bounded by them (seed ${seed})`, async t => {
  const inputs = inputsOf({ inputs: INPUTS, targets: [...targetNames] })
  const tallies = await fuzz(inputs, { seed, from: 0, jobs: 2, cuts: 6 })
  assert.equal(tallies.size, targetNames.length)
  for (const [target, { findings, ...tally }] of tallies) {
    assert.deepEqual(findings.map(told), [])
    assert.equal(tally.inputs, inputs.get(target), target)
    // Neither all refused, which would not reach deep, nor all taken, which would hurt nobody.
    assert.ok(tally.refused > tally.inputs / 50 && tally.taken > tally.inputs / 500, `${target}: ${JSON.stringify(tally)}`)
  }
  t.diagnostic(`${[...tallies.values()].reduce((sum, tally) => sum + tally.inputs + tally.cuts, 0)} inputs`)
})
