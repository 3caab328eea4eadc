/**
 * Brokers with users: kafkajs shows who it is by each mechanism; who does not is closed, and a wrong password is told as Kafka tells it.
 */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { ERROR } from '../../../src/embedded/kafka/errors.ts'
import { npmPackages } from '../../support/npm.ts'
import { startCluster } from './support.ts'

interface Kafkajs {
  Kafka: new (options: object) => { admin(): { connect(): Promise<void>; disconnect(): Promise<void>; listTopics(): Promise<string[]> } }
  logLevel: { NOTHING: number }
}

const users = { anna: 'secret, with = and ünïcode', ben: 'other' }

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
  assert.equal((await client.ask('SaslHandshake', 1, { mechanism: 'GSSAPI' })).errorCode, ERROR.UNSUPPORTED_SASL_MECHANISM)
  assert.equal((await client.ask('SaslAuthenticate', 2, { authBytes: Buffer.from('x') })).errorCode, ERROR.ILLEGAL_SASL_STATE)
  await assert.rejects(client.ask('DescribeCluster', 0, { includeClusterAuthorizedOperations: false }))
})

test('brokers without users say that there is nothing to show', async t => {
  const { dial } = await startCluster(t)
  assert.equal((await (await dial()).ask('SaslHandshake', 1, { mechanism: 'PLAIN' })).errorCode, ERROR.ILLEGAL_SASL_STATE)
})
