/**
 * A planted bug that has lost its place plants nothing, and a catcher that is gone catches nothing.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { planted } from '../../scripts/mutants.ts'
import { MUTANTS } from './table.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

describe('the planted bugs', () => {
  for (const mutant of MUTANTS)
    it(`have their place: ${mutant.name}`, () => {
      const text = readFileSync(join(root, mutant.file), 'utf8')
      assert.notEqual(planted(mutant, text), text)
      if (typeof mutant.caughtBy === 'number') return assert.ok(mutant.caughtBy > 0)
      for (const file of mutant.caughtBy) assert.ok(existsSync(join(root, file)), `there is no ${file}`)
    })

  it('are twenty at least, each with a name of its own, half of them for the simulation', () => {
    assert.equal(new Set(MUTANTS.map(({ name }) => name)).size, MUTANTS.length)
    assert.ok(MUTANTS.length >= 20)
    assert.ok(MUTANTS.filter(({ caughtBy }) => typeof caughtBy === 'number').length * 2 >= MUTANTS.length)
  })
})
