/**
 * What is done in each embedded scenario, under the name of its row.
 */
import { undergo } from '../sim/ordeals.ts'
import type { Plan } from '../sim/plan.ts'
import type { Link } from '../sim/sim-world.ts'
import type { EmbeddedFault } from './embedded.ts'
import { BROKER_SESSION_MS, type Scene, SIM_GROUP, TOPIC } from './scene.ts'

const OFFSETS = '__consumer_offsets'
const EACH_MS = 1
const CUT_MS = 8_000

const coordinator = ({ kafka }: Scene) => kafka.state.coordinatorPartition('group', SIM_GROUP)!
/** A broker that leads, is neither controller nor coordinator. */
const leader = (scene: Scene) =>
  scene.kafka.brokers.find(({ id }) => id !== scene.kafka.controller?.id && id !== coordinator(scene).leader)!.id

async function kill(scene: Scene, id: number): Promise<void> {
  scene.kafka.kill(id)
  await scene.flowing()
  await scene.kafka.restart(id)
}

/** Its session ends meanwhile: others lead, and it is in sync with nobody (which is all that a full disk does here). */
async function freeze(scene: Scene, forMs: number): Promise<void> {
  const id = leader(scene)
  scene.kafka.freeze(id)
  await scene.sim.sleep(BROKER_SESSION_MS)
  scene.kafka.fillDisk(id)
  await scene.sim.sleep(forMs - BROKER_SESSION_MS)
  scene.kafka.thaw(id)
  scene.kafka.freeDisk(id)
}

/** Does something to every connection to a broker, new ones too, for a while. */
async function toLinks({ sim, kafka }: Scene, id: number, change: (link: Link, untilMs: number) => void): Promise<void> {
  const { port } = kafka.broker(id)
  for (const untilMs = sim.nowMs + CUT_MS; sim.nowMs < untilMs; await sim.sleep(EACH_MS))
    for (const link of [...sim.links]) if (link.port === port) change(link, untilMs)
}

/** What is sent comes when the cut is over, as what TCP sends again. */
const silence = (scene: Scene, ...ways: ('up' | 'down')[]) =>
  toLinks(scene, leader(scene), (link, untilMs) => {
    for (const way of ways) link.heldUntilMs[way] = untilMs
  })

/** The session of a member's client, by the connection that it has now. */
function sessions({ kafka }: Scene): bigint[] {
  return [...kafka.zookeeper!.core.sessions.all.values()].filter(({ timeoutMs, holder }) => timeoutMs > 1_000 && holder).map(({ id }) => id)
}

const planOf = (scene: Scene) => ({ membership: 'zookeeper', topics: [TOPIC], partitions: scene.partitions }) as unknown as Plan
const undergone = (scene: Scene, ordeal: 'delete and make a topic again' | 'add partitions') =>
  undergo(
    {
      ...{ sim: scene.sim, kafka: scene.kafka, plan: planOf(scene), history: scene.history },
      gone: values => {
        for (const value of values) scene.gone.add(value)
      },
      calm: async () => () => {},
      another: () => {}
    },
    ordeal
  )

