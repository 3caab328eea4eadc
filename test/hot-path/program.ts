/**
 * What one message costs that does not depend on the machine's mood: bytes taken, events through the machines, recorded inputs, writes. Run by
 * `hot-path.ts` in a process of its own, with room for all young objects, so that nothing is collected while it counts.
 *
 *   arguments: the work's name, and `sites` to be told where the bytes are taken; prints `RESULT {json}`
 */
import { type HeapProfiler, Session } from 'node:inspector'
import { PerformanceObserver } from 'node:perf_hooks'
import { createActor, type InspectionEvent } from 'xstate'
import { findInstance } from '../../src/actors/instance.ts'
import { ClusterActor, type ClusterActorRef, type ConsumerHandle, connect } from '../../src/index.ts'
import type { OutgoingMessage } from '../../src/model/message.ts'
import { MemoryBroker, takenNow } from '../support/memory-broker.ts'
import type { Figures, Work } from './figures.ts'

const TOPIC = 'topic'
const LIST = 1_000
const WINDOWS = 6
/** A window of publishing, in lists; of consuming, in messages. */
const LISTS = 20
const CONSUMED = 20_000
const WARM_LISTS = 150
const WARM_CONSUMED = 100_000
const COUNTED_LISTS = 126
const SITES = 8
const payload = Buffer.alloc(100, 'x')
const list = Array.from({ length: LIST }, () => payload)
const [work, wish] = process.argv.slice(2) as [Work, string | undefined]

/** When something was counted, and what was taken by the client meanwhile. */
const windows: { from: number; to: number; heap: number; buffers: number; messages: number }[] = []
const collections: { from: number; to: number }[] = []
new PerformanceObserver(entries => {
  for (const { startTime, duration } of entries.getEntries()) collections.push({ from: startTime, to: startTime + duration })
}).observe({ entryTypes: ['gc'] })

const session = new Session()
session.connect()
let sites: Figures['sites'] = []

/** Begins a window; the function that it returns ends it. With `sites` one more window at the end asks where. */
function counting(broker: MemoryBroker): (messages: number) => void {
  const asksWhere = windows.length === WINDOWS
  // Twice: the first leaves buffers to be freed later.
  globalThis.gc!()
  globalThis.gc!()
  const always = { includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true }
  if (asksWhere) session.post('HeapProfiler.startSampling', { samplingInterval: 512, ...always })
  const broken = { ...broker.taken }
  const from = performance.now()
  const before = takenNow()
  return messages => {
    const after = takenNow()
    const heap = after.heap - before.heap - (broker.taken.heap - broken.heap)
    const buffers = after.buffers - before.buffers - (broker.taken.buffers - broken.buffers)
    if (asksWhere)
      session.post('HeapProfiler.stopSampling', (_, { profile }) => {
        sites = sitesOf(profile, messages)
      })
    else windows.push({ from, to: performance.now(), heap, buffers, messages })
  }
}

const windowCount = WINDOWS + (wish === 'sites' ? 1 : 0)

function sitesOf({ head }: HeapProfiler.SamplingHeapProfile, messages: number): Figures['sites'] {
  const bytes = new Map<string, number>()
  const walk = ({ callFrame, selfSize, children }: HeapProfiler.SamplingHeapProfileNode, caller: string) => {
    const name = callFrame.functionName || 'a closure'
    // Built-ins say nothing without who calls them.
    const site = callFrame.url === '' ? `${name}, called by ${caller}` : name
    if (!/memory-broker|node:inspector/.test(callFrame.url)) bytes.set(site, (bytes.get(site) ?? 0) + selfSize)
    for (const child of children) walk(child, site)
  }
  walk(head, '')
  const sorted = [...bytes].sort(([, a], [, b]) => b - a).slice(0, SITES)
  return sorted.map(([site, sum]) => [site, Math.round(sum / messages)])
}

/** What has happened so far in this client. */
interface Sums {
  events: Map<string, number>
  writes: number
  requests: Map<string, number>
  recorded: number
  recordedBytes: number
}

function sums(broker: MemoryBroker, instance: string, events: Map<string, number>): Sums {
  const { entries, bytes } = findInstance(instance)!.recorder.stats
  const { writes, requests } = broker
  return { events: new Map(events), writes, requests: new Map(requests), recorded: entries, recordedBytes: bytes }
}

