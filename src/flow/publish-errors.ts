/**
 * What is said of a batch that ends without an ack. `failed`: certainly not written; `unknown`: an earlier send may have been.
 */
import { BrokerError, PublishError, SamsaError } from '../model/errors.ts'
import { kafkaError } from '../model/kafka-errors.ts'
import type { PublishBatch } from './batch.ts'

interface Place {
  topic: string
  partition: number
}

const outcomeOf = (batch: PublishBatch) => (batch.maybeWritten ? 'unknown' : 'failed')
const detailsOf = ({ topic, partition }: Place) => ({ topic, partition })

/** The broker will never take it. */
export function refusedError(place: Place, batch: PublishBatch, answer: { errorCode: number; errorMessage: string | null }): PublishError {
  const error = kafkaError(answer.errorCode)
  const kafka = { code: error.code, name: error.name, api: 'Produce' }
  const why = `${place.topic}/${place.partition}: ${answer.errorMessage ?? error.message}`
  const cause = new BrokerError(error.name, why, { kafka })
  const what = `The broker refused the batch for ${why}`
  return new PublishError(error.name, what, outcomeOf(batch), { cause, kafka, details: detailsOf(place) })
}

/** It is no request. */
export function unfitError(place: Place, batch: PublishBatch, cause: Error): PublishError {
  const what = `The batch for ${place.topic}/${place.partition} cannot be put into a request: ${cause.message}`
  return new PublishError(cause instanceof SamsaError ? cause.code : 'ENCODE_FAILED', what, outcomeOf(batch), {
    cause,
    details: detailsOf(place)
  })
}

/** No broker can say any more whether an earlier send was written. */
export function sequenceLostError(place: Place): PublishError {
  const what = `The broker has lost the sequence of ${place.topic}/${place.partition}; whether an earlier send of this batch was written cannot be told any more.`
  return new PublishError('OUTCOME_UNKNOWN', what, 'unknown', { details: detailsOf(place) })
}
