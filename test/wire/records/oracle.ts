/**
 * `test/java/RecordsOracle.java` as functions: one JVM, one command at a time.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { compileJava, quickStart } from '../../support/java.ts'
import { jarsFor } from '../../support/maven.ts'

export class RecordsOracle {
  #child: ChildProcess
  #waiting: { resolve(result: unknown): void; reject(error: Error): void }[] = []

  constructor(child: ChildProcess) {
    this.#child = child
    createInterface({ input: child.stdout! }).on('line', line => {
      const answer = JSON.parse(line) as { result?: unknown; error?: string }
      const waiter = this.#waiting.shift()
      if (answer.error === undefined) waiter?.resolve(answer.result)
      else waiter?.reject(new Error(`Java: ${answer.error}`))
    })
    child.once('exit', code => {
      for (const waiter of this.#waiting.splice(0)) waiter.reject(new Error(`the oracle ended (${code})`))
    })
  }

  static async start(): Promise<RecordsOracle> {
    const jars = await jarsFor('kafka-3.9.1')
    const classes = await compileJava(['RecordsOracle.java'], jars)
    const args = [...quickStart, '-Xmx512m', '-cp', `${classes}:${join(jars, '*')}`, 'RecordsOracle']
    return new RecordsOracle(spawn('java', args, { stdio: ['pipe', 'pipe', 'ignore'] }))
  }

  /** It ends with its input. */
  close(): void {
    this.#child.stdin!.end()
  }

  async bytes(command: Record<string, unknown>): Promise<Buffer> {
    return Buffer.from((await this.ask(command)) as string, 'base64')
  }

  ask(command: Record<string, unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#child.stdin!.write(`${JSON.stringify(command)}\n`)
    })
  }
}
