/**
 * The live side of a KIP-848 member: what travels to the coordinator, what is believed of its answers, and how the member goes.
 */
import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { newMemberId } from '../../src/actors/consumer-member.ts'
import { LiveConsumerMember } from '../../src/actors/consumer-member-live.ts'
import { addInstance, removeInstance } from '../../src/actors/instance.ts'
import type { Said } from '../../src/machines/consumer-member-types.ts'
import { plainError } from '../../src/model/errors.ts'
import { resolveSubscription } from '../../src/model/subscription.ts'
import { type Asked, connectionLost, coordinatorAt, ScriptedLinks } from '../support/scripted-links.ts'

const nothing: Said = { rebalanceTimeoutMs: null, topics: null, regex: null, remoteAssignor: null, held: null }
const beat = (more: object = {}) => ({
  throttleTimeMs: 0,
  errorCode: 0,
  errorMessage: null,
  memberId: 'me',
  memberEpoch: 3,
  heartbeatIntervalMs: 5_000,
  assignment: null,
  ...more
})
const configs = (value: string | null, errorCode = 0) => ({
  results: [{ errorCode, errorMessage: null, configs: value === null ? [] : [{ name: 'consumer.session.timeout.ms', value }] }]
})

/** A member whose coordinator is broker 1; `answers` by API. */
function member(answers: Record<string, (asked: Asked) => unknown> = {}, subscribe: object = {}) {
  const all: Record<string, (asked: Asked) => unknown> = {
    FindCoordinator: () => coordinatorAt('g', 1),
    DescribeConfigs: () => configs('45000'),
    ConsumerGroupHeartbeat: () => beat(),
    ...answers
  }
  const links = new ScriptedLinks(asked => all[asked.api]!(asked))
  links.versions = { FindCoordinator: 4, ConsumerGroupHeartbeat: 1 }
  const troubles: string[] = []
  const plane = {
    emit: (event: { error: { code: string } }) => troubles.push(event.error.code),
    offsets: undefined,
    provenUntilMs: () => 0
  }
  const { acquire } = links.instance.links
  const ready = new Map<string, unknown>()
  Object.assign(links.instance, { consumers: new Map([['consumers/1', plane]]) })
  Object.assign(links.instance.links, {
    acquire: async (node: number, purpose: string, timeoutMs: number) => {
      const link = await acquire(node, purpose, timeoutMs)
      ready.set(`${node}/${purpose}`, link)
      return link
    },
    get: (node: number, purpose: string) => ready.get(`${node}/${purpose}`)
  })
  addInstance(links.instance)
  const live = LiveConsumerMember.of(
    {
      instance: 'scripted',
      path: 'consumers/1/member',
      consumer: 'consumers/1',
      subscription: resolveSubscription({ topic: 't', group: 'g', membership: 'consumer', ...subscribe }, false),
      timing: { leaveMs: 3_000, surplusMs: 1_000, firstBeatMs: 100 }
    },
    () => {}
  )!
  return { live, links, troubles, plane, ready }
}

