/**
 * One row of the fault table on the real cluster: ours and Java's work at the same time, the fault befalls them, they recover, and the history of
 * ours is judged. Nothing of what a row demands is taken for granted: that the fault fired is proven by the cluster, that it met operations by the history.
 */
import assert from 'node:assert/strict'
import { assertHistory, History } from '../checker/record.ts'
import { uniqueName } from '../support/use-cluster.ts'
import { damageOf, type Figures, longestWait, rebalancesOf } from './figures.ts'
import type { Ground, Roles } from './ground.ts'
import { Control, Ours, type Party, type PartyOptions } from './party.ts'
import type { Fault, Result } from './table.ts'

const PARTITIONS = 6
/** Each broker leads two. */
export const ASSIGNMENT = [
  [1, 2, 3],
  [2, 3, 1],
  [3, 1, 2],
  [1, 3, 2],
  [2, 1, 3],
  [3, 2, 1]
]
const WHILE_BROKEN_MS = 90_000
/** "Back within the Java client's time + 1 s". */
const SLACK_MS = 1_000
/** Between two reads of the log of a topic that is to be deleted, or the clocks of two processes. */
const SKEW_MS = 5

/** What a fault may touch. */
export interface Stage extends Roles {
  ground: Ground
  ours: Ours
  java: Control | undefined
  history: History
  topic: string
  /** Until every partition is written and read again, by all, from now on. */
  flowing(): Promise<void>
  /** Until ours have so many acks more: time passes while the fault lasts. */
  more(acks: number): Promise<void>
}

const nowMs = () => performance.timeOrigin + performance.now()

export async function runFault(ground: Ground, fault: Fault): Promise<Result> {
  await ground.heal()
  const run = new Run(ground, fault)
  try {
    return await run.go()
  } finally {
    await run.end()
    await ground.heal()
  }
}

class Run {
  readonly #ground: Ground
  readonly #fault: Fault
  readonly #history = new History()
  readonly #parties: Party[] = []
  #undo: (() => Promise<void>) | void = undefined

  constructor(ground: Ground, fault: Fault) {
    this.#ground = ground
    this.#fault = fault
  }

  async go(): Promise<Result> {
    const beganMs = nowMs()
    const stage = await this.#prepare()
    const { ours, java } = stage
    this.#undo = await this.#fault.before?.(stage)
    await this.#both(party => party.start())
    await this.#both(party => party.flowing(0))
    // Nothing is counted that the beginning has brought about.
    await stage.flowing()
    const brokenMs = nowMs()
    const proof = await this.#history.fault(this.#fault.name, () => this.#fault.befall(stage))
    await this.#ground.heal()
    await stage.flowing()
    const wait = (party: Party) => ({
      ackMs: longestWait(party.acks, PARTITIONS, brokenMs),
      readMs: longestWait(party.reads, PARTITIONS, brokenMs),
      rebalances: rebalancesOf(party.assignments, brokenMs)
    })
    const [mine, theirs] = [wait(ours), java && wait(java)]
    const peakBytes = ours.peakMemory()
    await this.#both(party => party.finish())
    await this.#readLog(ours.options)
    await this.#both(party => party.close())
    const report = assertHistory(this.#history, { mode: 'idempotent', skewMs: SKEW_MS, ...this.#fault.check })
    const figures: Figures = { ...damageOf(report), ...mine, peakBytes }
    const result: Result = { name: this.#fault.name, figures, java: theirs, proof, tookMs: nowMs() - beganMs }
    this.#judge(result, stage)
    return result
  }

  async #prepare(): Promise<Stage> {
    const { cluster, zookeeperByFront, frontAddresses } = this.#ground
    const { group: membership = 'classic', by = 'zookeeper', java: wanted = true } = this.#fault
    const names = { ours: uniqueName('ours'), java: uniqueName('java') }
    const config = { 'min.insync.replicas': '2' }
    await cluster.createTopics({ [names.ours]: { assignment: ASSIGNMENT, config }, [names.java]: { assignment: ASSIGNMENT, config } })
    const roles = await this.#ground.roles()
    const bootstrap = by === 'fronts' ? frontAddresses : cluster.bootstrap.join(',')
    const common = { partitions: PARTITIONS, bootstrap, history: this.#history }
    const ours = new Ours({
      ...common,
      topic: names.ours,
      group: await this.#ground.groupOn(roles.coordinator, names.ours),
      zookeeper: by === 'zookeeper' ? cluster.zookeeper : by === 'zookeeper front' ? zookeeperByFront : undefined,
      membership,
      subscribe: this.#fault.subscribe,
      hurried: this.#fault.hurried
    })
    this.#parties.push(ours)
    const java = wanted
      ? new Control({ ...common, topic: names.java, group: await this.#ground.groupOn(roles.coordinator, names.java) })
      : undefined
    if (java) this.#parties.push(java)
    const flowing = async () => {
      const sinceMs = nowMs()
      await this.#both(party => party.flowing(sinceMs, WHILE_BROKEN_MS))
    }
    const more = async (acks: number) => {
      const wantedAcks = ours.acks.length + acks
      await ours.producer.until(`${acks} more acks`, () => ours.acks.length >= wantedAcks, WHILE_BROKEN_MS)
    }
    return { ...roles, ground: this.#ground, ours, java, history: this.#history, topic: names.ours, flowing, more }
  }

  async #both(work: (party: Party) => Promise<void>): Promise<void> {
    await Promise.all(this.#parties.map(work))
  }

  /** The final phase: somebody else reads everything, from the beginning to the end. */
  async #readLog({ topic, partitions }: PartyOptions): Promise<void> {
    const { records } = await this.#ground.cluster.tool.consume(topic, { records: true })
    const keys = Array.from({ length: partitions }, (_, partition) => `${topic}/${partition}`)
    this.#history.record('log', 'ok', 'assign', keys)
    for (const [partition, key] of keys.entries()) {
      const entries = records.filter(record => record.partition === partition).map(({ offset, value }) => [offset, String(value)])
      this.#history.record('log', 'ok', 'poll', [['poll', { [key]: entries }]])
    }
  }

  #judge({ name, figures, java }: Result, stage: Stage): void {
    const { overlapped, rebalances, ackMs, readMs } = figures
    assert.ok(overlapped > 0, `${name}: no operation met the fault`)
    const most = this.#fault.rebalances
    if (most !== undefined)
      assert.ok(rebalances <= most, `${name}: a member was given partitions ${rebalances} times more; ${most} is the limit`)
    if (java && this.#fault.timed) {
      assert.ok(ackMs <= java.ackMs + SLACK_MS, `${name}: an ack took ${ackMs} ms, Java's ${java.ackMs} ms`)
      // No record comes before it is written; and whose last record before the fault came later has waited less, for nothing of its own.
      const theirMs = Math.max(java.readMs, java.ackMs)
      assert.ok(readMs <= theirMs + SLACK_MS, `${name}: a record took ${readMs} ms, Java's ${theirMs} ms`)
    }
    this.#fault.judge?.(figures, stage)
  }

  async end(): Promise<void> {
    for (const party of this.#parties) party.kill()
    await this.#undo?.()
  }
}
