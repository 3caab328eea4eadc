/**
 * What an error number in a partition of a Fetch or ListOffsets answer means for the partition (`FetchCollector` and
 * `OffsetFetcherUtils` in Kafka's consumer).
 */
import { asksAgain, meaningOf, type SentApi } from '../model/error-classes.ts'

/**
 * `seek`: the leader is another one, or not there: ask for it. `retry`: the same again after a pause. `reset`: the offset is not in the
 * log. `corrupt`: the broker cannot read its log. `final`: no retry will help.
 */
export type FetchVerdict = 'seek' | 'retry' | 'reset' | 'corrupt' | 'final'

export function fetchVerdict(api: SentApi, code: number): FetchVerdict {
  const { class: errorClass, remedy } = meaningOf(api, code)
  if (remedy === 'reset' || remedy === 'corrupt') return remedy
  if (errorClass === 'refresh') return 'seek'
  return asksAgain(api, code) ? 'retry' : 'final'
}
