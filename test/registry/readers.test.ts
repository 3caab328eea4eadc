/**
 * The readers of the ZooKeeper registry: levels, bursts, quarantine, and reads that fail, over a tree in memory.
 */
import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import type { RegistryEvent } from '../../src/registry/registry.ts'
import { writeBrokerRegistration } from '../../src/registry/znodes/broker.ts'
import { writeController } from '../../src/registry/znodes/cluster.ts'
import { writePartitionState } from '../../src/registry/znodes/partition-state.ts'
import { writeTopicAssignment } from '../../src/registry/znodes/topic.ts'
import { ClusterReader } from '../../src/registry/zookeeper/cluster-reader.ts'
import { errorOfCode } from '../../src/registry/zookeeper/errors.ts'
import { Lanes, Level } from '../../src/registry/zookeeper/level.ts'
import { Reporter } from '../../src/registry/zookeeper/reporter.ts'
import { TopicReader } from '../../src/registry/zookeeper/topic-reader.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { Gathered } from '../support/gathered.ts'
import { MemorySession } from '../support/memory-session.ts'

const world = nodeWorld()
type Of<T extends RegistryEvent['type']> = Extract<RegistryEvent, { type: T }>

const broker = (port: number, listenerName = 'PLAINTEXT') =>
  writeBrokerRegistration({ endpoints: [{ listenerName, securityProtocol: listenerName, host: 'b', port }], rack: null }, 1)
const assignment = (partitions: number, topicId: string | null = null) =>
  writeTopicAssignment({
    topicId,
    partitions: Array.from({ length: partitions }, (_, partition) => ({
      partition,
      replicas: [1],
      addingReplicas: [],
      removingReplicas: []
    }))
  })
const state = (leader: number, leaderEpoch = 0) => writePartitionState({ leader, leaderEpoch, inSync: [1], controllerEpoch: 1 })
const statePath = (partition: number) => `/brokers/topics/t/partitions/${partition}/state`

let session: MemorySession
let events: Gathered<RegistryEvent>
let reporter: Reporter

beforeEach(() => {
  session = new MemorySession()
  const gathered = new Gathered<RegistryEvent>()
  events = gathered
  reporter = new Reporter()
  reporter.listen(event => gathered.add(event))
})

/** The events of one type that came so far. */
function of<T extends RegistryEvent['type']>(type: T): Of<T>[] {
  return events.all.filter((event): event is Of<T> => event.type === type)
}

/** Waits for an event of this type for which `wanted` is true. */
function until<T extends RegistryEvent['type']>(type: T, wanted: (event: Of<T>) => boolean = () => true): Promise<Of<T>> {
  return events.first(event => event.type === type && wanted(event as Of<T>), 3_000) as Promise<Of<T>>
}

