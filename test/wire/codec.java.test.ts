/**
 * Every message in every version, with random values, byte for byte against the classes of Kafka 3.9 and of Kafka 4: what Java writes we
 * write, what we write Java reads. Also: no API that Java offers to clients is missing here, and the definitions are those of the schemas.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual, promisify } from 'node:util'
import { API_NAMES } from '../../src/wire/apis.ts'
import { API_TABLE } from '../../src/wire/messages/index.ts'
import { CodecOracle, JAR_SETS } from './codec-oracle.ts'
import { allDefinitions, allVersions, decode, encode } from './definitions.ts'
import { sampleOf } from './golden.ts'
import { javaJson } from './random-message.ts'

/** Samples of each message and version: the first is everything, the second nothing, the rest is chance. */
const VALUES = Number(process.env.SAMSA_CODEC_VALUES ?? 6)
const root = fileURLToPath(new URL('../../', import.meta.url))
const snake = (name: string) => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()

/** Offered on brokers' listeners, but for other brokers only. The list of scripts/import-schemas.ts, said a second time. */
const BETWEEN_BROKERS = new Set([
  'LEADER_AND_ISR',
  'STOP_REPLICA',
  'UPDATE_METADATA',
  'CONTROLLED_SHUTDOWN',
  'ALTER_PARTITION',
  'ENVELOPE',
  'ALLOCATE_PRODUCER_IDS',
  'ASSIGN_REPLICAS_TO_DIRS',
  'INITIALIZE_SHARE_GROUP_STATE',
  'READ_SHARE_GROUP_STATE',
  'WRITE_SHARE_GROUP_STATE',
  'DELETE_SHARE_GROUP_STATE',
  'READ_SHARE_GROUP_STATE_SUMMARY'
])

const judged = new Set<string>()
const definitions = await allDefinitions()
const versions = await allVersions()

for (const set of JAR_SETS)
  describe(`against ${set}`, () => {
    let oracle: CodecOracle
    before(async () => {
      oracle = await CodecOracle.start(set)
    })
    after(() => oracle.close())

    it('has every API that a broker offers to clients, under the same key', async () => {
      const ours = new Map(API_NAMES.map(name => [API_TABLE[name].key, snake(name)]))
      const theirs = (await oracle.apis()).filter(({ name }) => !BETWEEN_BROKERS.has(name))
      assert.ok(theirs.length > 50, `${theirs.length} APIs`)
      // One was renamed between the two: what Kafka 3.9 calls ListClientMetricsResources.
      const aliases: Record<string, string> = { LIST_CLIENT_METRICS_RESOURCES: 'LIST_CONFIG_RESOURCES' }
      for (const { key, name } of theirs) assert.ok([name, aliases[name]].includes(ours.get(key)), `${name} (${key}): ${ours.get(key)}`)
    })

    it('has every version that Java has', async () => {
      const theirs = await oracle.versions(definitions.map(({ name }) => name))
      assert.ok(theirs.size > 100, `${theirs.size} messages`)
      for (const { name, versions: ours } of definitions) {
        const range = theirs.get(name)
        if (range) assert.ok(ours[0] <= range[0] && ours[1] >= range[1], `${name}: ours ${ours}, Java's ${range}`)
      }
    })

    it('writes what Java writes and reads what Java reads, in every version', async () => {
      const theirs = await oracle.versions(definitions.map(({ name }) => name))
      const faults: string[] = []
      const checks: Promise<void>[] = []
      for (const { definition, version } of versions) {
        const range = theirs.get(definition.name)
        if (!range || version < range[0] || version > range[1]) continue
        judged.add(`${definition.name} ${version}`)
        for (let number = 0; number < VALUES; number++) {
          const value = sampleOf(definition, version, number)
          const ours = encode(definition, version, value)
          const json = javaJson(definition.fields, value, version)
          const label = `${definition.name} ${version} ${json}`
          checks.push(
            oracle.exchange(definition.name, version, json, ours.toString('hex')).then(
              ({ written, reread }) => {
                if (written !== ours.toString('hex'))
                  faults.push(`${label}\n  Java writes ${written}\n  we write    ${ours.toString('hex')}`)
                else if (reread !== written) faults.push(`${label}\n  Java read ${written}\n  and wrote ${reread}`)
                else if (!isDeepStrictEqual(decode(definition, version, ours), value)) faults.push(`${label}: we read another value`)
              },
              error => void faults.push(error.message)
            )
          )
        }
      }
      await Promise.all(checks)
      assert.ok(checks.length > 1_500, `${checks.length} messages`)
      assert.equal(faults.length, 0, `${faults.length} of ${checks.length} differ; the first:\n${faults.slice(0, 5).join('\n')}`)
    })
  })

describe('the two together', () => {
  it('judged every message in every version that we have', () => {
    const missing = versions.map(({ definition, version }) => `${definition.name} ${version}`).filter(one => !judged.has(one))
    assert.deepEqual(missing, [])
  })

  it('find no drift between the schemas and src/wire/messages', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', 'scripts/import-schemas.ts', '--check'], {
      cwd: root
    })
    assert.match(stdout, / 0 differ from the schemas/)
  })
})
