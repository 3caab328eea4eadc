/**
 * What a file under `apis/` exports: one API's versions and its answer. Handlers know the cluster's state and nothing of bytes or sockets.
 */
import type { ApiName, RequestOf, ResponseOf } from '../../wire/apis.ts'
import type { VersionRange } from '../../wire/definition.ts'

/** Null: no response is sent (Produce with acks = 0). */
export type Answer<N extends ApiName> = ResponseOf<N> | null | Promise<ResponseOf<N> | null>

/** A connection, as what waits for something sees it. */
export interface Peer {
  /** Called once, when nobody would hear the answer any more. The answer takes the callback away again. */
  onClosed(callback: () => void): () => void
}

/** Where a request came from. `TState` is all that brokers of one cluster share, `TBroker` the one that was asked. */
export interface RequestContext<TState, TBroker> {
  version: number
  clientId: string | null
  /** The peer's address, as group members show it (`/127.0.0.1`). */
  clientHost: string
  /** Lives as long as the connection: key of what belongs to it. */
  connection: Peer
  broker: TBroker
  state: TState
}

export interface Handler<N extends ApiName, TState, TBroker> {
  api: N
  /** What is offered in ApiVersions, both ends included. */
  versions: VersionRange
  handle(request: RequestOf<N>, context: RequestContext<TState, TBroker>): Answer<N>
}
