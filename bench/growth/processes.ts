/**
 * What the measurements of growth stand on: a cluster that can hold thousands of partitions, one process per run, and this package as it was
 * built when the command began.
 */
import { execFile, execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Cluster, startCluster } from '../../test/support/cluster.ts'
import { keepBuild, nodeBinary } from '../peers.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const RUN_LIMIT_MS = 180_000
/** More at once take Java's admin client longer than it waits. */
const CREATED_AT_ONCE = 500

export interface Bench {
  /** Runs `script` (below `bench/`) with these arguments in a process of its own; answers with what it prints as `RESULT`. */
  run<T>(script: string, ...args: string[]): Promise<T>
  /** Runs it until `stop` is called, which answers with the same. */
  beside<T>(script: string, ...args: string[]): { stop(): Promise<T> }
  end(): void
}

/** Builds, and keeps the build: what others build meanwhile is not measured. */
export async function prepare(): Promise<Bench> {
  const node = await nodeBinary('24')
  execFileSync('npm', ['run', 'build', '--silent'], { cwd: root, stdio: 'inherit' })
  const dist = keepBuild(root, 'growth')
  const start = <T>(script: string, args: string[]) => {
    let stop = () => {}
    const result = new Promise<T>((resolve, reject) => {
      const options = { cwd: `${root}/bench`, env: { ...process.env, SAMSA_DIST: dist }, timeout: RUN_LIMIT_MS, maxBuffer: 16 << 20 }
      const child = execFile(node, [script, ...args], { ...options, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
        const line = stdout.split('\n').find(each => each.startsWith('RESULT '))
        if (line) resolve(JSON.parse(line.slice(7)) as T)
        else reject(new Error(`${script} ${args[0]}: ${error?.killed ? `not ready in ${RUN_LIMIT_MS / 1000} s` : stderr.slice(0, 600)}`))
      })
      stop = () => void child.stdin?.end()
    })
    return { result, stop }
  }
  return {
    run: (script, ...args) => start<never>(script, args).result,
    beside(script, ...args) {
      const { result, stop } = start<never>(script, args)
      return {
        stop() {
          stop()
          return result
        }
      }
    },
    end: () => rmSync(dirname(dist), { recursive: true, force: true })
  }
}

/** Brokers that keep everything in memory-sized files: the index of a segment takes 10 MB by default, and each partition has two. */
export function growthCluster(brokers: number): Promise<Cluster> {
  return startCluster({
    brokers,
    config: {
      'min.insync.replicas': '1',
      'message.max.bytes': '10485760',
      'log.index.size.max.bytes': '262144',
      'log.cleaner.enable': 'false',
      'socket.send.buffer.bytes': '1048576',
      'socket.receive.buffer.bytes': '1048576'
    }
  })
}

/** Creates topics with so many partitions of one replica each, all spread over the brokers. */
export async function makeTopics(on: Cluster, topics: readonly string[], partitions: number): Promise<void> {
  const first = Math.min(partitions, CREATED_AT_ONCE)
  await on.tool.createTopics(Object.fromEntries(topics.map(topic => [topic, { partitions: first, replicationFactor: 1 }])))
  for (const topic of topics)
    for (let count = first; count < partitions; ) {
      count = Math.min(partitions, count + CREATED_AT_ONCE)
      await on.tool.addPartitions(topic, count)
    }
}
