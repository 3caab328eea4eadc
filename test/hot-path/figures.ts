/**
 * What `program.ts` counts, and of which work.
 */
export const works = [
  'publish lists',
  'publish lists to six partitions',
  'publish one by one',
  'PUBLISH',
  'consume by batch',
  'consume by message',
  'SUBSCRIBE'
] as const
export type Work = (typeof works)[number]

export interface Figures {
  /** Per message, of the client alone: the least of the windows (what is compiled meanwhile is in the others). */
  heapBytes: number
  bufferBytes: number
  /** All windows, for whoever wants to know how steady they are. */
  heapWindows: number[]
  /** Batches sealed, or answers to Fetch, while events and writes were counted. */
  units: number
  /** Requests of the work's kind, and calls of `write`, per unit. */
  requests: number
  writes: number
  /** Per unit, by type. */
  events: Record<string, number>
  /** Inputs recorded and their bytes, per unit. */
  recorded: number
  recordedBytes: number
  /** Functions of the client that take most of the heap, with bytes per message. */
  sites: [site: string, bytesPerMessage: number][]
}
