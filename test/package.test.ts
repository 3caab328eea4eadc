/**
 * The package as a user gets it: packed, installed from the tarball into an empty folder, imported there. No install script may be in
 * the tree, and `npm ci` must accept the lockfile that such an install leaves.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { npmPackages } from './support/npm.ts'

interface Manifest {
  name: string
  scripts?: Record<string, string>
  dependencies?: Record<string, string>
  bin: Record<string, string>
}

const root = fileURLToPath(new URL('..', import.meta.url))
/** Not ours to depend on: the page's example is run with it. */
const VITEST = '3.2.4'
const folder = mkdtempSync(join(tmpdir(), 'samsa-package-'))
const user = join(folder, 'user')
const installed = join(user, 'node_modules', 'samsa')

/** A user has no .npmrc like ours, so scripts would run. */
function npm(cwd: string, ...args: string[]): string {
  return run(cwd, 'npm', ...args, '--ignore-scripts=false', '--no-audit', '--no-fund', '--loglevel=error')
}

function run(cwd: string, file: string, ...args: string[]): string {
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_config_ignore|NODE_)/.test(name)))
  return execFileSync(file, args, { cwd, env: environment, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

function manifests(within: string): { path: string; manifest: Manifest }[] {
  return readdirSync(within, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name === 'package.json')
    .map(entry => join(entry.parentPath, entry.name))
    .map(path => ({ path, manifest: JSON.parse(readFileSync(path, 'utf8')) as Manifest }))
}

describe('the installed package', () => {
  before(() => {
    npm(root, 'pack', '--pack-destination', folder)
    const tarball = readdirSync(folder).find(name => name.endsWith('.tgz'))!
    mkdirSync(user)
    writeFileSync(join(user, 'package.json'), '{ "name": "user", "private": true }\n')
    npm(user, 'install', join(folder, tarball))
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  test('has no install script anywhere in its tree', () => {
    const found = manifests(join(user, 'node_modules'))
    assert.ok(found.length > 3)
    const scripted = found.filter(({ manifest: { scripts = {} } }) => scripts.preinstall ?? scripts.install ?? scripts.postinstall)
    assert.deepEqual(
      scripted.map(({ path }) => path),
      []
    )
    assert.ok(!readFileSync(join(user, 'package-lock.json'), 'utf8').includes('hasInstallScript'))
    assert.deepEqual(
      found.filter(({ manifest }) => /^(@msgpackr-extract|msgpackr|tsx|esbuild|typescript)/.test(manifest.name ?? '')),
      []
    )
    const gyp = readdirSync(join(user, 'node_modules'), { recursive: true, encoding: 'utf8' }).filter(path => path.endsWith('binding.gyp'))
    assert.deepEqual(gyp, [], 'npm compiles a package that has one, script or not')
  })

  test('leaves a lockfile that npm ci accepts', () => {
    npm(user, 'ci', '--dry-run')
  })

  test('is imported as an ES module and opens its public door', () => {
    writeFileSync(join(user, 'use.mjs'), "const door = await import('samsa')\nconsole.log(typeof door.connect, typeof door.ClusterActor)\n")
    assert.equal(run(user, process.execPath, 'use.mjs').trim(), 'function object')
    assert.ok(!readFileSync(join(installed, 'dist', 'index.js'), 'utf8').includes('require('))
  })

  test('has types that a strict user can compile against', () => {
    const use =
      "import { connect, type Cluster } from 'samsa'\nexport const cluster: Promise<Cluster> = connect('kafka://localhost:9092')\n"
    writeFileSync(join(user, 'use.mts'), use)
    const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--lib', 'es2023,esnext.disposable']
    const nodeTypes = ['--typeRoots', join(root, 'node_modules', '@types'), '--types', 'node']
    run(user, join(root, 'node_modules', '.bin', 'tsc'), ...flags, ...nodeTypes, 'use.mts')
  })

  test('opens its door for tests: the page about them runs as it is written, with node:test and with vitest', async () => {
    const page = readFileSync(join(root, 'docs', 'TESTING.md'), 'utf8')
    const files = [...page.matchAll(/<!-- file: (\S+) -->\n```js\n(.*?)```/gs)]
    assert.deepEqual(
      files.map(([, name]) => name),
      ['orders.test.mjs', 'orders.spec.mjs']
    )
    for (const [, name, text] of files) writeFileSync(join(user, name!), text!)
    assert.match(run(user, process.execPath, '--test', 'orders.test.mjs'), /^(# |ℹ )pass 2$/m)
    const vitest = await npmPackages('npm', `vitest-${VITEST}`, { vitest: VITEST })
    symlinkSync(join(vitest, 'node_modules', 'vitest'), join(user, 'node_modules', 'vitest'))
    const told = run(user, process.execPath, join(vitest, 'node_modules', 'vitest', 'vitest.mjs'), 'run', 'orders.spec.mjs', '--no-color')
    assert.match(told, /Tests\s+1 passed/)
  })

  test('carries what it says and nothing else', () => {
    const names = readdirSync(installed).filter(name => name !== 'node_modules')
    for (const name of ['LICENSE', 'README.md', 'CHANGELOG.md', 'dist', 'bin', 'package.json'])
      assert.ok(names.includes(name), `${name} is missing`)
    assert.equal(names.length, 6, names.join())
    assert.ok(existsSync(join(installed, 'dist', 'vendor', 'msgpackr', 'LICENSE')))
    for (const entry of readdirSync(join(installed, 'dist'), { recursive: true, encoding: 'utf8' })) {
      if (!/\.(js|d\.ts)$/.test(entry) || entry.includes('vendor')) continue
      const text = readFileSync(join(installed, 'dist', entry), 'utf8')
      assert.ok(!/(from|import\() *['"]msgpackr/.test(text), `${entry} imports msgpackr, which is not a dependency`)
      assert.ok(!/(from|import\() *['"]\.[^'"]*\.ts['"]/.test(text), `${entry} imports a .ts file`)
    }
  })

  test('has a command that tells how it is used', () => {
    const { bin } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Manifest
    assert.deepEqual(Object.keys(bin), ['samsa'])
    assert.match(run(user, join(user, 'node_modules', '.bin', 'samsa'), '--help'), /samsa/)
  })
})
