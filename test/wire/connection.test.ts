/**
 * A connection against a broker that says what it is told: answers in order, deadlines, the end and what becomes of those who wait,
 * negotiation, and callbacks that throw.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConnectionError, ProtocolError } from '../../src/model/errors.ts'
import { loadApi, type ResponseOf } from '../../src/wire/apis.ts'
import { alive, answerBytes, framed, heartbeat, ScriptedBroker, versionsAnswer } from './scripted-broker.ts'

const HEARTBEAT_VERSION = 4

async function ready(...options: ConstructorParameters<typeof ScriptedBroker>): Promise<ScriptedBroker> {
  await loadApi('Heartbeat')
  const broker = new ScriptedBroker(...options)
  broker.handlers.onConnect()
  await broker.negotiate()
  return broker
}

interface Outcome {
  error: (Error & { code?: string }) | undefined
  response: ResponseOf<'Heartbeat'> | undefined
}

/** Sends so many heartbeats; each outcome is put down in the order in which it comes. */
function sendMany(broker: ScriptedBroker, count: number): { ids: number[]; outcomes: (Outcome & { nth: number })[] } {
  const outcomes: (Outcome & { nth: number })[] = []
  for (let nth = 0; nth < count; nth++)
    broker.connection.send('Heartbeat', heartbeat, 1_000, (error, response) => outcomes.push({ nth, error, response }))
  return { ids: broker.asked().map(one => one.correlationId), outcomes }
}

const codes = (outcomes: Outcome[]) => outcomes.map(({ error }) => error?.code)

describe('answers', () => {
  it('go to their requests, in order, however the stream is cut', async () => {
    const broker = await ready()
    const { ids, outcomes } = sendMany(broker, 5)
    assert.equal(broker.connection.inFlight, 5)
    const stream = Buffer.concat(
      await Promise.all(ids.map((id, i) => answerBytes('Heartbeat', HEARTBEAT_VERSION, id, { ...alive, errorCode: i })))
    )
    for (const byte of stream) broker.say(Buffer.from([byte]))
    assert.deepEqual(
      outcomes.map(({ nth, response }) => [nth, response?.errorCode]),
      [0, 1, 2, 3, 4].map(i => [i, i])
    )
    assert.equal(broker.connection.inFlight, 0)
    assert.equal(broker.connection.open, true)
  })

  it('stay matched over thousands, most of them in flight', async () => {
    const broker = await ready()
    const { ids, outcomes } = sendMany(broker, 3_000)
    for (const id of ids) await broker.answer('Heartbeat', HEARTBEAT_VERSION, id, alive)
    assert.deepEqual(
      outcomes.map(one => one.nth),
      ids.map((_, i) => i)
    )
    assert.ok(outcomes.every(one => one.error === undefined))
  })

  it('of a wrong number end the connection, with all that was in flight', async () => {
    for (const wrong of ['late', 'unknown', 'twice'] as const) {
      const broker = await ready()
      const { ids, outcomes } = sendMany(broker, 3)
      if (wrong === 'twice') await broker.answer('Heartbeat', HEARTBEAT_VERSION, ids[0]!, alive)
      const id = wrong === 'late' ? ids[1]! : wrong === 'twice' ? ids[0]! : 123_456
      await broker.answer('Heartbeat', HEARTBEAT_VERSION, id, alive)
      const answered = wrong === 'twice' ? 1 : 0
      assert.deepEqual(codes(outcomes).slice(answered), Array(3 - answered).fill('CORRELATION_MISMATCH'), wrong)
      assert.equal(broker.connection.open, false)
      assert.equal(broker.destroyed, 1)
      assert.deepEqual(
        broker.closed.map(one => [one.error?.code, one.inFlight]),
        [['CORRELATION_MISMATCH', 3 - answered]]
      )
    }
  })

  it('that nobody asked for end the connection', async () => {
    const broker = await ready()
    await broker.answer('Heartbeat', HEARTBEAT_VERSION, 1, alive)
    assert.equal(broker.closed[0]?.error?.code, 'UNEXPECTED_RESPONSE')
  })

  it('that cannot be read end the connection as a ProtocolError', async () => {
    const broken: [Buffer, string][] = [
      [Buffer.alloc(0), 'TRUNCATED'],
      [Buffer.from([0, 0, 0]), 'TRUNCATED'],
      [Buffer.from('0000000000ffffffffff7f', 'hex'), 'VARINT_TOO_LONG'],
      [Buffer.from('000000000000000000ff', 'hex'), 'TRAILING_BYTES']
    ]
    for (const [tail, code] of broken) {
      const broker = await ready()
      const { ids, outcomes } = sendMany(broker, 1)
      const head = Buffer.alloc(5)
      head.writeInt32BE(ids[0]!)
      broker.say(framed(Buffer.concat([head, tail])))
      const { error } = outcomes[0]!
      assert.ok(error instanceof ProtocolError, String(error))
      assert.equal(error.code, code, tail.toString('hex'))
      assert.equal(broker.closed.length, 1)
    }
  })

  it('of several requests in one chunk are not told after a callback has closed the connection', async () => {
    const broker = await ready()
    const told: string[] = []
    for (const name of ['first', 'second'])
      broker.connection.send('Heartbeat', heartbeat, 1_000, error => {
        told.push(`${name} ${(error as ConnectionError | undefined)?.code}`)
        if (name === 'first') broker.connection.close()
      })
    const ids = broker.asked().map(one => one.correlationId)
    broker.say(Buffer.concat(await Promise.all(ids.map(id => answerBytes('Heartbeat', HEARTBEAT_VERSION, id, alive)))))
    assert.deepEqual(told, ['first undefined', 'second CONNECTION_LOST'])
    assert.deepEqual(broker.closed, [{ error: undefined, inFlight: 1 }])
  })

  it('with a throttle time are told', async () => {
    const broker = await ready()
    const { ids } = sendMany(broker, 2)
    await broker.answer('Heartbeat', HEARTBEAT_VERSION, ids[0]!, alive)
    await broker.answer('Heartbeat', HEARTBEAT_VERSION, ids[1]!, { ...alive, throttleTimeMs: 250 })
    assert.deepEqual(broker.throttled, [250])
  })
})

