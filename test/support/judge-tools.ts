/**
 * The clients of other runtimes that judge ours: kcat (librdkafka), kafka-python and kazoo. They set themselves up in the cache folder; one that cannot
 * is an error that says what to do, never a skip.
 */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { hashOf, once, requireTool, run } from './maven.ts'

export interface JudgeTool {
  command: string
  environment: Record<string, string>
}

const pythonPackages = ['kafka-python==3.0.12', 'lz4==4.4.5', 'python-snappy==0.7.3', 'zstandard==0.25.0', 'crc32c==2.9.post0']
const kazooPackages = ['kazoo==2.11.0', 'pytest==8.4.2', 'pytest-timeout==2.4.0', 'objgraph==3.7.0', 'gevent==26.9.0', 'eventlet==0.41.3']
const limitMs = 5 * 60_000

/** kcat as it is installed, or Debian's with the libraries it needs, unpacked beside the system. */
export async function kcatTool(): Promise<JudgeTool> {
  if ((await run('kcat', ['-V'], 10_000)) === undefined) return { command: 'kcat', environment: {} }
  const advice = 'Install kcat (Debian: apt-get install kcat) and try again.'
  const root = await once('judges', `kcat-${process.arch}`, async work => {
    console.error('fetching kcat, once')
    let packages = await missingPackages('kcat')
    if (packages.length === 0) {
      // No package lists yet: a fresh image.
      const failure = await run('apt-get', ['update'], limitMs)
      packages = failure === undefined ? await missingPackages('kcat') : []
      if (packages.length === 0) throw new Error(`kcat is not to be had from apt. ${advice}\n${failure ?? ''}`)
    }
    for (const name of packages) {
      const failure = await run(
        'sh',
        ['-c', 'cd "$1" && apt-get download "$2" && dpkg -x ./*.deb root && rm ./*.deb', 'sh', work, name],
        limitMs
      )
      if (failure) throw new Error(`${name} could not be fetched. ${advice}\n${failure}`)
    }
  })
  const folders = ['usr/lib', 'lib'].map(each => join(root, 'root', each)).filter(existsSync)
  const libraries = folders.flatMap(folder => [folder, ...readdirSync(folder).map(each => join(folder, each))])
  const tool = { command: join(root, 'root', 'usr', 'bin', 'kcat'), environment: { LD_LIBRARY_PATH: libraries.join(':') } }
  const failure = await run('env', [`LD_LIBRARY_PATH=${libraries.join(':')}`, tool.command, '-V'], 10_000)
  if (failure) throw new Error(`kcat was fetched but does not run. ${advice}\n${failure}`)
  return tool
}

/** What apt would install for it; none: it does not know the package. */
function missingPackages(name: string): Promise<string[]> {
  return new Promise(resolve => {
    execFile('apt-get', ['install', '--simulate', '--no-install-recommends', name], (error, stdout) => {
      resolve(error ? [] : [...stdout.matchAll(/^Inst (\S+)/gm)].map(match => match[1]!))
    })
  })
}

/** A Python that has kafka-python and every codec. */
export const pythonTool = (): Promise<JudgeTool> => pythonWith('kafka-python', pythonPackages)

/** A Python that has kazoo with its own tests, pytest, and the kinds of threads that kazoo can use. */
export const kazooTool = (): Promise<JudgeTool> => pythonWith('kazoo', kazooPackages)

/** A Python of its own with these packages. */
async function pythonWith(what: string, packages: readonly string[]): Promise<JudgeTool> {
  await requireTool('python3', ['--version'], 'Python (3.10 or newer)')
  const folder = await once('judges', `${what}-${hashOf(...packages)}`, async work => {
    console.error(`installing ${what} into an environment of its own, once`)
    const failure =
      (await run('python3', ['-m', 'venv', work], limitMs)) ??
      (await run(join(work, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', ...packages], limitMs))
    if (failure)
      throw new Error(`${what} could not be installed; Python needs its venv module (Debian: python3-venv) and PyPI.\n${failure}`)
  })
  return { command: join(folder, 'bin', 'python'), environment: { PYTHONUNBUFFERED: '1', PYTHONDONTWRITEBYTECODE: '1' } }
}
