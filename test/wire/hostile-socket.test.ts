/**
 * What is not a broker, or not a sane one, on a real socket: a typed error that says what it was, the connection closed, nobody left
 * waiting. One test for each row of bad input that reaches us through a broker's port.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { after, before, describe, it } from 'node:test'
import type { SamsaError } from '../../src/model/errors.ts'
import { loadApi, type ResponseOf } from '../../src/wire/apis.ts'
import { Connection } from '../../src/wire/connection.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { alive, answerBytes, framed, heartbeat, versionsAnswer } from './scripted-broker.ts'

const CAP_BYTES = 1024 * 1024 * 1024
const world = nodeWorld()
type Reply = (socket: Socket, request: { key: number; version: number; correlationId: number }) => void | Promise<void>

let server: Server
let reply: Reply
let sockets: Set<Socket>

before(async () => {
  await Promise.all((['Heartbeat', 'Metadata', 'ApiVersions'] as const).map(name => loadApi(name)))
  sockets = new Set()
  server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    let kept = Buffer.alloc(0)
    socket.on('data', chunk => {
      kept = Buffer.concat([kept, chunk])
      while (kept.length >= 4 && kept.length >= 4 + kept.readInt32BE(0)) {
        const request = { key: kept.readInt16BE(4), version: kept.readInt16BE(6), correlationId: kept.readInt32BE(8) }
        kept = kept.subarray(4 + kept.readInt32BE(0))
        void reply(socket, request)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})

after(() => {
  for (const socket of sockets) socket.destroy()
  server.close()
})

interface Dialled {
  connection: Connection
  closed: Promise<{ error: SamsaError | undefined; inFlight: number }>
}

async function dial(options: { requestTimeoutMs?: number } = {}): Promise<Dialled> {
  let connected = () => {}
  const isConnected = new Promise<void>(resolve => (connected = resolve))
  let connection!: Connection
  const closed = new Promise<{ error: SamsaError | undefined; inFlight: number }>(resolve => {
    connection = new Connection({
      world,
      node: 1,
      purpose: 'test',
      host: '127.0.0.1',
      port: (server.address() as AddressInfo).port,
      clientId: 'test',
      maxFrameBytes: CAP_BYTES,
      requestTimeoutMs: options.requestTimeoutMs ?? 10_000,
      onConnected: () => connected(),
      onThrottled: () => {},
      onClosed: (error, inFlight) => resolve({ error, inFlight })
    })
  })
  await isConnected
  return { connection, closed }
}

/** What a peer says to the very first request; answers with what became of the negotiation. */
async function first(bytes: Uint8Array): Promise<SamsaError> {
  reply = socket => void socket.write(bytes)
  const { connection, closed } = await dial()
  const error = await failureOf(connection.negotiate(10_000))
  assert.deepEqual((await closed).error, error)
  return error
}

async function failureOf(promise: Promise<unknown>): Promise<SamsaError> {
  return promise.then(
    () => assert.fail('it went well'),
    error => error as SamsaError
  )
}

/** A sane broker until a request other than ApiVersions comes: that is answered by `say`. */
async function sane(say: Reply, options: { requestTimeoutMs?: number } = {}): Promise<Dialled> {
  const all = Array.from({ length: 100 }, (_, apiKey) => ({ apiKey, minVersion: 0, maxVersion: 100 }))
  reply = async (socket, request) => {
    if (request.key !== 18) return say(socket, request)
    socket.write(await answerBytes('ApiVersions', request.version, request.correlationId, versionsAnswer(all)))
  }
  const dialled = await dial(options)
  await dialled.connection.negotiate(10_000)
  return dialled
}

const answerTo = (correlationId: number, body: string) => {
  const head = Buffer.alloc(4)
  head.writeInt32BE(correlationId)
  return framed(Buffer.concat([head, Buffer.from(body, 'hex')]))
}

