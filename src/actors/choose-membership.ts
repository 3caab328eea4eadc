/**
 * `membership: 'auto'`: a cluster named by its ZooKeeper keeps its groups there, unless the group's sign says that it has moved;
 * otherwise the newest protocol that the brokers offer.
 */
import { plainError, SamsaError } from '../model/errors.ts'
import { SOFTWARE } from '../model/software.ts'
import type { Membership } from '../model/subscription.ts'
import { readSigns } from '../registry/group/moved.ts'
import type { Instance } from './instance.ts'

export interface Choice {
  membership: Membership
  reason: string
}

/** `unfit`: why the consumer protocol was tried and does not fit, if so. Rejects with SamsaError; what is retriable is worth another try. */
export async function chooseMembership(instance: Instance, group: string, unfit: string | null): Promise<Choice> {
  if (instance.options.zookeeper === null) return kafkaProtocol(instance, '', unfit)
  if (instance.registry?.zooKeeperGone) return kafkaProtocol(instance, 'ZooKeeper is gone and the brokers run without it; ', unfit)
  const session = instance.registry?.currentSession?.()
  if (!session)
    throw new SamsaError('NO_SESSION', `There is no ZooKeeper session at the moment; where group ${group} meets cannot be looked up.`, {
      retriable: true
    })
  const sign = await readSigns(session, group).catch(unavailable)
  if (sign === 'moving')
    throw new SamsaError('GROUP_MOVING', `Group ${group} is on its way to Kafka; its members wait until it has arrived.`, {
      retriable: true
    })
  if (sign === 'none') return { membership: 'zookeeper', reason: 'the cluster is named by its ZooKeeper, and the group has not moved' }
  return kafkaProtocol(instance, 'the group has moved to Kafka; ', unfit)
}

/** A session that cannot be asked now is worth another try, and is followed by another one, unless ZooKeeper says no. */
function unavailable(error: unknown): never {
  const { code, message } = plainError(error)
  throw new SamsaError(code, message, { retriable: code !== 'ZK_NO_AUTH', cause: error })
}

/** The protocol of KIP-848 where the cluster has it switched on (feature `group.version`, Kafka 4.0), else the classic one. */
async function kafkaProtocol(instance: Instance, why: string, unfit: string | null): Promise<Choice> {
  if (unfit !== null) return { membership: 'classic', reason: `${why}the consumer protocol was refused: ${unfit}` }
  const { links, options } = instance
  const link = await links.any(options.requestTimeoutMs)
  if (link.version('ConsumerGroupHeartbeat') === undefined)
    return { membership: 'classic', reason: `${why}the brokers do not offer the consumer protocol (KIP-848)` }
  const answer = await link.request('ApiVersions', SOFTWARE)
  const level = answer.finalizedFeatures?.find(({ name }) => name === 'group.version')?.maxVersionLevel ?? 0
  if (level >= 1) return { membership: 'consumer', reason: `${why}the brokers offer the consumer protocol (KIP-848)` }
  return { membership: 'classic', reason: `${why}the consumer protocol (KIP-848) is not switched on in this cluster` }
}
