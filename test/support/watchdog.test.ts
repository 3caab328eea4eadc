/**
 * No stray processes: what is entrusted to the watchdog ends when the process that entrusted it ends, however that comes about.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { until } from './until.ts'

const program = `
  import { spawn } from 'node:child_process'
  const { discharge, entrust, temporaryFolder } = await import(${JSON.stringify(new URL('./watchdog.ts', import.meta.url).href)})
  const [kept, released] = [0, 1].map(() => spawn('sleep', ['600'], { detached: true, stdio: 'ignore' }))
  entrust(kept.pid)
  entrust(released.pid)
  // Also when it is told so more than once.
  for (let i = 0; i < 30; i++) discharge(released.pid)
  console.log(JSON.stringify({ kept: kept.pid, released: released.pid, folder: temporaryFolder() }))
`

/** A process that has ended but that nobody has asked about yet is still listed, as a zombie. */
function runs(pid: number): boolean {
  try {
    if (existsSync('/proc/self/stat')) return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
    return !execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
      .trim()
      .startsWith('Z')
  } catch {
    return false
  }
}

for (const signal of ['SIGKILL', 'SIGINT'] as const) {
  test(`after ${signal} its processes and its folder are gone, and what it released is not touched`, async () => {
    const parent = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', `${program}setInterval(() => {}, 1000)`], {
      stdio: ['ignore', 'pipe', 'inherit']
    })
    const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string]
    const { kept, released, folder } = JSON.parse(line) as { kept: number; released: number; folder: string }
    try {
      assert.ok(runs(kept) && runs(released) && existsSync(folder))
      parent.kill(signal)
      await once(parent, 'exit')
      await until('the end of the entrusted process and of the folder', () => !runs(kept) && !existsSync(folder), 10_000)
      assert.ok(runs(released))
    } finally {
      process.kill(released, 'SIGKILL')
    }
  })
}
