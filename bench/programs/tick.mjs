// Writes to each partition every 20 ms until it is killed: what the members of `group` hear.
import { sleep } from './common.mjs'

export default async function tick(adapter, options) {
  const producer = await adapter.producer(options)
  for (let i = 0; ; i++) {
    for (let partition = 0; partition < options.partitions; partition++) await producer.sendTo(partition, Buffer.from(`${i}`))
    if (i === 0) process.stdout.write('READY\n')
    await sleep(20)
  }
}