describe('a deadline', () => {
  it('that passes ends the connection, and everyone who waits hears REQUEST_TIMEOUT', async () => {
    const broker = await ready()
    const { outcomes } = sendMany(broker, 2)
    broker.connection.send('Heartbeat', heartbeat, 60_000, (error, response) => outcomes.push({ nth: 2, error, response }))
    broker.advance(999)
    assert.equal(broker.connection.open, true)
    broker.advance(2)
    assert.deepEqual(codes(outcomes), Array(3).fill('REQUEST_TIMEOUT'))
    assert.match(outcomes[0]!.error!.message, /Heartbeat/)
    assert.deepEqual(
      broker.closed.map(one => [one.error?.code, one.inFlight]),
      [['REQUEST_TIMEOUT', 3]]
    )
    assert.equal(broker.timers.size, 0)
  })

  it('is its own request’s, not the newest’s: a shorter one that comes later is kept too', async () => {
    const broker = await ready()
    const ends: string[] = []
    broker.connection.send('Heartbeat', heartbeat, 60_000, () => ends.push('long'))
    broker.connection.send('Heartbeat', heartbeat, 100, () => ends.push('short'))
    broker.advance(101)
    assert.deepEqual(ends, ['long', 'short'])
  })

  it('of an answered request no longer counts', async () => {
    const broker = await ready()
    const { ids, outcomes } = sendMany(broker, 1)
    broker.advance(900)
    await broker.answer('Heartbeat', HEARTBEAT_VERSION, ids[0]!, alive)
    const later = sendMany(broker, 1)
    broker.advance(900)
    assert.equal(broker.connection.open, true)
    assert.deepEqual([codes(outcomes), later.outcomes], [[undefined], []])
    broker.advance(200)
    assert.deepEqual(codes(later.outcomes), ['REQUEST_TIMEOUT'])
  })

  it('of the negotiation is kept', async () => {
    const broker = new ScriptedBroker()
    const negotiated = broker.connection.negotiate(500)
    await broker.next()
    broker.advance(501)
    await assert.rejects(negotiated, { name: 'TimeoutError', code: 'REQUEST_TIMEOUT' })
  })
})

