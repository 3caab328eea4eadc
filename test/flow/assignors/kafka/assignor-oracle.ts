/**
 * `test/java/AssignorOracle.java` as functions: Java's assignors, one JVM, one line in, one line out.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { compileJava, quickStart } from '../../../support/java.ts'
import { jarsFor } from '../../../support/maven.ts'
import { CodecOracle } from '../../../wire/codec-oracle.ts'
import type { Round } from './random-groups.ts'

/** Hex, by member; or what Java threw. */
export type JavaAnswer = { subscriptions: Record<string, string>; assignments: Record<string, string> } | { threw: string }

export class AssignorOracle {
  #lines: CodecOracle

  constructor(lines: CodecOracle) {
    this.#lines = lines
  }

  static async start(): Promise<AssignorOracle> {
    const jars = await jarsFor('kafka-3.9.1')
    const classes = await compileJava(['AssignorOracle.java'], jars)
    const args = [...quickStart, '-Xmx256m', '-cp', `${classes}:${join(jars, '*')}`, 'AssignorOracle']
    return new AssignorOracle(new CodecOracle(spawn('java', args, { stdio: ['pipe', 'pipe', 'ignore'] })))
  }

  close(): void {
    this.#lines.close()
  }

  /** The texts in the order of a Java HashMap that was filled in this way. */
  async order(how: 'put' | 'computeIfAbsent', texts: readonly string[]): Promise<string[]> {
    const [answer, error] = await this.#lines.ask('order', how, JSON.stringify(texts))
    if (answer === 'ERROR') throw new Error(`Java: ${error}`)
    return JSON.parse(answer!)
  }

  /** Rounds of one group must come in order: its members remember. */
  async round(round: Round): Promise<JavaAnswer> {
    const [answer, error] = await this.#lines.ask('round', JSON.stringify(round))
    return answer === 'ERROR' ? { threw: error! } : JSON.parse(answer!)
  }
}
