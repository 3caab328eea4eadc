/**
 * What a seed may do to an embedded cluster while clients use it. Each fault begins, and (where it lasts) ends; the run tells which have fired.
 */
import type { EmbeddedCluster } from '../../src/testing.ts'
import type { ResponseOf } from '../../src/wire/apis.ts'
import { LENGTH_AT, LOG_OVERHEAD } from '../../src/wire/records/layout.ts'
import { GROUP } from './plan.ts'
import type { SimWorld } from './sim-world.ts'

type FetchAnswer = ResponseOf<'Fetch'>

export interface Stage {
  sim: SimWorld
  kafka: EmbeddedCluster
  topic: string
}

/** Does it; answers with what ends it, or undefined when it could not be done now. */
export type Fault = (stage: Stage) => (() => void | Promise<void>) | undefined

const pick = <T>(sim: SimWorld, list: readonly T[]): T | undefined => list[Math.floor(sim.random() * list.length)]
const running = ({ kafka }: Stage) => kafka.brokers.filter(broker => broker.running && !broker.frozen)
/** Two are left for the topic, whose writes need two in sync. */
const spare = (stage: Stage) => (running(stage).length > 2 ? pick(stage.sim, running(stage)) : undefined)
const clientLinks = ({ sim }: Stage, ports: readonly number[]) => [...sim.links].filter(({ port }) => ports.includes(port))

/** Undefined: the topic is deleted. */
const anyPartition = ({ sim, kafka, topic }: Stage) => pick(sim, kafka.state.topic(topic)?.partitions ?? [])

/**
 * Of those that are connected and answered. A session without its client ends when its timeout is over and no sooner: until then the client may count on
 * it. Sessions of brokers have no timeout to speak of.
 */
function sessionOfClient({ sim, kafka }: Stage): bigint | undefined {
  const sessions = [...(kafka.zookeeper?.core.sessions.all.values() ?? [])]
  const held = (id: bigint) => (suspended.get(kafka)?.get(id) ?? 0) > sim.nowMs
  return pick(
    sim,
    sessions.filter(({ id, timeoutMs, holder }) => timeoutMs > 1_000 && holder !== undefined && !held(id))
  )?.id
}

/** Until when nothing is answered to a session. */
const suspended = new WeakMap<EmbeddedCluster, Map<bigint, number>>()

