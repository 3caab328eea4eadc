/**
 * `--events`: what the cluster and its consumers emit, as one line each. Batches and acks are left out: they are the output itself.
 */
import type { ClusterEmitted, ConsumerEmitted } from '../index.ts'
import { printable } from './table.ts'

const LEFT_OUT = ['published', 'message.batch', 'consumer.started', 'closed', 'ready']

/** `leader.changed topic=orders partition=2 leader=3`; undefined: it is not told. */
export function eventLine(event: ClusterEmitted | ConsumerEmitted): string | undefined {
  if (LEFT_OUT.includes(event.type)) return undefined
  const fields = Object.entries(event)
    .filter(([name, value]) => name !== 'type' && value !== undefined)
    .map(([name, value]) => `${name}=${word(value)}`)
  return [event.type, ...fields].join(' ')
}

function word(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? '[]' : value.map(word).join(',')
  if (value === null || typeof value !== 'object') return quoted(String(value))
  const { code, message, topic, partition, offset } = value as Record<string, unknown>
  if (code !== undefined) return quoted(`${String(code)}: ${String(message)}`)
  if (topic !== undefined) return `${String(topic)}/${String(partition)}${offset === undefined ? '' : `@${String(offset)}`}`
  return quoted(JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? String(each) : each)))
}

const quoted = (text: string) => (/^[^\s"=]+$/.test(text) ? printable(text) : JSON.stringify(printable(text)))