type Counts = Omit<Figures, 'heapBytes' | 'bufferBytes' | 'heapWindows' | 'sites'>

/** What comes by the clock, now and then, is no cost of the work. */
const perUnit = (count: number, units: number) => Math.round((10 * count) / units) / 10

function counts(api: 'Produce' | 'Fetch', batches: number | undefined, from: Sums, to: Sums): Counts {
  const asked = [...to.requests].map(([name, count]): [string, number] => [name, count - (from.requests.get(name) ?? 0)])
  const all = asked.reduce((sum, [, count]) => sum + count, 0)
  const ofKind = Object.fromEntries(asked)[api]!
  const units = batches ?? ofKind
  const events = [...to.events].map(([type, count]): [string, number] => [type, perUnit(count - (from.events.get(type) ?? 0), units)])
  return {
    units,
    requests: ofKind / units,
    writes: (to.writes - from.writes) / all,
    events: Object.fromEntries(events.filter(([, count]) => count > 0)),
    recorded: perUnit(to.recorded - from.recorded, units),
    recordedBytes: (to.recordedBytes - from.recordedBytes) / units
  }
}

/** Without the windows in which something was collected after all. */
function figures(counted: Counts): Figures {
  const clean = windows.filter(window => !collections.some(({ from, to }) => to > window.from && from < window.to))
  if (clean.length < WINDOWS / 2) throw new Error(`${WINDOWS - clean.length} of ${WINDOWS} windows were disturbed by the garbage collector`)
  const heapWindows = clean.map(({ heap, messages }) => heap / messages)
  const total = (of: 'buffers' | 'messages') => clean.reduce((sum, window) => sum + window[of], 0)
  return { heapBytes: Math.min(...heapWindows), bufferBytes: total('buffers') / total('messages'), heapWindows, sites, ...counted }
}

/** Counts the events to all actors of a client. */
class Watch {
  readonly events = new Map<string, number>()
  readonly inspect = (event: InspectionEvent): void => {
    if (event.type === '@xstate.event') this.events.set(event.event.type, (this.events.get(event.event.type) ?? 0) + 1)
  }
}

const instanceOf = (cluster: ClusterActorRef) => (cluster.getSnapshot() as { context: { instance: string } }).context.instance

/** Without the promise face. */
function openActor(broker: MemoryBroker, watch?: Watch) {
  const input = { brokers: 'memory:1', world: broker.world }
  return createActor(ClusterActor, { input, ...(watch ? { inspect: watch.inspect } : {}) })
}

const openFace = (broker: MemoryBroker, watch?: Watch) =>
  connect({ brokers: 'memory:1' }, { world: broker.world, ...(watch ? { inspect: watch.inspect } : {}) })

interface Publishing {
  instance: string
  send(messages: readonly OutgoingMessage[]): Promise<unknown>
  close(): unknown
}

async function actorPublisher(broker: MemoryBroker, watch?: Watch): Promise<Publishing> {
  const actor = openActor(broker, watch)
  let published = () => {}
  actor.on('published', () => published())
  actor.start()
  const send = (messages: readonly OutgoingMessage[]) =>
    new Promise<void>(resolve => {
      published = resolve
      actor.send({ type: 'PUBLISH', topic: TOPIC, messages })
    })
  return { instance: instanceOf(actor), send, close: () => actor.send({ type: 'CLOSE' }) }
}

async function facePublisher(broker: MemoryBroker, watch?: Watch): Promise<Publishing> {
  const cluster = await openFace(broker, watch)
  const topic = cluster.topic(TOPIC)
  const lists = Array.from({ length: broker.partitions }, (_, partition) => list.map(value => ({ value, partition })))
  const send = {
    'publish one by one': (messages: readonly OutgoingMessage[]) => Promise.all(messages.map(message => topic.publish(message))),
    'publish lists to six partitions': () => Promise.all(lists.map(each => topic.publish(each)))
  }
  const sendList = (messages: readonly OutgoingMessage[]) => topic.publish(messages)
  return { instance: instanceOf(cluster.actor), send: send[work as keyof typeof send] ?? sendList, close: () => cluster.close() }
}

