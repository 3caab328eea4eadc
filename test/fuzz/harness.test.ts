/**
 * The fuzzer itself: what it makes is what it says, the same for the same seed, and planted mistakes are found, each as what it is.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fuzzArguments, inputsOf, told } from '../../scripts/fuzz.ts'
import { Random } from '../wire/random-message.ts'
import { mutated } from './mutate.ts'
import { fuzz } from './pool.ts'
import type { Finding } from './run.ts'
import { edited, encoded, type Field, numberAt, type Seed } from './seed.ts'

/** An outer length of two bytes around a varint length around three bytes. */
const nested: Seed = {
  what: 'nested',
  bytes: Buffer.from('000403aabbcc00', 'hex'),
  fields: [
    { at: 0, bytes: 2, kind: 'int16', covers: [2, 6] },
    { at: 2, bytes: 1, kind: 'uvarint', covers: [3, 6] }
  ]
}

describe('a change', () => {
  it('inside makes the lengths around it right, also when one of them takes more bytes by it', () => {
    const grown = edited(nested, [{ from: 4, to: 4, bytes: Buffer.alloc(130) }], true)
    assert.equal(grown.readInt16BE(0), 2 + 133)
    assert.equal(grown.subarray(2, 4).toString('hex'), '8501')
    assert.equal(grown.length, 2 + 2 + 133 + 1)
    assert.equal(edited(nested, [{ from: 3, to: 6, bytes: Buffer.alloc(0) }], true).toString('hex'), '00010000')
  })

  it('leaves them alone where it should, and one that is a lie itself stays one', () => {
    assert.equal(edited(nested, [{ from: 3, to: 6, bytes: Buffer.alloc(0) }], false).toString('hex'), '00040300')
    const lie = { from: 2, to: 3, bytes: Buffer.from('ffffffff0f', 'hex') }
    assert.equal(edited(nested, [lie], true).toString('hex'), '0008ffffffff0faabbcc00')
  })

  it('is the same for the same seed', () => {
    const all = (name: string) => Array.from({ length: 200 }, (_, i) => mutated([nested], new Random(`${name}/${i}`)).toString('hex'))
    assert.deepEqual(all('a'), all('a'))
    assert.notDeepEqual(all('a'), all('b'))
    assert.ok(new Set(all('a')).size > 100)
  })

  it('reads and writes numbers of every kind', () => {
    const kinds: [Field['kind'], string, bigint][] = [
      ['int8', 'ff', -1n],
      ['int16', '8000', -32_768n],
      ['int32', '7fffffff', 2_147_483_647n],
      ['int64', 'fffffffffffffffe', -2n],
      ['uint16le', '0102', 513n],
      ['uint24le', '010203', 197_121n],
      ['uint32le', 'feffffff', 4_294_967_294n],
      ['uvarint', 'ac02', 300n],
      ['varint', '03', -2n],
      ['varint', 'd804', 300n]
    ]
    for (const [kind, hex, value] of kinds) {
      const bytes = Buffer.from(hex, 'hex')
      assert.equal(numberAt({ at: 0, bytes: bytes.length, kind }, bytes), value, kind)
      assert.equal(encoded(kind, value).toString('hex'), hex, kind)
    }
  })
})

describe('a planted mistake', () => {
  const expected: Record<string, Finding['kind'] | null> = {
    'believes-lengths': 'memory',
    'reads-past-the-end': 'untyped',
    'believes-counts': 'memory',
    'never-ends': 'hang',
    'dies-of-it': 'crash',
    'writes-into-it': 'untyped',
    'is-as-it-should-be': null
  }

  it('is found, as what it is, and the others are not to blame', async () => {
    const inputs = new Map(Object.keys(expected).map(name => [name, 300]))
    const options = { seed: 1, from: 0, jobs: 2, cuts: 4, batchLimitMs: 6_000, inputLimitMs: 3_000 }
    const tallies = await fuzz(inputs, { ...options, worker: new URL('./planted-worker.ts', import.meta.url) })
    for (const [name, kind] of Object.entries(expected)) {
      const { findings } = tallies.get(name)!
      assert.deepEqual(kind === null ? findings : [...new Set(findings.map(finding => finding.kind))], kind === null ? [] : [kind], name)
    }
    const [small] = tallies.get('reads-past-the-end')!.findings
    assert.ok(small!.hex.length <= 16, `${small!.hex} could be made smaller`)
    const [last] = tallies.get('never-ends')!.findings
    assert.match(told(last!), new RegExp(`again: npm run fuzz -- --only never-ends --seed 1 --from ${Math.max(0, last!.input)} --inputs 1`))
  })
})

describe('the arguments of the fuzzer', () => {
  it('are a million inputs for every target, a tenth of that for the answers of each API', () => {
    const given = fuzzArguments([])
    assert.deepEqual([given.inputs, given.seed, given.from, given.jobs], [1_000_000, 1, 0, 2])
    const inputs = inputsOf(given)
    assert.equal(inputs.get('record-batch'), 1_000_000)
    assert.equal(inputs.get('response:Metadata'), 100_000)
    assert.deepEqual(fuzzArguments(['--only', 'compression']).targets.length, 4)
  })

  for (const args of [['--inputs', 'x'], ['--inputs', '0'], ['--only', 'nothing'], ['--jobs', '1e3'], ['--seeds', '1'], ['7']])
    it(`refuse ${args.join(' ')}`, () => assert.throws(() => fuzzArguments(args)))
})
