/**
 * `npm run build`: src to dist. esbuild joins the modules (four doors, `index.js`, `testing.js`, `replay.js` and `cli/main.js`, and what they share; a package of 200 files takes
 * twice as long to import), tsc makes the types. msgpackr goes in with them: its optional native part has an install script, which no user should
 * run, and a bundled dependency that misses an optional part breaks their `npm ci`.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { command } from './run-tests.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')
const vendored = join(dist, 'vendor', 'msgpackr')
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: Record<string, string> }

rmSync(dist, { recursive: true, force: true })
if (await command(join(root, 'node_modules', '.bin', 'tsc'), ['-p', 'tsconfig.build.json'])) {
  await build({
    entryPoints: {
      index: join(root, 'src', 'index.ts'),
      testing: join(root, 'src', 'testing.ts'),
      replay: join(root, 'src', 'replay.ts'),
      'cli/main': join(root, 'src', 'cli', 'main.ts')
    },
    outdir: dist,
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    external: Object.keys(dependencies),
    legalComments: 'none',
    logLevel: 'warning'
  })
  mkdirSync(vendored, { recursive: true })
  copyFileSync(join(root, 'node_modules', 'msgpackr', 'LICENSE'), join(vendored, 'LICENSE'))
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true }))
    if (entry.isFile() && entry.name.endsWith('.d.ts')) redirect(join(entry.parentPath, entry.name))
} else {
  process.exitCode = 1
}

/** Imports of `.ts` in type declarations, which tsc leaves as they are. */
function redirect(file: string): void {
  const source = readFileSync(file, 'utf8')
  const changed = source.replace(/((?:from\s+|import\s*\(?\s*)(['"])\.[^'"]*)\.ts\2/g, '$1.js$2')
  if (changed !== source) writeFileSync(file, changed)
}
