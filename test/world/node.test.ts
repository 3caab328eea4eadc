/**
 * The real World's listener, spoken to by its own dialling.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Transport, TransportHandlers } from '../../src/model/world.ts'
import { nodeWorld } from '../../src/world/node.ts'

const world = nodeWorld()

interface Dialled {
  transport: Transport
  received: Buffer[]
  connected: Promise<void>
  closed: Promise<Error | undefined>
}

function dial(port: number, onData: (chunk: Buffer, dialled: Dialled) => void = () => {}): Dialled {
  const dialled = { received: [] as Buffer[] } as Dialled
  const handlers = { onDrain: () => {} } as TransportHandlers
  dialled.connected = new Promise(resolve => {
    handlers.onConnect = resolve
  })
  dialled.closed = new Promise(resolve => {
    handlers.onClose = resolve
  })
  handlers.onData = chunk => {
    dialled.received.push(Buffer.from(chunk))
    onData(chunk, dialled)
  }
  dialled.transport = world.dial({ host: '127.0.0.1', port }, handlers)
  return dialled
}

describe('listening on loopback', () => {
  it('takes connections, reads and writes, and hears of their end', async () => {
    let closed: (error: Error | undefined) => void
    const ended = new Promise<Error | undefined>(resolve => {
      closed = resolve
    })
    const listener = await world.listen(0, transport => ({
      onData: chunk => void transport.write([Buffer.from('echo '), Buffer.from(chunk)]),
      onDrain: () => {},
      onClose: error => closed(error)
    }))
    const dialled = dial(listener.port, (_, { transport, received }) => {
      if (Buffer.concat(received).length === 'echo hello'.length) transport.end()
    })
    await dialled.connected
    dialled.transport.write([Buffer.from('hello')])
    assert.equal(await dialled.closed, undefined)
    assert.equal(await ended, undefined)
    assert.equal(String(Buffer.concat(dialled.received)), 'echo hello')
    assert.equal(listener.host, '127.0.0.1')
    listener.close()
  })

  it('may write before the first byte arrives, and close at once', async () => {
    const listener = await world.listen(0, transport => {
      transport.write([Buffer.from('go away')])
      transport.end()
      return { onData: () => {}, onDrain: () => {}, onClose: () => {} }
    })
    const dialled = dial(listener.port)
    await dialled.closed
    assert.equal(String(Buffer.concat(dialled.received)), 'go away')
    listener.close()
  })

  it('closes a connection whose owner throws, and no other', async () => {
    const listener = await world.listen(0, transport => ({
      onData: chunk => {
        if (String(chunk) === 'bad') throw new Error('not this')
        transport.write([chunk])
      },
      onDrain: () => {},
      onClose: () => {}
    }))
    const [bad, good] = [dial(listener.port), dial(listener.port, (_, { transport }) => transport.end())]
    bad.transport.write([Buffer.from('bad')])
    await bad.closed
    good.transport.write([Buffer.from('good')])
    await good.closed
    assert.equal(String(Buffer.concat(good.received)), 'good')
    listener.close()
  })

  it('takes no new connections once closed, keeps those that are there, and leaves the port at once', async () => {
    const accept = (transport: Transport) => ({
      onData: (chunk: Buffer) => void transport.write([Buffer.from(chunk)]),
      onDrain: () => {},
      onClose: () => {}
    })
    const listener = await world.listen(0, accept)
    const old = dial(listener.port, (_, { transport }) => transport.end())
    await old.connected
    listener.close()
    const refused = await dial(listener.port).closed
    assert.equal((refused as NodeJS.ErrnoException).code, 'ECONNREFUSED')
    const again = await world.listen(listener.port, accept)
    old.transport.write([Buffer.from('still here')])
    await old.closed
    assert.equal(String(Buffer.concat(old.received)), 'still here')
    again.close()
  })

  it('says that a port is taken', async () => {
    const listener = await world.listen(0, () => ({ onData: () => {}, onDrain: () => {}, onClose: () => {} }))
    await assert.rejects(
      world.listen(listener.port, () => ({ onData: () => {}, onDrain: () => {}, onClose: () => {} })),
      { code: 'EADDRINUSE' }
    )
    listener.close()
  })
})
