/**
 * `npm run build`: src to dist (ESM and types), and msgpackr with it. msgpackr's optional native part has an install script, which no user
 * should run, and a bundled dependency that misses an optional part breaks their `npm ci`: so its four plain files travel inside dist.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { command } from './run-tests.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')
const vendored = join(dist, 'vendor', 'msgpackr')
const vendoredFiles = ['index.js', 'index.d.ts', 'pack.js', 'unpack.js', 'iterators.js', 'LICENSE']

rmSync(dist, { recursive: true, force: true })
if (await command(join(root, 'node_modules', '.bin', 'tsc'), ['-p', 'tsconfig.build.json'])) {
  mkdirSync(vendored, { recursive: true })
  for (const file of vendoredFiles) copyFileSync(join(root, 'node_modules', 'msgpackr', file), join(vendored, file))
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name)
    if (entry.isFile() && /\.(js|d\.ts)$/.test(entry.name) && !file.startsWith(vendored)) redirect(file)
  }
} else {
  process.exitCode = 1
}

/** Imports of msgpackr become imports of the copy, and those of `.ts` in type declarations, which tsc leaves, become `.js`. */
function redirect(file: string): void {
  const source = readFileSync(file, 'utf8')
  const path = relative(dirname(file), join(vendored, 'index.js')).split(sep).join('/')
  let changed = source.replace(/(from\s+|import\()(['"])msgpackr(?:\/[a-z-]+)?\2/g, `$1'${path.startsWith('.') ? path : `./${path}`}'`)
  if (file.endsWith('.d.ts')) changed = changed.replace(/((?:from\s+|import\s*\(?\s*)(['"])\.[^'"]*)\.ts\2/g, '$1.js$2')
  if (changed !== source) writeFileSync(file, changed)
}
