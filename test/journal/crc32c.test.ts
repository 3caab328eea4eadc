/** CRC-32C against the vectors of RFC 3720 B.4 and a second implementation. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { crc32c as reference } from '@node-rs/crc32'
import fc from 'fast-check'
import { crc32c } from '../../src/journal/crc32c.ts'

it('gives the checksums of RFC 3720', () => {
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa)
  assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43)
  assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e)
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283)
  assert.equal(crc32c(new Uint8Array(0)), 0)
})

it('agrees with another implementation on any range of any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(20), (bytes, start) => {
      const from = Math.min(start, bytes.length)
      assert.equal(crc32c(bytes, from), reference(Buffer.from(bytes.subarray(from))))
    }),
    { seed: 1 }
  )
})
