/**
 * The cache: a thing is made once, whoever asks at the same time; half-made ones are never seen; the lock of a dead process does not hold.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { once } from './maven.ts'

const cache = mkdtempSync(join(tmpdir(), 'samsa-cache-'))
process.env.SAMSA_CACHE = cache
after(() => rmSync(cache, { recursive: true, force: true }))

test('two processes that want the same thing make it once and get the same folder', async () => {
  const program = `
    import { appendFileSync, writeFileSync } from 'node:fs'
    import { setTimeout as delay } from 'node:timers/promises'
    const { once } = await import(${JSON.stringify(new URL('./maven.ts', import.meta.url).href)})
    console.log(await once('things', 'one', async work => {
      appendFileSync(${JSON.stringify(join(cache, 'made'))}, 'x')
      await delay(300)
      writeFileSync(work + '/file', 'whole')
    }))
  `
  const ask = () => promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program])
  const answers = await Promise.all([ask(), ask()])
  const folder = join(cache, 'things', 'one')
  assert.deepEqual(
    answers.map(answer => answer.stdout.trim()),
    [folder, folder]
  )
  assert.equal(readFileSync(join(cache, 'made'), 'utf8'), 'x')
  assert.equal(readFileSync(join(folder, 'file'), 'utf8'), 'whole')
})

test('a failed attempt leaves nothing and the next one may succeed', async () => {
  const failing = once('things', 'two', async work => {
    writeFileSync(join(work, 'half'), '')
    throw new Error('no network')
  })
  await assert.rejects(failing, /no network/)
  assert.deepEqual(
    readdirSync(join(cache, 'things')).filter(name => name !== 'one'),
    []
  )
  const folder = await once('things', 'two', async work => writeFileSync(join(work, 'file'), 'whole'))
  assert.equal(readFileSync(join(folder, 'file'), 'utf8'), 'whole')
})

test('the lock of a process that died is taken over', async () => {
  const dead = 2 ** 22 + 1 // Beyond what Linux gives.
  mkdirSync(join(cache, 'things.lock'))
  writeFileSync(join(cache, 'things.lock', 'pid'), String(dead))
  await once('things', 'three', async () => {})
  assert.deepEqual(
    readdirSync(cache).filter(name => name.includes('.lock')),
    []
  )
})
