/**
 * Every row of the fault table in virtual time, under some seeds each: nothing lost, nothing doubled, in order, one owner; the same bytes for the same
 * seed. `npm run faults -- --embedded --seeds 100` runs more of them.
 */
import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { prepareScenes, problemsOf, runEmbedded } from './embedded.ts'
import { EMBEDDED } from './embedded-faults.ts'
import { FAULTS } from './table.ts'

const SEEDS = [1, 2, 3]

describe('the fault table, embedded', () => {
  before(prepareScenes)

  for (const fault of EMBEDDED)
    it(fault.name, async () => {
      for (const seed of SEEDS) {
        const result = await runEmbedded(fault, seed)
        assert.deepEqual(problemsOf(result, fault), [], `seed ${seed}`)
      }
    })

  it('gives the same run, to the byte, for the same seed', async () => {
    for (const fault of EMBEDDED.slice(0, 3))
      assert.equal((await runEmbedded(fault, 5)).digest, (await runEmbedded(fault, 5)).digest, fault.name)
  })

  it('has a scenario for each row of the real table', () => {
    const embedded = new Set(EMBEDDED.map(({ name }) => name))
    assert.deepEqual(
      FAULTS.map(({ name }) => name).filter(name => !embedded.has(name)),
      []
    )
  })
})
