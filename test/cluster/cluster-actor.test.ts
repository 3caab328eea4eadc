/**
 * ClusterActor as users of XState have it: spawned, twice in one process, twice under one root, invoked with a relay.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assign, createActor, type InspectionEvent, setup, toPromise, waitFor } from 'xstate'
import { ClusterActor, type ClusterActorRef, publish, publishLogic, relayLogic } from '../../src/index.ts'
import type { ClusterEmitted } from '../../src/model/events.ts'
import { Gathered } from '../support/gathered.ts'
import { uniqueName, useCluster } from '../support/use-cluster.ts'

const cluster = await useCluster()
const topic = uniqueName('actor')
await cluster.createTopic(topic, { partitions: 3, replicationFactor: 3 })

describe('ClusterActor', () => {
  const spawn = (inspect?: (event: InspectionEvent) => void) => {
    const actor = createActor(ClusterActor, { input: { zookeeper: cluster.zookeeper }, ...(inspect ? { inspect } : {}) })
    const events = new Gathered<ClusterEmitted>()
    actor.on('*', event => events.add(event))
    return { actor: actor as ClusterActorRef & typeof actor, events }
  }

  test('PUBLISH with an id comes back as published with that id, or publish.failed', async () => {
    const { actor, events } = spawn()
    actor.start()
    actor.send({ type: 'PUBLISH', id: 1, topic, messages: ['hello', 'world'] })
    actor.send({ type: 'PUBLISH', id: 2, topic: 'not/a topic', messages: 'x' })
    const published = await events.first(event => event.type === 'published' && event.id === 1)
    assert.equal(published.type === 'published' && published.count, 2)
    const failed = await events.first(event => event.type === 'publish.failed')
    assert.ok(failed.type === 'publish.failed' && failed.id === 2 && failed.error.code === 'INVALID_TOPIC')
    actor.send({ type: 'CLOSE' })
    const output = (await toPromise(actor as never)) as { outcome: string }
    assert.equal(output.outcome, 'closed')
  })

  test('inspect sees the whole tree from the first event on, with plain, serialisable snapshots', async () => {
    const seen: InspectionEvent[] = []
    const { actor } = spawn(event => seen.push(event))
    actor.start()
    await publish(actor, topic, 'x')
    assert.equal(seen[0]!.type, '@xstate.actor')
    const ids = new Set(seen.filter(event => event.type === '@xstate.actor').map(event => (event.actorRef as { id?: string }).id))
    for (const id of ['registry', 'identity', 'brokers', 'topics', `topics/${topic}`]) assert.ok(ids.has(id), `${id} is not in ${[...ids]}`)
    for (const event of seen) if (event.type === '@xstate.snapshot' && 'context' in event.snapshot) JSON.stringify(event.snapshot.context)
    actor.stop()
  })

  test('two clusters in one process do not disturb each other', async () => {
    const [one, two] = [spawn(), spawn()]
    one.actor.start()
    two.actor.start()
    await Promise.all([publish(one.actor, topic, 'one'), publish(two.actor, topic, 'two')])
    one.actor.stop()
    await publish(two.actor, topic, 'two again')
    two.actor.stop()
  })

  test('two clusters under one root, in one system', async () => {
    const root = setup({ actors: { kafka: ClusterActor } }).createMachine({
      id: 'root',
      invoke: [
        { id: 'a', src: 'kafka', input: { zookeeper: cluster.zookeeper } },
        { id: 'b', src: 'kafka', input: { zookeeper: cluster.zookeeper } }
      ]
    })
    const actor = createActor(root).start()
    const { a, b } = actor.getSnapshot().children as unknown as Record<string, ClusterActorRef>
    await Promise.all([publish(a!, topic, 'a'), publish(b!, topic, 'b')])
    actor.stop()
  })

  test('invoked in a machine of the user: a relay makes its emissions events, publishing is an invoke, leaving the state ends it', async () => {
    const machine = setup({
      types: {} as { context: { offset: string | null; readyBrokers: number }; events: ClusterEmitted },
      actors: { kafka: ClusterActor, relay: relayLogic, publish: publishLogic }
    }).createMachine({
      id: 'shop',
      context: { offset: null, readyBrokers: 0 },
      initial: 'open',
      states: {
        open: {
          invoke: [
            { id: 'kafka', systemId: 'kafka', src: 'kafka', input: { zookeeper: cluster.zookeeper } },
            { src: 'relay', input: 'kafka' }
          ],
          initial: 'connecting',
          states: {
            connecting: { on: { ready: { target: 'ordering', actions: assign({ readyBrokers: ({ event }) => event.brokers }) } } },
            ordering: {
              invoke: {
                src: 'publish',
                input: ({ self }) => ({ cluster: self.system.get('kafka') as ClusterActorRef, topic, messages: 'an order' }),
                onDone: { target: '#shop.shut', actions: assign({ offset: ({ event }) => String(event.output.offset) }) }
              }
            }
          }
        },
        shut: { type: 'final' }
      }
    })
    const actor = createActor(machine).start()
    const snapshot = await waitFor(actor, state => state.status === 'done', { timeout: 30_000 })
    assert.equal(snapshot.context.readyBrokers, 3)
    assert.match(snapshot.context.offset!, /^\d+$/)
  })

  test('a wrong chroot ends it with a clear error as output, and nothing of it runs on', async () => {
    const actor = createActor(ClusterActor, { input: { zookeeper: cluster.zookeeper.replace('/kafka', '/nowhere') } })
    actor.start()
    const output = (await toPromise(actor as never)) as { outcome: string; error: { code: string; message: string } }
    assert.equal(output.outcome, 'failed')
    assert.match(output.error.message, /nowhere/)
  })

  test('stop() in the middle of things leaves no socket and no timer behind', async () => {
    const { actor } = spawn()
    actor.start()
    await publish(actor, topic, 'x')
    actor.send({ type: 'PUBLISH', topic, messages: 'in flight' })
    actor.stop()
  })
})
