/**
 * Of one run the figures that the table has: what was lost, doubled, disordered; how long one waited; rebalances; memory.
 */
import type { AnomalyType } from '../checker/anomalies.ts'
import type { Report } from '../checker/checker.ts'
import type { Seen } from './party.ts'

export interface Figures {
  acked: number
  unknown: number
  failed: number
  lost: number
  doubled: number
  disordered: number
  /** Given to the group once more: legal where commits could not be made. */
  again: number
  /** The longest that any partition was without an ack, without a record, from the fault on. */
  ackMs: number
  readMs: number
  /** Of the member that had most. */
  rebalances: number
  peakBytes: number | undefined
  /** Operations that the fault met. */
  overlapped: number
}

const LOST: readonly AnomalyType[] = ['lost-write', 'unseen']
const DOUBLED: readonly AnomalyType[] = ['duplicate', 'inconsistent-offsets']
const DISORDERED: readonly AnomalyType[] = [
  ...(['int-poll-skip', 'int-nonmonotonic-poll', 'poll-skip', 'nonmonotonic-poll', 'nonmonotonic-send'] as const)
]

/** The longest pause of any partition that begins at `sinceMs` or later. */
export function longestWait(seen: readonly Seen[], partitions: number, sinceMs: number): number {
  const last = new Map<number, number>(Array.from({ length: partitions }, (_, partition) => [partition, sinceMs]))
  let longest = 0
  for (const { atMs, partition } of [...seen].sort((a, b) => a.atMs - b.atMs)) {
    const before = last.get(partition)
    if (before === undefined || atMs < sinceMs) continue
    longest = Math.max(longest, atMs - before)
    last.set(partition, atMs)
  }
  return Math.round(longest)
}

/** Of the member that was given partitions most often since then. */
export function rebalancesOf(assignments: readonly (readonly number[])[], sinceMs: number): number {
  return Math.max(0, ...assignments.map(times => times.filter(atMs => atMs > sinceMs).length))
}

export function damageOf({
  summary
}: Report): Pick<Figures, 'lost' | 'doubled' | 'disordered' | 'again' | 'acked' | 'unknown' | 'failed' | 'overlapped'> {
  const sum = (types: readonly AnomalyType[]) =>
    types.reduce((total, type) => total + (summary.anomalies[type] ?? 0) + (summary.legal[type] ?? 0), 0)
  const { acked, unknown, failed, overlapped, redelivered } = summary
  return {
    ...{ acked, unknown, failed, overlapped },
    lost: sum(LOST),
    doubled: sum(DOUBLED),
    disordered: sum(DISORDERED),
    again: redelivered
  }
}
