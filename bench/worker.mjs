// One measured process: `node worker.mjs <workload> <adapter> '<json options>'` prints one line `RESULT {json}`.
// Plain JavaScript on purpose: no loader runs beside what is measured. CPU is user + system of all threads of this process,
// between the warm-up and the last ack (or the last message).
const [workload, name, json] = process.argv.slice(2)
const options = JSON.parse(json)
const adapter = await import(`./adapters/${name}.mjs`)

const cpuMs = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** 1,024 different values, the same in every process. */
function values(bytes) {
  let state = 0x9e3779b9
  const random = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
  return Array.from({ length: 1024 }, () => Buffer.from(Array.from({ length: bytes }, () => 65 + (random() % 26))))
}

async function measured(work) {
  const cpu = cpuMs()
  const from = performance.now()
  await work()
  return { wallMs: performance.now() - from, cpuMs: cpuMs() - cpu }
}

const workloads = {
  /** Bulk: lists of messages, a few at a time. */
  async lists() {
    const pool = values(options.recordBytes)
    const producer = await adapter.producer(options)
    const lanes = async count => {
      let next = 0
      const lane = async () => {
        while (next < count) {
          const list = new Array(Math.min(options.perList, count - next))
          for (let i = 0; i < list.length; i++) list[i] = pool[next++ & 1023]
          await producer.sendList(list)
        }
      }
      await Promise.all(Array.from({ length: options.lanes }, lane))
    }
    await lanes(options.warm)
    const result = await measured(() => lanes(options.count))
    await producer.close()
    return result
  },

  /** Each message has a promise of its own, `atOnce` of them at a time. */
  async singles() {
    const pool = values(options.recordBytes)
    const producer = await adapter.producer(options)
    const all = async count => {
      for (let next = 0; next < count; ) {
        const promises = new Array(Math.min(options.atOnce, count - next))
        for (let i = 0; i < promises.length; i++) promises[i] = producer.sendOne(pool[next++ & 1023])
        await Promise.all(promises)
      }
    }
    await all(options.warm)
    const result = await measured(() => all(options.count))
    await producer.close()
    return result
  },

  /** From message `warm` to message `warm + count` of a topic that is there. Closing is not measured. */
  async consume() {
    let seen = 0
    let bytes = 0
    let cpu = 0
    let from = 0
    const end = options.warm + options.count
    const result = await new Promise((resolve, reject) => {
      const onValue = value => {
        bytes += value.length
        if (++seen === options.warm) {
          cpu = cpuMs()
          from = performance.now()
        } else if (seen === end) resolve({ wallMs: performance.now() - from, cpuMs: cpuMs() - cpu })
      }
      adapter.consumer({ ...options, group: `bench-${process.pid}-${Date.now()}`, onValue }).catch(reject)
    })
    if (bytes < end * options.recordBytes) throw new Error(`${bytes} bytes in ${end} messages of ${options.recordBytes}`)
    return result
  }
}

const result = await workloads[workload]()
const rssMb = process.resourceUsage().maxRSS / 1024
process.stdout.write(`RESULT ${JSON.stringify({ ...result, version: adapter.version, node: process.version, rssMb })}\n`, () =>
  process.exit(0)
)
