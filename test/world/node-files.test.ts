/** The real files: private, exclusive, and locked by who lives. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { nodeFiles as files } from '../../src/world/node-files.ts'

const directory = await mkdtemp(join(tmpdir(), 'samsa-files-'))
after(() => rm(directory, { recursive: true, force: true }))

test('a file is made once, grows at its end, is cut, and has the rights that were asked for', async () => {
  const path = join(directory, 'private')
  await files.makeDirectory(path, { mode: 0o700 })
  const file = await files.create(join(path, '1.log'), { mode: 0o600 })
  await file.append([Buffer.from('one '), Buffer.from(''), Buffer.from('two')])
  await file.append([Buffer.from(' three')])
  await file.sync()
  assert.equal(String(await readFile(join(path, '1.log'))), 'one two three')
  await file.cut(7)
  await file.append([Buffer.from('!')])
  await file.close()
  await files.syncDirectory(path)
  assert.equal(String(await files.read(join(path, '1.log'))), 'one two!')
  assert.deepEqual([(await stat(path)).mode & 0o777, (await stat(join(path, '1.log'))).mode & 0o777], [0o700, 0o600])
  assert.deepEqual(await files.list(path), ['1.log'])
  await assert.rejects(files.create(join(path, '1.log')), { code: 'EEXIST' })
})

test('a lock is held by one at a time, and free when it is released', async () => {
  const path = join(directory, 'lock')
  const held = await files.lock(path)
  try {
    await assert.rejects(files.lock(path), { code: 'ELOCKED' })
  } finally {
    await held.release()
  }
  await (await files.lock(path)).release()
})

test('the lock of a process that was killed is free', async t => {
  const path = join(directory, 'killed')
  const program = `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('held'))`
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  await assert.rejects(files.lock(path), { code: 'ELOCKED' })
  child.kill('SIGKILL')
  await once(child, 'exit')
  await (await files.lock(path)).release()
})

test("a path that is too long for a unix socket's name says so, rather than to listen on a shorter one", async () => {
  await assert.rejects(files.lock(join(directory, 'x'.repeat(120))), { code: 'ENAMETOOLONG' })
})
