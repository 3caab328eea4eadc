/**
 * The outbox on files that fill up, fail, lie and lose power: what was said to be durable is found again, byte by byte, and what was refused is not.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openOutbox } from '../../src/journal/outbox-open.ts'
import { MemoryFiles } from '../support/memory-files.ts'
import { VirtualWorld } from '../support/virtual-world.ts'

const identity = (sequence: number, more: object = {}) => ({ partition: 0, producerId: '4000', producerEpoch: 0, sequence, ...more })
const meta = (more: object = {}) => ({
  ...{ topic: 'orders', partition: 0, free: true, list: 0, count: 1, uncompressedBytes: 70 },
  ...{ compression: 'none', baseTimestamp: 1_700_000_000_000, maxTimestamp: 1_700_000_000_000, ...more }
})

async function open(files = new MemoryFiles(), more: { segmentBytes?: number; fsync?: boolean } = {}) {
  const virtual = new VirtualWorld({ world: { files } })
  const refused: { id: number; certain: boolean; code: string }[] = []
  const health: (string | null)[] = []
  const opened = await openOutbox({
    world: virtual.world,
    directory: 'box',
    fsync: true,
    refused: (ids, error, certain) => refused.push(...ids.map(id => ({ id, certain, code: error.code }))),
    health: reason => health.push(reason),
    ...more
  })
  const { outbox } = opened
  const accept = (text: string, more: object = {}) => outbox.accept(meta(more), [Buffer.from(text.slice(0, 3)), Buffer.from(text.slice(3))])
  const found = () => opened.entries.map(({ bytes, identity: of }) => [String(Buffer.concat(bytes)), of?.sequence ?? null])
  return { ...opened, outbox, files, refused, health, accept, found, virtual }
}

const names = (files: MemoryFiles) => [...files.stored.keys()]

test('what is accepted is found after a kill, with its identity; what is done is not', async () => {
  const { outbox, files, accept } = await open()
  const [first, second, third] = [accept('first'), accept('second'), accept('third')]
  outbox.assign(first, identity(0))
  outbox.assign(second, identity(1))
  await outbox.whenDurable()
  assert.deepEqual(
    [first, second, third].map(id => outbox.isDurable(id)),
    [true, true, true]
  )
  outbox.done(first)
  accept('never durable')
  await outbox.whenDurable()
  const again = await open(files.afterKill())
  assert.deepEqual(again.found(), [
    ['second', 1],
    ['third', null],
    ['never durable', null]
  ])
  assert.deepEqual(again.damages, [])
  assert.ok(again.accept('new') > 4, 'an id is used once')
})

test('a damaged batch is missed only where it is needed, and its file is kept when the others of it are done', async () => {
  const { outbox, files, accept } = await open()
  const ids = [accept('first'), accept('second'), accept('third')]
  await outbox.whenDurable()
  outbox.done(ids[0]!)
  await outbox.whenDurable()
  const after = files.afterKill()
  const [name] = names(after)
  const { bytes } = after.stored.get(name!)!
  for (const text of ['first', 'second']) bytes[bytes.indexOf(text)]! ^= 1
  const again = await open(after)
  assert.deepEqual(
    again.damages.map(damage => [damage.kind === 'damaged' && damage.batch?.id, damage.needed]),
    [
      [ids[0], false],
      [ids[1], true]
    ]
  )
  assert.deepEqual(again.found(), [['third', null]])
  again.outbox.done(ids[2]!)
  await again.outbox.close()
  assert.deepEqual(names(again.files), [`${name}.damaged`])
  assert.deepEqual((await open(again.files.afterKill())).damages, [], 'it is told once')
})

test('what an earlier process left counts, is assigned and ends like what is new; what it does not have is passed over', async () => {
  const first = await open()
  const ids = [first.accept('first'), first.accept('second')]
  await first.outbox.whenDurable()
  const { outbox, files } = await open(first.files.afterKill())
  assert.deepEqual([outbox.directory, outbox.size, outbox.bytes], ['box', 2, 11])
  outbox.assign(ids[0]!, identity(4))
  outbox.assign(99, identity(5))
  outbox.done(ids[1]!)
  outbox.done(99)
  assert.deepEqual([outbox.identityOf(ids[0]!)?.sequence, outbox.size, outbox.bytes], [4, 1, 5])
  await outbox.whenDurable()
  assert.deepEqual((await open(files.afterKill())).found(), [['first', 4]])
})

test('what is done is written soon though nothing else is, and nothing is waited for once it is closed', async () => {
  const { outbox, files, accept, virtual } = await open()
  const ids = [accept('first'), accept('second')]
  await outbox.whenDurable()
  outbox.done(ids[0]!)
  await virtual.advance(20)
  assert.deepEqual((await open(files.afterKill())).found(), [['second', null]])
  outbox.done(ids[1]!)
  await outbox.close()
  await outbox.close()
  assert.equal(virtual.timers, 0)
  await assert.rejects(outbox.whenDurable(), { code: 'CLUSTER_CLOSED' })
})

test('what was done while the disk was full is written when there is room, and the recovery is told once', async () => {
  const { outbox, files, accept, health } = await open()
  const ids = [accept('first'), accept('second')]
  await outbox.whenDurable()
  files.capacityBytes = 0
  outbox.done(ids[0]!)
  accept('refused')
  await assert.rejects(outbox.whenDurable(), { code: 'OUTBOX_WRITE_FAILED' })
  files.capacityBytes = Number.POSITIVE_INFINITY
  for (const text of ['third', 'fourth']) {
    accept(text)
    await outbox.whenDurable()
  }
  assert.deepEqual(health, ['ENOSPC: no space left on device', null])
  assert.deepEqual((await open(files.afterKill())).found(), [
    ['second', null],
    ['third', null],
    ['fourth', null]
  ])
})

test('what one turn brings shares one write and one fsync', async () => {
  const { outbox, files, accept } = await open()
  for (let i = 0; i < 50; i++) outbox.assign(accept(`m${i}`), identity(i))
  await Promise.all([outbox.whenDurable(), outbox.whenDurable()])
  assert.equal(files.syncs, 1)
})

test('a batch costs two frames and its share of a third: 170 bytes beside its own', async () => {
  const { outbox, files, accept } = await open()
  const payload = 'x'.repeat(1_000)
  for (let i = 0; i < 200; i++) {
    const id = accept(payload)
    outbox.assign(id, identity(i * 100, { producerId: '4611686018427387904' }))
    if (i % 20 === 19) await outbox.whenDurable()
    if (i % 20 === 19) for (let back = 0; back < 20; back++) outbox.done(id - back)
  }
  await outbox.whenDurable()
  const bytes = [...files.stored.values()].reduce((sum, file) => sum + file.bytes.length, 0)
  const each = bytes / 200 - payload.length
  assert.ok(each > 100 && each <= 170, `${each} bytes`)
})

test('without fsync nothing waits for the disk', async () => {
  const { outbox, files, accept } = await open(new MemoryFiles(), { fsync: false })
  accept('first')
  await outbox.whenDurable()
  assert.equal(files.syncs, 0)
  assert.deepEqual((await open(files.afterKill())).found(), [['first', null]])
})

test('a full disk refuses what is new, keeps what is there, and takes more when there is room', async () => {
  const { outbox, files, accept, refused, health } = await open()
  const first = accept('first')
  await outbox.whenDurable()
  files.capacityBytes = [...files.stored.values()].reduce((sum, { bytes }) => sum + bytes.length, 30)
  const second = accept('second')
  outbox.assign(first, identity(0))
  await assert.rejects(outbox.whenDurable(), { code: 'OUTBOX_WRITE_FAILED', retriable: true })
  assert.deepEqual(refused, [{ id: second, certain: true, code: 'OUTBOX_WRITE_FAILED' }])
  assert.equal(outbox.isDurable(first), false, 'its identity is not')
  assert.deepEqual((await open(files.afterKill())).found(), [['first', null]])
  files.capacityBytes = Number.POSITIVE_INFINITY
  accept('third')
  await outbox.whenDurable()
  assert.ok(outbox.isDurable(first))
  assert.deepEqual(health, ['ENOSPC: no space left on device', null])
  const again = await open(files.afterKill())
  assert.deepEqual(
    [again.found(), again.damages],
    [
      [
        ['first', 0],
        ['third', null]
      ],
      []
    ]
  )
})

test('after a failed fsync nothing of it is left, and a new file is begun', async () => {
  const { outbox, files, accept, refused } = await open()
  accept('first')
  await outbox.whenDurable()
  files.failSyncs = 1
  accept('second')
  await assert.rejects(outbox.whenDurable(), { code: 'OUTBOX_WRITE_FAILED' })
  assert.deepEqual(
    refused.map(({ certain }) => certain),
    [true]
  )
  accept('third')
  await outbox.whenDurable()
  assert.deepEqual(
    names(files).map(name => name.slice(0, 14)),
    ['box/0000000001', 'box/0000000002']
  )
  assert.deepEqual((await open(files.afterPowerLoss(() => 0))).found(), [
    ['first', null],
    ['third', null]
  ])
})

test('where a trace of what was refused may be left, a later frame takes it back', async () => {
  const { outbox, files, accept, refused } = await open()
  files.failSyncs = 1
  files.failCuts = true
  accept('refused')
  await assert.rejects(outbox.whenDurable(), { code: 'OUTBOX_WRITE_FAILED' })
  assert.deepEqual(
    refused.map(({ certain }) => certain),
    [false],
    'until then nobody can say'
  )
  accept('next')
  await outbox.whenDurable()
  assert.deepEqual((await open(files.afterKill())).found(), [['next', null]])
})

test('files are begun when one is full, and deleted when nothing in them is needed', async () => {
  const { outbox, files, accept } = await open(new MemoryFiles(), { segmentBytes: 500 })
  const ids: number[] = []
  for (let i = 0; i < 20; i++) {
    ids.push(accept(`message ${i}`))
    await outbox.whenDurable()
  }
  const many = names(files).length
  assert.ok(many >= 3, `${many} files`)
  for (const id of ids.slice(0, 19)) outbox.done(id)
  await outbox.whenDurable()
  accept('last')
  await outbox.whenDurable()
  await outbox.close()
  assert.deepEqual((await open(files.afterKill())).found(), [
    ['message 19', null],
    ['last', null]
  ])
  assert.ok(names(files).length <= 3, names(files).join())
})

test('one old batch that stays does not keep all files behind it: it is written anew', async () => {
  const { outbox, files, accept } = await open(new MemoryFiles(), { segmentBytes: 1_000 })
  const old = accept('old')
  outbox.assign(old, identity(5))
  for (let i = 0; i < 300; i++) {
    const id = accept(`message ${i}`)
    await outbox.whenDurable()
    outbox.done(id)
  }
  accept('last')
  await outbox.whenDurable()
  await outbox.close()
  const bytes = [...files.stored.values()].reduce((sum, file) => sum + file.bytes.length, 0)
  assert.ok(bytes < 5_000, `${bytes} bytes for two batches`)
  assert.deepEqual((await open(files.afterKill())).found(), [
    ['old', 5],
    ['last', null]
  ])
})

test('an outbox that is empty leaves no files, one that is not leaves them for the next; either is free for it', async () => {
  const first = await open()
  first.outbox.done(first.accept('one'))
  await first.outbox.close()
  assert.deepEqual(names(first.files), [])
  const second = await open(first.files)
  second.accept('two')
  await second.outbox.close()
  const third = await open(first.files)
  assert.deepEqual(third.found(), [['two', null]])
  await assert.rejects(open(first.files), { code: 'OUTBOX_LOCKED' })
})

test('a batch that became several is found as those, at its place', async () => {
  const { outbox, files, accept } = await open()
  const [first, second] = [accept('firsthalf'), accept('second')]
  outbox.assign(first, identity(0))
  outbox.assign(second, identity(2))
  await outbox.whenDurable()
  const parts = ['first', 'half'].map((text, index) => ({ batch: meta(), identity: identity(index), bytes: [Buffer.from(text)] }))
  const ids = outbox.split(first, parts)
  await outbox.whenDurable()
  assert.deepEqual([ids.length, ...ids.map(id => outbox.isDurable(id))], [2, true, true])
  assert.deepEqual((await open(files.afterKill())).found(), [
    ['first', 0],
    ['half', 1],
    ['second', 2]
  ])
})

test('what a broker refuses for good is put aside with the reason, and not sent again', async () => {
  const { outbox, files, accept } = await open()
  const id = accept('poison')
  await outbox.whenDurable()
  const file = await outbox.reject(id, { error: { code: 'INVALID_RECORD' } })
  assert.equal(String(files.stored.get(file!.replace('.json', '.batch'))!.bytes), 'poison')
  const told = JSON.parse(String(files.stored.get(file!)!.bytes)) as { error: { code: string }; batch: { topic: string } }
  assert.deepEqual([told.error.code, told.batch.topic], ['INVALID_RECORD', 'orders'])
  await outbox.close()
  assert.deepEqual((await open(files.afterKill())).found(), [])
})

test('a directory that cannot be used says why, and what to do', async () => {
  const files = new MemoryFiles()
  files.list = () => Promise.reject(Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' }))
  await assert.rejects(open(files), { code: 'OUTBOX_UNUSABLE', message: 'The outbox box cannot be used: EACCES: permission denied.' })
})

/** Steps by chance; what must be found afterwards, what may be, and what must not. */
async function life(files: MemoryFiles, virtual: VirtualWorld, steps: number) {
  const { outbox, refused } = await open(files, { segmentBytes: 400 })
  const must = new Map<number, { text: string; sequence: number | null }>()
  const ever = new Map<number, string>()
  let sequence = 0
  for (let step = 0; step < steps; step++) {
    const chance = virtual.world.random()
    if (chance < 0.05) files.failSyncs = 1
    else if (chance < 0.1) files.capacityBytes = 100 + Math.floor(virtual.world.random() * 3_000)
    else if (chance < 0.3) files.capacityBytes = Number.POSITIVE_INFINITY
    const touched: number[] = []
    for (let i = 0; i < 3 * virtual.world.random(); i++) {
      const text = `message ${step}.${i} ${'x'.repeat(80 * virtual.world.random())}`
      const id = outbox.accept(meta(), [Buffer.from(text)])
      ever.set(id, text)
      touched.push(id)
    }
    for (const id of [...must.keys(), ...touched])
      if (virtual.world.random() < 0.3) {
        outbox.assign(id, identity(sequence++))
        touched.push(id)
      }
    await outbox.whenDurable().catch(() => {})
    for (const id of touched)
      if (outbox.isDurable(id)) must.set(id, { text: ever.get(id)!, sequence: outbox.identityOf(id)?.sequence ?? null })
    for (const id of must.keys())
      if (virtual.world.random() < 0.3) {
        outbox.done(id)
        must.delete(id)
      }
  }
  const never = new Set(refused.filter(({ certain }) => certain).map(({ id }) => id))
  return { must, ever, never }
}

