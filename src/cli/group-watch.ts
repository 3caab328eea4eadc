/**
 * One moment of the groups that `samsa watch` looks at, and how it is shown: an object a line, or a picture for a terminal.
 */
import type { Cluster } from '../index.ts'
import { listGroups } from './group-list.ts'
import { type Ends, endsOf, type GroupView, kindOf, lagOf, stateOf, viewGroup } from './group-view.ts'
import type { Line } from './screen.ts'
import { printable, renderTable } from './table.ts'

/** A group at one moment: there, not there, or not readable. */
export type Seen = { group: string; view: GroupView } | { group: string; view: null } | { group: string; error: Error }

export interface Moment {
  groups: Seen[]
  ends: Ends
  /** What could not be asked for at all this time: the list of groups, or where topics end. */
  trouble: Error | null
}

/** Groups asked for at once. */
const AT_ONCE = 8
const NO_CONSUMERS = ['share', 'streams']

/** `groups` empty: all. Never rejects: what cannot be read hides nothing else, and may be there at the next look. */
export async function look(cluster: Cluster, groups: readonly string[], onChange: () => void): Promise<Moment> {
  const moment: Moment = { groups: [], ends: new Map(), trouble: null }
  try {
    const names = groups.length > 0 ? groups : (await listGroups(cluster)).groups.filter(isOfConsumers).map(({ group }) => group)
    for (let at = 0; at < names.length; at += AT_ONCE)
      moment.groups.push(...(await Promise.all(names.slice(at, at + AT_ONCE).map(group => lookAt(cluster, group, onChange)))))
    const views = moment.groups.flatMap(each => ('view' in each && each.view ? [each.view] : []))
    moment.ends = await endsOf(
      cluster,
      views.flatMap(({ partitions }) => partitions.map(({ topic }) => topic))
    )
  } catch (error) {
    moment.trouble = asError(error)
  }
  return moment
}

const isOfConsumers = ({ type }: { type: string | null }) => !NO_CONSUMERS.includes(type ?? '')

async function lookAt(cluster: Cluster, group: string, onChange: () => void): Promise<Seen> {
  try {
    return { group, view: (await viewGroup(cluster, group, onChange)) ?? null }
  } catch (error) {
    return { group, error: asError(error) }
  }
}

const asError = (error: unknown) => (error instanceof Error ? error : new Error(String(error)))

/** The sum over the partitions whose lag is known; null: of none. */
function lagSum({ partitions }: GroupView, ends: Ends): bigint | null {
  const lags = partitions.map(entry => lagOf(entry, ends).lag).filter(lag => lag !== null)
  return lags.length === 0 ? null : lags.reduce((sum, lag) => sum + lag, 0n)
}

/** As plain data, for lines of JSON. */
export function momentRecords({ groups, ends, trouble }: Moment, timeMs: number): object[] {
  const time = new Date(timeMs).toISOString()
  return [...groups.map(seen => recordOf(seen, ends, time)), ...(trouble ? [{ time, group: null, error: plain(trouble) }] : [])]
}

const plain = (error: Error) => ({ code: String((error as { code?: unknown }).code ?? 'UNEXPECTED'), message: error.message })

function recordOf(seen: Seen, ends: Ends, time: string): object {
  const { group } = seen
  if ('error' in seen) return { time, group, error: plain(seen.error) }
  const { view } = seen
  if (view === null)
    return { time, group, kind: null, type: null, state: 'Absent', moved: false, lag: null, members: [], partitions: [], trouble: null }
  return {
    time,
    group,
    kind: kindOf(view),
    type: view.kafka?.type ?? null,
    state: stateOf(view),
    moved: view.zooKeeper?.moved ?? false,
    lag: lagSum(view, ends),
    members: view.members.map(({ memberId, place, instanceId, clientId, host, epoch, alive, owns, awaits, problem }) => ({
      member: memberId,
      ...{ place, instanceId, clientId, host, epoch, alive, owns, awaits, problem }
    })),
    partitions: view.partitions.map(entry => {
      const { topic, partition, committed, owner } = entry
      return { topic, partition, committed, ...lagOf(entry, ends), owner }
    }),
    trouble: view.trouble && plain(view.trouble)
  }
}

/** As lines for a terminal. */
export function momentLines({ groups, ends, trouble }: Moment): Line[] {
  const lines = groups.flatMap((seen, index) => [...(index > 0 ? [{ text: '' }] : []), ...groupLines(seen, ends)])
  if (trouble) lines.unshift({ text: printable(trouble.message) })
  return lines.length > 0 ? lines : [{ text: 'There are no groups.' }]
}

function groupLines(seen: Seen, ends: Ends): Line[] {
  const name = printable(seen.group)
  if ('error' in seen) return [{ text: name, bold: true }, { text: `  ${printable(seen.error.message)}` }]
  const { view } = seen
  if (view === null) return [{ text: `${name}  is not there`, bold: true }]
  const alive = view.members.filter(member => member.alive)
  const lag = lagSum(view, ends)
  const facts = [
    name,
    kindOf(view) + signOf(view),
    stateOf(view),
    `${alive.length} ${alive.length === 1 ? 'member' : 'members'}`,
    ...(lag === null ? [] : [`lag ${lag}`])
  ]
  const rows = view.partitions.map(entry => {
    const { topic, partition, committed, owner, host } = entry
    return { topic, partition, committed, ...lagOf(entry, ends), owner, host }
  })
  const table = renderTable(rows, ['topic', 'partition', 'committed', 'end', 'lag', 'owner', 'host'], PLAIN).trimEnd().split('\n')
  const idle = alive.filter(({ owns }) => owns.length === 0)
  return [
    { text: facts.join('  '), bold: true },
    ...(rows.length === 0 ? [] : table.map(text => ({ text: `  ${text}` }))),
    ...(idle.length === 0 ? [] : [{ text: `  without partitions: ${idle.map(({ memberId }) => printable(memberId)).join(', ')}` }]),
    ...(view.trouble ? [{ text: `  ! ZooKeeper cannot be read: ${printable(view.trouble.message)}` }] : []),
    ...view.members
      .filter(({ problem }) => problem)
      .map(({ memberId, problem }) => ({ text: `  ! ${printable(`${memberId}: ${problem}`)}` }))
  ]
}

const signOf = ({ zooKeeper }: GroupView) => (zooKeeper?.moved ? ' (moved)' : zooKeeper?.moving ? ' (moving)' : '')

const PLAIN = { json: false, terminal: true, colour: false }
