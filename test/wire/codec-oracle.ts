/**
 * `test/java/CodecOracle.java` as functions: one JVM for one set of jars, one line in, one line out.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { compileJava, quickStart } from '../support/java.ts'
import { jarsFor } from '../support/maven.ts'

export const JAR_SETS = ['kafka-3.9.1', 'kafka-4'] as const
export type JarSet = (typeof JAR_SETS)[number]

export class CodecOracle {
  #child: ChildProcess
  #waiting: { resolve(words: string[]): void; reject(error: Error): void }[] = []

  constructor(child: ChildProcess) {
    this.#child = child
    createInterface({ input: child.stdout! }).on('line', line => this.#waiting.shift()?.resolve(line.split('\t')))
    child.once('exit', code => {
      for (const waiter of this.#waiting.splice(0)) waiter.reject(new Error(`the oracle ended (${code})`))
    })
  }

  static async start(set: JarSet): Promise<CodecOracle> {
    const jars = await jarsFor(set)
    const classes = await compileJava(['CodecOracle.java'], jars)
    const args = [...quickStart, '-Xmx256m', '-cp', `${classes}:${join(jars, '*')}`, 'CodecOracle']
    return new CodecOracle(spawn('java', args, { stdio: ['pipe', 'pipe', 'ignore'] }))
  }

  /** It ends with its input. */
  close(): void {
    this.#child.stdin!.end()
  }

  /** The versions that these jars have of each message; a message that they lack is left out. */
  async versions(names: readonly string[]): Promise<Map<string, readonly [number, number]>> {
    const rows = (await this.ask('versions', ...names)).map(row => row.split(' '))
    return new Map(rows.filter(row => row.length === 3).map(([name, low, high]) => [name!, [Number(low), Number(high)]]))
  }

  /** Every API that a broker offers to clients: its key and Java's name (upper snake case). */
  async apis(): Promise<{ key: number; name: string }[]> {
    const rows = (await this.ask('apis')).map(row => row.split(' '))
    return rows.map(([key, , name]) => ({ key: Number(key), name: name! }))
  }

  /** Kafka's enum of errors. `retriable`: its exception is a RetriableException. */
  async errors(): Promise<{ code: number; name: string; retriable: boolean }[]> {
    const rows = (await this.ask('errors')).map(row => row.split(' '))
    return rows.map(([code, name, retriable]) => ({ code: Number(code), name: name!, retriable: retriable === 'true' }))
  }

  /** What Java writes for `json`, and what Java writes after it has read `ours`; both in hex. */
  async exchange(name: string, version: number, json: string, ours: string): Promise<{ written: string; reread: string }> {
    const [written, reread = ''] = await this.ask('exchange', name, String(version), json, ours)
    if (written === 'ERROR') throw new Error(`Java, ${name} ${version}: ${reread}\n${json}\n${ours}`)
    return { written: written!, reread }
  }

  ask(...words: string[]): Promise<string[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#child.stdin!.write(`${words.join('\t')}\n`)
    })
  }
}
