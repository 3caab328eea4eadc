/**
 * A canary password in every place where somebody may put one: it appears in no log line, error, event, recording, file or output of a command,
 * not encoded either.
 */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createActor } from 'xstate'
import { ClusterActor, type ConnectOptions, connect, openZooKeeper } from '../../src/index.ts'
import { type EmbeddedCluster, startCluster } from '../../src/testing.ts'
import { Canary, shown } from '../support/canary.ts'
import { samsa } from '../support/samsa-command.ts'

const canary = new Canary()
const C = canary.password
/** Everything that was seen, and where. */
const seen: [where: string, text: string | Uint8Array][] = []
const see = (where: string, value: unknown) => void seen.push([where, typeof value === 'string' ? value : shown(value)])

let folder: string
let kafka: EmbeddedCluster
let guarded: EmbeddedCluster

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'samsa-secrets-'))
  kafka = await startCluster({ brokers: 1, topics: { orders: 1 } })
  guarded = await startCluster({ brokers: 1, users: { anna: C } })
})

after(async () => {
  await kafka.stop()
  await guarded.stop()
  await rm(folder, { recursive: true, force: true })
})

/** What was seen since, none of it with the canary; and something was. */
function clean(least: number): void {
  const all = seen.splice(0)
  assert.ok(all.length >= least, `only ${all.length} things were seen`)
  for (const [where, text] of all) assert.deepEqual(canary.in(text), [], `${where}: ${String(text).slice(0, 2_000)}`)
}

/** Addresses with a password in them, at a place where somebody listens, and where nobody does. */
const addresses = (): string[] => {
  const [zookeeper, broker] = [kafka.zookeeper!.address, kafka.bootstrap]
  return [`anna:${C}@`, `anna:${canary.inUrl}@`, `:${C}@`, `${C}@`, `anna:${C}@x@`].flatMap(user => [
    `zookeeper://${user}${zookeeper}`,
    `zookeeper://${user}${zookeeper}/kafka`,
    `zookeeper://${zookeeper},${user}localhost:1`,
    `kafka://${user}${broker}`,
    `kafka://${broker},${user}localhost:1`,
    `zookeeper://${user}${zookeeper},kafka://${user}${broker}`,
    `embedded://${user}?brokers=1`,
    `embedded://?topics=${user}:x`,
    `https://${user}${broker}`
  ])
}

async function refusal(what: string, promise: Promise<unknown>): Promise<void> {
  const error = await promise.then(
    () => assert.fail(`${what} went well`),
    reason => reason
  )
  see(what, error)
}

test('the canary is found in every form in which it is looked for', () => {
  for (const text of [
    C,
    canary.inUrl,
    `x${Buffer.from(`user:${C}:x`).toString('base64')}`,
    Buffer.from(`\0anna\0${C}`).toString('base64url')
  ])
    assert.notDeepEqual(canary.in(text), [], text)
  assert.notDeepEqual(canary.in(Buffer.from(C).toString('hex')), [])
  assert.notDeepEqual(canary.in(shown(new Error('outer', { cause: new Error(C) }))), [])
  assert.notDeepEqual(canary.in(shown({ deep: [{ er: new Map([['x', C]]) }] })), [])
  assert.deepEqual(canary.in(shown({ anna: 'user' })), [])
})

test('in addresses: refused before they go anywhere, and repeated by nobody', async () => {
  for (const url of addresses()) {
    const inspected: unknown[] = []
    await refusal(`connect(${url})`, connect(url, { connectTimeoutMs: 300, inspect: event => inspected.push(event) }))
    if (url.startsWith('zookeeper:'))
      await refusal(`openZooKeeper(${url})`, (async () => openZooKeeper(url, { operationTimeoutMs: 300 }).exists('/'))())
    for (const event of inspected) see(`inspected at ${url}`, event)
  }
  clean(40)
})

test('in the addresses of a ClusterActor: it is an actor that failed, of which no recording exists', () => {
  for (const input of [{ zookeeper: `anna:${C}@${kafka.zookeeper!.address}` }, { brokers: `anna:${C}@${kafka.bootstrap}` }]) {
    const actor = createActor(ClusterActor, { input })
    actor.subscribe({ error: error => see('error of the actor', error) })
    const { status, error } = actor.getSnapshot() as { status: string; error?: unknown }
    assert.equal(status, 'error')
    see('the snapshot', error)
    actor.start()
  }
  clean(2)
})

test('in options that are none: they are told by name', async () => {
  const options: object[] = [
    { sasl: { mechanism: 'plain', username: 'anna', password: C } },
    { ssl: { passphrase: C, key: C } },
    { password: C },
    { publish: { password: C } },
    { auth: `digest:anna:${C}` }
  ]
  for (const given of options) {
    await refusal(`options ${Object.keys(given)}`, connect(kafka.url, given as ConnectOptions))
    await refusal(`input ${Object.keys(given)}`, connect({ zookeeper: kafka.zookeeper!.address, ...given } as never))
  }
  clean(10)
})

