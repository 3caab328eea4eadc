/**
 * The assignors that come with samsa, by their names in the protocol, and how a consumer that lists several of them rebalances.
 */
import type { Assignor, AssignorName } from '../../../model/assignor.ts'
import { RangeAssignor } from './range.ts'
import { RoundRobinAssignor } from './roundrobin.ts'
import { CooperativeStickyAssignor, StickyAssignor } from './sticky.ts'

const MAKERS: Record<AssignorName, () => Assignor> = {
  range: () => new RangeAssignor(),
  roundrobin: () => new RoundRobinAssignor(),
  sticky: () => new StickyAssignor(),
  'cooperative-sticky': () => new CooperativeStickyAssignor()
}

/** Name → a new one. Each consumer needs its own: the sticky ones remember. */
export const builtInAssignors: ReadonlyMap<string, () => Assignor> = new Map(Object.entries(MAKERS))

/**
 * Cooperative only if all that the consumer lists are: the coordinator may choose any of them (KIP-429, ConsumerCoordinator). A group moves from
 * eager to cooperative in two rounds of restarts: first with both listed, then with the cooperative one alone.
 */
export function rebalanceProtocolOf(assignors: Iterable<Assignor>): Assignor['rebalanceProtocol'] {
  for (const { rebalanceProtocol } of assignors) if (rebalanceProtocol !== 'cooperative') return 'eager'
  return 'cooperative'
}
