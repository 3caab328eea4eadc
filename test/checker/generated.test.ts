/**
 * Random histories with fixed seeds: a clean one is clean in every mode, and a fault that is planted into it is found, whatever is around it.
 * `SAMSA_CHECKER_SEEDS=10000` for more.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ANOMALIES, type AnomalyType, MODES } from './anomalies.ts'
import { check } from './checker.ts'
import { cleanHistory, randomOf } from './generate.ts'
import { MUTANTS } from './mutants.ts'
import { operationOf } from './operation.ts'

const seeds = Number(process.env.SAMSA_CHECKER_SEEDS ?? 8)
const histories = Array.from({ length: seeds }, (_, seed) => cleanHistory(seed, 300))
const numbered = <T extends object>(operations: readonly T[]) =>
  operations.map((operation, index) => ({ ...operation, index, time: index }))

test('clean histories are clean in every mode, and prove something', () => {
  for (const [seed, operations] of histories.entries())
    for (const mode of MODES) {
      const { valid, anomalies, summary } = check(operations, { mode, requireFaults: true })
      assert.equal(valid, true, `seed ${seed}, ${mode}: ${JSON.stringify(anomalies)} ${summary.missing}`)
      assert.ok(summary.acked > 30 && summary.commits > 10 && summary.read > 100, JSON.stringify(summary))
    }
})

test('a history survives its file', () => {
  const operations = histories[0]!
  const read = operations.map((operation, index) => operationOf(JSON.parse(JSON.stringify(operation)), index))
  assert.deepEqual(JSON.parse(JSON.stringify(read)), JSON.parse(JSON.stringify(operations)))
})

test('the same seed gives the same history', () => {
  assert.deepEqual(cleanHistory(3, 100), cleanHistory(3, 100))
})

for (const anomaly of Object.keys(ANOMALIES) as AnomalyType[])
  test(`${anomaly} is found in every history into which it is planted`, () => {
    let planted = 0
    for (const [seed, operations] of histories.entries()) {
      const random = randomOf(seed)
      const mutant = MUTANTS[anomaly](operations, list => list[Math.floor(random() * list.length)])
      if (!mutant) continue
      planted++
      const { anomalies } = check(numbered(mutant), { mode: 'read_committed', forbid: [anomaly] })
      const found = anomalies.map(each => each.anomaly)
      assert.ok(found.includes(anomaly), `seed ${seed}: ${JSON.stringify(anomalies)}`)
    }
    assert.ok(planted >= seeds / 2, `it could be planted into ${planted} of ${seeds} histories`)
  })
