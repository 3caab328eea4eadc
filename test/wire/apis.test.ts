/**
 * Whole frames: headers by version, the exceptions of ApiVersions, records by reference, and frames that are not what they are read as.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { API_NAMES, apiNameOf, type Frame, loadApi, loadedApi, type RequestOf, readRequestHead } from '../../src/wire/apis.ts'
import { API_TABLE } from '../../src/wire/messages/index.ts'
import { Random, randomMessage } from './random-message.ts'

/** Asked for twice at once, before anything else has loaded it. */
const twice = await Promise.all([loadApi('SaslHandshake'), loadApi('SaslHandshake')])
const meta = { correlationId: 0x01020304, clientId: 'me' }
const joined = ({ chunks }: Frame) => Buffer.concat(chunks)
/** What a framer hands out: without the size. */
const received = (frame: Frame) => joined(frame).subarray(4)
const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex')

describe('a request frame', () => {
  it('has its size, a header of version 1, and the body', async () => {
    const api = await loadApi('Metadata')
    const frame = api.encodeRequest(1, { topics: [{ name: 'a' }] }, meta)
    assert.equal(joined(frame).toString('hex'), bytes('00000013 0003 0001 01020304 00026d65 00000001 000161').toString('hex'))
    assert.equal(frame.bytes, joined(frame).length)
  })

  it('has a header of version 2 where the version is flexible, with the client id in its old form', async () => {
    const api = await loadApi('Metadata')
    const frame = api.encodeRequest(9, { topics: null }, meta)
    // Key, version, correlation id, client id (int16 length), no tags; null, true, false, false, no tags.
    assert.equal(joined(frame).toString('hex'), bytes('00000012 0003 0009 01020304 00026d65 00 00 01 00 00 00').toString('hex'))
    assert.equal(joined(api.encodeRequest(9, { topics: null }, { ...meta, clientId: null })).readInt16BE(12), -1)
  })

  it('takes record batches by reference, in order, and counts them', async () => {
    const api = await loadApi('Produce')
    const [first, second, small] = [Buffer.alloc(5_000, 1), Buffer.alloc(70_000, 2), Buffer.alloc(10, 3)]
    const body: RequestOf<'Produce'> = {
      transactionalId: null,
      acks: -1,
      timeoutMs: 1_000,
      topicData: [
        {
          name: 'a',
          partitionData: [
            { index: 0, records: [first, second] },
            { index: 1, records: small }
          ]
        }
      ]
    }
    for (const version of [3, 11]) {
      const frame = api.encodeRequest(version, body, meta)
      assert.ok(frame.chunks.includes(first) && frame.chunks.includes(second), 'a batch was copied')
      assert.equal(frame.bytes, joined(frame).length)
      assert.equal(joined(frame).readInt32BE(0), frame.bytes - 4)
      const { body: read } = api.decodeRequest(version, received(frame))
      const [one, two] = read.topicData[0]!.partitionData
      assert.ok(Buffer.concat([first, second]).equals(one!.records as Buffer))
      assert.ok(small.equals(two!.records as Buffer))
    }
  })

  it('grows without losing what was written', async () => {
    const api = await loadApi('Metadata')
    const topics = Array.from({ length: 3_000 }, (_, i) => ({ name: `topic-${i}-${'x'.repeat(i % 200)}` }))
    const frame = api.encodeRequest(12, { topics }, meta)
    const { body } = api.decodeRequest(12, received(frame))
    assert.deepEqual(
      body.topics!.map(({ name }) => name),
      topics.map(({ name }) => name)
    )
  })
})

describe('a response frame', () => {
  it('has a header of version 1 where the version is flexible', async () => {
    const api = await loadApi('Heartbeat')
    const body = { throttleTimeMs: 5, errorCode: 27 }
    assert.equal(joined(api.encodeResponse(3, 7, body)).toString('hex'), bytes('0000000a 00000007 00000005 001b').toString('hex'))
    assert.equal(joined(api.encodeResponse(4, 7, body)).toString('hex'), bytes('0000000c 00000007 00 00000005 001b 00').toString('hex'))
    for (const version of [3, 4])
      assert.deepEqual(api.decodeResponse(version, received(api.encodeResponse(version, 7, body))), { correlationId: 7, body })
  })

  it('of ApiVersions has the oldest header in every version', async () => {
    const api = await loadApi('ApiVersions')
    const { correlationId, body } = api.decodeResponse(3, bytes('00000007 0000 02 0012 0000 0004 00 00000000 00'))
    assert.equal(correlationId, 7)
    assert.deepEqual(body.apiKeys, [{ apiKey: 18, minVersion: 0, maxVersion: 4 }])
  })

  it('of ApiVersions that says 35 is read in version 0, with the range that the broker has', async () => {
    const api = await loadApi('ApiVersions')
    const { body } = api.decodeResponse(4, bytes('00000007 0023 00000001 0012 0000 0003'))
    assert.equal(body.errorCode, 35)
    assert.deepEqual(body.apiKeys, [{ apiKey: 18, minVersion: 0, maxVersion: 3 }])
  })

  it('is refused when bytes are left over, or missing', async () => {
    const api = await loadApi('Heartbeat')
    const frame = received(api.encodeResponse(4, 7, { throttleTimeMs: 5, errorCode: 0 }))
    assert.throws(() => api.decodeResponse(4, Buffer.concat([frame, Buffer.alloc(1)])), { name: 'ProtocolError', code: 'TRAILING_BYTES' })
    for (let length = 0; length < frame.length; length++)
      assert.throws(() => api.decodeResponse(4, frame.subarray(0, length)), { name: 'ProtocolError', code: 'TRUNCATED' })
  })

  it('hands records out as a part of the frame, not as a copy', async () => {
    const api = await loadApi('Fetch')
    const records = Buffer.alloc(3_000, 9)
    const partition = { partitionIndex: 0, errorCode: 0, highWatermark: 1n, abortedTransactions: null, records }
    const frame = received(api.encodeResponse(12, 7, { responses: [{ topic: 'a', partitions: [partition] }] } as never))
    const read = api.decodeResponse(12, frame).body.responses[0]!.partitions[0]!.records!
    assert.ok(read.equals(records))
    assert.equal(read.buffer, frame.buffer)
  })
})

