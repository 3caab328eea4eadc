/**
 * Runs `program.ts` as users run this package: joined by esbuild (what tsx adds to each closure would be counted), in a process that collects
 * nothing while it counts.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Figures, Work } from './figures.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const RUN_LIMIT_MS = 60_000
/** MiB of young objects: more than any window takes. */
const YOUNG_MIB = 256
/** One thread: what is compiled when is the same in each run, so that the bytes are the same within a percent. */
const FLAGS = [
  '--single-threaded',
  '--expose-gc',
  `--max-semi-space-size=${YOUNG_MIB}`,
  `--min-semi-space-size=${YOUNG_MIB}`,
  '--max-old-space-size=2048'
]

export interface HotPath {
  /** With `sites`: also where the bytes are taken. */
  count(work: Work, wish?: 'sites'): Promise<Figures>
  end(): void
}

export async function hotPath(): Promise<HotPath> {
  const folder = mkdtempSync(join(tmpdir(), 'samsa-hot-path-'))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const program = join(folder, 'program.mjs')
  const entry = fileURLToPath(new URL('program.ts', import.meta.url))
  await build({
    ...{ entryPoints: [entry], outfile: program, bundle: true, packages: 'external' },
    ...{ format: 'esm', platform: 'node', target: 'node20.19', logLevel: 'warning' }
  })
  return {
    count: (work, wish) =>
      new Promise((resolve, reject) => {
        const limits = { timeout: RUN_LIMIT_MS, killSignal: 'SIGKILL', env: { ...process.env, NODE_OPTIONS: '' } } as const
        execFile(process.execPath, [...FLAGS, program, work, ...(wish ? [wish] : [])], limits, (error, stdout, stderr) => {
          const line = stdout.split('\n').find(each => each.startsWith('RESULT '))
          if (line) resolve(JSON.parse(line.slice(7)) as Figures)
          else reject(new Error(`"${work}" was not counted: ${error?.killed ? `no end in ${RUN_LIMIT_MS} ms` : stderr}`))
        })
      }),
    end: () => rmSync(folder, { recursive: true, force: true })
  }
}
