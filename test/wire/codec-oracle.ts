/**
 * `test/java/CodecOracle.java` as functions: one JVM over one release's jars, answering in the order of the questions.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { compileJava, quickStart } from '../support/java.ts'
import { jarsFor } from '../support/maven.ts'

/** The releases whose union the definitions are. */
export const releases = ['kafka-3.9.1', 'kafka-4'] as const
export type Release = (typeof releases)[number]

export interface Verdict {
  /** What Java writes for the value. */
  hex: string
  /** Did Java read our bytes as the very value? */
  equal: boolean
  /** Of our bytes, how many Java did not read. */
  left: number
  /** Our bytes, read and written again by Java. */
  again: string
}

export interface JavaError {
  code: number
  name: string
  retriable: boolean
}

export class CodecOracle {
  #child: ChildProcess
  #waiting: { resolve(parts: string[]): void; reject(error: Error): void }[] = []

  private constructor(child: ChildProcess) {
    this.#child = child
    createInterface({ input: child.stdout! }).on('line', line => {
      const [status, ...parts] = line.split('\t')
      const waiter = this.#waiting.shift()
      if (status === 'ok') waiter?.resolve(parts)
      else waiter?.reject(new Error(`Java: ${parts.join(' ')}`))
    })
    const fail = (why: string) => {
      for (const waiter of this.#waiting.splice(0)) waiter.reject(new Error(`the oracle ended (${why})`))
    }
    child.stdin!.on('error', error => fail(error.message))
    child.once('error', error => fail(error.message))
    child.once('close', code => fail(String(code)))
  }

  static async start(release: Release): Promise<CodecOracle> {
    const jars = await jarsFor(release)
    const classes = await compileJava(['CodecOracle.java'], jars)
    const args = [...quickStart, '-Xmx256m', '-cp', `${classes}:${join(jars, '*')}`, 'CodecOracle']
    return new CodecOracle(spawn('java', args, { stdio: ['pipe', 'pipe', 'ignore'] }))
  }

  /** It ends with its input. */
  close(): void {
    this.#child.stdin!.end()
  }

  /** The versions of a message in this release; undefined: it has no such message. */
  async range(name: string): Promise<[low: number, high: number] | undefined> {
    try {
      const [low, high] = await this.#ask('range', name)
      return [Number(low), Number(high)]
    } catch (error) {
      if ((error as Error).message.includes('ClassNotFoundException')) return undefined
      throw error
    }
  }

  /** Gives Java the value as JSON, to write, and our bytes, to read. */
  async judge(name: string, version: number, json: string, ours: Buffer): Promise<Verdict> {
    const [hex, equal, left, again] = await this.#ask('codec', name, String(version), json, ours.toString('hex'))
    return { hex: hex!, equal: equal === 'true', left: Number(left), again: again! }
  }

  async errors(): Promise<JavaError[]> {
    const [list] = await this.#ask('errors')
    return list!.split(',').map(one => {
      const [code, name, retriable] = one.split(':')
      return { code: Number(code), name: name!, retriable: retriable === 'true' }
    })
  }

  #ask(...parts: string[]): Promise<string[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#child.stdin!.write(`${parts.join('\t')}\n`)
    })
  }
}