describe('the live side of a KIP-848 member', () => {
  afterEach(() => removeInstance('scripted'))

  it('has a connection of its own, and asks the group for its session timeout', async () => {
    const { live, links } = member({ DescribeConfigs: () => configs('6000') })
    assert.deepEqual(await live.find(), { node: 1, version: 1, sessionTimeoutMs: 6_000 })
    assert.deepEqual(links.acquired, ['1/group:consumers/1'])
    assert.deepEqual(links.bodies('DescribeConfigs')[0].resources, [
      { resourceType: 32, resourceName: 'g', configurationKeys: ['consumer.session.timeout.ms'] }
    ])
  })

  it('assumes the session timeout where the broker does not tell, and says so once', async () => {
    for (const answer of [configs(null, 30), configs(null), configs('soon'), configs('-1')]) {
      const { live, troubles } = member({ DescribeConfigs: () => answer })
      assert.equal((await live.find()).sessionTimeoutMs, null)
      await live.find()
      assert.equal(troubles.length, 1)
      live.stop()
    }
  })

  it('a broker of version 0 is not asked for a configuration that it does not have', async () => {
    const { live, links } = member()
    links.versions.ConsumerGroupHeartbeat = 0
    assert.deepEqual(await live.find(), { node: 1, version: 0, sessionTimeoutMs: null })
  })

  it('a coordinator that does not offer the protocol is told by name, with what to do', async () => {
    const { live, links } = member()
    links.versions.ConsumerGroupHeartbeat = undefined
    const refused = await live.find().catch((reason: unknown) => reason)
    assert.deepEqual([plainError(refused).code, live.remedy(refused)], ['UNSUPPORTED_VERSION', 'none'])
    assert.match(plainError(refused).message, /Kafka 4\.0.*membership classic/)
  })

  it('so is one that has it and has it switched off, as Kafka 3.9 does', async () => {
    const { live } = member({ ConsumerGroupHeartbeat: () => beat({ errorCode: 35 }) })
    await live.find()
    const refused = await live.heartbeat('me', 0, nothing, 45_000).catch((reason: unknown) => reason)
    assert.deepEqual([plainError(refused).code, live.remedy(refused)], ['UNSUPPORTED_VERSION', 'none'])
    assert.match(plainError(refused).message, /switched off.*membership classic/)
  })

  it('says everything, or only what has changed', async () => {
    const { live, links } = member({}, { groupInstanceId: 'static' })
    await live.find()
    const held = [{ topicId: 'T', partitions: [0] }]
    await live.heartbeat('me', 0, { rebalanceTimeoutMs: 9, topics: ['t'], regex: 'r', remoteAssignor: 'range', held: [] }, 45_000)
    await live.heartbeat('me', 3, { ...nothing, held }, 45_000)
    const who = { groupId: 'g', memberId: 'me', instanceId: 'static' }
    assert.deepEqual(links.bodies('ConsumerGroupHeartbeat'), [
      {
        ...who,
        memberEpoch: 0,
        rebalanceTimeoutMs: 9,
        rackId: null,
        subscribedTopicNames: ['t'],
        subscribedTopicRegex: 'r',
        serverAssignor: 'range',
        topicPartitions: []
      },
      { ...who, memberEpoch: 3, topicPartitions: held }
    ])
  })

  it('believes no answer that a broker cannot mean: it is asked again', async () => {
    const twice = [{ topicId: 'T', partitions: [0, 0] }]
    const negative = [{ topicId: 'T', partitions: [-1] }]
    for (const bad of [
      { memberEpoch: 0 },
      { memberEpoch: -1 },
      { heartbeatIntervalMs: 0 },
      { assignment: { topicPartitions: twice } },
      { assignment: { topicPartitions: negative } }
    ]) {
      const { live } = member({ ConsumerGroupHeartbeat: () => beat(bad) })
      await live.find()
      const error = await live.heartbeat('me', 3, nothing, 45_000).catch((reason: unknown) => reason)
      assert.deepEqual([plainError(error).code, live.remedy(error)], ['HEARTBEAT_INVALID', 'elsewhere'])
      live.stop()
    }
  })

  it("a refusal carries the broker's own words and what can be done about it", async () => {
    for (const [errorCode, code, remedy] of [
      [14, 'COORDINATOR_LOAD_IN_PROGRESS', 'again'],
      [16, 'NOT_COORDINATOR', 'elsewhere'],
      [110, 'FENCED_MEMBER_EPOCH', 'none']
    ] as const) {
      const { live } = member({ ConsumerGroupHeartbeat: () => beat({ errorCode, errorMessage: 'because' }) })
      await live.find()
      const error = await live.heartbeat('me', 3, nothing, 45_000).catch((reason: unknown) => reason)
      assert.deepEqual([plainError(error).code, live.remedy(error)], [code, remedy])
      assert.match(plainError(error).message, /because/)
      live.stop()
    }
  })

  it('another coordinator is looked for after the connection is lost', async () => {
    let node = 1
    const { live, links, ready } = member({ FindCoordinator: () => coordinatorAt('g', node) })
    await live.find()
    ready.clear()
    const error = await live.heartbeat('me', 3, nothing, 45_000).catch((reason: unknown) => reason)
    assert.deepEqual([plainError(error).code, live.remedy(error)], ['CONNECTION_LOST', 'elsewhere'])
    node = 2
    assert.equal((await live.find()).node, 2)
    assert.deepEqual(links.released, ['1/group:consumers/1'], 'the old connection is let go of')
  })

  it('leaves for good with -1, to come back with -2, and who is gone already is no trouble', async () => {
    const { live, links, troubles } = member({ ConsumerGroupHeartbeat: () => beat({ errorCode: 25 }) })
    await live.leave('me', false)
    await live.leave('me', true)
    assert.deepEqual(
      links.bodies('ConsumerGroupHeartbeat').map(({ memberEpoch }) => memberEpoch),
      [-1, -2]
    )
    assert.deepEqual(troubles, [])
  })

  it('leaving takes no longer than its limit, and what stood in the way is told', async () => {
    const { live, links, troubles } = member({
      ConsumerGroupHeartbeat: () => {
        throw connectionLost()
      }
    })
    const beforeMs = links.virtual.nowMs
    await links.run(live.leave('me', false))
    assert.ok(links.virtual.nowMs - beforeMs <= 3_100)
    assert.equal(troubles.at(-1), 'CONNECTION_LOST')
  })

  it('stopped without a word it tells the group all the same, and then lets go of its connection', async () => {
    const { live, links } = member()
    await live.find()
    await live.heartbeat('me', 0, nothing, 45_000)
    live.stop()
    await links.virtual.advance(10)
    assert.deepEqual(
      links.bodies('ConsumerGroupHeartbeat').map(({ memberEpoch }) => memberEpoch),
      [0, -1]
    )
    assert.deepEqual(links.released, ['1/group:consumers/1'])
  })

  it('proves ownership to the plane until it is lost', () => {
    const { live, plane } = member()
    assert.equal(plane.provenUntilMs(), 0)
    live.prove(50_000)
    assert.equal(plane.provenUntilMs(), 50_000)
    live.lose()
    assert.equal(plane.provenUntilMs(), 0)
  })

  it('names only topics that were asked for and that the broker knows', async () => {
    const { live, links } = member({
      Metadata: () => ({
        topics: [
          { topicId: 'T', name: 't', errorCode: 0 },
          { topicId: 'U', name: null, errorCode: 100 },
          { topicId: 'V', name: 'v', errorCode: 0 }
        ]
      })
    })
    assert.deepEqual(await live.names(['T', 'U']), [{ topicId: 'T', topic: 't' }])
    assert.deepEqual(links.bodies('Metadata')[0].topics, [
      { topicId: 'T', name: null },
      { topicId: 'U', name: null }
    ])
  })

  it('counts by what the group means to give, not by what each has yet', async () => {
    const share = (memberId: string, ...partitions: number[]) => ({
      memberId,
      targetAssignment: { topicPartitions: [{ topicId: 'T', topicName: 't', partitions }] }
    })
    const groups = [{ groupId: 'g', errorCode: 0, errorMessage: null, members: [share('me', 2), share('other', 0, 1)] }]
    const { live } = member({ ConsumerGroupDescribe: () => ({ groups }) })
    assert.deepEqual(await live.count('me'), { members: 2, partitions: 3, due: 1 })
  })
})

describe('a member id', () => {
  it('is a random UUID in base64url, as Java writes them, and never begins with a dash', () => {
    for (const first of [0xf8, 0xf9, 0xfb, 0xff, 0x00]) {
      const id = newMemberId({ randomBytes: length => Buffer.alloc(length, first) })
      assert.match(id, /^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/)
      const bytes = Buffer.from(id, 'base64url')
      assert.deepEqual([bytes.length, bytes[6]! >> 4, bytes[8]! >> 6], [16, 4, 2])
    }
  })
})
