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
  /** Per message, of all windows together: what is fetched ahead of one window is read in the next. */
  bufferBytes: number
  /** All windows, for whoever wants to know how steady they are. */
  heapWindows: number[]
  /** Batches sealed, or answers to Fetch, while events and writes were counted. */
  units: number
  /** Requests of the work's kind, per unit. */
  requests: number
  /** Calls of `write`, per request of any kind. */
  writes: number
  /** Per unit, by type, to a tenth. */
  events: Record<string, number>
  /** Inputs recorded, to a tenth, and their bytes, per unit. */
  recorded: number
  recordedBytes: number
  /** Functions of the client that take most of the heap, with bytes per message. */
  sites: [site: string, bytesPerMessage: number][]
}
