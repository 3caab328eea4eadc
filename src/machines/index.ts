/**
 * All machines by id: what a replay folds with, and what devtools and tests list.
 */
import type { AnyStateMachine } from 'xstate'
import { brokerConnectionMachine } from './broker-connection.ts'
import { classicMemberMachine } from './classic-member.ts'
import { clusterMachine } from './cluster.ts'
import { consumedPartitionMachine } from './consumed-partition.ts'
import { consumerMachine } from './consumer.ts'
import { consumerMemberMachine } from './consumer-member.ts'
import { groupMemberMachine } from './group-member.ts'
import { identityMachine } from './identity.ts'
import { manualMemberMachine } from './manual-member.ts'
import { outboxMachine } from './outbox.ts'
import { partitionMachine } from './partition.ts'
import { registrySessionMachine } from './registry-session.ts'
import { tierMachine } from './tier.ts'
import { topicMachine } from './topic.ts'

const machines: readonly AnyStateMachine[] = [
  brokerConnectionMachine,
  classicMemberMachine,
  clusterMachine,
  consumedPartitionMachine,
  consumerMachine,
  consumerMemberMachine,
  groupMemberMachine,
  identityMachine,
  manualMemberMachine,
  outboxMachine,
  partitionMachine,
  registrySessionMachine,
  tierMachine,
  topicMachine
]

export const allMachines: Readonly<Record<string, AnyStateMachine>> = Object.fromEntries(machines.map(machine => [machine.id, machine]))