export const EMBEDDED: readonly EmbeddedFault[] = [
  { name: 'leader killed', rebalances: 0, befall: scene => kill(scene, leader(scene)) },
  { name: 'controller killed', befall: scene => kill(scene, scene.kafka.controller!.id) },
  {
    name: 'ZooKeeper killed',
    rebalances: 0,
    befall: async ({ kafka, sim }) => {
      kafka.zookeeper!.suspendAll()
      await sim.sleep(10_000)
      await kafka.zookeeper!.resumeAll()
    }
  },
  { name: 'SIGSTOP 10 s', rebalances: 0, befall: scene => freeze(scene, 10_000) },
  { name: 'SIGSTOP 30 s', rebalances: 0, befall: scene => freeze(scene, 30_000) },
  {
    name: 'rolling restart',
    rebalances: 0,
    befall: async scene => {
      for (let round = 0; round < 5; round++)
        for (const { id } of scene.kafka.brokers) {
          // As an orderly end does: it hands over what it leads, and is in sync with nobody.
          scene.kafka.fillDisk(id)
          scene.kafka.kill(id)
          await scene.sim.sleep(500 + scene.sim.random() * 2_000)
          await scene.kafka.restart(id)
          scene.kafka.freeDisk(id)
          const whole = () => [...scene.kafka.state.partitions()].every(({ isr, replicas }) => isr.length === replicas.length)
          await scene.until('all in sync', whole)
        }
    }
  },
  {
    name: 'session expiry',
    group: 'zookeeper',
    befall: async scene => {
      for (const id of sessions(scene)) scene.kafka.zookeeper!.expire(id)
      await scene.flowing()
    }
  },
  {
    name: 'coordinator moved',
    rebalances: 1,
    befall: async scene => {
      const partition = coordinator(scene)
      scene.kafka.moveLeader(OFFSETS, partition.index, partition.isr.find(id => id !== partition.leader)!)
      await scene.flowing()
    }
  },
  { name: 'coordinator killed', rebalances: 1, befall: scene => kill(scene, coordinator(scene).leader) },
  { name: 'network: refused', befall: scene => toLinks(scene, leader(scene), link => link.cut()) },
  {
    name: 'network: reset',
    befall: async scene => {
      for (const link of [...scene.sim.links]) link.cut()
      await scene.flowing()
    }
  },
  { name: 'network: black hole', befall: scene => silence(scene, 'up', 'down') },
  { name: 'network: black hole, hurried', hurried: true, befall: scene => silence(scene, 'up', 'down') },
  { name: 'network: silent up', befall: scene => silence(scene, 'up') },
  { name: 'network: silent down', befall: scene => silence(scene, 'down') },
  {
    name: 'network: slow',
    rebalances: 0,
    befall: async ({ kafka, sim }) => {
      for (const broker of kafka.brokers) broker.slow(200)
      await sim.sleep(10_000)
      for (const broker of kafka.brokers) broker.slow(0)
    }
  },
  { name: 'topic deleted and made again', group: 'zookeeper', befall: scene => undergone(scene, 'delete and make a topic again') },
  { name: 'topic grown', group: 'zookeeper', befall: scene => undergone(scene, 'add partitions') },
  {
    name: 'broker’s address changed',
    befall: async scene => {
      const id = leader(scene)
      scene.kafka.kill(id)
      await scene.sim.sleep(BROKER_SESSION_MS)
      await scene.kafka.restart(id, { port: 0 })
      scene.kafka.moveLeader(TOPIC, 0, id)
      await scene.flowing()
    }
  },
  {
    name: 'client killed mid-publish',
    rebalances: 0,
    befall: async scene => {
      scene.killPublisher()
      await scene.publish()
      await scene.flowing()
    }
  },
  {
    name: 'disk full',
    befall: async scene => {
      const id = leader(scene)
      scene.kafka.fillDisk(id)
      await scene.flowing()
      scene.kafka.freeDisk(id)
    }
  },
  {
    name: 'slow consumer',
    subscribe: { maxPollIntervalMs: 3_000 },
    befall: async scene => {
      scene.members[0]!.holdMs = 9_000
      await scene.sim.sleep(10_000)
    }
  },
  {
    name: 'storm of members',
    befall: async scene => {
      const { sim } = scene
      await Promise.all(Array.from({ length: 18 }, () => sim.sleep(sim.random() * 3_000).then(() => scene.join())))
      await sim.sleep(sim.random() * 2_000)
      for (const member of scene.members.slice(2)) {
        if (sim.random() < 0.5) scene.killMember(member)
        else await member.close()
        await sim.sleep(sim.random() * 300)
      }
      await scene.flowing()
    }
  }
]
