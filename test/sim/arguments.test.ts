/**
 * What `npm run sim` may be told: a number that is none must not look like a run in which all went well.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { simArguments } from '../../scripts/sim.ts'

describe('the arguments of the simulation', () => {
  it('are 200 seeds from 1 on, by two processes', () => {
    assert.deepEqual(simArguments([]), { seeds: 200, from: 1, jobs: 2, verbose: false, untilFailure: false })
    const given = simArguments(['--seeds', '3', '--from=7', '--jobs', '1', '--verbose', '--until-failure'])
    assert.deepEqual(given, { seeds: 3, from: 7, jobs: 1, verbose: true, untilFailure: true })
  })

  for (const [args, what] of [
    [['--seeds', 'x'], /--seeds is 'x'/],
    [['--seeds', '0'], /from 1 to/],
    [['--seeds', ''], /--seeds is ''/],
    [['--seeds', '1e3'], /whole number/],
    [['--from=-1'], /--from is '-1'/],
    [['--from', '1.5'], /--from is '1.5'/],
    [['--jobs', '1000'], /from 1 to 64/],
    [['--seed', '1'], /--seed/],
    [['17'], /17/]
  ] as const)
    it(`refuse ${args.join(' ')}`, () => assert.throws(() => simArguments(args), what))
})
