/**
 * Which version is spoken: the highest of both sides, within the caller's limits; and what is said when there is none.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BrokerError } from '../../src/model/errors.ts'
import type { ResponseOf } from '../../src/wire/apis.ts'
import { API_TABLE } from '../../src/wire/messages/index.ts'
import { chooseVersion, parseApiVersions } from '../../src/wire/versions.ts'

const [METADATA, FETCH] = [3, 1]
const ours = API_TABLE.Metadata.versions

const broker = (...apis: [key: number, min: number, max: number][]) =>
  parseApiVersions({
    errorCode: 0,
    apiKeys: apis.map(([apiKey, minVersion, maxVersion]) => ({ apiKey, minVersion, maxVersion }))
  } as unknown as ResponseOf<'ApiVersions'>)

const refused = (run: () => unknown, words: RegExp) =>
  assert.throws(run, (error: unknown) => {
    assert.ok(error instanceof BrokerError)
    assert.equal(error.code, 'UNSUPPORTED_VERSION')
    assert.deepEqual(error.kafka, { code: 35, name: 'UNSUPPORTED_VERSION' })
    assert.deepEqual(error.details, { api: 'Metadata' })
    assert.match(error.message, words)
    return true
  })

test('the highest version of both sides is spoken', () => {
  assert.equal(chooseVersion(broker([METADATA, 0, 5]), 'Metadata'), 5)
  assert.equal(chooseVersion(broker([METADATA, 0, 30_000]), 'Metadata'), ours[1])
  assert.equal(chooseVersion(broker([METADATA, ours[1], 30_000]), 'Metadata'), ours[1])
})

test('limits of the caller hold', () => {
  assert.equal(chooseVersion(broker([METADATA, 0, 12]), 'Metadata', { maxVersion: 8 }), 8)
  assert.equal(chooseVersion(broker([METADATA, 0, 12]), 'Metadata', { minVersion: 10 }), 12)
  refused(() => chooseVersion(broker([METADATA, 0, 9]), 'Metadata', { minVersion: 10 }), /Metadata in versions 10 to \d+.*0 to 9/)
  refused(() => chooseVersion(broker([METADATA, 9, 12]), 'Metadata', { maxVersion: 8 }), /Metadata in versions 0 to 8.*9 to 12/)
})

test('where there is none, the error names both ranges', () => {
  refused(
    () => chooseVersion(broker([METADATA, ours[1] + 1, ours[1] + 3]), 'Metadata'),
    new RegExp(`0 to ${ours[1]}.*${ours[1] + 1} to ${ours[1] + 3}`)
  )
  refused(() => chooseVersion(broker([FETCH, 0, 3]), 'Metadata'), /does not offer/)
  refused(() => chooseVersion(undefined, 'Metadata'), /not said yet/)
})

test('what a broker says is not trusted: unknown keys and upside-down ranges are left out', () => {
  const versions = broker([9_999, 0, 1], [-5, 0, 1], [FETCH, 5, 2], [METADATA, 1, 2])
  assert.equal(versions.range('Fetch'), undefined)
  assert.equal(versions.highest('Fetch'), undefined)
  assert.deepEqual(versions.range('Metadata'), { min: 1, max: 2 })
})
