/**
 * Rows of the fault table that befall groups and their members: sessions that expire, coordinators that move, slow members, storms of them; and a
 * publisher that is killed.
 */
import assert from 'node:assert/strict'
import { MemberCrowd } from '../support/member-crowd.ts'
import { until } from '../support/until.ts'
import { closeSession } from '../support/zookeeper-proxy.ts'
import { killBroker } from './broker-faults.ts'
import { coordinatingPartition, OFFSETS_TOPIC } from './ground.ts'
import type { Fault } from './table.ts'

const MAX_POLL_MS = 4_000
const CROWD = 18

export const groupFaults: readonly Fault[] = [
  {
    name: 'session expiry',
    does: 'the ZooKeeper session of every client of ours is closed from a second connection',
    holds: 'registered and watched anew; no owner node is left without its owner; one rebalance for each of the two sessions',
    ...{ cut: true, group: 'zookeeper', by: 'zookeeper front', java: false },
    befall: async ({ ground, ours, flowing }) => {
      const sessions = [...ground.zookeeperFront.sessions]
      assert.ok(sessions.length >= 3, `${sessions.length} sessions`)
      for (const session of sessions) await closeSession(ground.cluster.zk.port, session)
      const again = () => ground.zookeeperFront.sessions.filter(({ id }) => !sessions.some(each => each.id === id)).length
      await until('new sessions', () => again() >= sessions.length)
      await flowing()
      const ids = await ground.cluster.tool.znodes(`/consumers/${ours.options.group}/ids`)
      const owners = await ground.cluster.tool.znodes(`/consumers/${ours.options.group}/owners`)
      const registered = Object.keys(ids).map(path => path.slice(path.lastIndexOf('/') + 1))
      const orphans = Object.values(owners).filter(
        ({ data, ephemeralOwner }) => ephemeralOwner !== '0' && !registered.some(id => data?.startsWith(id))
      )
      assert.deepEqual(orphans, [])
      return `${sessions.length} sessions closed, ${again()} opened; ${registered.length - 1} members registered, 0 orphan owners`
    }
  },
  {
    name: 'coordinator moved',
    does: 'the group’s partition of __consumer_offsets gets another leader',
    holds: 'at most one rejoin',
    ...{ cut: true, timed: true, rebalances: 1 },
    // It is where it was for the rows after this one.
    before: async ({ ground: { cluster }, ours }) => {
      const partition = coordinatingPartition(ours.options.group)
      const { replicas } = (await cluster.tool.describe(OFFSETS_TOPIC)).partitions[partition]!
      return async () => {
        await cluster.tool.reassign(OFFSETS_TOPIC, partition, replicas)
        await cluster.tool.electLeaders({ topic: OFFSETS_TOPIC, partition })
        await cluster.waitForLeader(OFFSETS_TOPIC, partition, id => id === replicas[0])
      }
    },
    befall: async ({ ground: { cluster }, ours, java, coordinator, controller, flowing }) => {
      await cluster.moveLeader(OFFSETS_TOPIC, coordinatingPartition(ours.options.group), controller)
      for (const { options } of [ours, java!]) await cluster.coordinatorOf(options.group, ({ id }) => id === controller)
      await flowing()
      return `coordinator ${coordinator}, then ${controller}`
    }
  },
  {
    name: 'coordinator killed',
    does: 'kill -9 of the group’s coordinator, which leads two partitions as well',
    holds: 'at most one rejoin; back within the Java client’s time + 1 s',
    ...{ timed: true, rebalances: 1 },
    befall: async stage => {
      const proof = await killBroker(stage, stage.coordinator)
      const { id } = await stage.ground.cluster.coordinatorOf(stage.ours.options.group, broker => broker.id !== stage.coordinator)
      return `${proof}; broker ${id} coordinates`
    }
  },
  {
    name: 'client killed mid-publish',
    does: 'kill -9 of the publisher while it publishes, without an outbox; another one begins',
    holds: 'nothing is lost of what was acked',
    ...{ java: false, rebalances: 0 },
    befall: async ({ ours, history, flowing }) => {
      const { producer } = ours
      const acked = ours.acks.length
      producer.kill()
      const end = await producer.ended
      assert.equal(end, 'SIGKILL')
      history.crash('publisher-1')
      await ours.publish()
      await flowing()
      return `the publisher ended by ${end} after ${acked} acks`
    }
  },
  {
    name: 'slow consumer',
    does: `the handler of a member holds one batch for 10 s, with maxPollIntervalMs ${MAX_POLL_MS}`,
    holds: 'it leaves, the other takes over, it joins again; no commit after the loss',
    ...{ java: false },
    subscribe: { maxPollIntervalMs: MAX_POLL_MS },
    befall: async ({ ours, flowing }) => {
      const [slow, other] = ours.members
      const lost = slow!.told('partition.lost').length + slow!.told('partition.revoked').length
      slow!.holdNext(10_000)
      await until('the other owns all', () => other!.owned.length === ours.options.partitions, 30_000)
      await until('both own again', () => ours.settled, 60_000)
      await flowing()
      const more = slow!.told('partition.lost').length + slow!.told('partition.revoked').length - lost
      return `the slow one gave up its partitions ${more} times; the other owned all 6 meanwhile`
    }
  },
  {
    name: 'storm of members',
    does: `${CROWD} members more join at once; half leave in order, the others are killed`,
    holds: 'it converges; never two owners of one partition',
    ...{ java: false },
    befall: async ({ ours, history, flowing }) => {
      const { group } = ours.options
      const crowds = [0, 1].map(
        () => new MemberCrowd({ where: ours.where, subscribe: ours.subscription, options: { requestTimeoutMs: 5_000 }, count: CROWD / 2 })
      )
      const names = new Map(crowds.flatMap((crowd, at) => crowd.members.map((member, i) => [member, `crowd-${at}-${i}`] as const)))
      for (const [member, name] of names) {
        history.watchMember(member, name, { group })
        ours.adopt(member)
      }
      const all = [...ours.members, ...names.keys()]
      const owned = () => all.reduce((sum, member) => sum + member.owned.length, 0)
      await until(
        'every partition is owned by one of 20',
        () => owned() === ours.options.partitions && all.every(each => each.owned.length <= 1),
        60_000
      )
      await crowds[0]!.close()
      await crowds[1]!.kill()
      for (const member of crowds[1]!.members) history.crash(names.get(member)!)
      await flowing()
      return `${all.length} members shared ${ours.options.partitions} partitions; ${CROWD / 2} left, ${CROWD / 2} were killed`
    }
  }
]
