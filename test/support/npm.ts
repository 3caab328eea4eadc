/**
 * Packages from npm that tests and measurements need beside this package: installed once into the cache folder, never dependencies of ours.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { once, run } from './maven.ts'

const limitMs = 5 * 60_000

/** A folder of the cache in whose `node_modules` these packages are. `name` must say what is in it. */
export function npmPackages(kind: string, name: string, dependencies: Record<string, string>): Promise<string> {
  return once(kind, name, async work => {
    const what = Object.keys(dependencies).join(', ')
    console.error(`installing ${what}, once`)
    writeFileSync(join(work, 'package.json'), npmManifest(dependencies))
    const args = ['install', '--prefix', work, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
    const failure = await run('npm', args, limitMs)
    if (failure) throw new Error(`npm could not install ${what}\n${failure}`)
  })
}

export function npmManifest(dependencies: Record<string, string>): string {
  return JSON.stringify({ private: true, dependencies })
}

/** The Node of a major version. */
export async function nodeOf(major: string): Promise<string> {
  const name = `node-${process.platform}-${process.arch}`
  const folder = await npmPackages('nodes', `${name}-${major}`, { [name]: major })
  return join(folder, 'node_modules', name, 'bin', 'node')
}
