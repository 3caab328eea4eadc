/**
 * An error as the user sees it: what and why from the error itself, and the command to try next.
 */
import { printable } from './table.ts'

const NEXT: Readonly<Record<string, (details: Readonly<Record<string, unknown>>) => string>> = {
  CONNECT_TIMEOUT: () => 'samsa doctor    # looks at every server',
  ZK_TIMEOUT: () => 'samsa doctor    # looks at every server',
  ZK_CHROOT_MISSING: () => 'samsa doctor    # looks for the right chroot',
  CHROOT_MISSING: () => 'samsa doctor    # looks for the right chroot',
  LINK_TIMEOUT: () => 'samsa doctor    # looks at every advertised listener',
  LISTENER_NOT_FOUND: () => 'samsa cluster   # lists the brokers',
  UNKNOWN_TOPIC: details => `samsa topics create ${String(details.topic ?? 'TOPIC')}`,
  UNKNOWN_TOPIC_OR_PARTITION: () => 'samsa topics ls',
  TOPIC_ALREADY_EXISTS: () => 'samsa topics describe TOPIC',
  NO_SESSION: () => 'samsa doctor    # looks at every server',
  NON_EMPTY_GROUP: details => `samsa groups describe ${String(details.group ?? 'GROUP')} --members`,
  NO_GROUP: () => 'samsa groups ls',
  ZK_NO_NODE: () => 'samsa zk tree / --depth 2'
}

/** Of a message of some lines only line breaks stay as they are. */
const clean = (text: string) => text.split('\n').map(printable).join('\n')

export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return `samsa: ${clean(String(error))}`
  const { code, details } = error as { code?: unknown; details?: Readonly<Record<string, unknown>> }
  const next = typeof code === 'string' && Object.hasOwn(NEXT, code) ? NEXT[code]!(details ?? {}) : undefined
  const known = typeof code === 'string'
  return `samsa: ${clean(error.message)}${known ? ` (${code})` : ''}${next ? `\n  next: ${next}` : ''}`
}
