/**
 * Clients with a native part, built from their sources for the Node that measures (their prebuilt files lie where not everybody may fetch), once,
 * into the cache folder. They need a C++ compiler, Python and librdkafka's libraries; what is missing is said, and the client left out.
 */
import { execFile } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { hashOf, once, run } from '../test/support/maven.ts'
import { npmManifest } from '../test/support/npm.ts'

const installLimitMs = 5 * 60_000
const buildLimitMs = 40 * 60_000
const debianPackages = 'g++ make python3 libcurl4-openssl-dev libssl-dev libsasl2-dev libzstd-dev liblz4-dev zlib1g-dev'

export interface NativePart {
  /** The package with a `binding.gyp`. */
  name: string
  gyp?: string[]
  environment?: Record<string, string>
}

/** A folder of the cache in whose `node_modules` these packages are, the native ones built. Rejects with what to do. */
export function nativePackages(node: string, dependencies: Record<string, string>, parts: NativePart[]): Promise<string> {
  const what = Object.keys(dependencies).join(', ')
  return once('bench', `native-${hashOf(npmManifest(dependencies), node)}`, async work => {
    console.error(`installing and building ${what}, once; this takes some minutes`)
    writeFileSync(join(work, 'package.json'), npmManifest(dependencies))
    const failure = await run(
      'npm',
      ['install', '--prefix', work, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
      installLimitMs
    )
    if (failure) throw new Error(`npm could not install ${what}\n${failure}`)
    for (const part of parts) await build(node, join(work, 'node_modules', part.name), part)
  })
}

async function build(node: string, folder: string, { name, gyp = [], environment = {} }: NativePart): Promise<void> {
  const args = [await nodeGyp(), 'configure', 'build', ...gyp.map(arg => arg.replaceAll('{folder}', folder))]
  // The headers lie beside the binary; `make` must not be told of jobs that are not its own.
  const { MAKEFLAGS: _, ...rest } = process.env
  const env = { ...rest, ...environment, npm_config_nodedir: dirname(dirname(node)), PATH: `${dirname(node)}:${process.env.PATH}` }
  await new Promise<void>((resolve, reject) => {
    execFile(node, args, { cwd: folder, env, timeout: buildLimitMs, maxBuffer: 256 << 20 }, (error, stdout, stderr) => {
      if (!error) return resolve()
      const tail = `${stdout}\n${stderr}`.trim().split('\n').slice(-8).join('\n')
      reject(new Error(`${name} could not be built. On Debian it needs: apt-get install ${debianPackages}\n${tail}`))
    })
  })
}

/** The one that npm brings along. */
async function nodeGyp(): Promise<string> {
  const root = await new Promise<string>((resolve, reject) =>
    execFile('npm', ['root', '--global'], (error, stdout) => (error ? reject(error) : resolve(stdout.trim())))
  )
  const require = createRequire(join(root, 'npm', 'package.json'))
  const found = join(dirname(require.resolve('node-gyp/package.json')), 'bin', 'node-gyp.js')
  if (!existsSync(found)) throw new Error('npm has no node-gyp beside it; install npm 10 or newer')
  return found
}
