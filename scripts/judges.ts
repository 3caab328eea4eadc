/**
 * Other runtimes' clients as judges: `npm run judges [-- FILE…]` fetches kcat (librdkafka), kafka-python and kazoo into the cache folder, starts the shared
 * clusters and runs `test/judges/*.judge.ts`. What cannot be had is a failure, never a skip.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { kazooTool, kcatTool, pythonTool } from '../test/support/judge-tools.ts'
import { requireTool } from '../test/support/maven.ts'
import { environmentName, shareClusters } from '../test/support/shared-clusters.ts'
import { runTests } from './run-tests.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = 'test/judges'
const fileLimitMs = 300_000

process.chdir(root)
process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1

async function main(named: string[]): Promise<boolean> {
  const startedAt = performance.now()
  const all = readdirSync(folder).filter(name => name.endsWith('.judge.ts'))
  const files = named.length > 0 ? named : all.sort().map(name => join(folder, name))
  try {
    await Promise.all([requireTool('java', ['-version'], 'a JDK (17 or newer)'), requireTool('mvn', ['-v'], 'Maven (3.8 or newer)')])
    await kcatTool()
    await pythonTool()
    await kazooTool()
  } catch (error) {
    console.error(`The judges were NOT RUN: ${error instanceof Error ? error.message : error}`)
    return false
  }
  const shared = process.env[environmentName] ? undefined : await shareClusters()
  try {
    const environment: Record<string, string> = shared ? { [environmentName]: shared.environment } : {}
    const { ok, tests, pass, unproven } = await runTests({ files, atOnce: 1, together: false, fileLimitMs, environment })
    const well = ok && unproven === 0
    console.log(
      `judges: ${well ? 'all well' : 'FAILED'}: ${pass} of ${tests} tests passed in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`
    )
    return well
  } finally {
    await shared?.dispose()
  }
}
