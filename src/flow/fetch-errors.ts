/**
 * What an error number in a partition of a Fetch or ListOffsets answer means for the partition (`FetchCollector` and
 * `OffsetFetcherUtils` in Kafka's consumer).
 */
import { kafkaError } from '../model/kafka-errors.ts'

/**
 * `seek`: the leader is another one, or not there: ask for it. `retry`: the same again after a pause. `reset`: the offset is not in the
 * log. `corrupt`: the broker cannot read its log. `final`: no retry will help.
 */
export type FetchVerdict = 'seek' | 'retry' | 'reset' | 'corrupt' | 'final'

const OFFSET_OUT_OF_RANGE = 1
const CORRUPT_MESSAGE = 2

export function fetchVerdict(code: number): FetchVerdict {
  if (code === OFFSET_OUT_OF_RANGE) return 'reset'
  if (code === CORRUPT_MESSAGE) return 'corrupt'
  const { class: errorClass } = kafkaError(code)
  if (errorClass === 'refresh') return 'seek'
  return errorClass === 'retry' || errorClass === 'unknown' ? 'retry' : 'final'
}