describe('the cluster reader', () => {
  let notKafka = 0
  const reader = (listenerName: string | null = null) => {
    notKafka = 0
    return new ClusterReader(world, reporter, { listenerName, notKafka: () => void notKafka++ })
  }

  it('reports all brokers, and all of them again whenever one comes, goes or changes', async () => {
    session.put('/brokers/ids/2', broker(9092))
    session.put('/brokers/ids/10', broker(9093))
    reader().attach(session)
    const first = await until('brokers')
    assert.deepEqual(
      first.brokers.map(each => [each.id, each.host, each.port, each.rack]),
      [
        [2, 'b', 9092, null],
        [10, 'b', 9093, null]
      ]
    )
    session.put('/brokers/ids/3', broker(9094))
    await until('brokers', event => event.brokers.length === 3)
    session.drop('/brokers/ids/2')
    await until('brokers', event => event.brokers.map(each => each.id).join() === '3,10')
    session.put('/brokers/ids/3', broker(1111))
    await until('brokers', event => event.brokers[0]?.port === 1111)
    session.drop('/brokers/ids/3')
    session.drop('/brokers/ids/10')
    assert.deepEqual((await until('brokers', event => event.brokers.length === 0)).quarantined, [])
    assert.equal(notKafka, 0)
  })

  it('sees another life of the same broker by its epoch', async () => {
    session.put('/brokers/ids/1', broker(9092))
    reader().attach(session)
    const before = (await until('brokers')).brokers[0]!.epoch
    session.drop('/brokers/ids/1')
    session.put('/brokers/ids/1', broker(9092))
    const after = (await until('brokers', event => event.brokers[0]?.epoch !== before && event.brokers.length === 1)).brokers[0]!
    assert.notEqual(after.epoch, before)
  })

  it('quarantines what it cannot use, says why once, and keeps the last good state', async () => {
    session.put('/brokers/ids/1', broker(9092))
    session.put('/brokers/ids/2', 'localhost:9092')
    session.put('/brokers/ids/seed', broker(9099))
    const made = reader()
    made.attach(session)
    const first = await until('brokers')
    assert.deepEqual(
      first.brokers.map(each => each.id),
      [1]
    )
    assert.deepEqual(first.quarantined, ['/brokers/ids/2'])
    session.put('/brokers/ids/1', { version: 5, endpoints: ['PLAINTEXT://b:99999'] })
    const kept = await until('brokers', event => event.quarantined.length === 2)
    assert.equal(kept.brokers[0]?.port, 9092)
    const told = of('quarantine').length
    assert.equal(told, 3)
    made.refresh(true)
    await events.next(event => event.type === 'brokers')
    assert.equal(of('quarantine').length, told)
    session.put('/brokers/ids/1', broker(7777))
    session.put('/brokers/ids/2', broker(8888))
    await until('brokers', event => event.quarantined.length === 0 && event.brokers.map(each => each.port).join() === '7777,8888')
  })

  it('dials the listener that was chosen and names the ones there are', async () => {
    session.put('/brokers/ids/1', broker(9092, 'SSL'))
    reader().attach(session)
    assert.deepEqual((await until('brokers')).quarantined, ['/brokers/ids/1'])
    const quarantined = await until('quarantine')
    assert.equal(quarantined.error.code, 'LISTENER_NOT_FOUND')
    assert.match(quarantined.error.message, /SSL/)
    events.all.length = 0
    reader('SSL').attach(session)
    assert.equal((await until('brokers', event => event.brokers.length === 1)).brokers[0]!.port, 9092)
  })

  it('knows the controller, its absence and its return', async () => {
    session.put('/brokers/ids')
    reader().attach(session)
    assert.equal((await until('controller')).brokerId, null)
    session.put('/controller', writeController(3, 1))
    await until('controller', event => event.brokerId === 3)
    session.put('/controller', '{"version":2,"brokerid":"x"}')
    assert.equal((await until('quarantine')).path, '/controller')
    session.drop('/controller')
    await events.next(event => event.type === 'controller' && event.brokerId === null)
  })

  it('reports the names of topics only when asked to, and none that cannot be one', async () => {
    session.put('/brokers/ids')
    session.put('/brokers/topics/orders', assignment(1))
    session.put('/brokers/topics/bad name', assignment(1))
    session.put('/cluster/id', '{"version":"1","id":"abc"}')
    const made = reader()
    made.attach(session)
    assert.equal((await until('cluster')).clusterId, 'abc')
    assert.equal(of('topics').length, 0)
    made.watchTopics()
    assert.deepEqual((await until('topics')).topics, ['orders'])
    session.put('/brokers/topics/invoices', assignment(1))
    await until('topics', event => event.topics.join() === 'invoices,orders')
  })

  it('says that there is no Kafka when there never was, but not when its brokers went', async () => {
    const made = reader()
    made.attach(session)
    await until('controller')
    assert.equal(notKafka, 1)
    assert.equal(of('brokers').length, 0)
    session.put('/brokers/ids/1', broker(9092))
    await until('brokers')
    session.drop('/brokers')
    await until('brokers', event => event.brokers.length === 0)
    assert.equal(notKafka, 1)
  })

  it('keeps memory bounded whatever a stranger writes', async () => {
    session.put('/brokers/ids')
    for (let i = 0; i < 3_000; i++) session.put(`/brokers/ids/x${i}`)
    reader().attach(session)
    await until('brokers')
    assert.equal(of('quarantine').length, 1_000)
    assert.equal(of('trouble').length, 1)
  })

  it('says nothing after it was detached, and reads all again with the next session', async () => {
    session.put('/brokers/ids/1', broker(9092))
    const made = reader()
    made.attach(session)
    await until('brokers')
    let open = () => {}
    session.gate = new Promise(resolve => {
      open = resolve
    })
    session.put('/brokers/ids/1', broker(1))
    made.detach()
    open()
    const next = new MemorySession()
    next.put('/brokers/ids/1', broker(2))
    made.attach(next)
    await until('brokers', event => event.brokers[0]?.port === 2)
    assert.ok(!of('brokers').some(event => event.brokers[0]?.port === 1))
    session.gate = undefined
  })
})

