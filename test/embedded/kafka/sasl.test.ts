/**
 * Brokers with users: kafkajs shows who it is by each mechanism; who does not is closed, and a wrong password is told as Kafka tells it.
 * Old clients show it without requests.
 */
import assert from 'node:assert/strict'
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { ERROR } from '../../../src/embedded/kafka/errors.ts'
import { npmPackages } from '../../support/npm.ts'
import { batchOf, produce, startCluster } from './support.ts'

interface Kafkajs {
  Kafka: new (options: object) => { admin(): { connect(): Promise<void>; disconnect(): Promise<void>; listTopics(): Promise<string[]> } }
  logLevel: { NOTHING: number }
}

const users = { anna: 'secret, with = and ünïcode', ben: 'other' }

const plain = (user: string, password: string) => Buffer.from(`\0${user}\0${password}`)

const kafkajs = async () => {
  const folder = await npmPackages('npm', 'kafkajs-2.2.4', { kafkajs: '2.2.4' })
  return createRequire(join(folder, 'package.json'))('kafkajs') as Kafkajs
}

for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512'] as const)
  test(`${mechanism}: kafkajs comes in with the right password, and not with another's`, { timeout: 30_000 }, async t => {
    const { Kafka, logLevel } = await kafkajs()
    const { brokers, state, before } = await startCluster(t, { brokers: 2, users })
    state.createTopic({ name: 'orders', partitions: 1, replicationFactor: 2 })
    const adminAs = (username: string, password: string) =>
      new Kafka({
        brokers: brokers.map(({ address }) => address),
        logLevel: logLevel.NOTHING,
        retry: { retries: 0 },
        sasl: { mechanism, username, password }
      }).admin()
    const admin = adminAs('anna', users.anna)
    await admin.connect()
    before(() => admin.disconnect())
    assert.deepEqual(await admin.listTopics(), ['orders'])
    for (const [user, password] of [
      ['anna', users.ben],
      ['nobody', 'x'],
      ['toString', 'x']
    ] as const)
      await assert.rejects(adminAs(user, password).connect(), { name: /KafkaJSSASLAuthenticationError|KafkaJSConnectionError/ })
  })

test('who has not shown who he is may ask for versions, and is closed when he asks for more', async t => {
  const { dial } = await startCluster(t, { users })
  const client = await dial()
  const versions = await client.ask('ApiVersions', 3, { clientSoftwareName: 'test', clientSoftwareVersion: '1' })
  assert.ok(versions.apiKeys.some(({ apiKey }) => apiKey === 36))
  await assert.rejects(client.ask('DescribeCluster', 0, { includeClusterAuthorizedOperations: false }), /closed/)
})

test('a mechanism that is not there, a token before its time and a wrong one are told so, and end the connection', async t => {
  const { dial } = await startCluster(t, { users })
  const [strange, early, wrong] = [await dial(), await dial(), await dial()]
  assert.equal((await strange.ask('SaslHandshake', 1, { mechanism: 'GSSAPI' })).errorCode, ERROR.UNSUPPORTED_SASL_MECHANISM)
  assert.equal((await early.ask('SaslAuthenticate', 2, { authBytes: Buffer.from('x') })).errorCode, ERROR.ILLEGAL_SASL_STATE)
  await wrong.ask('SaslHandshake', 1, { mechanism: 'PLAIN' })
  const answer = await wrong.ask('SaslAuthenticate', 2, { authBytes: plain('anna', 'wrong') })
  assert.equal(answer.errorCode, ERROR.SASL_AUTHENTICATION_FAILED)
  await Promise.all([strange.closed, early.closed, wrong.closed])
})

test('only who is known may send much at once', async t => {
  const { dial } = await startCluster(t, { users, broker: { limits: { unauthenticatedFrameBytes: 1_000 } } })
  const large = batchOf(['x'.repeat(5_000)])
  const [known, unknown] = [await dial(), await dial()]
  await known.ask('SaslHandshake', 1, { mechanism: 'PLAIN' })
  assert.equal((await known.ask('SaslAuthenticate', 2, { authBytes: plain('anna', users.anna) })).errorCode, 0)
  assert.equal((await produce(known, 'a', large)).errorCode, ERROR.UNKNOWN_TOPIC_OR_PARTITION)
  await unknown.ask('SaslHandshake', 1, { mechanism: 'PLAIN' })
  await assert.rejects(unknown.ask('SaslAuthenticate', 2, { authBytes: Buffer.alloc(2_000) }), /closed/)
})

test('after SaslHandshake of version 0 tokens come without requests around them', async t => {
  const { dial } = await startCluster(t, { users })
  const bare = (token: Buffer) => {
    const size = Buffer.alloc(4)
    size.writeInt32BE(token.length)
    return Buffer.concat([size, token])
  }
  const [client, wrong] = [await dial(), await dial()]
  assert.equal((await client.ask('SaslHandshake', 0, { mechanism: 'SCRAM-SHA-256' })).errorCode, 0)
  const first = client.next()
  client.send([bare(Buffer.from('n,,n=ben,r=abc'))])
  const [, nonce, salt, iterations] = /^r=(abc[^,]+),s=([^,]+),i=(\d+)$/.exec(String(await first))!
  const salted = pbkdf2Sync(users.ben, Buffer.from(salt!, 'base64'), Number(iterations), 32, 'sha256')
  const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest()
  const clientKey = hmac(salted, 'Client Key')
  const unsigned = `c=biws,r=${nonce}`
  const said = `n=ben,r=abc,r=${nonce},s=${salt},i=${iterations},${unsigned}`
  const signature = hmac(createHash('sha256').update(clientKey).digest(), said)
  const proof = Buffer.from(clientKey.map((byte, at) => byte ^ signature[at]!))
  const last = client.next()
  client.send([bare(Buffer.from(`${unsigned},p=${proof.toString('base64')}`))])
  assert.match(String(await last), /^v=/)
  assert.equal((await client.ask('DescribeCluster', 0, { includeClusterAuthorizedOperations: false })).errorCode, 0)
  await wrong.ask('SaslHandshake', 0, { mechanism: 'PLAIN' })
  wrong.send([bare(plain('anna', 'wrong'))])
  await wrong.closed
})

test('brokers without users say that there is nothing to show', async t => {
  const { dial } = await startCluster(t)
  assert.equal((await (await dial()).ask('SaslHandshake', 1, { mechanism: 'PLAIN' })).errorCode, ERROR.ILLEGAL_SASL_STATE)
})
