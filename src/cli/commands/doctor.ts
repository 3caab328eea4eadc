/**
 * `samsa doctor`: looks at every server of a cluster and says what is wrong and what to do. Each line is ok, warn or fail.
 */
import type { Cluster, TopicDescription, ZooKeeperSession } from '../../index.ts'
import { type Command, type Context, EXIT } from '../command.ts'
import { guessKafkaVersion } from '../kafka-version.ts'
import { jsonLine, printable } from '../table.ts'

/** Each server gets so long. */
const REACH_MS = 5_000

export const doctor: Command = {
  summary: 'find out why a cluster cannot be used',
  usage: '[options]',
  takes: [0, 0],
  options: {},
  notes: [
    'Asks every ZooKeeper server, the chroot, every broker at its advertised listener, the controller and every partition.',
    'Exit code 0: nothing failed (there may be warnings). 1: something did. Nothing is written anywhere.'
  ],
  examples: [['samsa doctor --cluster zookeeper://zk1:2181,zk2:2181/kafka', 'from where your program runs']],
  async run(context) {
    const { parseClusterUrl } = await import('../../index.ts')
    const { zookeeper, brokers } = parseClusterUrl(context.clusterUrl)
    const report = new Report(context)
    const usable = zookeeper === undefined ? await checkSeeds(context, report, brokers!) : await checkZooKeeper(context, report, zookeeper)
    if (usable) await checkBrokers(context, report)
    return report.code
  }
}

type Verdict = 'ok' | 'warn' | 'fail'
const COLOURS = { ok: 32, warn: 33, fail: 31 }

class Report {
  code: number = EXIT.ok
  #context: Context

  constructor(context: Context) {
    this.#context = context
  }

  tell(verdict: Verdict, what: string, next?: string): void {
    if (verdict === 'fail') this.code = EXIT.failed
    const { json, colour } = this.#context.style
    const word = verdict.padEnd(4)
    const painted = colour ? `\x1b[${COLOURS[verdict]}m${word}\x1b[39m` : word
    const line = json
      ? jsonLine({ verdict, what, next: next ?? null })
      : `${painted}  ${printable(what)}${next ? `\n      -> ${printable(next)}` : ''}\n`
    this.#context.terminal.out.write(line)
  }
}

const reason = (error: unknown) => (error instanceof Error ? error.message : String(error))

async function checkZooKeeper(context: Context, report: Report, connect: string): Promise<boolean> {
  const slash = connect.indexOf('/')
  const chroot = slash < 0 ? '' : connect.slice(slash)
  const servers = (slash < 0 ? connect : connect.slice(0, slash)).split(',').filter(Boolean)
  const reached = await Promise.all(servers.map(server => reachZooKeeper(context, server)))
  const alive = reached.filter(each => each.session !== undefined)
  for (const { server, session, what } of reached) {
    if (session) report.tell('ok', `ZooKeeper ${server}: ${what}`)
    else
      report.tell(
        alive.length > 0 ? 'warn' : 'fail',
        `ZooKeeper ${server}: ${what}`,
        `is it running, and is this address right? Try: nc -vz ${server.replace(/:(\d+)$/, ' $1')}`
      )
  }
  return alive.length > 0 && checkChroot(alive[0]!.session!, report, chroot)
}

async function reachZooKeeper(context: Context, server: string): Promise<{ server: string; session?: ZooKeeperSession; what: string }> {
  const sinceMs = context.world.monotonicMs()
  const session = await context.zooKeeper(`zookeeper://${server}`, REACH_MS)
  let heard = ''
  const remove = session.on(event => {
    if (event.type === 'suspended') heard = event.reason.message
    if (event.type === 'trouble' || event.type === 'failed') heard = event.error.message
  })
  try {
    await session.exists('/')
    const ms = Math.round(context.world.monotonicMs() - sinceMs)
    return { server, session, what: `answers (${ms} ms, session timeout ${session.negotiatedTimeoutMs} ms)` }
  } catch (error) {
    return { server, what: heard || reason(error) }
  } finally {
    remove()
  }
}

async function checkChroot(session: ZooKeeperSession, report: Report, chroot: string): Promise<boolean> {
  const where = chroot === '' ? 'without a chroot' : `chroot ${chroot}`
  if (await session.exists(`${chroot}/brokers/ids`)) {
    const { children } = await session.getChildren(`${chroot}/brokers/ids`)
    if (children.length > 0) report.tell('ok', `${where}: brokers ${children.sort().join(', ')} are registered`)
    else report.tell('fail', `${where}: no broker is registered`, 'start a broker; its log says whether it reaches ZooKeeper')
    return children.length > 0
  }
  const candidates = await chroots(session)
  const next =
    candidates.length > 0
      ? `Kafka is at ${candidates.map(path => (path === '' ? 'the root (no chroot)' : path)).join(' and ')}: put that at the end of the URL`
      : "no chroot of one level has one either; see zookeeper.connect in the brokers' server.properties"
  report.tell('fail', `${where}: no Kafka lives there (${chroot}/brokers/ids does not exist)`, next)
  return false
}

