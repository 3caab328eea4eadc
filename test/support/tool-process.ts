/**
 * The Java side of `KafkaTool`: one JVM with Kafka's own clients, started at the first command, answering JSON lines, many at once.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { openSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { compileJava, quickStart } from './java.ts'
import { jarsFor } from './maven.ts'
import { temporaryFolder } from './watchdog.ts'

export type ToolCall = (op: string, args: Record<string, unknown>) => Promise<unknown>

interface Pending {
  op: string
  resolve(result: unknown): void
  reject(error: Error): void
}

interface Running {
  child: ChildProcess
  pending: Map<number, Pending>
}

let running: Promise<Running> | undefined
let lastId = 0

/** Calls to the one helper of this process, on a cluster given by its brokers' addresses and ZooKeeper's connect string. */
export function toolFor(bootstrap: string[], zookeeper: string | undefined): ToolCall {
  return async (op, args) => {
    running ??= start()
    const { child, pending } = await running
    const id = ++lastId
    hold(child, true)
    try {
      return await new Promise((resolve, reject) => {
        pending.set(id, { op, resolve, reject })
        child.stdin!.write(`${JSON.stringify({ id, op, bootstrap: bootstrap.join(','), zookeeper, ...args })}\n`)
      })
    } finally {
      if (pending.size === 0) hold(child, false)
    }
  }
}

async function start(): Promise<Running> {
  const jars = await jarsFor('kafka-3.9.1')
  const classes = await compileJava(['KafkaTool.java', 'KafkaRecords.java', 'ZookeeperTool.java'], jars)
  const log = openSync(join(temporaryFolder(), 'kafka-tool.log'), 'a')
  // It ends with its stdin, so it needs no watchdog.
  const child = spawn('java', [...quickStart, '-Xmx256m', '-cp', `${classes}:${join(jars, '*')}`, 'KafkaTool'], {
    detached: true,
    stdio: ['pipe', 'pipe', log]
  })
  const pending = new Map<number, Pending>()
  createInterface({ input: child.stdout! }).on('line', line => settle(pending, line))
  child.stdin!.on('error', () => {})
  child.once('error', error => fail(pending, error.message))
  child.once('exit', (code, signal) => {
    running = undefined
    fail(pending, `it ended (${signal ?? code})`)
  })
  return { child, pending }
}

function settle(pending: Map<number, Pending>, line: string): void {
  const answer = JSON.parse(line) as { id: number; result?: unknown; error?: string }
  const waiter = pending.get(answer.id)
  pending.delete(answer.id)
  if (answer.error !== undefined) waiter?.reject(new Error(`${waiter.op}: ${answer.error}`))
  else waiter?.resolve(answer.result)
}

function fail(pending: Map<number, Pending>, why: string): void {
  for (const waiter of pending.values()) waiter.reject(new Error(`${waiter.op}: the Java helper did not answer: ${why}`))
  pending.clear()
}

/** It keeps this process alive only while it owes an answer. */
function hold(child: ChildProcess, on: boolean): void {
  for (const each of [child, child.stdin, child.stdout] as unknown as { ref(): void; unref(): void }[]) {
    if (on) each.ref()
    else each.unref()
  }
}
