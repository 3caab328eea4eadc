/**
 * Several test files in this one process, a suite each: `node --import tsx --test-reporter=spec scripts/pure-files.ts LIMIT_MS FILE…`.
 * A process of its own costs a file more than most pure tests take; what shares no state needs none.
 */
import { describe } from 'node:test'
import { pathToFileURL } from 'node:url'

const [timeout, ...files] = process.argv.slice(2)
for (const file of files) {
  describe(file, { timeout: Number(timeout) }, async () => {
    await import(pathToFileURL(file).href)
  })
}