describe('the topic reader', () => {
  const reader = () => new TopicReader(world, reporter, new Lanes(8), 't')

  function makeTopic(partitions: number, leader = 1): void {
    session.put('/brokers/topics/t', assignment(partitions))
    for (let i = 0; i < partitions; i++) session.put(statePath(i), state(leader))
  }

  it('reports partitions, then all leaders at once', async () => {
    makeTopic(3)
    reader().attach(session)
    const leaders = await until('leaders')
    assert.deepEqual(
      events.all.map(event => event.type),
      ['topic', 'leaders']
    )
    assert.deepEqual(
      leaders.leaders.map(each => [each.partition, each.leader, each.leaderEpoch]),
      [
        [0, 1, 0],
        [1, 1, 0],
        [2, 1, 0]
      ]
    )
    assert.equal(leaders.source, 'zookeeper')
  })

  it('turns a burst of leader changes into few events, with bounded reads at once', async () => {
    makeTopic(500)
    reader().attach(session)
    await until('leaders')
    const before = events.all.length
    for (let i = 0; i < 500; i++) session.put(statePath(i), state(2, 1))
    const done = await until('leaders', event => event.leaders.every(each => each.leader === 2))
    assert.equal(done.leaders.length, 500)
    assert.ok(events.all.length - before <= 2, `${events.all.length - before} events`)
    assert.ok(session.busiest <= 8, `${session.busiest} reads at once`)
  })

  it('reads only the partitions that changed', async () => {
    makeTopic(50)
    reader().attach(session)
    await until('leaders')
    session.reads.length = 0
    session.put(statePath(7), state(5, 3))
    await until('leaders', event => event.leaders[7]?.leader === 5)
    assert.deepEqual(session.reads, [statePath(7)])
  })

  it('sees a topic that appears, grows, goes and comes back as another', async () => {
    session.put('/brokers/topics')
    reader().attach(session)
    await until('topic.missing')
    const first = 'A'.repeat(22)
    session.put('/brokers/topics/t', assignment(1, first))
    await until('topic', event => event.topicId === first)
    assert.deepEqual((await until('leaders')).leaders, [])
    session.put(statePath(0), state(1))
    await until('leaders', event => event.leaders.length === 1)
    session.put('/brokers/topics/t', assignment(2, first))
    session.put(statePath(1), state(2))
    await until('leaders', event => event.leaders.length === 2)
    session.drop('/brokers/topics/t')
    session.put('/brokers/topics/t', assignment(1, 'B'.repeat(22)))
    await until('topic', event => event.topicId === 'B'.repeat(22))
    session.put(statePath(0), state(9, 0))
    await until('leaders', event => event.leaders.length === 1 && event.leaders[0]?.leader === 9)
    session.drop('/brokers/topics/t')
    await events.next(event => event.type === 'topic.missing')
  })

  it('reads every partition anew when the name stands for another topic', async () => {
    makeTopic(2)
    session.put('/brokers/topics/t', assignment(2, 'A'.repeat(22)))
    reader().attach(session)
    await until('leaders', event => event.leaders.length === 2)
    session.reads.length = 0
    session.put('/brokers/topics/t', assignment(3, 'B'.repeat(22)))
    session.put(statePath(2), state(1))
    await until('leaders', event => event.leaders.length === 3)
    assert.deepEqual(new Set(session.reads), new Set(['/brokers/topics/t', statePath(0), statePath(1), statePath(2)]))
  })

  it('keeps the last good leader of a partition whose state cannot be read', async () => {
    makeTopic(2)
    reader().attach(session)
    await until('leaders')
    session.put(statePath(0), '[[[[')
    session.put(statePath(1), state(-1, 4))
    const after = await until('leaders', event => event.leaders[1]?.leaderEpoch === 4)
    assert.deepEqual(
      after.leaders.map(each => each.leader),
      [1, -1]
    )
    assert.equal((await until('quarantine')).path, statePath(0))
  })

  it('answers a refresh even when nothing has changed, once', async () => {
    makeTopic(2)
    const made = reader()
    made.attach(session)
    await until('leaders')
    const before = events.all.length
    for (let i = 0; i < 5; i++) made.refresh(true)
    await events.next(event => event.type === 'leaders')
    assert.equal(events.all.length - before, 2)
    made.refresh(false)
    session.put(statePath(1), state(4, 9))
    await until('leaders', event => event.leaders[1]?.leader === 4)
    assert.equal(of('topic').length, 2)
  })

  it('does not pile up watches, however often it reads again', async () => {
    makeTopic(10)
    const made = reader()
    made.attach(session)
    await until('leaders')
    const armed = session.armed
    for (let i = 0; i < 5; i++) {
      made.refresh(true)
      await events.next(event => event.type === 'leaders')
    }
    assert.equal(session.armed, armed)
  })

  it('tries a failed read again until it works, and loses no change on the way', async () => {
    makeTopic(3)
    let left = 2
    session.refuse = path => (path === statePath(1) && left-- > 0 ? errorOfCode(-1, 'getData', path) : undefined)
    reader().attach(session)
    const leaders = await until('leaders')
    assert.equal(leaders.leaders.length, 3)
    assert.equal(of('trouble').length, 2)
    assert.equal(of('trouble')[0]?.error.code, 'ZK_SERVER_ERROR')
  })

  it('is silent once it has ended', async () => {
    makeTopic(1)
    const made = reader()
    made.attach(session)
    await until('leaders')
    made.end()
    const before = events.all.length
    session.put(statePath(0), state(3, 3))
    const again = reader()
    again.attach(session)
    await until('leaders', event => event.leaders[0]?.leader === 3)
    assert.deepEqual(
      events.all.slice(before).map(event => event.type),
      ['topic', 'leaders']
    )
  })
})