describe('the side of the server', () => {
  it('finds API, version and correlation id in any request', async () => {
    const frame = received((await loadApi('Metadata')).encodeRequest(9, { topics: [] }, meta))
    const { apiKey, apiVersion, correlationId } = readRequestHead(frame)
    assert.deepEqual([apiNameOf(apiKey), apiVersion, correlationId], ['Metadata', 9, meta.correlationId])
    for (let length = 0; length < 8; length++)
      assert.throws(() => readRequestHead(frame.subarray(0, length)), { name: 'ProtocolError', code: 'TRUNCATED' })
  })

  it('reads what was sent, in every API and version', async () => {
    for (const name of API_NAMES) {
      const api = await loadApi(name)
      const { request, response } = await API_TABLE[name].load()
      for (let version = api.minVersion; version <= api.maxVersion; version++) {
        const random = new Random(`frames ${name} ${version}`)
        const asked = randomMessage(request, version, random)
        const frame = api.encodeRequest(version, asked as never, meta)
        assert.deepEqual(api.decodeRequest(version, received(frame)), { ...meta, body: asked }, `${name} ${version}`)
        // What means that a version is unknown is read in version 0.
        const answered = { ...randomMessage(response, version, random), ...(name === 'ApiVersions' ? { errorCode: 0 } : {}) }
        const answer = received(api.encodeResponse(version, 9, answered as never))
        assert.deepEqual(api.decodeResponse(version, answer), { correlationId: 9, body: answered }, `${name} ${version}`)
      }
    }
  })

  it('refuses a frame of another API or version', async () => {
    const [metadata, produce] = [await loadApi('Metadata'), await loadApi('Produce')]
    const frame = received(metadata.encodeRequest(9, { topics: [] }, meta))
    assert.throws(() => metadata.decodeRequest(10, frame), { name: 'ProtocolError', code: 'WRONG_API' })
    assert.throws(() => produce.decodeRequest(9, frame), { name: 'ProtocolError', code: 'WRONG_API' })
  })
})

describe('the table of APIs', () => {
  it('has each key once, and what it says of an API is what the API is', async () => {
    assert.equal(new Set(API_NAMES.map(name => API_TABLE[name].key)).size, API_NAMES.length)
    for (const name of API_NAMES) {
      const api = await loadApi(name)
      assert.deepEqual([api.minVersion, api.maxVersion], API_TABLE[name].versions, name)
      const { request, response } = await API_TABLE[name].load()
      assert.deepEqual(response.versions, request.versions, name)
      assert.deepEqual([request.name, response.name], [`${name}Request`, `${name}Response`])
      assert.equal(apiNameOf(api.key), name)
    }
    assert.equal(apiNameOf(9_999), undefined)
  })

  it('holds what clients and tools call, and nothing that only brokers send each other', () => {
    const keys = new Map(API_NAMES.map(name => [API_TABLE[name].key, name]))
    // The keys that foreign clients were seen to send.
    const seen = [0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 28, 29, 30, 31, 32, 33, 35, 36, 37]
    const newer = [
      38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 55, 57, 60, 61, 64, 65, 66, 68, 69, 71, 72, 74, 75, 76, 77, 78, 79
    ]
    for (const key of [...seen, ...newer, 88, 89, 90, 91, 92]) assert.ok(keys.has(key), `no API of key ${key}`)
    for (const key of [4, 5, 6, 7, 52, 53, 54, 56, 58, 59, 62, 63, 67, 70, 73])
      assert.ok(!keys.has(key), `${keys.get(key)} is between brokers`)
  })

  it('loads an API once, and says so where it was not loaded', async () => {
    assert.throws(() => loadedApi('nope' as never), { name: 'UsageError', code: 'API_NOT_LOADED' })
    const [one, two] = twice
    assert.equal(one, two)
    assert.equal(loadedApi('SaslHandshake'), one)
  })
})
