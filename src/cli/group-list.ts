/**
 * The groups of a cluster, of ZooKeeper and of Kafka in one list, and what to say of one that is not among them.
 */
import type { Cluster } from '../index.ts'
import { SamsaError } from '../model/errors.ts'
import type { Context } from './command.ts'
import { errorText } from './errors.ts'
import { fromZooKeeper } from './group-view.ts'
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

/** `trouble`: why ZooKeeper could not be read; then these are Kafka's alone. Rejects when Kafka cannot be asked. */
export async function listGroups(cluster: Cluster): Promise<{ groups: Listing[]; trouble: Error | null }> {
  const found = new Map<string, Listing>()
  const { admin } = cluster
  const [inZooKeeper, inKafka] = await Promise.all([fromZooKeeper(admin.zooKeeperGroups?.list()), admin.groups()])
  for (const { group, members, moved } of inZooKeeper.found ?? [])
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
  return { groups: [...found.values()].sort((a, b) => (a.group < b.group ? -1 : 1)), trouble: inZooKeeper.trouble }
}

/** `known`: it is there, but without anything to show. */
export async function noGroup(cluster: Cluster, group: string, known = false): Promise<SamsaError> {
  if (known) return new SamsaError('NO_GROUP', `Group ${group} is known, but has neither committed offsets nor owned partitions.`)
  const { groups: all } = await listGroups(cluster)
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

/** Is it there, though not as a group of consumers (a share group, a streams group)? */
export async function isOfOthers(cluster: Cluster, group: string): Promise<boolean> {
  return (await listGroups(cluster)).groups.some(listing => listing.group === group)
}

/** Says why ZooKeeper could not be read, and what that means for what the command does; true: there was trouble. */
export function tellTrouble(context: Context, trouble: Error | null, meaning = 'this is what Kafka alone knows'): boolean {
  if (trouble === null) return false
  context.terminal.say(errorText(trouble))
  context.terminal.say(`samsa: ${meaning}. If the ZooKeeper is gone for good, name the cluster by kafka://… alone.`)
  return true
}

export const UNCHANGED = 'nothing was changed, because who meets in ZooKeeper cannot be seen'