test('as credentials for ZooKeeper: in no error, event or view of the session, taken or refused', async () => {
  for (const scheme of ['digest', 'no-such-scheme']) {
    const session = openZooKeeper(kafka.url, { auth: { scheme, auth: `anna:${C}` }, operationTimeoutMs: 1_000 })
    session.on(event => see(`event of a session with ${scheme}`, event))
    for (const path of ['/', '/nothing-here', `/${'x'.repeat(10)}`])
      await session.getData(path).then(
        value => see('an answer', value),
        error => see('an error', error)
      )
    see('the session', session)
    await session.close()
  }
  clean(8)
})

test('of brokers that want one: who comes without is told so, and nobody names it', async () => {
  const events: unknown[] = []
  await refusal(
    'a cluster that wants SASL',
    connect(guarded.url.startsWith('kafka') ? guarded.url : `kafka://${guarded.bootstrap}`, {
      connectTimeoutMs: 1_500,
      inspect: event => events.push((event as { event?: unknown }).event ?? event.type)
    })
  )
  for (const event of events) see('inspected', event)
  clean(5)
})

test('in messages with names of credentials: the recording has none of it, in memory or written down', async () => {
  const told: unknown[] = []
  const inspected: unknown[] = []
  const cluster = await connect(kafka.url, {
    outbox: join(folder, 'outbox'),
    journal: join(folder, 'journal'),
    inspect: event => inspected.push((event as { event?: unknown }).event ?? event.type)
  })
  cluster.on('*', event => told.push(event))
  await cluster.topic('orders').publish('a message')
  // What an application's own machine may send along, under the names that credentials have.
  cluster.actor.send({ type: 'NOTHING_KNOWN', password: C, sasl: { password: C }, nested: [{ apiKey: C, bearerToken: C }] } as never)
  const recording = cluster.recording()
  seen.push(['the recording', recording])
  await writeFile(join(folder, 'recording'), recording)
  await cluster.close()
  for (const event of told) see('event', event)
  for (const event of inspected.filter(event => (event as { type?: string })?.type !== 'NOTHING_KNOWN')) see('inspected', event)
  const shown = await samsa(['journal', 'tail', join(folder, 'journal'), '-n', '0', '--json'])
  assert.match(shown.text, /NOTHING_KNOWN/)
  see('samsa journal', shown.text)
  assert.ok((await readdir(join(folder, 'journal'))).length > 0)
  for (const name of await readdir(folder, { recursive: true }))
    seen.push([name, await readFile(join(folder, name)).catch(() => Buffer.alloc(0))])
  clean(10)
})

test('on the command line, in its environment and in files for Java’s clients: no command prints it', async () => {
  const file = join(folder, 'client.properties')
  const jaas = `org.apache.kafka.common.security.plain.PlainLoginModule required username="anna" password="${C}";`
  await writeFile(
    file,
    `sasl.mechanism=PLAIN\nsasl.jaas.config=${jaas}\nssl.keystore.password=${C}\nssl.key.password: ${C}\nbootstrap.servers=anna:${C}@localhost:1\n`
  )
  const secure = join(folder, 'secure.properties')
  await writeFile(secure, `security.protocol=SASL_PLAINTEXT\nsasl.jaas.config=${jaas}\n`)
  const torn = join(folder, 'torn.properties')
  await writeFile(torn, `sasl.jaas.config=org.apache.kafka \\\n  required username="anna" \\\n  password="${C}";\nlinger.ms=x\n`)
  const bad = `zookeeper://anna:${C}@127.0.0.1:1/kafka`
  const commands: [args: string[], environment: Record<string, string>][] = [
    ...[
      ['cluster'],
      ['topics', 'ls'],
      ['zk', 'ls', '/'],
      ['doctor'],
      ['consume', 'orders'],
      ['produce', 'orders'],
      ['groups', 'ls']
    ].flatMap((command): [string[], Record<string, string>][] => [
      [[...command, '--cluster', bad, '--connect-timeout', '300ms', '--events'], {}],
      [[...command, '--json', '--connect-timeout', '300ms'], { SAMSA_CLUSTER: `kafka://anna:${C}@127.0.0.1:1` }]
    ]),
    ...[file, secure, torn].flatMap((config): [string[], Record<string, string>][] => [
      [['verifiable-producer', '--topic', 'orders', '--max-messages', '1', '--command-config', config], {}],
      [['verifiable-consumer', '--topic', 'orders', '--group-id', 'g', '--max-messages', '1', '--command-config', config], {}]
    ]),
    [['verifiable-producer', '--topic', 'orders', '--bootstrap-server', `anna:${C}@127.0.0.1:1`], {}]
  ]
  for (const [args, environment] of commands) {
    const { code, text, notes } = await samsa(args, environment)
    assert.notEqual(code, 0, args.join(' '))
    see(`samsa ${args[0]}: output`, text)
    see(`samsa ${args[0]}: notes`, notes)
    assert.notEqual(notes, '', args.join(' '))
  }
  clean(40)
})
