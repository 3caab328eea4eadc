/**
 * Who is measured, and how each is started. What they need beside this package is installed once into the cache folder; nothing of it is a
 * dependency, and a client that cannot be had is told and left out.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheFolder, classPath, hashOf, jarsFor, once, run } from '../test/support/maven.ts'
import { npmManifest, npmPackages } from '../test/support/npm.ts'
import { nativePackages } from './native.ts'

/** What is run: `command ...args <work> …`; JavaScript clients take their options as JSON, the others as `name=value`. */
export interface Runner {
  command: string
  args: string[]
  environment: Record<string, string>
  /** The adapter's name; undefined: no JavaScript. */
  adapter?: string
  /** More for the adapter. */
  more?: Record<string, unknown>
  /** Messages before the clock starts, at least: a virtual machine compiles what is hot only then. */
  warmAtLeast?: (count: number) => number
}

const bench = fileURLToPath(new URL('.', import.meta.url))
const root = join(bench, '..')
const worker = join(bench, 'worker.mjs')
const plain = { kafkajs: '2.2.4', '@platformatic/kafka': '2.12.1' }
const compileLimitMs = 10 * 60_000

/** The Node to measure with: one for all, whatever runs this. */
export async function nodeBinary(major: string): Promise<string> {
  const name = `node-${process.platform}-${process.arch}`
  const folder = await npmPackages('nodes', `${name}-${major}`, { [name]: major })
  return join(folder, 'node_modules', name, 'bin', 'node')
}

/** A copy of a build that stays as it is while others build again: answers with its dist. */
export function keepBuild(from: string, label: string): string {
  const folder = join(cacheFolder(), 'bench', `build-${label}-${process.pid}`)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  cpSync(join(from, 'dist'), join(folder, 'dist'), { recursive: true })
  cpSync(join(from, 'package.json'), join(folder, 'package.json'))
  symlinkSync(join(from, 'node_modules'), join(folder, 'node_modules'))
  return join(folder, 'dist')
}

function samsa(node: string, dist: string, adapter = 'samsa', more: Record<string, unknown> = {}): Runner {
  const { version } = JSON.parse(readFileSync(join(dist, '..', 'package.json'), 'utf8')) as { version: string }
  return { command: node, args: [worker], environment: { SAMSA_DIST: dist, SAMSA_VERSION: version }, adapter, more }
}

/** By name, in the order of the tables. `dist` is the build of now, `before` that of an older one. */
export function clients(dist: string, before?: string): Record<string, () => Promise<Runner>> {
  const ours = async (adapter?: string, more?: Record<string, unknown>, major = '24') => samsa(await nodeBinary(major), dist, adapter, more)
  /** With Node's cache of compiled code, which the application turns on; the first round fills it. */
  const cached = async (): Promise<Runner> => {
    const runner = await ours()
    return { ...runner, environment: { ...runner.environment, NODE_COMPILE_CACHE: join(dist, '..', 'compiled') } }
  }
  const native = (adapter: string, dependencies: Record<string, string>, gyp?: string[]) => async (): Promise<Runner> => {
    const node = await nodeBinary('24')
    const parts = Object.keys(dependencies).map(name => ({ name, ...(gyp ? { gyp, environment: { CKJS_LINKING: 'dynamic' } } : {}) }))
    return { command: node, args: [worker], environment: { BENCH_NATIVE: await nativePackages(node, dependencies, parts) }, adapter }
  }
  const confluent = { '@confluentinc/kafka-javascript': '1.10.1' }
  return {
    samsa: () => ours(),
    ...(before ? { before: async () => samsa(await nodeBinary('24'), before) } : {}),
    'samsa-actor': () => ours('samsa-actor'),
    'samsa-inspect': () => ours('samsa', { inspect: true }),
    'samsa-unrecorded': () => ours('samsa', { recorderMaxBytes: 0 }),
    'samsa-journal': () => ours('samsa', { journal: true }),
    'samsa-outbox': () => ours('samsa', { outbox: 'fsync' }),
    'samsa-outbox-written': () => ours('samsa', { outbox: 'written' }),
    'samsa-node20': () => ours('samsa', {}, '20'),
    'samsa-cached': cached,
    'samsa-zookeeper': () => ours('samsa', { byZooKeeper: true }),
    kafkajs: async () => javascript('kafkajs', await kafkajsFolder()),
    platformatic: async () => javascript('platformatic', await npmPackages('bench', `peers-${hashOf(npmManifest(plain))}`, plain)),
    confluent: native('confluent', confluent, confluentGyp),
    'confluent-events': native('confluent-events', confluent, confluentGyp),
    'node-rdkafka': native('node-rdkafka', { 'node-rdkafka': '3.6.1' }),
    java,
    'franz-go': franzGo,
    raw: async () => javascript('raw', '')
  }
}

