/**
 * The heartbeat under a clock of its own: when it pings, when it gives a connection up, and from when the session is surely alive.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { World } from '../../../src/model/world.ts'
import { Heartbeat } from '../../../src/registry/zookeeper/heartbeat.ts'
import { nodeWorld } from '../../../src/world/node.ts'

/** Time moves only by `advance`, timers fire in order, what is deferred runs after them. */
function manualWorld() {
  let nowMs = 1_000
  let timers: { atMs: number; callback: () => void }[] = []
  const deferred: (() => void)[] = []
  const world: World = {
    ...nodeWorld(),
    monotonicMs: () => nowMs,
    setTimer: (callback, delayMs) => {
      const timer = { atMs: nowMs + delayMs, callback }
      timers.push(timer)
      return timer
    },
    clearTimer: timer => {
      timers = timers.filter(each => each !== timer)
    },
    defer: callback => void deferred.push(callback)
  }
  function settle() {
    for (const callback of deferred.splice(0)) callback()
  }
  function advance(byMs: number) {
    const endMs = nowMs + byMs
    for (;;) {
      const next = timers.filter(timer => timer.atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0]
      if (!next) break
      timers = timers.filter(timer => timer !== next)
      nowMs = Math.max(nowMs, next.atMs)
      next.callback()
      settle()
    }
    nowMs = endMs
  }
  /** The process stands still: time passes and nothing runs; then the due timers do, and `then` is read before what is deferred. */
  function freeze(forMs: number, then: () => void) {
    nowMs += forMs
    for (const timer of timers.filter(each => each.atMs <= nowMs)) {
      timers = timers.filter(each => each !== timer)
      timer.callback()
    }
    then()
    settle()
  }
  return { world, advance, freeze, now: () => nowMs, timers: () => timers.length }
}

function started(timeoutMs = 6_000) {
  const manual = manualWorld()
  const pings: number[] = []
  const silent: number[] = []
  const heartbeat = new Heartbeat(
    manual.world,
    () => void pings.push(manual.now()),
    silentMs => void silent.push(silentMs)
  )
  heartbeat.heard()
  heartbeat.answered(manual.now())
  heartbeat.start(timeoutMs)
  return { ...manual, heartbeat, pings, silent }
}

describe('the heartbeat', () => {
  it('pings every third of the session timeout, and calls nobody silent who answers', () => {
    const { advance, heartbeat, pings, silent } = started()
    for (let i = 0; i < 60; i++) {
      const before = pings.length
      advance(500)
      if (pings.length > before) {
        heartbeat.heard()
        heartbeat.pong()
      }
    }
    assert.equal(pings.length, 15)
    assert.deepEqual(silent, [])
    assert.equal(heartbeat.leaseFromMs, pings.at(-1))
  })

  it('gives up after two thirds of it without a byte', () => {
    const { advance, silent, timers } = started()
    advance(3_999)
    assert.deepEqual(silent, [])
    advance(2)
    assert.equal(silent.length, 1)
    assert.equal(timers(), 0)
  })

  it('gives up after the whole of it without an answer, though bytes come', () => {
    const { advance, heartbeat, silent } = started()
    for (let i = 0; i < 59; i++) {
      heartbeat.heard()
      advance(100)
    }
    assert.deepEqual(silent, [])
    advance(101)
    assert.equal(silent.length, 1)
  })

  it('counts the lease from when the answered request was sent, and never back', () => {
    const { advance, heartbeat, now } = started()
    const sentAtMs = now()
    advance(1_500)
    heartbeat.answered(sentAtMs + 700)
    heartbeat.answered(sentAtMs + 300)
    assert.equal(heartbeat.leaseFromMs, sentAtMs + 700)
  })

  it('reads what had come before it judges, when the process stood still', () => {
    const answered = started()
    answered.freeze(5_000, () => answered.heartbeat.heard())
    assert.deepEqual(answered.silent, [])
    const unanswered = started()
    unanswered.freeze(5_000, () => {})
    assert.equal(unanswered.silent.length, 1)
  })

  it('is still after stop', () => {
    const { advance, freeze, heartbeat, pings, silent, timers } = started()
    freeze(2_500, () => heartbeat.stop())
    advance(60_000)
    assert.equal(pings.length, 1)
    assert.deepEqual(silent, [])
    assert.equal(timers(), 0)
  })
})
