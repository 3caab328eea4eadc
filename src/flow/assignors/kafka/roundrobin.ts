/**
 * The `roundrobin` assignor of Kafka's Java client (RoundRobinAssignor): all partitions, by topic and number, are dealt to the sorted members in
 * turn; a member that does not subscribe to the topic is passed over.
 */
import type { Assignor, AssignorInput } from '../../../model/assignor.ts'
import { assignmentOf, compareMembers, compareSlots, Group } from './group.ts'

export class RoundRobinAssignor implements Assignor {
  readonly name = 'roundrobin'
  readonly rebalanceProtocol = 'eager'

  assign(input: AssignorInput) {
    const group = new Group(input)
    const members = [...group.members].sort(compareMembers)
    const assigned = group.nothing()
    let turn = 0
    for (const slot of [...group.topics.values()].flat().sort(compareSlots)) {
      // Each topic of the group has a member that subscribes to it.
      while (!members[turn]!.topics.has(slot.topic)) turn = (turn + 1) % members.length
      assigned.get(members[turn]!.id)!.push(slot)
      turn = (turn + 1) % members.length
    }
    return assignmentOf(assigned)
  }
}
