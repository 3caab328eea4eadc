/**
 * One API under every error code at once: a cluster and a client per code, in a World of virtual time, where pauses cost nothing and what hangs
 * is found by a deadline.
 */
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { type Cluster, connect } from '../../../src/index.ts'
import { asksAgain, errorClass, mayBeDone, meaningOf, type Remedy, type SentApi } from '../../../src/model/error-classes.ts'
import { type PlainError, plainError } from '../../../src/model/errors.ts'
import { KAFKA_ERRORS, kafkaError } from '../../../src/model/kafka-errors.ts'
import { type EmbeddedCluster, startCluster } from '../../../src/testing.ts'
import { API_NAMES, loadApi } from '../../../src/wire/apis.ts'
import { SimWorld } from '../../sim/sim-world.ts'
import { verdictFor } from './answers.ts'
import { OPERATIONS } from './operations.ts'

/** Of a broker that is newer than samsa. */
export const FUTURE = 999
export const CODES: readonly number[] = [...KAFKA_ERRORS.map(({ code }) => code).filter(code => code !== 0), FUTURE]
/** Virtual. */
const LIMIT_MS = 120_000

export interface Outcome {
  api: SentApi
  code: number
  name: string
  end: 'done' | 'failed' | 'hangs'
  error: PlainError | undefined
  /** Everything that was told, as JSON. */
  told: string
  /** How often the broker answered with the code. */
  hits: number
  joins: number
}

/** What is loaded when first used would otherwise come at a time of the machine's. */
async function prepare(): Promise<void> {
  await Promise.all(API_NAMES.map(name => loadApi(name)))
  await Promise.all([
    import('../../../src/actors/consumers.ts'),
    import('../../../src/actors/admin-calls.ts'),
    import('../../../src/actors/admin-groups.ts'),
    import('../../../src/actors/admin-group-offsets.ts')
  ])
}

export async function walk(api: SentApi, codes: readonly number[] = CODES): Promise<Outcome[]> {
  await prepare()
  const sim = new SimWorld(1)
  const names = codes.map(code => `c${code}`)
  const kafka = await within(
    sim,
    startCluster({
      ...{ brokers: 1, world: sim.world, zookeeper: false, profile: '4.x' },
      topics: Object.fromEntries(names.map(name => [name, { partitions: 1, replicationFactor: 1 }]))
    })
  )
  const filler = await within(sim, connect(kafka.url, { world: sim.world, clientId: 'filler' }))
  await within(sim, Promise.all(names.map(name => filler.topic(name).publish(`first of ${name}`))))
  const cells = codes.map(code => cellOf(api, code, sim, kafka))
  await pass(sim, () => cells.every(({ settled }) => settled()))
  for (const { troubles } of kafka.brokers) assert.deepEqual(troubles, [])
  const outcomes = cells.map(({ outcome }) => outcome())
  await within(
    sim,
    Promise.all([filler, ...cells.flatMap(({ client }) => client() ?? [])].map(client => client.close({ timeoutMs: 1_000 })))
  )
  await kafka.stop()
  return outcomes
}

/** Lets time pass. What is loaded when it is first used comes at a time of the machine's: then nothing is due for a moment. */
async function pass(sim: SimWorld, done: () => boolean): Promise<boolean> {
  const untilMs = sim.nowMs + LIMIT_MS
  for (let idle = 0; idle < 500; idle++) {
    if (await sim.run(done, untilMs - sim.nowMs)) return true
    await delay(2)
  }
  return false
}

async function within<T>(sim: SimWorld, promise: Promise<T>): Promise<T> {
  let done = false
  const end = () => {
    done = true
  }
  promise.then(end, end)
  if (!(await pass(sim, () => done))) throw new Error('it took too long, in virtual time')
  return promise
}

function cellOf(api: SentApi, code: number, sim: SimWorld, kafka: EmbeddedCluster) {
  const clientId = `c${code}`
  const told: { type: string }[] = []
  let begun = api === 'ApiVersions'
  let client: Cluster | undefined
  let end: Outcome['end'] = 'hangs'
  let error: PlainError | undefined
  let seen = 0
  let hits = 0
  let joins = 0
  const nth = OPERATIONS[api]?.nth ?? 1
  kafka.control('*', request => {
    if (request.clientId !== clientId) return undefined
    if (hits > 0 && isJoin(request.api, request.body)) joins++
    if (request.api !== api || !begun || hits > 0 || !concerns(api, request.body)) return undefined
    if (++seen < nth) return undefined
    hits++
    return verdictFor(api, request.body, code, request.version) as never
  })
  const run = async () => {
    client = await connect(kafka.url, {
      world: sim.world,
      clientId,
      requestTimeoutMs: 5_000,
      publish: { deliveryTimeoutMs: 20_000, maxBlockMs: 20_000 }
    })
    client.on('*', event => void told.push(event))
    await OPERATIONS[api]?.run({
      ...{ sim, kafka, client, topic: clientId, group: `group-${code}` },
      begin: () => {
        begun = true
      },
      hear: consumer => void consumer.on('*', event => void told.push(event))
    })
  }
  run().then(
    () => {
      end = 'done'
    },
    thrown => {
      end = 'failed'
      error = thrown instanceof Error ? plainError(thrown) : thrown
    }
  )
  return {
    client: () => client,
    settled: () => end !== 'hangs',
    outcome: (): Outcome => ({ api, code, name: kafkaError(code).name, end, error, told: asJson(told), hits, joins })
  }
}

