/** The reader of msgpack: all that the packer writes, and nothing of what hostile bytes would like. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Packr } from 'msgpackr/pack'
import { readMsgpack } from '../../src/journal/msgpack.ts'
import { ProtocolError } from '../../src/model/errors.ts'

const packr = new Packr({ useBigIntExtension: true, useToJSON: false })
const round = (value: unknown) => readMsgpack(packr.pack(value))
const hex = (text: string) => readMsgpack(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const refused = (text: string, why: RegExp) =>
  assert.throws(
    () => hex(text),
    (error: unknown) => error instanceof ProtocolError && error.code === 'MSGPACK_INVALID' && why.test(error.message)
  )

describe('readMsgpack', () => {
  it('reads back any plain data that the packer writes', () => {
    const leaf = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.double({ noNaN: false }).filter(n => !Object.is(n, -0)),
      fc.maxSafeInteger(),
      fc.bigInt(),
      fc.boolean(),
      fc.constant(null),
      fc.constant(undefined)
    )
    const { value } = fc.letrec<{ value: unknown }>(tie => ({
      value: fc.oneof(
        { depthSize: 'small' },
        leaf,
        fc.array(tie('value')),
        fc.dictionary(
          fc.string().filter(key => key !== '__proto__'),
          tie('value')
        )
      )
    }))
    fc.assert(
      fc.property(fc.array(value), list => {
        assert.deepEqual(round(list), structuredClone(list))
      }),
      { numRuns: 250, seed: 1 }
    )
  })

  it('reads every size of texts, lists and numbers', () => {
    for (const length of [0, 31, 32, 255, 256, 65_535, 65_536]) {
      assert.equal(round('é'.repeat(length)), 'é'.repeat(length))
      assert.deepEqual(round(new Array(length).fill(7)), new Array(length).fill(7))
    }
    for (const n of [
      0,
      63,
      64,
      127,
      128,
      255,
      256,
      65_535,
      65_536,
      2 ** 32 - 1,
      2 ** 32,
      2 ** 53,
      -1,
      -32,
      -33,
      -128,
      -129,
      -32_768,
      -32_769,
      -(2 ** 31),
      0.5
    ])
      assert.equal(round(n), n)
    for (const n of [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 64n - 1n, 2n ** 64n, -(2n ** 64n), 2n ** 200n]) assert.equal(round(n), n)
  })

  it('reads many record shapes, also when their ids are used again', () => {
    const rows = Array.from({ length: 500 }, (_, i) => ({ [`a${i % 150}`]: i, b: { [`c${i % 90}`]: [i] } }))
    assert.deepEqual(round(rows), rows)
  })

  it('takes __proto__ and constructor for keys like any other', () => {
    // {"__proto__": {"polluted": 1}}, as a map and as a record
    for (const text of [
      '81 a9 5f5f70726f746f5f5f 81 a8 706f6c6c75746564 01',
      'd47240 91 a9 5f5f70726f746f5f5f d47241 91 a8 706f6c6c75746564 01'
    ]) {
      const read = hex(text) as Record<string, unknown>
      assert.deepEqual(Object.keys(read), ['__proto__'])
      assert.equal(Object.getPrototypeOf(read), Object.prototype)
      assert.equal(read.polluted, undefined)
    }
    assert.equal(({} as Record<string, unknown>).polluted, undefined)
    assert.deepEqual(round({ constructor: { prototype: { x: 1 } } }), { constructor: { prototype: { x: 1 } } })
  })

  it('refuses lengths that the bytes cannot hold, before it allocates', () => {
    const before = process.memoryUsage().heapUsed
    refused('dd ffffffff', /cannot lie/)
    refused('df 7fffffff 00', /cannot lie/)
    refused('db ffffffff 61', /announced/)
    refused('c7 ff 42 01', /announced/)
    refused('d9 05 61', /announced/)
    assert.ok(process.memoryUsage().heapUsed - before < 16 * 1024 * 1024)
  })

  it('refuses what is never written', () => {
    refused('', /announced/)
    refused('01 01', /left after/)
    refused('40', /not defined/)
    refused('c1', /never written/)
    refused('c4 01 00', /never written/)
    refused('d6 ff 00000000', /never written/)
    refused('d4 01 00', /extension 1/)
    refused('d47240 01', /list of keys/)
    refused('d47240 91 01 01', /not a string/)
    refused('91'.repeat(200), /nested deeper/)
  })

  it('answers any bytes with data or a ProtocolError', () => {
    const seeds = [
      packr.pack([
        { type: 'A', n: 1n, list: [1, 'x', null, undefined] },
        { type: 'B', n: 2n, list: [] }
      ]),
      packr.pack({ a: { b: { c: 1.5 } } })
    ]
    fc.assert(
      fc.property(
        fc.constantFrom(...seeds),
        fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 4 }),
        fc.nat(80),
        (seed, flips, cut) => {
          const bytes = Buffer.from(seed.subarray(0, cut))
          for (const [at, byte] of flips) if (at < bytes.length) bytes[at] = byte
          try {
            readMsgpack(bytes)
          } catch (error) {
            assert.ok(error instanceof ProtocolError, String(error))
          }
        }
      ),
      { numRuns: 1_500, seed: 1 }
    )
  })
})
