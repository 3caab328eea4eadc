/**
 * Who is alive in a group, and the refusal to change it under them: Kafka's own tool asks for an inactive group too.
 */
import { SamsaError } from '../model/errors.ts'
import type { GroupView } from './group-view.ts'

const SHOWN = 5

/** Members of both places; a holder of partitions in ZooKeeper counts even where its own node is missing. */
export function liveMembers({ members, zooKeeper }: GroupView): string[] {
  const alive = members.filter(member => member.alive).map(({ memberId, host }) => (host === null ? memberId : `${memberId} (${host})`))
  const registered = new Set(members.map(({ memberId }) => memberId))
  const holders = (zooKeeper?.partitions ?? [])
    .filter(({ owner }) => owner?.session && !(owner.memberId !== null && registered.has(owner.memberId)))
    .map(({ owner }) => owner!.memberId ?? `session ${owner!.session}`)
  return [...alive, ...new Set(holders)]
}

/** In words: `2 live members: a (host), b (host)`; undefined: none. */
export function liveText(view: GroupView): string | undefined {
  const live = liveMembers(view)
  if (live.length === 0) return undefined
  const shown = `${live.slice(0, SHOWN).join(', ')}${live.length > SHOWN ? ` and ${live.length - SHOWN} more` : ''}`
  return `${live.length === 1 ? 'a live member' : `${live.length} live members`}: ${shown}`
}

/** Throws SamsaError NON_EMPTY_GROUP that names them. */
export function refuseLive(view: GroupView, what: string): void {
  const live = liveText(view)
  if (live === undefined) return
  throw new SamsaError(
    'NON_EMPTY_GROUP',
    `Group ${view.group} cannot be ${what} while it has ${live}. Stop them first; one that was killed, or is static, is gone when its session has expired.`,
    { details: { group: view.group } }
  )
}