describe('a frame’s length on a socket', () => {
  it('that is negative is refused', async () => {
    assert.equal((await first(Buffer.from('ffffffff', 'hex'))).code, 'BAD_FRAME_SIZE')
    assert.equal((await first(Buffer.from('80000000', 'hex'))).code, 'BAD_FRAME_SIZE')
  })

  it('that is above the limit is refused, and takes no memory', async () => {
    const before = process.memoryUsage().arrayBuffers
    assert.equal((await first(Buffer.from('7fffffff', 'hex'))).code, 'BAD_FRAME_SIZE')
    assert.equal((await first(Buffer.from('3fffffff', 'hex'))).code, 'BAD_FRAME_SIZE')
    assert.ok(process.memoryUsage().arrayBuffers - before < 8 * 1024 * 1024)
  })

  it('that is a TLS alert is named so', async () => {
    const error = await first(Buffer.from('15030300020228', 'hex'))
    assert.deepEqual([error.name, error.code], ['ProtocolError', 'TLS_PEER'])
    assert.equal((await first(Buffer.from('1503000002', 'hex'))).code, 'TLS_PEER')
  })

  it('that is HTTP is named so, and so are other protocols no brokers', async () => {
    assert.equal((await first(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'))).code, 'HTTP_PEER')
    for (const greeting of ['SSH-2.0-OpenSSH_9.6\r\n', '220 mail ESMTP\r\n', '-ERR unknown command\r\n', '<html></html>'])
      assert.equal((await first(Buffer.from(greeting))).code, 'BAD_FRAME_SIZE', greeting)
  })
})

describe('an answer on a socket', () => {
  it('that is cut anywhere ends as CONNECTION_LOST when the peer goes', async () => {
    const whole = await answerBytes('Heartbeat', 4, 0, alive)
    for (let length = 0; length < whole.length; length++) {
      const { connection, closed } = await sane(async (socket, { version, correlationId }) => {
        socket.end((await answerBytes('Heartbeat', version, correlationId, alive)).subarray(0, length))
      })
      assert.equal((await failureOf(connection.request('Heartbeat', heartbeat))).code, 'CONNECTION_LOST', `${length} bytes`)
      assert.equal((await closed).inFlight, 1)
    }
  })

  it('that is cut and never goes on ends as REQUEST_TIMEOUT', async () => {
    const { connection, closed } = await sane(
      async (socket, { version, correlationId }) => {
        socket.write((await answerBytes('Heartbeat', version, correlationId, alive)).subarray(0, 9))
      },
      { requestTimeoutMs: 100 }
    )
    assert.equal((await failureOf(connection.request('Heartbeat', heartbeat))).code, 'REQUEST_TIMEOUT')
    assert.equal((await closed).error?.code, 'REQUEST_TIMEOUT')
  })

  it('that is a whole frame of half an answer is a ProtocolError', async () => {
    const { connection, closed } = await sane((socket, { correlationId }) => void socket.write(answerTo(correlationId, '000000')))
    const error = await failureOf(connection.request('Heartbeat', heartbeat))
    assert.deepEqual([error.name, error.code], ['ProtocolError', 'TRUNCATED'])
    assert.equal((await closed).error, error)
  })

  // Metadata 13: header tags, throttle time, then the count of brokers.
  const hostile: [string, string, string][] = [
    ['with 2^32 brokers', '0000000000ffffffff0f', 'ARRAY_TOO_LONG'],
    ['with a million brokers in no bytes', '0000000000c1843d', 'ARRAY_TOO_LONG'],
    ['with a varint without an end', '0000000000ffffffffffffffffff', 'VARINT_TOO_LONG'],
    ['with a flood of tags', 'ffffff7f', 'TAG_FLOOD']
  ]
  for (const [what, body, code] of hostile)
    it(`${what} is refused before anything is made by it`, async () => {
      const { connection, closed } = await sane((socket, { correlationId }) => void socket.write(answerTo(correlationId, body)))
      const before = process.memoryUsage().heapUsed
      const error = await failureOf(connection.request('Metadata', { topics: null }))
      assert.deepEqual([error.name, error.code], ['ProtocolError', code])
      assert.ok(process.memoryUsage().heapUsed - before < 32 * 1024 * 1024)
      assert.equal((await closed).error, error)
    })

  it('with a negative count is refused', async () => {
    // Metadata 8 is not flexible: throttle time, then a count of -2.
    const { connection } = await sane((socket, { correlationId }) => void socket.write(answerTo(correlationId, '00000000fffffffe')))
    const error = await failureOf(connection.request('Metadata', { topics: null }, { maxVersion: 8 }))
    assert.deepEqual([error.name, error.code], ['ProtocolError', 'NEGATIVE_LENGTH'])
  })

  it('of an unknown, a duplicate or a late number closes the connection', async () => {
    for (const kind of ['unknown', 'duplicate', 'late'] as const) {
      const { connection, closed } = await sane(async (socket, { version, correlationId }) => {
        const say = async (id: number) => socket.write(await answerBytes('Heartbeat', version, id, alive))
        if (kind === 'unknown') return void say(correlationId + 1_000)
        if (kind === 'late') return void say(correlationId - 1)
        await say(correlationId)
        await say(correlationId)
      })
      const outcome = connection.request('Heartbeat', heartbeat).then(
        (answer: ResponseOf<'Heartbeat'>) => `error ${answer.errorCode}`,
        (error: SamsaError) => error.code
      )
      assert.equal(await outcome, kind === 'duplicate' ? 'error 0' : 'CORRELATION_MISMATCH')
      assert.equal((await closed).error?.code, kind === 'duplicate' ? 'UNEXPECTED_RESPONSE' : 'CORRELATION_MISMATCH')
      await assert.rejects(connection.request('Heartbeat', heartbeat))
    }
  })

  it('that comes byte by byte, or with a reset behind it, is an answer all the same', async () => {
    const { connection, closed } = await sane(async (socket, { version, correlationId }) => {
      for (const byte of await answerBytes('Heartbeat', version, correlationId, alive)) {
        socket.write(Buffer.from([byte]))
        await new Promise(resolve => setImmediate(resolve))
      }
    })
    assert.equal((await connection.request('Heartbeat', heartbeat)).errorCode, 0)
    for (const socket of sockets) socket.resetAndDestroy()
    const { error, inFlight } = await closed
    assert.deepEqual([error?.code, inFlight], ['CONNECTION_LOST', 0])
  })
})
