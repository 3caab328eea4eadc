/**
 * For machines of your own: a relay that makes a cluster's emissions events of the parent, and publishing as a promise actor.
 */
import { type AnyActorRef, type AnyEventObject, fromCallback, fromPromise } from 'xstate'
import type { ClusterActorRef } from '../actors/cluster.ts'
import { PublishError, SamsaError } from '../model/errors.ts'
import type { ClusterEmitted } from '../model/events.ts'
import type { OutgoingMessage, RecordMetadata } from '../model/message.ts'

/**
 * What a child emits does not reach its parent (XState emits to listeners only). Invoke this beside the cluster, with the cluster's `systemId`
 * as input, and every emission arrives as an event of the same type: `on: { published: …, 'broker.*': … }`.
 */
export const relayLogic = fromCallback<AnyEventObject, string>(({ system, input, sendBack }) => {
  const cluster = (system.get as (systemId: string) => AnyActorRef | undefined)(input)
  if (!cluster)
    throw new SamsaError(
      'NO_SUCH_ACTOR',
      `No actor has the systemId "${input}". Give the invoke of ClusterActor that systemId, and invoke it before the relay.`
    )
  const subscription = cluster.on('*', event => sendBack(event as AnyEventObject))
  return () => subscription.unsubscribe()
})

let published = 0

/**
 * Publishes through a running ClusterActor, as a promise. Rejects with PublishError (see `Topic.publish`), or with the signal's reason, in
 * which case the message may still be written.
 */
export function publish(
  cluster: ClusterActorRef,
  topic: string,
  messages: OutgoingMessage | readonly OutgoingMessage[],
  options: { signal?: AbortSignal } = {}
): Promise<RecordMetadata> {
  const { signal } = options
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const id = `publish-${published++}`
    const end = (finish: () => void) => {
      for (const subscription of subscriptions) subscription.unsubscribe()
      signal?.removeEventListener('abort', abort)
      finish()
    }
    const abort = () => end(() => reject(signal!.reason))
    const subscriptions = [
      cluster.on('published', (event: Extract<ClusterEmitted, { type: 'published' }>) => {
        if (event.id === id) end(() => resolve({ topic, partition: event.partition, offset: event.offset, timestamp: event.timestamp }))
      }),
      cluster.on('publish.failed', (event: Extract<ClusterEmitted, { type: 'publish.failed' }>) => {
        const { error, outcome } = event
        if (event.id === id)
          end(() => reject(new PublishError(error.code, error.message, outcome, { retriable: error.retriable, details: error.details })))
      }),
      cluster.subscribe({
        complete: () => end(() => reject(new PublishError('CLUSTER_CLOSED', 'The cluster is closed.', 'failed')))
      })
    ]
    signal?.addEventListener('abort', abort)
    cluster.send({ type: 'PUBLISH', id, topic, messages })
  })
}

/** `publish` as logic to invoke: `input: { cluster, topic, messages }`, `onDone` with the place, `onError` with the PublishError. */
export const publishLogic = fromPromise<
  RecordMetadata,
  { cluster: ClusterActorRef; topic: string; messages: OutgoingMessage | readonly OutgoingMessage[] }
>(({ input, signal }) => publish(input.cluster, input.topic, input.messages, { signal }))
