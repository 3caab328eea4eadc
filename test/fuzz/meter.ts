/**
 * How much memory reading one input took: every buffer that is asked for, counted where it is asked, and what the heap and native code
 * grew by. The hooks stay for the life of the process, so this belongs into one of its own.
 */
import { getHeapStatistics } from 'node:v8'

let asked = 0

/** Counts what `Buffer.alloc` and its like are asked for from now on. */
export function hookBuffers(): void {
  for (const name of ['alloc', 'allocUnsafe', 'allocUnsafeSlow'] as const) {
    const original = Buffer[name] as (size: number, ...rest: unknown[]) => Buffer
    Buffer[name] = ((size: number, ...rest: unknown[]) => {
      asked += size
      return original.call(Buffer, size, ...rest)
    }) as never
  }
}

export interface Reading {
  asked: number
  heap: number
}

export function takeReading(): Reading {
  const { used_heap_size, external_memory } = getHeapStatistics()
  return { asked, heap: used_heap_size + external_memory }
}

/** Bytes since the reading. A collection of garbage in between hides what the heap grew by, never what buffers were asked for. */
export function takenSince(before: Reading): number {
  const now = takeReading()
  return Math.max(now.asked - before.asked, now.heap - before.heap)
}
