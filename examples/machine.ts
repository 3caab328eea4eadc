/**
 * A cluster inside a machine of your own: invoked when the shop opens, closed when that state is left.
 *
 *   node --import tsx examples/machine.ts zookeeper://127.0.0.1:2181/kafka
 */
import { createActor, setup, toPromise } from 'xstate'
import { ClusterActor, type ClusterActorRef, type ClusterEmitted, publishLogic, relayLogic } from '../src/index.ts'

const zookeeper = (process.argv[2] ?? 'zookeeper://127.0.0.1:2181/kafka').replace('zookeeper://', '')
const topic = process.argv[3] ?? 'machine-example'

const shop = setup({
  types: {} as { events: ClusterEmitted },
  actors: { kafka: ClusterActor, relay: relayLogic, publish: publishLogic }
}).createMachine({
  id: 'shop',
  initial: 'open',
  states: {
    open: {
      invoke: [
        { id: 'kafka', systemId: 'kafka', src: 'kafka', input: { zookeeper, createTopics: true } },
        // What a child emits does not reach its parent by itself: the relay makes it events.
        { src: 'relay', input: 'kafka' }
      ],
      initial: 'connecting',
      states: {
        connecting: { on: { ready: 'ordering' } },
        ordering: {
          invoke: {
            src: 'publish',
            input: ({ self }) => ({ cluster: self.system.get('kafka') as ClusterActorRef, topic, messages: 'one coffee' }),
            onDone: {
              target: '#shop.shut',
              actions: ({ event }) => console.log(`ordered: partition ${event.output.partition}, offset ${event.output.offset}`)
            }
          }
        }
      }
    },
    shut: { type: 'final', entry: () => console.log('the shop is shut, and so is its cluster') }
  }
})

await toPromise(createActor(shop).start())
