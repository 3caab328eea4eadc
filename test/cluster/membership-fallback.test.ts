/**
 * A Kafka 4 broker that takes no classic group over to the new protocol (`group.consumer.migration.policy`, KIP-848): `auto` tries the new
 * one, is refused, and shares the group with its classic members.
 */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startCluster } from '../support/cluster.ts'
import { GroupRun } from '../support/group-run.ts'
import { startJavaMember } from '../support/java-member.ts'
import { until } from '../support/until.ts'

const cluster = await startCluster({ kafka: '4', config: { 'group.consumer.migration.policy': 'disabled' } })
after(() => cluster.dispose())

test('a group held by classic members that cannot be taken over is joined as a classic one by `auto`, and refuses who asks for `consumer`', async () => {
  await using run = await GroupRun.start(cluster, [4])
  const stream = run.publish()
  const java = await startJavaMember({ bootstrap: cluster.bootstrap, group: run.group, topics: run.topics, protocol: 'classic' })
  run.readers.push(java)
  try {
    await java.waitForOwned(4)
    await stream.more(50)
    const ours = await run.join({ membership: 'auto' })
    await Promise.all([ours.waitForOwned(2), java.waitForOwned(2)])
    const chosen = ours.told('membership.chosen')
    assert.deepEqual(
      chosen.map(({ membership }) => membership),
      ['consumer', 'classic']
    )
    assert.match(chosen[1]!.reason, /the consumer protocol was refused: /)
    await stream.more(50)
    await java.close()
    await ours.waitForOwned(4)
    await stream.more(50)
    assert.deepEqual([...(await run.allDelivered())], [])

    const asking = await run.join({ membership: 'consumer' })
    await until('the refusal', () => asking.told('trouble').some(({ error }) => error.code === 'GROUP_IS_CLASSIC'))
    await assert.rejects(run.leave(asking), { code: 'GROUP_IS_CLASSIC' })
    await asking.client.close()
    assert.equal(ours.owned.length, 4)
  } finally {
    await java.kill()
  }
})
