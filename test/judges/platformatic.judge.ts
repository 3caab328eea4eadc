/**
 * @platformatic/kafka, unchanged against the embedded cluster: records with each codec, transactions, what an admin does, and members of groups of both protocols
 * that come and go.
 */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { startCluster } from '../../src/testing.ts'
import type { ForeignMember } from '../support/foreign-member.ts'
import { type PlatformaticMessage, platformatic, startPlatformaticMember } from '../support/platformatic.ts'
import { until } from '../support/until.ts'

const config = {
  'group.min.session.timeout.ms': '1000',
  'group.consumer.heartbeat.interval.ms': '300',
  'group.consumer.min.heartbeat.interval.ms': '300'
}

for (const profile of ['3.9', '4.x'] as const)
  describe(`@platformatic/kafka at embedded brokers as of ${profile}`, { timeout: 120_000 }, async () => {
    const kafka = await startCluster({ brokers: 3, profile, zookeeper: profile === '3.9', config })
    after(() => kafka.stop())
    const call = (...calls: { do: string; with?: unknown }[]) => platformatic(kafka.bootstrap, calls)
    const numbered = (topic: string, count: number, prefix = 'm', partitions = 1): PlatformaticMessage[] =>
      Array.from({ length: count }, (_, i) => ({ topic, partition: i % partitions, key: `k${i}`, value: `${prefix}${i}`, headers: [] }))

    test('writes with each codec and reads it all back, to the byte', async () => {
      kafka.createTopic('codecs', { partitions: 1 })
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index)).toString('latin1')
      const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
      const written = codecs.flatMap(codec => [
        ...numbered('codecs', 50, codec),
        { topic: 'codecs', partition: 0, key: null, value: `${codec} ${bytes}`, headers: [['trace', bytes] as [string, string]] },
        { topic: 'codecs', partition: 0, key: 'big', value: 'compressible '.repeat(5_000), headers: [] }
      ])
      const each = written.length / codecs.length
      const answers = await call(
        ...codecs.map((compression, i) => ({ do: 'produce', with: { compression, messages: written.slice(i * each, (i + 1) * each) } })),
        { do: 'read', with: { topic: 'codecs', count: written.length } }
      )
      const first = answers.slice(0, -1).map(answer => (answer as { offset: string }[])[0]!.offset)
      assert.deepEqual(
        first,
        codecs.map((_, i) => String(i * each))
      )
      assert.deepEqual(
        answers.at(-1),
        written.map((message, offset) => ({ ...message, offset: String(offset) }))
      )
    })

    test('transactions: what is committed is read, what is aborted is not', async () => {
      kafka.createTopic('paid', { partitions: 2 })
      const messages = (prefix: string) => numbered('paid', 10, prefix, 2)
      // It knows one aborted transaction of a producer in what it fetches at once.
      const [, , read] = await call(
        {
          do: 'transact',
          with: {
            id: 'one',
            transactions: [
              { messages: messages('a'), end: 'abort' },
              { messages: messages('b'), end: 'commit' }
            ]
          }
        },
        { do: 'transact', with: { id: 'two', transactions: [{ messages: messages('c'), end: 'abort' }] } },
        { do: 'read', with: { topic: 'paid', count: 10 } }
      )
      assert.deepEqual(
        (read as PlatformaticMessage[]).map(({ value }) => value).sort(),
        messages('b').map(({ value }) => value)
      )
    })

    test('an admin makes, changes, describes and deletes topics', async () => {
      const topic = { topics: ['made'], partitions: 3, replicas: 3, configs: [{ name: 'retention.ms', value: '60000' }] }
      const resource = { resourceType: 2, resourceName: 'made' }
      const configs = (answer: unknown) => (answer as { configs: { name: string; value: string }[] }[])[0]!.configs
      const [made, listed, described, , changed, , offsets, coordinators, , left] = await call(
        { do: 'createTopics', with: topic },
        { do: 'listTopics' },
        { do: 'describeConfigs', with: { resources: [{ ...resource, configurationKeys: ['retention.ms'] }] } },
        {
          do: 'incrementalAlterConfigs',
          with: { resources: [{ ...resource, configs: [{ name: 'retention.ms', configOperation: 0, value: '1000' }] }] }
        },
        { do: 'describeConfigs', with: { resources: [{ ...resource, configurationKeys: ['retention.ms'] }] } },
        { do: 'createPartitions', with: { topics: [{ name: 'made', count: 5, assignments: [] }] } },
        { do: 'listOffsets', with: { topics: [{ name: 'made', partitions: [{ partitionIndex: 4, timestamp: '-1n' }] }] } },
        { do: 'findCoordinator', with: { keyType: 0, keys: ['one', 'two'] } },
        { do: 'deleteTopics', with: { topics: ['made'] } },
        { do: 'listTopics' }
      )
      const [{ name, partitions, replicas }] = made as [{ name: string; partitions: number; replicas: number }]
      assert.deepEqual({ name, partitions, replicas }, { name: 'made', partitions: 3, replicas: 3 })
      assert.ok((listed as string[]).includes('made') && !(left as string[]).includes('made'))
      assert.deepEqual(
        [described, changed].map(answer => configs(answer).map(({ name, value }) => `${name}=${value}`)),
        [['retention.ms=60000'], ['retention.ms=1000']]
      )
      assert.deepEqual((offsets as { partitions: { offset: string }[] }[])[0]!.partitions[0]!.offset, '0')
      assert.deepEqual(
        (coordinators as { key: string; nodeId: number }[]).map(({ key, nodeId }) => [key, kafka.bootstrap.length >= nodeId]),
        [
          ['one', true],
          ['two', true]
        ]
      )
    })

    const protocol = profile === '3.9' ? 'classic' : 'consumer'
    test(`two members of a group (${protocol}): one comes, one goes, everything is read once; the admin knows of it`, async () => {
      const [topic, group] = [`shared-${protocol}`, `group-${protocol}`]
      kafka.createTopic(topic, { partitions: 6 })
      const members = new Set<ForeignMember>()
      after(() => Promise.all([...members].map(member => member.kill())))
      const records: string[] = []
      const join = async () => {
        const member = await startPlatformaticMember({ bootstrap: kafka.bootstrap, group, topic, protocol })
        members.add(member)
        member.listen(event => {
          if (event.type === 'polled') records.push(...event.records.map(({ value }) => value!))
        })
        return member
      }
      const produce = (prefix: string) => call({ do: 'produce', with: { messages: numbered(topic, 120, prefix, 6) } })
      /** All of it given to somebody, and committed. */
      const quiet = async (count: number) => {
        await until(`${count} records`, () => records.length >= count)
        await until('all committed', async () => {
          const [answer] = await call({ do: 'listConsumerGroupOffsets', with: { groups: [group] } })
          const [{ topics }] = answer as [{ topics: { partitions: { committedOffset: string }[] }[] }]
          const next = topics.flatMap(({ partitions }) => partitions.map(({ committedOffset }) => Number(committedOffset)))
          return next.reduce((sum, each) => sum + each, 0) === count
        })
      }
      const one = await join()
      await one.waitForOwned(6)
      await produce('a')
      await quiet(120)
      const two = await join()
      await Promise.all([one.waitForOwned(3), two.waitForOwned(3)])
      assert.equal(new Set([...one.owned, ...two.owned]).size, 6)
      await produce('b')
      await quiet(240)
      const listed = new Map((await call({ do: 'listGroups', with: { types: [protocol] } }))[0] as [string, { state: string }][])
      assert.equal(listed.get(group)?.state.toUpperCase(), 'STABLE')
      if (protocol === 'classic') {
        const [[, described]] = (await call({ do: 'describeGroups', with: { groups: [group] } }))[0] as [[string, { members: unknown[] }]]
        assert.equal(described.members.length, 2)
      }
      members.delete(one)
      await one.close()
      await two.waitForOwned(6)
      await produce('c')
      await quiet(360)
      members.delete(two)
      await two.close()
      assert.equal(new Set(records).size, 360, 'nothing is lost')
      assert.equal(records.length, 360, 'nothing comes twice')
      const [, groups] = await call({ do: 'deleteGroups', with: { groups: [group] } }, { do: 'listGroups' })
      assert.ok(!new Map(groups as [string, unknown][]).has(group))
    })
  })
