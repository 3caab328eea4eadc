/**
 * What the measurements need beside this package, installed once into the cache folder: the other clients, and the Node that all of
 * them run on. They are measured only; the package does not depend on them.
 */
import { cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder, hashOf } from '../test/support/maven.ts'
import { npmManifest, npmPackages } from '../test/support/npm.ts'

const peers = { kafkajs: '2.2.4', '@platformatic/kafka': '2.12.1' }

/** The folder in whose `node_modules` the other clients are. */
export function peersFolder(): Promise<string> {
  return npmPackages('bench', `peers-${hashOf(npmManifest(peers))}`, peers)
}

/** The Node to measure with: one for all, whatever runs this. */
export async function nodeBinary(major: string): Promise<string> {
  const name = `node-${process.platform}-${process.arch}`
  const folder = await npmPackages('nodes', `${name}-${major}`, { [name]: major })
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
