/**
 * What the measurements need beside this package, installed once into the cache folder: the other clients, and the Node that all of
 * them run on. They are measured only; the package does not depend on them.
 */
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { command } from '../scripts/run-tests.ts'
import { cacheFolder, hashOf, once } from '../test/support/maven.ts'

const peers = { kafkajs: '2.2.4', '@platformatic/kafka': '2.12.1' }

/** The folder in whose `node_modules` the other clients are. */
export function peersFolder(): Promise<string> {
  const manifest = JSON.stringify({ private: true, dependencies: peers })
  return once('bench', `peers-${hashOf(manifest)}`, work => install(work, manifest, Object.keys(peers).join(', ')))
}

/** The Node to measure with: one for all, whatever runs this. */
export async function nodeBinary(major: string): Promise<string> {
  const name = `node-${process.platform}-${process.arch}`
  const manifest = JSON.stringify({ private: true, dependencies: { [name]: major } })
  const folder = await once('nodes', `${name}-${major}`, work => install(work, manifest, `Node ${major}`))
  return join(folder, 'node_modules', name, 'bin', 'node')
}

/** A copy of a build that stays as it is while others build again: answers with its dist. */
export function keepBuild(root: string, label: string): string {
  const folder = join(cacheFolder(), 'bench', `build-${label}-${process.pid}`)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true })
  cpSync(join(root, 'package.json'), join(folder, 'package.json'))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  return join(folder, 'dist')
}

async function install(work: string, manifest: string, what: string): Promise<void> {
  console.error(`installing ${what}, once`)
  writeFileSync(join(work, 'package.json'), manifest)
  const args = ['install', '--prefix', work, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  if (!(await command('npm', args))) throw new Error(`npm could not install ${what}`)
}
