/**
 * The figures of the table from what was seen: waits by partition, rebalances, damage; the partition of offsets in which Java has a group; and tables that keep
 * the rows which were not run.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { History } from '../checker/record.ts'
import { damageOf, longestWait, rebalancesOf } from './figures.ts'
import { coordinatingPartition } from './ground.ts'
import { writeTable } from './report.ts'

describe('the figures of a fault', () => {
  const seen = (...places: [atMs: number, partition: number][]) => places.map(([atMs, partition]) => ({ atMs, partition }))

  it('are the longest that any partition was without, from the fault on', () => {
    const acks = seen([90, 0], [90, 1], [110, 0], [150, 0], [400, 1], [410, 1], [420, 0])
    assert.equal(longestWait(acks, 2, 100), 300)
    assert.equal(longestWait(acks, 2, 160), 260)
  })

  it('count what comes back in pieces as the longest piece, whatever the order in which it was heard of', () => {
    assert.equal(longestWait(seen([300, 0], [150, 0], [120, 0]), 1, 100), 150)
  })

  it('count the assignments of the member that had most, after the fault', () => {
    const assignments = [
      [10, 200],
      [10, 20, 120, 130]
    ]
    assert.equal(rebalancesOf(assignments, 100), 2)
    assert.equal(rebalancesOf([[10], []], 100), 0)
  })

  it('tell what is lost, doubled and out of order', () => {
    const history = new History(() => 0)
    let at = 0
    const record = (process: string, f: 'send' | 'poll', value: unknown) => history.record(process, 'ok', f, value, at++)
    for (const [offset, value] of ['a', 'b', 'c', 'd'].entries()) record('p', 'send', [['send', 't/0', [offset, value]]])
    history.record('log', 'ok', 'assign', ['t/0'], at++)
    record('log', 'poll', [['poll', { 't/0': [[0, 'a']] }]])
    // b is lost, and a is there twice.
    record('log', 'poll', [
      [
        'poll',
        {
          't/0': [
            [2, 'c'],
            [3, 'd'],
            [4, 'a']
          ]
        }
      ]
    ])
    const { lost, doubled, disordered, acked } = damageOf(history.check({ mode: 'idempotent' }))
    assert.deepEqual({ lost, doubled, disordered, acked }, { lost: 1, doubled: 1, disordered: 1, acked: 4 })
  })
})

describe('the ground of the faults', () => {
  it('knows where Java coordinates a group', () => {
    assert.deepEqual(['', 'a', 'ab'].map(coordinatingPartition), [0, 97 % 6, (97 * 31 + 98) % 6])
    // Of this one the hash is -2147483648, of which there is no absolute value.
    assert.equal(coordinatingPartition('polygenelubricants'), 0)
  })
})

describe('the tables of the page', () => {
  it('keep the rows that were not run, in the order of the faults', () => {
    const folder = mkdtempSync(join(tmpdir(), 'samsa-faults-'))
    const page = join(folder, 'page.md')
    const head = '| fault | lost |\n| --- | --- |'
    try {
      writeFileSync(page, 'before\n<!-- real -->\n<!-- /real -->\nafter\n')
      writeTable(page, 'real', `${head}\n| b | 1 |\n| gone | 1 |`, ['a', 'b', 'gone'])
      writeTable(page, 'real', `${head}\n| a | 2 |\n| b | 3 |`, ['a', 'b'])
      assert.equal(readFileSync(page, 'utf8'), `before\n<!-- real -->\n${head}\n| a | 2 |\n| b | 3 |\n<!-- /real -->\nafter\n`)
      writeTable(page, 'real', `${head}\n| b | 4 |`, ['a', 'b'])
      assert.match(readFileSync(page, 'utf8'), /\| a \| 2 \|\n\| b \| 4 \|/)
      assert.throws(() => writeTable(page, 'proof', head, []), /no place/)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
