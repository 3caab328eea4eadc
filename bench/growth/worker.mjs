// One measured process of `bench/growth.ts`: `node worker.mjs <work> '<json options>'` prints one line `RESULT {json}`.
// Plain JavaScript over the compiled package (SAMSA_DIST), as `bench/worker.mjs`: no loader runs beside what is measured. The package is all
// that is imported before the clock is read.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const { connect } = await import(pathToFileURL(join(process.env.SAMSA_DIST, 'index.js')).href)
const importedMs = performance.now()
const [work, json] = process.argv.slice(2)
const options = JSON.parse(json)
const LANES = 5

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))
const cpuMs = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
const rssMb = () => process.memoryUsage().rss / 2 ** 20
/** Every partition of the topics, `{ topic, partition }`. */
const everyPartition = () =>
  options.topics.flatMap(topic => Array.from({ length: options.partitions }, (_, partition) => ({ topic, partition })))
const payload = Buffer.alloc(options.recordBytes ?? 100, 'x')

/** Runs `step` for 0, 1, … count - 1, a few at a time. */
async function inLanes(count, step, lanes = LANES) {
  let next = 0
  const lane = async () => {
    while (next < count) await step(next++)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

/** CPU of all threads, and time. */
async function measured(body) {
  const cpu = cpuMs()
  const from = performance.now()
  await body()
  return { cpuMs: cpuMs() - cpu, wallMs: performance.now() - from }
}

/** Lists of 1,000 to one topic after the other; each list picks its partition. */
async function lists() {
  const cluster = await connect(options.url)
  const topics = options.topics.map(name => cluster.topic(name))
  await Promise.all(topics.map(topic => topic.describe()))
  const list = Array.from({ length: options.perList }, () => payload)
  const send = messages => inLanes(messages / options.perList, i => topics[i % topics.length].publish(list))
  await send(options.warm)
  const figures = await measured(() => send(options.count))
  await cluster.close()
  return figures
}

/** A promise for each message, with keys that spread them over all partitions of all topics. */
async function keyed() {
  const cluster = await connect(options.url)
  const topics = options.topics.map(name => cluster.topic(name))
  await Promise.all(topics.map(topic => topic.describe()))
  const send = async messages => {
    for (let next = 0; next < messages; ) {
      const promises = new Array(Math.min(options.atOnce, messages - next))
      for (let i = 0; i < promises.length; i++, next++)
        promises[i] = topics[next % topics.length].publish({ key: `key-${next}`, value: payload })
      await Promise.all(promises)
    }
  }
  await send(options.warm)
  const figures = await measured(() => send(options.count))
  await cluster.close()
  return figures
}

/** Fills every partition with the same number of messages. */
async function fill() {
  const cluster = await connect(options.url)
  const all = everyPartition()
  const each = Math.ceil(options.count / all.length)
  const perList = Math.min(each, 1_000)
  const times = Math.ceil(each / perList)
  await inLanes(
    all.length * times,
    i => {
      const { topic, partition } = all[i % all.length]
      return cluster.topic(topic).publish(Array.from({ length: perList }, () => ({ partition, value: payload })))
    },
    50
  )
  await cluster.close()
  return { stored: all.length * times * perList }
}

/** From message `warm` to message `warm + count` of what `fill` has written; all partitions are assigned by hand. */
async function consume() {
  const cluster = await connect(options.url)
  const { warm, mode } = options
  const end = warm + options.count
  let seen = 0
  let bytes = 0
  let from = 0
  let cpu = 0
  const consumer = cluster.subscribe({ partitions: everyPartition(), from: 'earliest' })
  const figures = await new Promise(resolve => {
    const one = value => {
      bytes += value.length
      if (++seen === warm) {
        cpu = cpuMs()
        from = performance.now()
      } else if (seen === end) resolve({ cpuMs: cpuMs() - cpu, wallMs: performance.now() - from })
    }
    if (mode === 'batch')
      consumer.on('message.batch', ({ messages, ack }) => {
        for (const message of messages) one(message.value)
        ack()
      })
    else
      (async () => {
        for await (const message of consumer) {
          one(message.value)
          if (seen >= end) break
        }
      })()
  })
  await cluster.close()
  if (bytes < end * payload.length) throw new Error(`${bytes} bytes in ${end} messages of ${payload.length}`)
  return figures
}

/** Connect, describe, publish once, close: when each was done, since the process began. */
async function start() {
  const cluster = await connect(options.url)
  const connectedMs = performance.now()
  const topic = cluster.topic(options.topics[0])
  const partitions = await topic.describe()
  const describedMs = performance.now()
  if (partitions.length !== options.partitions) throw new Error(`${partitions.length} partitions are described`)
  await topic.publish('hello')
  const publishedMs = performance.now()
  await cluster.close()
  return { importedMs, connectedMs, describedMs, publishedMs, closedMs: performance.now(), cpuMs: cpuMs() }
}

/** A consumer of many partitions: until all have given their message, at rest, and its end. */
async function hold() {
  const cluster = await connect(options.url)
  const all = everyPartition()
  const from = performance.now()
  const startCpu = cpuMs()
  const assigned = options.group ? { topics: options.topics, group: options.group, membership: options.membership } : { partitions: all }
  const consumer = cluster.subscribe({ ...assigned, from: 'earliest' })
  const heard = new Set()
  let firstMs = 0
  await new Promise(resolve => {
    consumer.on('message.batch', ({ topic, partition, ack }) => {
      firstMs ||= performance.now() - from
      heard.add(`${topic}/${partition}`)
      ack()
      if (heard.size === all.length) resolve()
    })
  })
  const allMs = performance.now() - from
  const startCpuMs = cpuMs() - startCpu
  await sleep(options.settleMs)
  const restRss = rssMb()
  const { cpuMs: restCpuMs } = await measured(() => sleep(options.restMs))
  const closing = await measured(() => consumer.close())
  await cluster.close()
  return { firstMs, allMs, startCpuMs, restCpuMs, restRssMb: restRss, closeMs: closing.wallMs, closeCpuMs: closing.cpuMs }
}

const works = { lists, keyed, fill, consume, start, hold }
const figures = await works[work]()
process.stdout.write(`RESULT ${JSON.stringify({ ...figures, rssMb: process.resourceUsage().maxRSS / 1024 })}\n`, () => process.exit(0))
