/**
 * What the data plane sees of a broker connection that is ready: requests in, answers out. `src/wire/connection.ts` is the real one.
 */
import type { ApiName, RequestOf, ResponseOf } from '../wire/apis.ts'

export interface RequestOptions {
  /** From written to answered. Default `requestTimeoutMs` of the cluster. The connection is closed when it passes. */
  timeoutMs?: number
  /** Narrow the versions that may be used (both inclusive), on top of what both sides speak. */
  minVersion?: number
  maxVersion?: number
}

export interface Link {
  readonly node: number
  readonly purpose: string
  /** False for good once the connection has ended. */
  readonly open: boolean
  /** Requests written and not answered. */
  readonly inFlight: number
  /** The version both sides would use; undefined: this broker does not offer the API. */
  version(api: ApiName): number | undefined
  /** Rejects with BrokerError UNSUPPORTED_VERSION, TimeoutError REQUEST_TIMEOUT, ConnectionError CONNECTION_LOST, ProtocolError. */
  request<N extends ApiName>(api: N, body: RequestOf<N>, options?: RequestOptions): Promise<ResponseOf<N>>
  /** The hot path: no promise. `done` is called once, also when the connection ends. The API must be loaded (`loadApi`). A number is `timeoutMs`. */
  send<N extends ApiName>(
    api: N,
    body: RequestOf<N>,
    limits: number | RequestOptions,
    done: (error: Error | undefined, response: ResponseOf<N> | undefined) => void
  ): void
  /** Writes a request that brokers do not answer (Produce with acks 0). False: it was not written. */
  sendUnanswered<N extends ApiName>(api: N, body: RequestOf<N>): boolean
}
