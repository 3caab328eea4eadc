/**
 * Finding a group's coordinator, losing it, and asking it again: with brokers that answer as told and a clock that moves when told.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Coordinator, remedyOf } from '../../src/actors/coordinator.ts'
import { brokerError } from '../../src/model/error-classes.ts'
import { ConnectionError, type PlainError, SamsaError } from '../../src/model/errors.ts'
import { type Asked, connectionLost, coordinatorAt, ScriptedLinks } from '../support/scripted-links.ts'

const find = (brokers: ScriptedLinks) => brokers.asked.filter(({ api }) => api === 'FindCoordinator').length

function bench(answer: (asked: Asked, times: number) => unknown = () => coordinatorAt('g', 2)) {
  const brokers: ScriptedLinks = new ScriptedLinks(asked => answer(asked, find(brokers)))
  const retries: PlainError[] = []
  return { brokers, retries, coordinator: new Coordinator(brokers.instance, 'g', error => retries.push(error)) }
}
const refuse = (code: number) => {
  throw brokerError('Heartbeat', code, '')
}

describe('a group coordinator', () => {
  it('is found once, whoever asks meanwhile shares the answer', async () => {
    const { brokers, coordinator } = bench()
    assert.deepEqual(await Promise.all([coordinator.find(), coordinator.find()]), [2, 2])
    assert.equal(await coordinator.find(), 2)
    assert.equal(coordinator.node, 2)
    assert.deepEqual(brokers.bodies('FindCoordinator'), [{ coordinatorKeys: ['g'] }])
  })

  it('is asked for in the older form where the broker has no other', async () => {
    const { brokers, coordinator } = bench(() => ({ errorCode: 0, nodeId: 3, coordinators: [] }))
    brokers.versions.FindCoordinator = 1
    assert.equal(await coordinator.find(), 3)
    assert.deepEqual(brokers.bodies('FindCoordinator'), [{ key: 'g' }])
  })

  it('that nobody names is an error, also when the answer is about another group', async () => {
    await assert.rejects(bench(() => ({ coordinators: [] })).coordinator.find(), { code: 'LEFT_OUT', retriable: true })
    await assert.rejects(bench(() => coordinatorAt('other', 1)).coordinator.find(), { code: 'LEFT_OUT' })
    await assert.rejects(bench(() => coordinatorAt('g', -1, 30)).coordinator.find(), { code: 'GROUP_AUTHORIZATION_FAILED' })
  })

  it('is looked for again until it is there, and each try is told', async () => {
    const { brokers, coordinator, retries } = bench((_, times) => coordinatorAt('g', 2, times < 3 ? 15 : 0))
    const node = await brokers.run(coordinator.call('Asking', async link => link.node))
    assert.equal(node, 2)
    assert.equal(find(brokers), 3)
    assert.deepEqual(
      retries.map(({ code, details }) => [code, details.attempt]),
      [
        ['COORDINATOR_NOT_AVAILABLE', 1],
        ['COORDINATOR_NOT_AVAILABLE', 2]
      ]
    )
    assert.match(retries[0]!.message, /Asking is tried again in \d+ ms/)
  })

  it('that moved is found anew, one that loads is asked again', async () => {
    const moves = bench((_, times) => coordinatorAt('g', times))
    const where: number[] = []
    const moved = (node: number) => {
      where.push(node)
      if (node === 1) refuse(16)
      return node
    }
    assert.equal(await moves.brokers.run(moves.coordinator.call('x', async link => moved(link.node))), 2)
    assert.deepEqual(where, [1, 2])

    const loads = bench()
    let asked = 0
    await loads.brokers.run(loads.coordinator.call('x', async () => (++asked < 3 ? refuse(14) : undefined)))
    assert.equal(asked, 3)
    assert.equal(find(loads.brokers), 1, 'loading is no reason to look elsewhere')
  })

  it('whose connection is lost is looked for again, and a broker that nobody lists makes the registry look', async () => {
    const { brokers, coordinator } = bench((_, times) => coordinatorAt('g', times))
    let asked = 0
    await brokers.run(
      coordinator.call('x', async () => {
        if (++asked === 1) throw connectionLost()
      })
    )
    assert.equal(coordinator.node, 2)
    coordinator.forget(2)
    brokers.down.add(3)
    assert.equal(await brokers.run(coordinator.call('x', async link => link.node)), 4)
    assert.equal(brokers.refreshes, 1)
  })

  it('an answer that a retry cannot mend is final at once', async () => {
    const { coordinator, retries } = bench()
    for (const code of [22, 25, 27, 30, 82]) await assert.rejects(coordinator.call('x', async () => refuse(code)))
    assert.deepEqual(retries, [])
  })

  it('the last error is final when the time is over', async () => {
    const { brokers, coordinator, retries } = bench(() => coordinatorAt('g', -1, 15))
    const from = brokers.virtual.nowMs
    await assert.rejects(brokers.run(coordinator.call('x', async () => 1, { limitMs: 3_000 })), { code: 'COORDINATOR_NOT_AVAILABLE' })
    assert.ok(brokers.virtual.nowMs - from <= 3_050, `it took ${brokers.virtual.nowMs - from} ms`)
    assert.ok(retries.length >= 3)
    assert.equal(brokers.virtual.timers, 0)
  })

  it('stop ends the pauses, with what went wrong', async () => {
    const { brokers, coordinator } = bench(() => coordinatorAt('g', -1, 15))
    const call = assert.rejects(
      coordinator.call('x', async () => 1),
      { code: 'COORDINATOR_NOT_AVAILABLE' }
    )
    await brokers.virtual.advance(50)
    coordinator.stop()
    await call
    assert.equal(brokers.virtual.timers, 0)
  })

  it('has one connection of the caller per purpose, which is let go of when it moves and at the end', async () => {
    const { brokers, coordinator } = bench((_, times) => coordinatorAt('g', times))
    await coordinator.link('group:consumers/1')
    await coordinator.link('group:consumers/1')
    coordinator.forget(1)
    await coordinator.link('group:consumers/1')
    assert.deepEqual(brokers.released, ['1/group:consumers/1'])
    coordinator.release('group:consumers/1')
    coordinator.release('group:consumers/1')
    assert.deepEqual(brokers.released, ['1/group:consumers/1', '2/group:consumers/1'])
  })

  it('forgetting a broker that it is no more changes nothing', async () => {
    const { coordinator } = bench()
    await coordinator.find()
    coordinator.forget(1)
    assert.equal(coordinator.node, 2)
  })
})

describe('what a failed request asks for', () => {
  it('follows the class of the error', () => {
    assert.equal(remedyOf(brokerError('Heartbeat', 14, 'x')), 'again')
    assert.equal(remedyOf(brokerError('OffsetFetch', 88, 'x')), 'again')
    assert.equal(remedyOf(brokerError('Heartbeat', 16, 'x')), 'elsewhere')
    assert.equal(remedyOf(brokerError('Heartbeat', 27, 'x')), 'none')
    assert.equal(remedyOf(connectionLost()), 'elsewhere')
    assert.equal(remedyOf(new ConnectionError('CLUSTER_CLOSED', 'x')), 'none')
    assert.equal(remedyOf(new SamsaError('UNSUPPORTED_VERSION', 'x')), 'none')
    assert.equal(remedyOf(new Error('a mistake of ours')), 'none')
  })
})
