import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { SOFTWARE } from '../../src/model/software.ts'

test('brokers are told the name and version of the package', () => {
  const { name, version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  assert.deepEqual(SOFTWARE, { clientSoftwareName: name, clientSoftwareVersion: version })
})
