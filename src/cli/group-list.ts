/**
 * The groups of a cluster, of ZooKeeper and of Kafka in one list, and what to say of one that is not among them.
 */
import type { Cluster } from '../index.ts'
import { SamsaError } from '../model/errors.ts'
import { nearest } from './suggest.ts'

export interface Listing {
  group: string
  kind: string
  state: string | null
  /** Null: not asked for each group. */
  members: number | null
  type: string | null
  moved: boolean
}

export async function listGroups(cluster: Cluster): Promise<Listing[]> {
  const found = new Map<string, Listing>()
  const [inZooKeeper, inKafka] = await Promise.all([cluster.admin.zooKeeperGroups?.list() ?? [], cluster.admin.groups()])
  for (const { group, members, moved } of inZooKeeper)
    found.set(group, { group, kind: 'zookeeper', state: members > 0 ? 'Active' : 'Empty', members, type: null, moved })
  for (const { group, type, state } of inKafka) {
    const there = found.get(group)
    if (!there) found.set(group, { group, kind: 'kafka', state: state || null, members: null, type: type || null, moved: false })
    else {
      // Its offsets are mirrored to Kafka, or it has moved there: one group, two places.
      there.kind = 'zookeeper+kafka'
      there.type = type || null
      if (there.members === 0 && state !== '') {
        there.state = state
        if (state !== 'Empty') there.members = null
      }
    }
  }
  return [...found.values()].sort((a, b) => (a.group < b.group ? -1 : 1))
}

/** `known`: it is there, but without anything to show. */
export async function noGroup(cluster: Cluster, group: string, known = false): Promise<SamsaError> {
  if (known) return new SamsaError('NO_GROUP', `Group ${group} is known, but has neither committed offsets nor owned partitions.`)
  const all = await listGroups(cluster)
  const there = all.find(listing => listing.group === group)
  if (there)
    return new SamsaError(
      'NO_GROUP',
      `Group ${group} is of the type ${there.type ?? there.kind}; its members and offsets are not those of consumers.`
    )
  const near = nearest(
    group,
    all.map(listing => listing.group)
  )
  return new SamsaError('NO_GROUP', `Group ${group} has committed nothing, or does not exist${near ? `; did you mean ${near}?` : '.'}`)
}
