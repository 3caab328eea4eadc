/**
 * A batch that is too large for its topic (MESSAGE_TOO_LARGE) becomes two, as Kafka's `ProducerBatch.split` does it: records are read
 * from the sealed bytes and written again. Between two deliveries if there are any; a single list is cut where it must be.
 */
import { BatchWriter, decodeRecords, RecordBatch, recordSizeUpperBound, type SealedBatch } from '../wire/records/index.ts'
import { type Delivery, PublishBatch } from './batch.ts'
import { ListDelivery } from './list-delivery.ts'

/** Two batches of about the same size. `batch` has two records at least, and surely was not written. */
export function splitBatch(batch: PublishBatch, partition: number): [PublishBatch, PublishBatch] {
  const { sealed } = batch
  const records = decodeRecords(new RecordBatch(sealed.buffer), { topic: batch.topic, partition }, 0n, {
    maxDecompressedBytes: sealed.uncompressedBytes
  })
  /** Bytes before record i. */
  const before = [0]
  for (const { key, value, headerList } of records) before.push(before.at(-1)! + recordSizeUpperBound(key, value, headerList))
  const between = batch.deliveries.length > 1
  const cut = between ? nearest(before, batch.starts, 1) : nearest(before, [...records.keys()], 1)
  const write = (from: number, to: number): SealedBatch => {
    const writer = new BatchWriter({ limitBytes: sealed.uncompressedBytes })
    for (const record of records.slice(from, to))
      writer.append(Number(record.timestamp), record.key, record.value, record.headerList.length > 0 ? record.headerList : undefined)
    return writer.seal(sealed.compression)
  }
  const share = Math.floor((batch.memoryBytes * before[cut]!) / before.at(-1)!)
  const parts = between ? apart(batch, cut) : through(batch.deliveries[0]!, batch.timestampsMs[0]!, Number(records[cut]!.timestamp))
  // What is cut through must stay in one partition from now on.
  const group = between ? batch.group : (batch.group ?? { sent: true, partition })
  const common = { topic: batch.topic, free: batch.free, group, deadlineMs: batch.deadlineMs }
  const halves: [PublishBatch, PublishBatch] = [
    new PublishBatch({ ...common, ...parts[0], sealed: write(0, cut), memoryBytes: share }),
    new PublishBatch({ ...common, ...parts[1], sealed: write(cut, records.length), memoryBytes: batch.memoryBytes - share })
  ]
  for (const half of halves) half.rerouted = batch.rerouted
  return halves
}

type Waiting = Pick<PublishBatch, 'deliveries' | 'starts' | 'timestampsMs'>

/** The one of `places` (from index `first`) that has nearest to half of the bytes before it. */
function nearest(before: readonly number[], places: readonly number[], first: number): number {
  const half = before.at(-1)! / 2
  let best = places[first]!
  for (const place of places.slice(first)) if (Math.abs(before[place]! - half) < Math.abs(before[best]! - half)) best = place
  return best
}

/** The deliveries before the cut, and those from it on. */
function apart({ deliveries, starts, timestampsMs }: PublishBatch, cut: number): [Waiting, Waiting] {
  const at = starts.indexOf(cut)
  return [
    { deliveries: deliveries.slice(0, at), starts: starts.slice(0, at), timestampsMs: timestampsMs.slice(0, at) },
    { deliveries: deliveries.slice(at), starts: starts.slice(at).map(start => start - cut), timestampsMs: timestampsMs.slice(at) }
  ]
}

/** One delivery that waits for both. */
function through(delivery: Delivery, firstMs: number, secondMs: number): [Waiting, Waiting] {
  const list = new ListDelivery(delivery)
  const parts = [firstMs, secondMs].map(timestampMs => ({ deliveries: [list.part()], starts: [0], timestampsMs: [timestampMs] }))
  list.sealed()
  return parts as [Waiting, Waiting]
}
