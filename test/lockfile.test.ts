/**
 * The lockfile serves every platform: npm writes only those optional packages that it could fetch where it ran, and `npm ci`
 * then refuses the file elsewhere.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

interface Locked {
  version?: string
  optionalDependencies?: Record<string, string>
}

const { packages } = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8')) as {
  packages: Record<string, Locked>
}

test('every optional package of every package is locked', () => {
  assert.ok(Object.keys(packages).length > 50)
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      name => !packages[`node_modules/${name}`]?.version && !packages[`${path}/node_modules/${name}`]?.version
    )
  )
  assert.deepEqual(missing, [])
})