describe('a level', () => {
  it('never reads twice at once, and once more after a poke that came during a read', async () => {
    let running = 0
    let reads = 0
    let release = () => {}
    const finished = new Gathered<number>()
    const level = new Level(
      world,
      async () => {
        assert.equal(++running, 1)
        const number = ++reads
        await new Promise<void>(resolve => {
          release = resolve
          finished.add(number)
        })
        running--
      },
      error => assert.fail(error.message)
    )
    level.poke()
    level.attach(session)
    await finished.count(1)
    for (let i = 0; i < 10; i++) level.poke()
    release()
    await finished.count(2)
    release()
    level.detach()
    level.poke()
    await new Promise(resolve => setTimeout(resolve, 20))
    assert.equal(reads, 2)
  })
})

describe('the reporter', () => {
  it('contains a listener that throws, and tells it', () => {
    const got: string[] = []
    const throwing = new Reporter()
    throwing.listen(event => {
      got.push(event.type)
      throw new Error('broken')
    })
    throwing.emit({ type: 'controller', brokerId: 1 })
    assert.deepEqual(got, ['controller', 'trouble'])
    throwing.silence()
    throwing.emit({ type: 'controller', brokerId: 2 })
    assert.equal(got.length, 2)
  })

  it('emits what can be recorded: plain data without loss', async () => {
    session.put('/brokers/ids/1', broker(9092))
    session.put('/brokers/ids/2', '{}')
    session.put('/brokers/topics/t', assignment(2))
    session.put(statePath(0), state(1))
    new ClusterReader(world, reporter, { listenerName: null, notKafka: () => {} }).attach(session)
    new TopicReader(world, reporter, new Lanes(8), 't').attach(session)
    await until('brokers')
    await until('leaders')
    assert.deepEqual(JSON.parse(JSON.stringify(events.all)), events.all)
    assert.deepEqual(structuredClone(events.all), events.all)
  })
})
