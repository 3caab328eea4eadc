/**
 * The door of record batches: writing and sealing them, walking and decoding fetched ones, and hashing keys to partitions.
 * Nothing here knows of connections, brokers or partitions' state.
 */
export { decodeRecords, RecordBatch, readBatches } from './batch-reader.ts'
export type { BatchView, ControlMarker } from './batch-view.ts'
export { type BatchIdentity, BatchWriter, type BatchWriterOptions, recordSizeUpperBound, type SealedBatch, stamp } from './batch-writer.ts'
export { compress, decompress } from './compression.ts'
export { crc32c } from './crc32c.ts'
export { DEFAULT_MAX_DECOMPRESSED_BYTES, type DecodeLimits, type RecordOrigin } from './layout.ts'
export { murmur2, partitionForKey } from './murmur2.ts'
