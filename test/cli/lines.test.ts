/**
 * Lines out of chunks: the same lines however the bytes are cut, bytes unchanged, memory bounded.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { LineSplitter, splitKey } from '../../src/cli/lines.ts'

function split(chunks: readonly Buffer[], maxBytes = 1_000): { lines: Buffer[]; tooLong: [number, number][] } {
  const lines: Buffer[] = []
  const tooLong: [number, number][] = []
  const splitter = new LineSplitter(maxBytes, {
    line: line => void lines.push(Buffer.from(line)),
    tooLong: (bytes, number) => void tooLong.push([bytes, number])
  })
  for (const chunk of chunks) {
    splitter.write(chunk)
    // A stream may use the memory of its chunk again.
    chunk.fill(0x21)
  }
  splitter.end()
  return { lines, tooLong }
}

const texts = (chunks: readonly string[]) => split(chunks.map(text => Buffer.from(text))).lines.map(String)

describe('lines of a stream', () => {
  test('a last line without a newline counts, an empty end does not', () => {
    assert.deepEqual(texts(['a\nb']), ['a', 'b'])
    assert.deepEqual(texts(['a\nb\n']), ['a', 'b'])
    assert.deepEqual(texts([]), [])
    assert.deepEqual(texts(['']), [])
    assert.deepEqual(texts(['\n\n']), ['', ''])
  })

  test('carriage returns belong to the line', () => {
    assert.deepEqual(texts(['a\r\nb']), ['a\r', 'b'])
  })

  test('any bytes, cut anywhere, come back as they were', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 })), parts => {
        const whole = Buffer.concat(parts)
        const { lines } = split(parts.map(part => Buffer.from(part)))
        const joined = Buffer.concat(lines.map(line => Buffer.concat([line, Buffer.from('\n')])))
        const expected = whole.length === 0 || whole.at(-1) === 0x0a ? whole : Buffer.concat([whole, Buffer.from('\n')])
        assert.deepEqual(joined, expected)
      })
    )
  })

  test('a line that is too long is reported with its length and skipped; the next one is read', () => {
    const { lines, tooLong } = split([Buffer.from('ok\n'), Buffer.alloc(30, 0x61), Buffer.alloc(30, 0x61), Buffer.from('a\nnext')], 50)
    assert.deepEqual(lines.map(String), ['ok', 'next'])
    assert.deepEqual(tooLong, [[61, 2]])
  })

  test('exactly the allowed length passes', () => {
    assert.deepEqual(split([Buffer.from('12345\n123456\n')], 5).tooLong, [[6, 2]])
    assert.deepEqual(split([Buffer.from('123'), Buffer.from('45\n')], 5).lines.map(String), ['12345'])
  })
})

test('a key ends at the first separator, of any length; without one there is no key', () => {
  const of = (line: string, separator?: string) => {
    const { key, value } = splitKey(Buffer.from(line), separator === undefined ? undefined : Buffer.from(separator))
    return [key === null ? null : String(key), String(value)]
  }
  assert.deepEqual(of('a:b:c', ':'), ['a', 'b:c'])
  assert.deepEqual(of('a=>b', '=>'), ['a', 'b'])
  assert.deepEqual(of(':b', ':'), ['', 'b'])
  assert.deepEqual(of('plain', ':'), [null, 'plain'])
  assert.deepEqual(of('a:b'), [null, 'a:b'])
})
