import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DATA, Links } from '../../src/actors/links.ts'
import type { Link } from '../../src/flow/link.ts'
import { VirtualWorld } from '../support/virtual-world.ts'

function bench(nodes: number[] = [1, 2]) {
  const virtual = new VirtualWorld()
  const wanted: string[] = []
  const links = new Links({
    world: virtual.world,
    nodes: () => nodes,
    release: () => {},
    want: (node, purpose) => {
      wanted.push(`${node}/${purpose}`)
      return nodes.includes(node)
    }
  })
  return { virtual, links, wanted, nodes }
}
const link = (node: number, purpose = DATA) => ({ node, purpose, open: true }) as Link & { open: boolean }

test('a wait makes the broker dialled, and everybody who waits gets the link', async () => {
  const { links, wanted } = bench()
  const both = [links.acquire(1, DATA, 1_000), links.acquire(1, DATA, 1_000)]
  assert.ok(links.isWanted(1, DATA))
  const ready = link(1)
  links.offer(ready)
  assert.deepEqual(await Promise.all(both), [ready, ready])
  assert.deepEqual(new Set(wanted), new Set(['1/data']))
  assert.equal(links.get(1, DATA), ready)
  assert.equal(links.isWanted(1, DATA), false)
})

test('a wait ends at its deadline, one for an unlisted broker at once', async () => {
  const { links, virtual } = bench()
  const late = assert.rejects(links.acquire(1, DATA, 1_000), { code: 'LINK_TIMEOUT', retriable: true })
  await assert.rejects(links.acquire(9, DATA, 1_000), { code: 'BROKER_UNKNOWN' })
  await virtual.advance(1_000)
  await late
  assert.equal(virtual.timers, 0)
})

test('who waits for one dial learns that it has failed, the others wait for the next one', async () => {
  const { links, virtual } = bench()
  const refused = { name: 'ConnectionError', code: 'CONNECTION_REFUSED', message: 'refused', retriable: true, details: {} }
  const [once, patient] = [links.acquire(1, DATA, 1_000, { once: true }), links.acquire(1, DATA, 1_000)]
  const failed = assert.rejects(once, { code: 'DIAL_FAILED', retriable: true, message: /Broker 1 cannot be reached: refused/ })
  links.dialFailed(1, 'other', refused)
  links.dialFailed(1, DATA, refused)
  await failed
  assert.ok(links.isWanted(1, DATA))
  links.offer(link(1))
  await patient
  const late = assert.rejects(links.acquire(2, DATA, 1_000, { once: true }), { code: 'LINK_TIMEOUT' })
  links.dialFailed(1, DATA, refused)
  await virtual.advance(1_000)
  await late
  assert.equal(virtual.timers, 0)
})

test('a link that has ended is not handed out, nor is one that was withdrawn', () => {
  const { links } = bench()
  const one = link(1)
  links.offer(one)
  one.open = false
  assert.equal(links.get(1, DATA), undefined)
  links.offer(link(2))
  links.withdraw(2, DATA)
  assert.equal(links.get(2, DATA), undefined)
})

test('any: in turn over the ready ones; with none all are dialled, also those listed later, and the first one counts', async () => {
  const { links, wanted, nodes } = bench([1])
  const waiting = links.any(1_000)
  nodes.push(2)
  links.brokersChanged()
  assert.ok(wanted.includes('2/data'))
  links.offer(link(2, 'fetch:c'))
  const two = link(2)
  links.offer(two)
  assert.equal(await waiting, two)
  links.offer(link(1))
  const turns = [await links.any(1), await links.any(1), await links.any(1)].map(({ node }) => node)
  assert.deepEqual(new Set(turns), new Set([1, 2]))
})

test('after close every wait fails, those that come later too', async () => {
  const { links, virtual } = bench()
  const waits = [links.acquire(1, DATA, 1_000), links.any(1_000)].map(wait => assert.rejects(wait, { code: 'CLUSTER_CLOSED' }))
  links.close()
  await Promise.all([...waits, assert.rejects(links.acquire(1, DATA, 1), { code: 'CLUSTER_CLOSED' }), assert.rejects(links.any(1))])
  assert.equal(virtual.timers, 0)
})
