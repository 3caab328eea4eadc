/**
 * read_committed over transactions in one another, several of one producer, and one without a message: what Java's consumer reads is right.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withClient } from '../support/connected.ts'
import { RawTransactions } from '../support/raw-transaction.ts'
import { until } from '../support/until.ts'
import { uniqueName, useCluster } from '../support/use-cluster.ts'

const clusters = { zookeeper: await useCluster(), kraft: await useCluster('kraft') }

for (const kind of ['zookeeper', 'kraft'] as const)
  test(`${kind}: aborted transactions hide theirs and nothing else, whatever the answers are cut into`, async () => {
    const cluster = clusters[kind]
    const topic = uniqueName('fetch-transactions')
    const leader = cluster.brokers[0]!.id
    await cluster.createTopic(topic, kind === 'zookeeper' ? { assignment: [[1, 2, 3]] } : {})
    const url = kind === 'kraft' ? `kafka://${cluster.bootstrap.join(',')}` : `zookeeper://${cluster.zookeeper}`
    await withClient(url, {}, async ({ client, instance }) => {
      const [a, b] = [await RawTransactions.begin(instance, topic, leader), await RawTransactions.begin(instance, topic, leader)]
      const expected: string[] = []
      for (let round = 0; round < 5; round++) {
        const named = (...names: string[]) => names.map(name => `${name}${round}`)
        await a.join()
        await a.write(...named('long aborted'))
        await b.join()
        await b.write(...named('aborted 1', 'aborted 2'))
        await b.end(false)
        await b.join()
        await b.write(...named('committed in between'))
        await b.end(true)
        await b.join()
        // Nothing written, and aborted.
        await b.end(false)
        await b.join()
        await b.write(...named('committed after the empty one'))
        await a.write(...named('long aborted, once more'))
        await a.end(false)
        await a.join()
        await a.write(...named('committed by the other'))
        await b.end(true)
        await a.end(true)
        expected.push(...named('committed in between', 'committed after the empty one', 'committed by the other'))
      }
      const java = await until('the last marker', async () => {
        const { values } = await cluster.tool.consume(topic, { committed: true, values: true })
        return values.length === expected.length && values
      })
      assert.deepEqual(java, expected)
      for (const partitionFetchMaxBytes of [1, 300, 1_000_000]) {
        const consumer = client
          .topic(topic)
          .subscribe({ membership: 'manual', from: 'earliest', isolation: 'read_committed', partitionFetchMaxBytes })
        const read: string[] = []
        for await (const { value } of consumer) if (read.push(String(value)) === expected.length) break
        assert.deepEqual(read, expected, `in answers of ${partitionFetchMaxBytes} bytes`)
      }
    })
  })
