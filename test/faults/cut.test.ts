/**
 * The part of the fault table that every change must pass, on a real cluster of three brokers: `npm run test:faults`. All of it: `npm run faults`.
 */
import { after, before, describe, test } from 'node:test'
import { Ground } from './ground.ts'
import { realTable } from './report.ts'
import { runFault } from './run.ts'
import { FAULTS, type Result } from './table.ts'

const ROW_LIMIT_MS = 180_000

describe('the fault table, in short', () => {
  let ground: Ground
  const results: Result[] = []
  before(async () => {
    ground = await Ground.start()
  })
  after(async () => {
    await ground?.dispose()
    console.log(realTable(results))
  })

  for (const fault of FAULTS.filter(({ cut }) => cut))
    test(`${fault.name}: ${fault.holds}`, { timeout: ROW_LIMIT_MS }, async () => {
      results.push(await runFault(ground, fault))
    })
})
