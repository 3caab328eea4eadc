/**
 * Rows of the fault table in which processes of the cluster die, stand still and come back: brokers and ZooKeeper.
 */
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { Stage } from './run.ts'
import type { Fault } from './table.ts'

const ROUNDS = 5

/** Kills it, and waits until all works without it. */
export async function killBroker(stage: Stage, id: number): Promise<string> {
  const broker = stage.ground.cluster.broker(id)
  const { pid } = broker
  await broker.kill()
  assert.throws(() => process.kill(pid, 0), `process ${pid} is still there`)
  const [led] = await partitionsLedBy(stage, id)
  const leader = await stage.ground.cluster.waitForLeader(stage.topic, led!, now => now !== id)
  await stage.flowing()
  return `broker ${id} is gone; broker ${leader} leads partition ${led}`
}

/** Those that it would lead by preference. */
async function partitionsLedBy({ ground, topic }: Stage, id: number): Promise<number[]> {
  const { partitions } = await ground.cluster.tool.describe(topic)
  return partitions.filter(({ replicas }) => replicas[0] === id).map(({ partition }) => partition)
}

async function freeze(stage: Stage, id: number, forMs: number): Promise<string> {
  const { cluster } = stage.ground
  const [led] = await partitionsLedBy(stage, id)
  await cluster.broker(id).freeze()
  await delay(forMs)
  const leader = await cluster.waitForLeader(stage.topic, led!, now => now !== id)
  await cluster.broker(id).thaw()
  return `broker ${id} stood still for ${forMs / 1_000} s; broker ${leader} led partition ${led} meanwhile`
}

export const brokerFaults: readonly Fault[] = [
  {
    name: 'leader killed',
    does: 'kill -9 of a broker that leads two partitions of six',
    holds: 'back within the Java client’s time + 1 s; no rebalance',
    ...{ cut: true, timed: true, rebalances: 0 },
    befall: stage => killBroker(stage, stage.leader)
  },
  {
    name: 'controller killed',
    does: 'kill -9 of the controller, which leads two partitions as well',
    holds: 'back within the Java client’s time + 1 s; no rebalance',
    ...{ timed: true, rebalances: 0 },
    befall: async stage => {
      const proof = await killBroker(stage, stage.controller)
      const { controller } = await stage.ground.cluster.tool.brokers()
      assert.notEqual(controller, stage.controller)
      return `${proof}; broker ${controller} is the controller`
    }
  },
  {
    name: 'ZooKeeper killed',
    does: 'kill -9 of ZooKeeper for 10 s, which is all that our clients were named',
    holds: 'the data path goes on: back within the Java client’s time + 1 s; no rebalance',
    ...{ cut: true, timed: true, rebalances: 0 },
    befall: async stage => {
      const { zk } = stage.ground.cluster
      const { pid } = zk
      await zk.kill()
      assert.throws(() => process.kill(pid, 0))
      const before = stage.ours.acks.length
      await delay(10_000)
      return `ZooKeeper is gone; ${stage.ours.acks.length - before} acks without it`
    }
  },
  {
    name: 'SIGSTOP 10 s',
    does: 'SIGSTOP of a leader for 10 s; its session with ZooKeeper ends after 4 s',
    holds: 'new leaders, the thawed one is fenced; back within the Java client’s time + 1 s; no rebalance',
    ...{ timed: true, rebalances: 0 },
    befall: stage => freeze(stage, stage.leader, 10_000)
  },
  {
    name: 'SIGSTOP 30 s',
    does: 'the same for 30 s',
    holds: 'as with 10 s',
    ...{ timed: true, rebalances: 0 },
    befall: stage => freeze(stage, stage.leader, 30_000)
  },
  {
    name: 'rolling restart',
    does: `every broker is stopped in order and started again, ${ROUNDS} times around`,
    holds: 'no rebalance; back within the Java client’s time + 1 s',
    ...{ timed: true, rebalances: 0 },
    befall: async ({ ground: { cluster } }) => {
      for (let round = 0; round < ROUNDS; round++)
        for (const broker of cluster.brokers) {
          const { pid } = broker
          await broker.stop()
          await broker.start()
          assert.notEqual(broker.pid, pid)
          await cluster.waitInSync()
        }
      return `${ROUNDS * cluster.brokers.length} restarts, each a new process`
    }
  }
]