/** Where a Kafka lives, of the root and the first level below it. */
async function chroots(session: ZooKeeperSession): Promise<string[]> {
  const { children } = await session.getChildren('/')
  const paths = [
    '',
    ...children
      .slice(0, 1_000)
      .sort()
      .map(name => `/${name}`)
  ]
  const found = await Promise.all(paths.map(async path => ((await session.exists(`${path}/brokers/ids`)) ? path : undefined)))
  return found.filter(path => path !== undefined)
}

async function checkSeeds(context: Context, report: Report, brokers: string): Promise<boolean> {
  const { connect } = await import('../../index.ts')
  const reached = await Promise.all(
    brokers.split(',').map(async address => {
      try {
        const cluster = await connect(`kafka://${address}`, {
          connectTimeoutMs: REACH_MS,
          recorderMaxBytes: 0,
          signal: context.interrupted
        })
        await cluster.close({ timeoutMs: 1_000 })
        return { address, error: undefined }
      } catch (error) {
        return { address, error }
      }
    })
  )
  const some = reached.some(({ error }) => error === undefined)
  for (const { address, error } of reached) {
    if (error === undefined) report.tell('ok', `bootstrap ${address}: answers`)
    else
      report.tell(
        some ? 'warn' : 'fail',
        `bootstrap ${address}: ${reason(error)}`,
        'is the broker running, and is this one of its listeners?'
      )
  }
  return some
}

async function checkBrokers(context: Context, report: Report): Promise<void> {
  let cluster: Cluster
  try {
    cluster = await context.connect()
  } catch (error) {
    report.tell('fail', `connecting: ${reason(error)}`, 'see the lines above')
    return
  }
  const nodes = [...cluster.brokers.values()].sort((a, b) => a.id - b.id)
  const versions = await Promise.all(
    nodes.map(async ({ id, host, port }) => {
      const where = `broker ${id} at ${host}:${port}`
      const sinceMs = context.world.monotonicMs()
      try {
        const { apis } = await cluster.admin.brokerVersions(id, { timeoutMs: REACH_MS })
        const ms = Math.round(context.world.monotonicMs() - sinceMs)
        report.tell('ok', `${where}: answers (${ms} ms), Kafka ${guessKafkaVersion(apis)} by its APIs`)
        return guessKafkaVersion(apis)
      } catch (error) {
        report.tell(
          'fail',
          `${where}: ${reason(error)}`,
          'it advertises that address: check advertised.listeners, names and firewalls from this machine'
        )
        return undefined
      }
    })
  )
  const known = [...new Set(versions.filter(version => version !== undefined))]
  if (known.length > 1) report.tell('warn', `brokers of different versions: ${known.join('; ')}`, 'finish the upgrade')
  if (known.length > 0) await checkCluster(cluster, report)
}

async function checkCluster(cluster: Cluster, report: Report): Promise<void> {
  try {
    const { controller, clusterId } = await cluster.admin.describeCluster()
    if (controller === null) report.tell('fail', 'no controller: leaders cannot change', 'see the log of the brokers')
    else report.tell('ok', `controller ${controller}, cluster id ${clusterId ?? 'none'}`)
    checkTopics(await cluster.admin.topics(), report)
  } catch (error) {
    report.tell('fail', `asking the brokers: ${reason(error)}`, 'try again; if it stays so, see the log of the brokers')
  }
}

function checkTopics(topics: TopicDescription[], report: Report): void {
  const all = topics.flatMap(({ name, partitions }) => partitions.map(partition => ({ name, ...partition })))
  const names = (list: typeof all) =>
    `${list
      .slice(0, 5)
      .map(({ name, partition }) => `${name}/${partition}`)
      .join(', ')}${list.length > 5 ? ' …' : ''}`
  const leaderless = all.filter(({ leader }) => leader === null)
  const behind = all.filter(({ replicas, inSync }) => inSync.length < replicas.length)
  if (leaderless.length > 0)
    report.tell(
      'fail',
      `${leaderless.length} partitions have no leader: ${names(leaderless)}`,
      'start the brokers that hold their replicas'
    )
  if (behind.length > 0)
    report.tell('warn', `${behind.length} partitions miss replicas: ${names(behind)}`, 'start the missing brokers, or wait')
  if (leaderless.length + behind.length === 0) report.tell('ok', `${topics.length} topics, ${all.length} partitions: all led, all in sync`)
}
