/**
 * Every target by name, loaded when it is its turn: `response:Metadata` and its like are one for each API.
 */
import { API_NAMES, type ApiName } from '../../../src/wire/apis.ts'
import type { Target } from '../target.ts'

const CODECS = ['gzip', 'snappy', 'lz4', 'zstd'] as const
const OTHERS: Readonly<Record<string, () => Promise<Target>>> = {
  'kafka-frames': async () => (await import('./kafka-frames.ts')).kafkaFrames,
  'zookeeper-frames': async () => (await import('./zookeeper-frames.ts')).zookeeperFrames,
  'record-batch': async () => (await import('./record-batch.ts')).recordBatch,
  'message-set': async () => (await import('./message-set.ts')).messageSet,
  znode: async () => (await import('./znode.ts')).znode,
  'group-metadata': async () => (await import('./group-metadata.ts')).groupMetadata,
  recording: async () => (await import('./recording.ts')).recording,
  'outbox-frames': async () => (await import('./outbox-frames.ts')).outboxFrames
}

export const targetNames: readonly string[] = [
  ...Object.keys(OTHERS),
  ...CODECS.map(codec => `compression:${codec}`),
  ...API_NAMES.map(name => `response:${name}`)
]

export const isOneOfMany = (target: string): boolean => target.startsWith('response:')

export async function loadTarget(name: string): Promise<Target> {
  const [kind, which] = name.split(':')
  if (kind === 'response') return (await import('./response.ts')).responseOf(which as ApiName)
  if (kind === 'compression') return (await import('./compression.ts')).compressionOf(which as (typeof CODECS)[number])
  const load = OTHERS[name]
  if (!load) throw new Error(`there is no target ${name}`)
  return load()
}
