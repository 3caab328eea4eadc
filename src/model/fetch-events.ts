/**
 * What a consumer tells of its fetching: levels and turns of events that change where messages come from, never one per fetch.
 */
export type FetchEmitted =
  /**
   * Does this broker remember what is fetched from it (KIP-227)? `none`: every request names every partition. A session that the broker dropped, or
   * that ended with its connection, is told as `none` and, once a new one is there, `open`.
   */
  | { type: 'fetch.session'; broker: number; state: 'open' | 'none'; reason: string }
  /**
   * From now on the partition is read from `broker`: a follower that its leader prefers for this client's rack (KIP-392), or the leader again. A
   * change of the leader itself is told by `leader.changed` of the cluster.
   */
  | { type: 'partition.replica'; topic: string; partition: number; broker: number; leader: number; reason: string }
  /** It could not be read, located or compared; `reason` says why. It is tried again after the pause, or as soon as there is another leader. */
  | { type: 'partition.retrying'; topic: string; partition: number; reason: string; attempt: number; delayMs: number }
  /**
   * The log was cut by an unclean leader election (KIP-320): from `divergentOffset` on (null: not known) what was read is not what is there now.
   * Where that is below `position`, the next offset to hand out, messages that were handed out are gone, and the partition goes on at the
   * divergence (with `from: 'fail'` it is parked); else only what was fetched ahead is read again. Offsets are decimal.
   */
  | { type: 'partition.truncated'; topic: string; partition: number; position: string; divergentOffset: string | null }
