/**
 * The whole client under random faults, in virtual time: 200 seeds, each a cluster, a publisher and a group of its own. `npm run sim` runs more of them.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runSeeds, type Told } from '../../scripts/sim.ts'
import { FAULTS } from '../sim/faults.ts'
import { ORDEALS } from '../sim/plan.ts'
import { prepare, simulate } from '../sim/run.ts'

const SEEDS = 200

describe('the simulation', () => {
  it('gives the same run, to the byte, for the same seed', async () => {
    await prepare()
    for (const seed of [1, 2, 3]) {
      const first = await simulate({ seed })
      const { digest, steps, virtualMs } = await simulate({ seed })
      assert.deepEqual(
        { digest, steps, virtualMs },
        { digest: first.digest, steps: first.steps, virtualMs: first.virtualMs },
        `seed ${seed}`
      )
    }
    assert.notEqual((await simulate({ seed: 4 })).digest, (await simulate({ seed: 7 })).digest)
  })

  it(`loses nothing, doubles nothing and owns nothing twice under ${SEEDS} seeds, in which every fault fires`, async () => {
    const all: Told[] = []
    await runSeeds({ from: 1, seeds: SEEDS, jobs: 2 }, told => all.push(told))
    const failed = all.filter(({ wrong }) => wrong.length > 0)
    const told = failed.map(({ seed, wrong }) => `npm run sim -- --seeds 1 --from ${seed}\n  ${wrong.join('\n  ')}`)
    assert.equal(failed.length, 0, told.join('\n'))
    assert.equal(all.length, SEEDS)
    const fired = new Set(all.flatMap(({ faults }) => Object.keys(faults ?? {})))
    const silent = [...Object.keys(FAULTS), ...ORDEALS].filter(name => !fired.has(name))
    assert.deepEqual(silent, [], 'faults that have not fired')
  })
})
