/**
 * No stray processes, whatever ends the test: a shell outside our process group holds a pipe to us. When the pipe closes (we ended, were
 * interrupted or killed), it kills every process that was entrusted to it and removes our temporary folder.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const script = `
pids=" "
while read -r op pid; do
  case $op in
    add) pids="$pids$pid " ;;
    del) case $pids in *" $pid "*) pids="\${pids%% $pid *} \${pids#* $pid }" ;; esac ;;
  esac
done
for pid in $pids; do kill -9 "$pid" 2>/dev/null; done
n=0
while [ $n -lt 20 ] && ! rm -rf -- "$1" 2>/dev/null; do n=$((n + 1)); sleep 0.1; done
`
const memoryFolder = '/dev/shm'
const enoughBytes = 3 * 2 ** 30

interface Watchdog {
  shell: ChildProcess
  folder: string
}

let watchdog: Watchdog | undefined

/** This process' temporary folder, in memory where there is room. It goes when the process goes. */
export function temporaryFolder(): string {
  return start().folder
}

/** From now on the process dies with us at the latest. */
export function entrust(pid: number): void {
  start().shell.stdin!.write(`add ${pid}\n`)
}

/** The process has ended: its number may soon be another's. */
export function discharge(pid: number): void {
  start().shell.stdin!.write(`del ${pid}\n`)
}

function start(): Watchdog {
  if (watchdog) return watchdog
  const folder = mkdtempSync(join(roomInMemory() ? memoryFolder : tmpdir(), 'samsa-test-'))
  const shell = spawn('/bin/sh', ['-c', script, 'samsa-watchdog', folder], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  shell.unref()
  ;(shell.stdin as unknown as { unref(): void }).unref()
  shell.stdin!.on('error', () => {})
  watchdog = { shell, folder }
  return watchdog
}

function roomInMemory(): boolean {
  try {
    const stats = statfsSync(memoryFolder)
    return stats.bavail * stats.bsize >= enoughBytes
  } catch {
    return false
  }
}
