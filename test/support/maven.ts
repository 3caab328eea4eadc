/**
 * Jars from Maven Central for the tests: `jarsFor('kafka-3.9.1')` resolves `poms/kafka-3.9.1.xml` once into a cache folder
 * outside the checkout and answers with that folder. Several processes may ask at once: one fetches, the others wait.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const pomFolder = fileURLToPath(new URL('./poms/', import.meta.url))
const lockWaitMs = 15 * 60_000
const fetchLimitMs = 10 * 60_000

/** What a pom weighs, for the progress line only. */
const sizes: Record<string, string> = { 'kafka-3.9.1': '56 MB', 'kafka-4': '65 MB', 'scala-1.1.1': '16 MB' }

/** Where fetched and compiled things are kept: `$SAMSA_CACHE`, else `~/.cache/samsa`. */
export function cacheFolder(): string {
  const folder = process.env.SAMSA_CACHE || join(homedir(), '.cache', 'samsa')
  mkdirSync(folder, { recursive: true })
  return folder
}

/**
 * The folder that holds the jars of `poms/<name>.xml`, fetched when it is not there yet.
 * @throws when Java or Maven is missing or the fetch fails; the message says what to do.
 */
export async function jarsFor(name: string): Promise<string> {
  const pom = join(pomFolder, `${name}.xml`)
  return once('jars', `${name}-${hashOf(readFileSync(pom))}`, async work => {
    const size = sizes[name] ? `, about ${sizes[name]}` : ''
    console.error(`fetching ${name} from Maven${size}, once`)
    const startedAt = Date.now()
    await copyDependencies(pom, work, name)
    console.error(`fetched ${name} in ${((Date.now() - startedAt) / 1000).toFixed(0)} s`)
  })
}

/** A class path of whole folders, for `java -cp`. */
export function classPath(...folders: string[]): string {
  return folders.flatMap(folder => [folder, join(folder, '*')]).join(':')
}

/** A short name for content: what was made from other content has another name. */
export function hashOf(...parts: (string | Uint8Array)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex').slice(0, 12)
}

/**
 * A folder of the cache, made at most once: `make` fills a work folder, which is renamed into place when it is complete, so that
 * a half-made one is never seen. One maker at a time in all processes (Maven's own repository does not like two).
 */
export async function once(kind: string, name: string, make: (workFolder: string) => Promise<void>): Promise<string> {
  const parent = join(cacheFolder(), kind)
  const target = join(parent, name)
  if (existsSync(target)) return target
  mkdirSync(parent, { recursive: true })
  const unlock = await lock(join(cacheFolder(), `${kind}.lock`), () => existsSync(target))
  try {
    if (existsSync(target)) return target
    const work = mkdtempSync(join(parent, '.making-'))
    try {
      await make(work)
      renameSync(work, target)
    } catch (error) {
      rmSync(work, { recursive: true, force: true })
      if (!existsSync(target)) throw error
    }
    return target
  } finally {
    unlock()
  }
}

/**
 * Takes the lock folder, or waits until `done()` says that there is nothing left to do. The folder comes into being with its
 * `pid` file inside, by a rename, which fails while another's is there. A dead owner's lock is taken away.
 */
async function lock(path: string, done: () => boolean): Promise<() => void> {
  const deadline = Date.now() + lockWaitMs
  let told = false
  while (!done()) {
    const mine = mkdtempSync(`${path}-`)
    writeFileSync(join(mine, 'pid'), String(process.pid))
    try {
      renameSync(mine, path)
      return () => rmSync(path, { recursive: true, force: true })
    } catch {
      rmSync(mine, { recursive: true, force: true })
    }
    const owner = ownerOf(path)
    if (owner !== undefined && !alive(owner)) breakLock(path)
    else if (Date.now() > deadline)
      throw new Error(`waited ${lockWaitMs / 60_000} minutes for ${path}; if no test runs, delete it and try again`)
    else {
      if (!told) console.error(`waiting for process ${owner ?? '?'}, which fills the cache (${path})`)
      told = true
      await delay(200)
    }
  }
  return () => {}
}

function ownerOf(path: string): number | undefined {
  try {
    return Number(readFileSync(join(path, 'pid'), 'utf8')) || undefined
  } catch {
    return undefined
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Two may break the same stale lock; the worst that follows is the same work done twice, as results are renamed into place. */
function breakLock(path: string): void {
  const away = `${path}-stale-${process.pid}-${Date.now()}`
  try {
    renameSync(path, away)
    rmSync(away, { recursive: true, force: true })
  } catch {
    // Another process was quicker.
  }
}

async function copyDependencies(pom: string, folder: string, name: string): Promise<void> {
  await requireTool('java', ['-version'], 'a JDK (17 or newer)')
  await requireTool('mvn', ['-v'], 'Maven (3.8 or newer)')
  const args = ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${folder}`, '-DincludeScope=runtime']
  let failure = await run('mvn', args, fetchLimitMs)
  if (failure) {
    console.error(`fetching ${name} failed, trying once more: ${failure.split('\n')[0]}`)
    // -U: Maven remembers a failed download and would not ask again today.
    failure = await run('mvn', ['-U', ...args], fetchLimitMs)
  }
  if (failure) throw new Error(`Maven could not fetch ${name} (${pom}). Is Maven Central reachable?\n${failure}`)
  const jars = readdirSync(folder).filter(file => file.endsWith('.jar') && statSync(join(folder, file)).size > 0)
  if (jars.length === 0) throw new Error(`Maven ended well but left no jars for ${name} in ${folder}`)
}

/** @throws when a tool that the tests need is not on this machine. */
export async function requireTool(command: string, args: string[], what: string): Promise<void> {
  const failure = await run(command, args, 60_000)
  if (failure)
    throw new Error(`the tests against real Kafka need ${what}: \`${command}\` did not run. Install it and try again.\n${failure}`)
}

/** Runs a command to its end. Undefined: it went well; else the end of what it said. */
export function run(command: string, args: string[], limitMs: number): Promise<string | undefined> {
  return new Promise(resolve => {
    execFile(command, args, { timeout: limitMs, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      resolve(error ? `${error.message}\n${stdout}${stderr}`.slice(0, 4000) : undefined)
    })
  })
}