describe('the end', () => {
  it('by us fails everyone who waits once, with our reason, and tells it once', async () => {
    const broker = await ready()
    const { outcomes } = sendMany(broker, 3)
    const reason = new ConnectionError('CONNECTION_CLOSED', 'enough')
    broker.connection.close(reason)
    broker.connection.close(new ConnectionError('OTHER', 'later'))
    broker.handlers.onClose(undefined)
    assert.deepEqual(
      outcomes.map(one => one.error),
      [reason, reason, reason]
    )
    assert.deepEqual(broker.closed, [{ error: reason, inFlight: 3 }])
    assert.equal(broker.timers.size, 0)
  })

  it('by the peer, in silence or with an error, fails everyone who waits as retriable', async () => {
    for (const error of [undefined, new Error('read ECONNRESET')]) {
      const broker = await ready()
      const { outcomes } = sendMany(broker, 2)
      broker.handlers.onClose(error)
      assert.deepEqual(codes(outcomes), ['CONNECTION_LOST', 'CONNECTION_LOST'])
      assert.equal((outcomes[0]!.error as ConnectionError).retriable, true)
      assert.deepEqual([broker.closed.length, broker.closed[0]!.error?.code], [1, error && 'CONNECTION_LOST'])
      if (error) assert.match(outcomes[0]!.error!.message, /ECONNRESET/)
    }
  })

  it('in the middle of a frame loses that answer, and no other', async () => {
    const broker = await ready()
    const { ids, outcomes } = sendMany(broker, 2)
    const stream = Buffer.concat(await Promise.all(ids.map(id => answerBytes('Heartbeat', HEARTBEAT_VERSION, id, alive))))
    broker.say(stream.subarray(0, -1))
    broker.handlers.onClose(undefined)
    assert.deepEqual(codes(outcomes), [undefined, 'CONNECTION_LOST'])
  })

  it('is what every later call hears; what still arrives is dropped', async () => {
    const broker = await ready()
    broker.connection.close()
    const { outcomes } = sendMany(broker, 1)
    assert.deepEqual(codes(outcomes), ['CONNECTION_LOST'])
    await assert.rejects(broker.connection.request('Heartbeat', heartbeat), { code: 'CONNECTION_LOST' })
    assert.equal(broker.connection.sendUnanswered('Heartbeat', heartbeat), false)
    broker.say(Buffer.from('garbage of any kind'))
    assert.deepEqual([broker.written.length, broker.closed.length], [0, 1])
  })

  it('of the work at hand is told to all who asked for it', async () => {
    const broker = await ready()
    const told: string[] = []
    broker.connection.whenIdle(() => told.push('at once'))
    const { ids } = sendMany(broker, 2)
    broker.connection.whenIdle(() => told.push('a'))
    broker.connection.whenIdle(() => told.push('b'))
    await broker.answer('Heartbeat', HEARTBEAT_VERSION, ids[0]!, alive)
    assert.deepEqual(told, ['at once'])
    await broker.answer('Heartbeat', HEARTBEAT_VERSION, ids[1]!, alive)
    assert.deepEqual(told, ['at once', 'a', 'b'])
  })
})

describe('a callback that throws', () => {
  const mistake = new Error('a mistake')
  const throws = () => {
    throw mistake
  }

  it('is reported; the connection and the other answers go on', async () => {
    const broker = await ready({ onThrottled: throws })
    broker.connection.send('Heartbeat', heartbeat, 1_000, throws)
    broker.connection.whenIdle(throws)
    const [first] = broker.asked()
    const { ids, outcomes } = sendMany(broker, 1)
    await broker.answer('Heartbeat', HEARTBEAT_VERSION, first!.correlationId, { ...alive, throttleTimeMs: 9 })
    await broker.answer('Heartbeat', HEARTBEAT_VERSION, ids[0]!, alive)
    assert.deepEqual(broker.defects, [mistake, mistake, mistake])
    assert.deepEqual([codes(outcomes), broker.connection.open], [[undefined], true])
  })

  it('at the end does not keep the others from hearing of it', async () => {
    const broker = await ready()
    broker.connection.send('Heartbeat', heartbeat, 1_000, throws)
    const { outcomes } = sendMany(broker, 1)
    broker.handlers.onClose(undefined)
    assert.deepEqual([codes(outcomes), broker.closed.length, broker.defects], [['CONNECTION_LOST'], 1, [mistake]])
  })

  it('goes to the process when nobody else wants to know', async () => {
    const broker = await ready({ onDefect: undefined as never })
    broker.connection.send('Heartbeat', heartbeat, 1_000, throws)
    await broker.answer('Heartbeat', HEARTBEAT_VERSION, broker.asked()[0]!.correlationId, alive)
    assert.equal(broker.connection.open, true)
    assert.throws(() => broker.deferred[0]!(), mistake)
  })
})

