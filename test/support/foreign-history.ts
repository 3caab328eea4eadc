/**
 * A foreign member's events as operations of a history, for the checker.
 */
import type { Entry } from '../checker/operation.ts'
import type { History } from '../checker/record.ts'
import type { ForeignEvent, ForeignMember } from './foreign-member.ts'

/** Its clock tells whole milliseconds: give `skewMs` to the check. */
export function watchForeign(history: History, member: ForeignMember, process: string, group: string): void {
  history.record(process, 'ok', 'subscribe', { group, from: 'earliest' }, member.events[0]?.at)
  member.listen(event => take(history, process, event))
}

function take(history: History, process: string, event: ForeignEvent): void {
  switch (event.type) {
    case 'assigned':
    case 'revoked':
    case 'lost':
      return history.record(process, 'ok', event.type, { partitions: event.partitions }, event.at)
    case 'polled': {
      const reads: Record<string, Entry[]> = {}
      for (const { topic, partition, offset, value } of event.records) {
        const entries = (reads[`${topic}/${partition}`] ??= [])
        entries.push([offset, value])
      }
      return history.record(process, 'ok', 'poll', [['poll', reads]], event.at)
    }
    case 'committed':
      return history.record(process, event.error === undefined ? 'ok' : 'fail', 'commit', { offsets: event.offsets }, event.at)
    case 'closed':
      return history.record(process, 'ok', 'close', undefined, event.at)
  }
}