/** A leave is no heartbeat, and a question about brokers alone none about a topic. */
function concerns(api: SentApi, body: object): boolean {
  return api !== 'Metadata' || ((body as { topics?: unknown[] | null }).topics?.length ?? 0) > 0
}

const isJoin = (api: string, body: object) =>
  api === 'JoinGroup' || (api === 'ConsumerGroupHeartbeat' && (body as { memberEpoch: number }).memberEpoch === 0)

/** Without handles, which hold all there is. */
const asJson = (told: { type: string }[]) =>
  JSON.stringify(
    told.filter(({ type }) => type !== 'consumer.started'),
    (_, value) => (typeof value === 'bigint' ? String(value) : value)
  )

/** These end otherwise than their class alone would say: how, and why that is right. */
const APART: Partial<Record<SentApi, Partial<Record<Remedy | 'all', 'done' | 'told' | 'failed'>>>> = {
  // Deleted or never made: a publish is told at once that there is none.
  Metadata: { absent: 'failed' },
  // Whoever publishes meanwhile waits; its own deadline ends it.
  InitProducerId: { all: 'told' },
  // Joins again with what the group speaks.
  JoinGroup: { foreign: 'told' },
  // The call is refused; the member joins again behind it.
  OffsetCommit: { refused: 'failed' },
  // The group finds out by itself when the session is over.
  LeaveGroup: { all: 'told', absent: 'done' },
  // The group's configuration is only a better guess.
  DescribeConfigs: { all: 'told' },
  // That there is none is the answer.
  DescribeGroups: { absent: 'done' },
  ConsumerGroupDescribe: { absent: 'done' }
}

/** Those of whom a user's call waits: an error without a meaning ends it. */
const CALLS: readonly SentApi[] = ['DescribeGroups', 'ConsumerGroupDescribe']

/** What is wrong with the way it ended; undefined: nothing. */
export function problemOf({ api, code, name, end, error, told, hits, joins }: Outcome, unknownIsTriedAgain: boolean): string | undefined {
  if (hits === 0) return 'the broker was never asked'
  if (end === 'hangs') return 'it never ended'
  const { class: found, remedy } = meaningOf(api, code)
  const apart = APART[api]
  const due = (remedy && apart?.[remedy]) ?? apart?.all
  const tried =
    found === 'retry' || found === 'refresh' || found === 'rejoin' || (found === 'unknown' && unknownIsTriedAgain && !CALLS.includes(api))
  const wanted = due ?? (found === 'none' ? 'done' : tried ? 'told' : 'failed')
  if (wanted !== 'failed') {
    if (end === 'failed') return `it failed: ${error?.code}: ${error?.message}`
    // A rebalance is the ordinary course of a group.
    const ordinary = remedy === 'rebalance' || remedy === 'waits' || remedy === 'named'
    if (wanted === 'told' && !ordinary && !told.includes(name)) return 'nobody was told why'
    if (found === 'rejoin' && due === undefined && remedy !== 'waits' && api !== 'OffsetFetch' && joins === 0)
      return 'it never joined again'
    return undefined
  }
  if (end === 'done') return 'nobody was told that it cannot be'
  if (due === 'failed') return undefined
  if (error?.code !== name && error?.kafka?.name !== name) return `it ended with ${error?.code}: ${error?.message}`
  if (mayBeDone(api, code) && errorClass(api, code) === 'unknown' && error.details.outcome !== 'unknown')
    return `it does not say that the outcome is unknown: ${error.message}`
  return undefined
}

/** `NAME: what is wrong`, of all that ended wrongly. */
export function problemsOf(api: SentApi, outcomes: readonly Outcome[]): string[] {
  const again = asksAgain(api, FUTURE)
  return outcomes.flatMap(outcome => {
    const problem = problemOf(outcome, again)
    return problem === undefined ? [] : [`${outcome.name}: ${problem}`]
  })
}
