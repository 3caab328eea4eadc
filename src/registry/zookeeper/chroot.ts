/**
 * When no Kafka is under the chroot: looks around from ZooKeeper's root, so that the error can say where it may be.
 */
import { RegistryError } from '../../model/errors.ts'
import type { World } from '../../model/world.ts'
import { brokerIdsPath } from '../znodes/broker.ts'
import { openSession, type SessionOptions } from './open-session.ts'
import type { ZooKeeperSession } from './session.ts'

const lookMs = 3_000
const maxLooks = 50

/** CHROOT_EMPTY, with what was found instead. Bounded: a look that fails only shortens the message. */
export async function notKafkaError(world: World, options: SessionOptions): Promise<RegistryError> {
  const slash = options.connectString.indexOf('/')
  const servers = slash === -1 ? options.connectString : options.connectString.slice(0, slash)
  const chroot = slash === -1 ? '/' : options.connectString.slice(slash)
  const found = await lookAround(world, { ...options, connectString: servers, operationTimeoutMs: lookMs })
  const hint =
    found.length > 0
      ? `There is one at ${found.map(path => `${servers}${path}`).join(' and at ')}.`
      : 'None was found elsewhere in this ZooKeeper either: start a broker first, or check the address.'
  return new RegistryError('CHROOT_EMPTY', `No Kafka cluster is registered at ${servers}${chroot}: it has no ${brokerIdsPath}. ${hint}`, {
    details: { chroot, found: found.join(',') }
  })
}

/** Chroots under which brokers are registered: the root itself and its children. */
async function lookAround(world: World, options: SessionOptions): Promise<string[]> {
  const session = openSession(world, options)
  try {
    const { children } = await session.getChildren('/')
    const candidates = ['', ...children.slice(0, maxLooks).map(child => `/${child}`)]
    const answers = await Promise.all(candidates.map(candidate => hasBrokers(session, candidate)))
    return candidates.filter((_, i) => answers[i]).map(candidate => candidate || '/')
  } catch {
    return []
  } finally {
    await session.close()
  }
}

async function hasBrokers(session: ZooKeeperSession, chroot: string): Promise<boolean> {
  try {
    return (await session.exists(`${chroot}${brokerIdsPath}`)) !== undefined
  } catch {
    return false
  }
}