async function publish(): Promise<Counts> {
  const broker = new MemoryBroker(TOPIC, work === 'publish lists to six partitions' ? 6 : 1, { keep: false })
  await broker.prepare()
  const open = work === 'PUBLISH' ? actorPublisher : facePublisher
  const plain = await open(broker)
  const send = async (lists: number) => {
    for (let i = 0; i < lists; i += broker.partitions) await plain.send(list)
  }
  await send(WARM_LISTS)
  for (let window = 0; window < windowCount; window++) {
    const end = counting(broker)
    const { records } = broker
    await send(LISTS)
    end(broker.records - records)
  }
  await plain.close()
  const watch = new Watch()
  const watched = await open(broker, watch)
  const sent = async () => {
    for (let i = 0; i < COUNTED_LISTS; i++) await watched.send(list)
    // Machines hear of the last answer some turns later.
    for (let i = 0; i < 10; i++) await new Promise(resolve => setImmediate(resolve))
    return sums(broker, watched.instance, watch.events)
  }
  const from = await sent()
  const { batches } = broker
  const to = await sent()
  const counted = counts('Produce', broker.batches - batches, from, to)
  await watched.close()
  return counted
}

/** Who reads, and how it ends. */
interface Reading {
  instance: string
  close(): unknown
}

/** Reads from the beginning; `one` is called for each message and says when it is enough. */
async function read(broker: MemoryBroker, one: (value: Buffer | null, instance: string) => boolean, watch?: Watch): Promise<Reading> {
  const partitions = Array.from({ length: broker.partitions }, (_, partition) => ({ topic: TOPIC, partition }))
  const by = { partitions, from: 'earliest' } as const
  const listen = (consumer: Pick<ConsumerHandle, 'on'>, instance: string) =>
    new Promise<void>(resolve => {
      consumer.on('message.batch', ({ messages, ack }) => {
        for (const message of messages)
          if (one(message.value, instance)) {
            resolve()
            break
          }
        ack()
      })
    })
  if (work === 'SUBSCRIBE') {
    const actor = openActor(broker, watch)
    const instance = instanceOf(actor)
    const done = new Promise<void>(resolve => {
      actor.on('consumer.started', ({ consumer }) => resolve(listen(consumer, instance)))
    })
    actor.start()
    actor.send({ type: 'SUBSCRIBE', ...by })
    await done
    return { instance, close: () => actor.send({ type: 'CLOSE' }) }
  }
  const cluster = await openFace(broker, watch)
  const instance = instanceOf(cluster.actor)
  const consumer = cluster.subscribe(by)
  if (work === 'consume by batch') await listen(consumer, instance)
  else for await (const message of consumer) if (one(message.value, instance)) break
  return { instance, close: () => cluster.close() }
}

async function consume(): Promise<Counts> {
  const broker = new MemoryBroker(TOPIC, 4)
  await broker.prepare()
  const total = WARM_CONSUMED + windowCount * CONSUMED
  const writer = await openFace(broker)
  for (let stored = 0; stored < total + 2 * CONSUMED; stored += LIST)
    await writer.topic(TOPIC).publish(list.map(value => ({ value, partition: (stored / LIST) % broker.partitions })))
  await writer.close()
  let seen = 0
  let end = (_: number) => {}
  const plain = await read(broker, value => {
    if (value?.length !== payload.length) throw new Error('a message has another value')
    if (++seen < WARM_CONSUMED || (seen - WARM_CONSUMED) % CONSUMED !== 0) return false
    end(CONSUMED)
    if (seen === total) return true
    end = counting(broker)
    return false
  })
  await plain.close()
  const watch = new Watch()
  let from: Sums | undefined
  let to: Sums | undefined
  seen = 0
  const watched = await read(
    broker,
    (_, instance) => {
      seen++
      if (seen === CONSUMED) from = sums(broker, instance, watch.events)
      if (seen === total) to = sums(broker, instance, watch.events)
      return seen === total
    },
    watch
  )
  await watched.close()
  return counts('Fetch', undefined, from!, to!)
}

const counted = await (work.includes('ublish') || work === 'PUBLISH' ? publish() : consume())
// The observer hears of a collection a turn later.
await new Promise(resolve => setTimeout(resolve, 20))
process.stdout.write(`RESULT ${JSON.stringify(figures(counted))}\n`, () => process.exit(0))
