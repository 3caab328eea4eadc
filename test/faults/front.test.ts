/**
 * The proxy itself: what it breaks is broken, in that way and no other, and counted; what it delays comes in order.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { FrontProxy } from './front.ts'

/** Says back whatever it hears. */
function echo(): Promise<Server> {
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  return new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(server)))
}

/** `once` of node:events would reject at an error. */
const closing = (socket: Socket) => new Promise(resolve => socket.once('close', resolve))

describe('the proxy in front of a broker', () => {
  let server: Server
  let front: FrontProxy
  before(async () => {
    server = await echo()
    front = await FrontProxy.start(0, (server.address() as { port: number }).port)
  })
  after(async () => {
    await front.close()
    server.close()
  })

  const dial = async () => {
    const socket = connect(front.port, '127.0.0.1')
    socket.on('error', () => {})
    await once(socket, 'connect')
    return socket
  }
  const ask = async (socket: Socket, text: string) => {
    const answer = once(socket, 'data')
    socket.write(text)
    return String((await answer)[0])
  }

  it('passes everything on', async () => {
    const socket = await dial()
    assert.equal(await ask(socket, 'hello'), 'hello')
    socket.destroy()
  })

  it('resets what is open, and refuses what comes until it heals', async () => {
    const socket = await dial()
    await ask(socket, 'a')
    const closed = closing(socket)
    front.refuse()
    await closed
    const refused = connect(front.port, '127.0.0.1')
    refused.on('error', () => {})
    await closing(refused)
    assert.equal(front.hit.connections, 2)
    front.heal()
    const again = await dial()
    assert.equal(await ask(again, 'b'), 'b')
    again.destroy()
  })

  for (const way of ['up', 'down'] as const)
    it(`swallows what goes ${way}, and resets the connection when it heals`, async () => {
      const socket = await dial()
      await ask(socket, 'a')
      front.silence(way)
      let heard = ''
      socket.on('data', bytes => (heard += bytes))
      socket.write('lost')
      while (front.hit.bytes < 4) await new Promise(resolve => setImmediate(resolve))
      const closed = closing(socket)
      front.heal()
      await closed
      assert.deepEqual([heard, front.hit.bytes], ['', 4])
    })

  it('delays each way, in order', async () => {
    const socket = await dial()
    await ask(socket, 'a')
    front.slow(50)
    const beganMs = performance.now()
    let heard = ''
    socket.on('data', bytes => (heard += bytes))
    for (const text of ['1', '2', '3']) socket.write(text)
    while (heard.length < 3) await once(socket, 'data')
    assert.equal(heard, '123')
    assert.ok(performance.now() - beganMs >= 100, 'both ways')
    front.heal()
    assert.equal(await ask(socket, 'b'), 'b')
    socket.destroy()
  })
})
