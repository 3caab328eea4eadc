/**
 * kazoo's own tests, as they are published with it, on the embedded ZooKeeper as an ensemble of three: sessions that are lost and cut, watches, ACLs, transactions,
 * and its recipes (locks, queues, elections, partitioners, caches) on threads, gevent and eventlet.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { EmbeddedZooKeeper } from '../../src/embedded/zookeeper/server.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { kazooTool } from '../support/judge-tools.ts'
import { temporaryFolder } from '../support/watchdog.ts'

const SASL = 'clients show who they are by auth, not by SASL'
const RECONFIG = 'the ensemble is what the test says; a client cannot change it'
/** Not run, and why. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  'test_client.py::TestSSLClient::test_create': 'there is no TLS on loopback',
  'test_client.py::TestReconfig::test_add_remove_observer': RECONFIG,
  'test_client.py::TestReconfig::test_bad_input': RECONFIG,
  'test_client.py::TestReconfig::test_no_super_auth': RECONFIG,
  'test_connection.py::TestReadOnlyMode::test_read_only':
    'without a quorum nothing is answered at all, as where readonlymode is not enabled',
  'test_sasl.py::TestLegacySASLDigestAuthentication::test_connect_sasl_auth': SASL,
  'test_sasl.py::TestLegacySASLDigestAuthentication::test_invalid_sasl_auth': SASL,
  'test_sasl.py::TestSASLDigestAuthentication::test_connect_sasl_auth': SASL,
  'test_sasl.py::TestSASLDigestAuthentication::test_invalid_sasl_auth': SASL,
  'test_sasl.py::TestSASLGSSAPIAuthentication::test_connect_gssapi_auth': SASL,
  'test_sasl.py::TestSASLGSSAPIAuthentication::test_invalid_gssapi_auth': SASL,
  'test_build.py::TestBuildEnvironment::test_zookeeper_version': 'it looks at the environment of its own build'
}
/** Fewer than are there today: kazoo was not tested. */
const LEAST = 450

interface Result {
  test: string
  outcome: 'passed' | 'failed' | 'skipped' | 'left out'
  words: string
}

const plugIn = fileURLToPath(new URL('../python/', import.meta.url))
const SET_DATA = 5

/** Three servers of one state, and a port at which kazoo's harness stops and starts each. */
async function ensemble(): Promise<string> {
  const zookeeper = await EmbeddedZooKeeper.start({ world: nodeWorld() })
  const ports = [Number(zookeeper.address.split(':')[1]), await zookeeper.listen(), await zookeeper.listen()]
  // A disk and a quorum take their time. One test cuts its connection behind a write, and counts on that.
  zookeeper.onAnswer = (_, opcode) => (opcode === SET_DATA ? { delayMs: 20 } : 'deliver')
  const control = createServer(async (request, response) => {
    const [, what, port] = request.url!.split('/')
    if (what === 'stop') zookeeper.unlisten(Number(port))
    else await zookeeper.listen(Number(port))
    response.end()
  })
  await new Promise<void>(resolve => control.listen(0, '127.0.0.1', resolve))
  after(() => {
    control.close()
    zookeeper.stop()
  })
  return `${ports.join()}/${(control.address() as AddressInfo).port}`
}

async function runKazoo(servers: string): Promise<Result[]> {
  const { command, environment } = await kazooTool()
  const folder = mkdtempSync(join(temporaryFolder(), 'kazoo-'))
  const results = join(folder, 'results.jsonl')
  const mine = {
    PYTHONPATH: plugIn,
    SAMSA_ZOOKEEPER: servers,
    SAMSA_LEFT_OUT: JSON.stringify(Object.keys(LEFT_OUT)),
    SAMSA_RESULTS: results,
    // For the tests that ask which features to expect; the server itself says so, too.
    ZOOKEEPER_VERSION: '3.8.4'
  }
  const flags = ['-p', 'kazoo_servers', '-p', 'no:cacheprovider', '--quiet', '--tb=short', '--timeout=60']
  const options = { env: { ...process.env, ...environment, ...mine }, cwd: folder, maxBuffer: 1 << 28 }
  const output = await new Promise<string>(resolve => {
    execFile(command, ['-m', 'pytest', ...flags, '--pyargs', 'kazoo.tests'], options, (_, stdout, stderr) => resolve(stdout + stderr))
  })
  try {
    return readFileSync(results, 'utf8')
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
  } catch (error) {
    assert.fail(`pytest left no results: ${error}\n${output.slice(-4_000)}`)
  }
}

test("kazoo's own tests pass", async t => {
  const results = await runKazoo(await ensemble())
  const those = (outcome: Result['outcome']) => results.filter(each => each.outcome === outcome)
  const troubles = [...those('failed'), ...those('skipped')].map(({ test, outcome, words }) => `${test} ${outcome}\n${words}`)
  assert.equal(troubles.length, 0, troubles.join('\n\n'))
  assert.deepEqual(
    those('left out')
      .map(each => each.test)
      .sort(),
    Object.keys(LEFT_OUT).sort(),
    'each that is left out is one of its tests'
  )
  const passed = new Set(those('passed').map(each => each.test))
  assert.ok(passed.size >= LEAST, `only ${passed.size} were run`)
  t.diagnostic(`${passed.size} of kazoo's tests passed, ${Object.keys(LEFT_OUT).length} were left out by name`)
})