export const FAULTS: Readonly<Record<string, Fault>> = {
  'kill broker': stage => {
    const broker = spare(stage)
    if (!broker) return undefined
    stage.kafka.kill(broker.id)
    return () => stage.kafka.restart(broker.id)
  },
  'freeze broker': stage => {
    const broker = spare(stage)
    if (!broker) return undefined
    broker.freeze()
    return () => broker.thaw()
  },
  'slow broker': stage => {
    const broker = pick(stage.sim, running(stage))
    broker?.slow(20 + stage.sim.random() * 200)
    return broker && (() => broker.slow(0))
  },
  'cut connections': stage => {
    const broker = pick(stage.sim, running(stage))
    if (!broker) return undefined
    for (const link of clientLinks(stage, [broker.port])) link.cut()
    return () => {}
  },
  'one-way silence': stage => {
    const broker = pick(stage.sim, running(stage))
    if (!broker) return undefined
    const untilMs = stage.sim.nowMs + 500 + stage.sim.random() * 1_500
    const direction = stage.sim.random() < 0.5 ? 'up' : 'down'
    for (const link of clientLinks(stage, [broker.port])) link.heldUntilMs[direction] = untilMs
    return () => {}
  },
  'lose answers to Produce': stage =>
    stage.kafka.control('Produce', () => ({ drop: 'after' }), { times: 1 + Math.floor(stage.sim.random() * 3) }),
  'refuse Produce': stage =>
    stage.kafka.control(
      'Produce',
      () => ({
        change: answer => {
          for (const { partitionResponses } of answer.responses)
            for (const partition of partitionResponses) Object.assign(partition, { errorCode: NOT_LEADER, baseOffset: -1n })
          return answer
        }
      }),
      { times: 1 }
    ),
  'delay Fetch': stage => stage.kafka.control('Fetch', () => ({ delayMs: 100 + stage.sim.random() * 900 }), { times: 3 }),
  'damage a Fetch answer': stage => {
    let left = 2
    const change = (answer: FetchAnswer) => {
      for (const { partitions } of answer.responses)
        for (const partition of partitions) {
          // The embedded broker answers with the slices of its log; a copy, for the log itself is whole.
          const bytes = Buffer.concat((partition.records ?? []) as unknown as Buffer[])
          // Behind the field of the checksum, which covers all the rest of its batch.
          if (bytes.length <= CHECKED_FROM || --left < 0) continue
          // Of the first one: offsets of the next are not covered.
          const end = Math.min(bytes.length, LOG_OVERHEAD + bytes.readInt32BE(LENGTH_AT))
          bytes[CHECKED_FROM + Math.floor(stage.sim.random() * (end - CHECKED_FROM))]! ^= 0x10
          partition.records = [bytes] as never
        }
      return answer
    }
    return stage.kafka.control('Fetch', () => ({ change }), { times: 20 })
  },
  'refuse a Fetch': stage => {
    const errorCode = pick(stage.sim, FETCH_ERRORS)!
    // As some brokers do it: with records all the same.
    const change = (answer: FetchAnswer) => {
      for (const { partitions } of answer.responses) for (const partition of partitions) partition.errorCode = errorCode
      return answer
    }
    return stage.kafka.control('Fetch', () => ({ change }), { times: 1 + Math.floor(stage.sim.random() * 3) })
  },
  'refuse a group’s request': stage => {
    const times = 1 + Math.floor(stage.sim.random() * 3)
    const [api, errors] = pick(stage.sim, GROUP_ERRORS)!
    const errorCode = pick(stage.sim, errors)!
    return stage.kafka.control(api, () => ({ change: (answer: object) => Object.assign(answer, { errorCode }) as never }), { times })
  },
  'move the coordinator': stage => {
    const { state } = stage.kafka
    if (!state.topic(OFFSETS)) return undefined
    const partition = state.coordinatorPartition('group', GROUP)
    const next = partition?.isr.find(id => id !== partition.leader && stage.kafka.broker(id).running)
    if (!partition || next === undefined) return undefined
    stage.kafka.moveLeader(OFFSETS, partition.index, next)
    return () => {}
  },
  'move a leader': stage => {
    const partition = anyPartition(stage)
    const next = partition?.isr.find(id => id !== partition.leader && stage.kafka.broker(id).running)
    if (!partition || next === undefined) return undefined
    stage.kafka.moveLeader(stage.topic, partition.index, next)
    return () => {}
  },
  'move the controller': stage => {
    stage.kafka.moveController()
    return () => {}
  },
  'expire a broker’s session': stage => {
    const broker = pick(stage.sim, running(stage))
    if (!broker || running(stage).length < 3) return undefined
    stage.kafka.expireBroker(broker.id)
    return () => {}
  },
  'expire a client’s session': stage => {
    const id = sessionOfClient(stage)
    if (id === undefined) return undefined
    stage.kafka.zookeeper!.expire(id)
    return () => {}
  },
  'cut ZooKeeper': stage => {
    stage.kafka.zookeeper?.cut()
    return stage.kafka.zookeeper ? () => {} : undefined
  },
  'fill a disk': stage => {
    const broker = running(stage).length > 2 ? pick(stage.sim, running(stage)) : undefined
    if (!broker) return undefined
    stage.kafka.fillDisk(broker.id)
    return () => stage.kafka.freeDisk(broker.id)
  },
  'shrink the ISR': stage => {
    const partition = anyPartition(stage)
    const follower = partition?.isr.find(id => id !== partition.leader)
    if (!partition || follower === undefined || partition.isr.length < 3) return undefined
    partition.hold(follower)
    partition.shrink(follower)
    return () => partition.hold(follower, false)
  },
  'cut an answer short': stage =>
    stage.kafka.control(
      '*',
      () => ({ close: true, bytes: frame => frame.subarray(0, 4 + Math.floor(stage.sim.random() * (frame.length - 4))) }),
      {
        times: 1
      }
    ),
  'repeat an answer': stage => stage.kafka.control('Produce', () => ({ bytes: frame => Buffer.concat([frame, frame]) }), { times: 1 }),
  'late watches': stage => {
    const { zookeeper } = stage.kafka
    if (!zookeeper) return undefined
    zookeeper.onEvent = () => ({ delayMs: stage.sim.random() * 1_000 })
    return () => {
      zookeeper.onEvent = () => 'deliver'
    }
  },
  'suspend a client’s session': stage => {
    const { zookeeper } = stage.kafka
    const id = sessionOfClient(stage)
    if (id === undefined) return undefined
    const forMs = 500 + stage.sim.random() * 5_000
    const until = suspended.get(stage.kafka) ?? new Map<bigint, number>()
    suspended.set(stage.kafka, until.set(id, stage.sim.nowMs + forMs))
    zookeeper!.suspend(id, forMs)
    return () => {}
  },
  'ZooKeeper without quorum': stage => {
    const { zookeeper } = stage.kafka
    if (!zookeeper) return undefined
    zookeeper.suspendAll()
    return () => zookeeper.resumeAll()
  }
}

const NOT_LEADER = 6
const OFFSETS = '__consumer_offsets'
/** The checksum of a batch lies in its bytes 17 to 20. */
const CHECKED_FROM = 21
/** Out of range, no such partition, not its leader, its disk, an old epoch, one that is not known yet. */
const FETCH_ERRORS = [1, 3, 6, 56, 74, 75]
/** Loading, not there, another coordinator, an old generation, who is that, joining again; of the new protocol: an old epoch. */
const GROUP_ERRORS = [
  ['JoinGroup', [14, 15, 16, 25]],
  ['SyncGroup', [14, 16, 22, 25, 27]],
  ['Heartbeat', [16, 22, 25, 27]],
  ['ConsumerGroupHeartbeat', [14, 15, 16, 25, 110]],
  ['OffsetFetch', [14, 16]]
] as const
