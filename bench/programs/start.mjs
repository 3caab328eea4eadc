// Import (the worker has done it), connect, send one message, close, exit. The time is taken from outside.
export default async function start(adapter, options) {
  const producer = await adapter.producer({ ...options, lingerMs: 0 })
  await producer.sendOne(Buffer.from('hello'))
  await producer.close()
  return {}
}
