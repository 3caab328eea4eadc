/**
 * What a consumer tells of its fetching: levels and turns of events that change where messages come from, never one per fetch.
 */
export type FetchEmitted =
  /**
   * Does this broker remember what is fetched from it (KIP-227)? `none`: every request names every partition. A session that the broker dropped, or
   * that ended with its connection, is told as `none` and, once a new one is there, `open`.
   */
  { type: 'fetch.session'; broker: number; state: 'open' | 'none'; reason: string }