async function javascript(adapter: string, folder: string): Promise<Runner> {
  return { command: await nodeBinary('24'), args: [worker], environment: { BENCH_PEERS: folder }, adapter }
}

/** With the native half of its lz4 package, its fastest. */
async function kafkajsFolder(): Promise<string> {
  return nativePackages(await nodeBinary('24'), { kafkajs: plain.kafkajs, 'kafkajs-lz4': '1.2.1', lz4: '0.6.5' }, [{ name: 'lz4' }])
}

/** What its own install script gives node-gyp, without asking for a prebuilt file. */
const confluentGyp = [
  '--module={folder}/build/Release/confluent-kafka-javascript.node',
  '--module_name=confluent-kafka-javascript',
  '--module_path={folder}/build/Release',
  '--napi_version=10',
  '--node_abi_napi=napi',
  '--napi_build_version=0',
  '--node_napi_label=node-v137'
]

async function java(): Promise<Runner> {
  const jars = await jarsFor('kafka-3.9.1')
  const source = join(bench, 'foreign', 'Bench.java')
  const classes = await once('bench', `java-${hashOf(readFileSync(source))}`, async work => {
    const failure = await run('javac', ['-cp', classPath(jars), '-d', work, source], compileLimitMs)
    if (failure) throw new Error(`Bench.java does not compile; it needs a JDK 17 or newer\n${failure}`)
  })
  return {
    command: 'java',
    args: ['-Xmx512m', '-cp', classPath(classes, jars), 'Bench'],
    environment: {},
    warmAtLeast: count => Math.min(500_000, count)
  }
}

async function franzGo(): Promise<Runner> {
  const source = join(bench, 'foreign', 'franz-go')
  const parts = ['main.go', 'go.mod', 'go.sum'].map(name => readFileSync(join(source, name)))
  const folder = await once('bench', `franz-go-${hashOf(...parts)}`, async work => {
    const failure = await run('go', ['-C', source, 'build', '-o', join(work, 'bench'), '.'], compileLimitMs)
    if (failure) throw new Error(`the franz-go adapter could not be built; it needs Go 1.22 or newer\n${failure}`)
  })
  return { command: join(folder, 'bench'), args: [], environment: {} }
}

/** Everything that a measurement may need. Says what could not be had; answers with the rest. */
export async function prepare(
  names: readonly string[],
  dist: string,
  before?: string
): Promise<{ runners: Map<string, Runner>; missing: Map<string, string> }> {
  const known = clients(dist, before)
  const runners = new Map<string, Runner>()
  const missing = new Map<string, string>()
  for (const name of names) {
    const make = known[name]
    if (!make) throw new Error(`there is no client ${name}: choose from ${Object.keys(known).join(', ')}`)
    try {
      runners.set(name, await make())
    } catch (error) {
      missing.set(name, (error as Error).message)
      console.error(`${name} is not measured: ${(error as Error).message}`)
    }
  }
  return { runners, missing }
}

export const projectFolder = root
