/**
 * Running clients on real brokers, recorded and checked: members that come and go in order repeat nothing, a member that is killed may, and in both
 * what was acked is read.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { ConsumerHandle, SubscribeOptions, Topic } from '../../src/index.ts'
import { assertHistory, History } from '../checker/record.ts'
import { withClient } from '../support/connected.ts'
import { MemberProcess } from '../support/group-member.ts'
import { until } from '../support/until.ts'
import { uniqueName, useCluster } from '../support/use-cluster.ts'

const cluster = await useCluster('kraft')
const brokers = cluster.bootstrap.join(',')

/** Publishes `m0`, `m1` … while `body` runs, which may wait for more of them; answers with how many. */
async function publishing(
  history: History,
  topic: Topic,
  body: (more: (count: number) => Promise<unknown>) => Promise<void>
): Promise<number> {
  let [count, stopped] = [0, false]
  const running = (async () => {
    for (; !stopped; count++) {
      await history.publish(topic, { key: `k${count % 20}`, value: `m${count}` }, 'p')
      // Some hundred a second are enough.
      await delay(2)
    }
  })()
  const failed = new Promise<never>((_, reject) => running.catch(reject))
  const more = (wanted: number) => {
    const from = count
    return until(`${wanted} more messages`, () => count >= from + wanted)
  }
  try {
    await Promise.race([body(more), failed])
  } finally {
    stopped = true
  }
  await running
  return count
}

describe('histories of running clients', { timeout: 120_000 }, () => {
  for (const membership of ['classic', 'consumer'] as const)
    test(`members of a group of kind ${membership} come and go: each message once, each partition one's own`, async () => {
      const topic = uniqueName('history')
      await cluster.createTopic(topic, { partitions: 4 })
      await withClient({ brokers }, {}, async ({ client }) => {
        const history = new History()
        const subscribe: SubscribeOptions = { topic, group: `${topic}-group`, membership, from: 'earliest', heartbeatIntervalMs: 200 }
        const join = async (name: string): Promise<ConsumerHandle> => {
          const consumer = client.subscribe(subscribe)
          history.watchConsumer(consumer, name)
          const handle = await consumer.handle
          handle.on('message.batch', ({ ack }) => ack())
          return handle
        }
        const owns = (name: string, count: number) => until(`${name} owns ${count}`, () => ownedBy(history, name).size === count)
        const first = await join('first')
        const sent = await publishing(history, client.topic(topic), async more => {
          await owns('first', 4)
          const second = await join('second')
          await owns('second', 2)
          await more(20)
          await first.close()
          await owns('second', 4)
          await more(20)
          await join('third')
          await owns('third', 2)
          await more(20)
          await second.close()
          await owns('third', 4)
        })
        await until('every message is read', () => history.check({ final: false }).summary.read >= sent)
        const { summary } = assertHistory(history, { mode: 'idempotent', forbid: ['redelivery'] })
        assert.deepEqual([summary.acked, summary.read, summary.groups], [sent, sent, 1])
        assert.ok(summary.commits > 0)
        // The checker would have seen it: one message less, and it is told.
        const less = new History()
        const read = history.sorted().findIndex(({ f }) => f === 'poll')
        less.operations.push(...history.sorted().toSpliced(read, 1))
        assert.equal(less.check({ mode: 'idempotent' }).valid, false)
      })
    })

  test('a member that is killed leaves what it had not committed to the next, and nothing is lost', async () => {
    const topic = uniqueName('history')
    await cluster.createTopic(topic, { partitions: 2 })
    await withClient({ brokers }, {}, async ({ client }) => {
      const history = new History()
      const subscribe: SubscribeOptions = {
        topic,
        group: `${topic}-group`,
        membership: 'classic',
        groupSessionTimeoutMs: 1_500,
        heartbeatIntervalMs: 200
      }
      const doomed = MemberProcess.start({ brokers }, { from: 'earliest', ...subscribe })
      history.watchMember(doomed, 'doomed', { group: subscribe.group! })
      await doomed.waitForOwned(2)
      const sent = await publishing(history, client.topic(topic), async more => {
        await doomed.waitForRecords(20)
        await history.fault('the member is killed', async () => {
          await doomed.kill()
          history.crash('doomed')
          const heir = client.subscribe({ from: 'earliest', ...subscribe })
          history.watchConsumer(heir, 'heir')
          ;(await heir.handle).on('message.batch', ({ ack }) => ack())
          await until('the heir owns both', () => ownedBy(history, 'heir').size === 2)
        })
        await more(10)
      })
      await until('every message is read', () => history.check().valid === true)
      const { summary } = assertHistory(history, { mode: 'idempotent' })
      assert.equal(summary.acked, sent)
      assert.ok(summary.faults === 1 && summary.overlapped > 0)
    })
  })
})

/** Keys that a process owns, as its history tells. */
function ownedBy(history: History, process: string): Set<string> {
  const owned = new Set<string>()
  for (const operation of history.operations) {
    if (operation.process !== process) continue
    if (operation.f === 'assigned') for (const key of operation.value.partitions) owned.add(key)
    if (operation.f === 'revoked' || operation.f === 'lost') for (const key of operation.value.partitions) owned.delete(key)
  }
  return owned
}