for (const { name, after, lying } of [
  { name: 'after a kill', after: (files: MemoryFiles) => files.afterKill(), lying: false },
  { name: 'after a loss of power', after: (files: MemoryFiles, random: () => number) => files.afterPowerLoss(random), lying: false },
  {
    name: 'after a loss of power, with a disk that lied about its syncs',
    after: (files: MemoryFiles, random: () => number) => files.afterPowerLoss(random),
    lying: true
  }
])
  test(`${name}: all that was durable is found with its identity, nothing that was refused, no byte is another one`, async () => {
    for (let seed = 1; seed <= 150; seed++) {
      const virtual = new VirtualWorld({ seed })
      const files = new MemoryFiles()
      files.lyingSyncs = lying
      const { must, ever, never } = await life(files, virtual, 12)
      const { entries } = await open(after(files, virtual.world.random))
      const found = new Map(entries.map(entry => [entry.batch.id, entry]))
      for (const [id, { bytes }] of found) {
        assert.equal(String(Buffer.concat(bytes)), ever.get(id), `seed ${seed}: batch ${id}`)
        assert.ok(!never.has(id), `seed ${seed}: batch ${id} was refused`)
      }
      if (lying) continue
      for (const [id, { text, sequence }] of must) {
        assert.ok(found.has(id), `seed ${seed}: batch ${id} (${text}) is lost`)
        const newer = found.get(id)!.identity?.sequence ?? null
        assert.ok(sequence === null || newer! >= sequence, `seed ${seed}: batch ${id} has sequence ${newer}, not ${sequence}`)
      }
    }
  })