describe('what cannot be sent', () => {
  it('is the caller’s mistake: nothing is written, nothing else is touched', async () => {
    const broker = await ready()
    const { outcomes } = sendMany(broker, 1)
    const bad = { ...heartbeat, generationId: 1.5 }
    broker.connection.send('Heartbeat', bad, 1_000, error => outcomes.push({ nth: 1, error, response: undefined }))
    await assert.rejects(broker.connection.request('Heartbeat', bad), { name: 'UsageError', message: /HeartbeatRequest\.generationId/ })
    assert.deepEqual([codes(outcomes), broker.written.length, broker.connection.inFlight], [['INVALID_FIELD'], 0, 1])
  })

  it('is a version that the broker does not have, within the caller’s bounds', async () => {
    const broker = new ScriptedBroker()
    await loadApi('Heartbeat')
    await broker.negotiate([{ apiKey: 12, minVersion: 1, maxVersion: 3 }])
    const send = (limits: { minVersion?: number; maxVersion?: number }) =>
      new Promise<string | undefined>(resolve => {
        broker.connection.send('Heartbeat', heartbeat, { timeoutMs: 1_000, ...limits }, error => resolve((error as ConnectionError)?.code))
        const [asked] = broker.asked()
        if (asked) resolve(`version ${asked.version}`)
      })
    assert.equal(await send({}), 'version 3')
    assert.equal(await send({ maxVersion: 2 }), 'version 2')
    assert.equal(await send({ maxVersion: 0 }), 'UNSUPPORTED_VERSION')
    assert.equal(await send({ minVersion: 4 }), 'UNSUPPORTED_VERSION')
    assert.equal(await send({ minVersion: 2, maxVersion: 9 }), 'version 3')
    await assert.rejects(broker.connection.request('Heartbeat', heartbeat, { minVersion: 4 }), { code: 'UNSUPPORTED_VERSION' })
    await assert.rejects(broker.connection.request('Metadata', { topics: null }), { name: 'BrokerError', message: /Metadata/ })
  })
})

describe('negotiation', () => {
  it('goes from 4 to 3 to 0 with brokers that know only those', async () => {
    const broker = new ScriptedBroker()
    const negotiated = broker.connection.negotiate(1_000)
    const versions: number[] = []
    for (const max of [3, null]) {
      const { version, correlationId } = await broker.next()
      versions.push(version)
      // Error 35 comes in the body of version 0, with the range of ApiVersions; brokers before 2.4 leave that out.
      const known = max === null ? [] : [{ apiKey: 18, minVersion: 0, maxVersion: max }]
      await broker.answer('ApiVersions', 0, correlationId, versionsAnswer(known, 35))
    }
    const last = await broker.next()
    await broker.answer('ApiVersions', 0, last.correlationId, versionsAnswer([{ apiKey: 3, minVersion: 0, maxVersion: 5 }]))
    await negotiated
    assert.deepEqual([...versions, last.version], [4, 3, 0])
    assert.equal(broker.connection.version('Metadata'), 5)
    assert.equal(broker.connection.version('Produce'), undefined)
  })

  it('ends when the broker refuses version 0 too, or names nonsense', async () => {
    const broker = new ScriptedBroker()
    const negotiated = broker.connection.negotiate(1_000)
    for (let i = 0; i < 2; i++) {
      const { correlationId } = await broker.next()
      await broker.answer('ApiVersions', 0, correlationId, versionsAnswer([{ apiKey: 18, minVersion: -9, maxVersion: -5 }], 35))
    }
    await assert.rejects(negotiated, { name: 'ProtocolError', code: 'NEGOTIATION_FAILED', message: /35/ })
  })

  it('ends with any other error', async () => {
    const broker = new ScriptedBroker()
    const negotiated = broker.connection.negotiate(1_000)
    const { version, correlationId } = await broker.next()
    await broker.answer('ApiVersions', version, correlationId, versionsAnswer([], 42))
    await assert.rejects(negotiated, { code: 'NEGOTIATION_FAILED', message: /42/ })
  })

  it('takes no more than a megabyte from a peer that has not answered yet, whatever the limit is later', async () => {
    const size = Buffer.alloc(4)
    size.writeInt32BE(2 * 1024 * 1024)
    const early = new ScriptedBroker()
    const negotiated = early.connection.negotiate(1_000)
    await early.next()
    early.say(size)
    await assert.rejects(negotiated, { code: 'BAD_FRAME_SIZE' })
    const later = await ready()
    sendMany(later, 1)
    later.say(size)
    assert.equal(later.connection.open, true)
  })
})
