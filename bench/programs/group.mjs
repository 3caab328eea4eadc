// Somebody outside writes to every partition all the time. First message of a first member, of a second one, and the longest silence of both meanwhile.
import { sleep } from './common.mjs'

export default async function group(adapter, options) {
  const name = `bench-${process.pid}-${Date.now()}`
  let watching = false
  let last = 0
  let silenceMs = 0
  const join = () => {
    const from = performance.now()
    return new Promise((resolve, reject) => {
      let first = true
      const onValue = () => {
        const now = performance.now()
        if (watching && last > 0) silenceMs = Math.max(silenceMs, now - last)
        last = now
        if (first) resolve(now - from)
        first = false
      }
      adapter.consumer({ ...options, mode: 'message', group: name, onValue }).catch(reject)
    })
  }
  const firstMs = await join()
  await sleep(options.settleMs)
  watching = true
  const secondMs = await join()
  await sleep(500)
  return { firstMs, secondMs, silenceMs }
}
