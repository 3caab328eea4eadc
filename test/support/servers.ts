/**
 * What to run for each kind of server: a ZooKeeper, a Kafka 3.9.1 or 1.1.1 broker on it, a Kafka 4 broker in KRaft mode.
 * The settings are those of a small cluster that fails over in seconds and creates nothing by itself.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { classArchive, quickStart } from './java.ts'
import { jarsFor, run } from './maven.ts'
import { askOnce, freePort } from './ports.ts'
import { ServerProcess, type ServerSpec } from './server-process.ts'
import { until } from './until.ts'
import { temporaryFolder } from './watchdog.ts'

export type KafkaVersion = '3.9.1' | '4' | '1.1.1'

export interface BrokerPlan {
  kafka: KafkaVersion
  id: number
  port: number
  /** Where ZooKeeper is, with the chroot; unused in KRaft mode. */
  zookeeper: string
  /** KRaft: `id@host:port` of the controller, and the port itself on the node that is it. */
  quorum: string
  controllerPort?: number | undefined
  /** Of 3.9.1, which may be on its way from ZooKeeper to KRaft. Default: with ZooKeeper. */
  mode?: 'zookeeper' | 'migrating' | 'kraft'
  replication: number
  config: Record<string, string>
}

const host = '127.0.0.1'
const clusterId = 'samsaTestCluster000000'
const poms: Record<KafkaVersion, string> = { '3.9.1': 'kafka-3.9.1', '4': 'kafka-4', '1.1.1': 'scala-1.1.1' }

export async function zookeeperServer(folder: string, port: number, tickMs: number): Promise<ServerProcess> {
  const jars = await jarsFor('kafka-3.9.1')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'zookeeper.properties')
  writeProperties(file, {
    dataDir: join(folder, 'zookeeper'),
    clientPort: String(port),
    clientPortAddress: host,
    maxClientCnxns: '0',
    'admin.enableServer': 'false',
    '4lw.commands.whitelist': 'srvr,dump',
    tickTime: String(tickMs)
  })
  const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain'
  return new ServerProcess({
    name: 'ZooKeeper',
    command: 'java',
    args: [...quickStart, '-Xmx128m', '-cp', join(jars, '*'), logging(folder), main, file],
    log: join(folder, 'zookeeper.log'),
    ready: async () => (await askOnce(port, 'srvr', 1000))?.includes('Zookeeper version') ?? false
  })
}

/** A broker with its class archive at hand; formatted, when it is one for KRaft. */
export async function brokerServer(folder: string, plan: BrokerPlan): Promise<ServerProcess> {
  const archive = await archiveFlag(plan.kafka)
  const { spec, file, jars } = await brokerSpec(folder, plan, archive)
  if (plan.kafka === '4' && !existsSync(join(folder, `data-${plan.id}`))) await format(jars, file, folder)
  return new ServerProcess(spec)
}

async function brokerSpec(folder: string, plan: BrokerPlan, extraFlags: string[]) {
  const jars = await jarsFor(poms[plan.kafka])
  mkdirSync(folder, { recursive: true })
  const file = configureBroker(folder, plan)
  const flags = [...quickStart, ...extraFlags, '-Xmx512m', '-Djava.awt.headless=true']
  const spec: ServerSpec = {
    name: `broker ${plan.id} (Kafka ${plan.kafka})`,
    command: 'java',
    args: [...flags, '-cp', join(jars, '*'), logging(folder), 'kafka.Kafka', file],
    log: join(folder, `broker-${plan.id}.log`),
    ...(plan.kafka === '4' ? {} : { beforeRestart: () => unregistered(plan) }),
    ready: output => /(\[KafkaServer id=\d+\]|Kafka Server) started/.test(output)
  }
  return { spec, file, jars }
}

/** Writes its settings, which its next start reads; answers with the file. */
export function configureBroker(folder: string, plan: BrokerPlan): string {
  const file = join(folder, `broker-${plan.id}.properties`)
  writeProperties(file, { ...settings(folder, plan), ...plan.config })
  return file
}

export interface ControllerPlan {
  id: number
  port: number
  clusterId: string
  /** Where the metadata is taken from, and written to as well; undefined: it has ended, or never was. */
  migratesFrom: string | undefined
}

/** A 3.9.1 controller that is no broker, as a migration from ZooKeeper wants it; formatted. */
export async function controllerServer(folder: string, plan: ControllerPlan): Promise<ServerProcess> {
  const jars = await jarsFor(poms['3.9.1'])
  const file = configureController(folder, plan)
  await format(jars, file, folder, plan.clusterId)
  const flags = [...quickStart, ...(await archiveFlag('3.9.1')), '-Xmx256m', '-Djava.awt.headless=true']
  return new ServerProcess({
    name: `controller ${plan.id} (Kafka 3.9.1)`,
    command: 'java',
    args: [...flags, '-cp', join(jars, '*'), logging(folder), 'kafka.Kafka', file],
    log: join(folder, `controller-${plan.id}.log`),
    ready: output => output.includes('Kafka Server started')
  })
}

/** As `configureBroker`. */
export function configureController(folder: string, plan: ControllerPlan): string {
  const file = join(folder, `controller-${plan.id}.properties`)
  const migration = plan.migratesFrom && { 'zookeeper.metadata.migration.enable': 'true', 'zookeeper.connect': plan.migratesFrom }
  writeProperties(file, {
    'node.id': String(plan.id),
    'process.roles': 'controller',
    listeners: `CONTROLLER://${host}:${plan.port}`,
    'log.dirs': join(folder, `data-${plan.id}`),
    ...quorumSettings(`${plan.id}@${host}:${plan.port}`),
    // What the controller, and not a broker, answers for.
    'auto.leader.rebalance.enable': 'false',
    'default.replication.factor': '3',
    'min.insync.replicas': '2',
    ...migration
  })
  return file
}

/** A killed broker stays registered until its session expires, and the same id started before that ends at once. */
async function unregistered(plan: BrokerPlan): Promise<void> {
  const [port, ...chroot] = plan.zookeeper.slice(plan.zookeeper.indexOf(':') + 1).split('/')
  const path = `/${[...chroot, 'brokers', 'ids', plan.id].join('/')}`
  await until(`the end of the old registration of broker ${plan.id}`, async () => {
    const ephemerals = await askOnce(Number(port), 'dump', 1000)
    return !ephemerals?.split('\n').some(line => line.trim() === path)
  })
}

function settings(folder: string, plan: BrokerPlan): Record<string, string> {
  const replicas = String(plan.replication)
  const common = {
    listeners: `PLAINTEXT://${host}:${plan.port}`,
    'log.dirs': join(folder, `data-${plan.id}`),
    'num.partitions': '3',
    'default.replication.factor': replicas,
    'min.insync.replicas': String(Math.min(2, plan.replication)),
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': '6',
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.num.partitions': '6',
    'transaction.state.log.min.isr': String(Math.min(2, plan.replication)),
    'group.initial.rebalance.delay.ms': '0',
    'group.min.session.timeout.ms': '1000',
    'auto.create.topics.enable': 'false',
    // A leader moves when a test moves it, not every five minutes.
    'auto.leader.rebalance.enable': 'false',
    'replica.lag.time.max.ms': '5000',
    // What was asked of a frozen broker is asked of the next controller or leader soon: the default of 30 s stops whole clusters.
    'controller.socket.timeout.ms': '3000',
    'replica.socket.timeout.ms': '3000',
    'controlled.shutdown.max.retries': '1',
    // Small: threads and the cleaner's buffer (128 MB by default) are per broker, and several run here.
    'num.network.threads': '2',
    'num.io.threads': '4',
    'background.threads': '2',
    'log.cleaner.dedupe.buffer.size': '4194304',
    'log.segment.delete.delay.ms': '1000'
  }
  const mode = plan.kafka === '4' ? 'kraft' : (plan.mode ?? 'zookeeper')
  if (mode === 'kraft') return { ...common, ...kraftSettings(plan, common.listeners) }
  return {
    ...common,
    'broker.id': String(plan.id),
    'zookeeper.connect': plan.zookeeper,
    'zookeeper.session.timeout.ms': '4000',
    'zookeeper.connection.timeout.ms': '30000',
    ...(mode === 'migrating'
      ? { 'zookeeper.metadata.migration.enable': 'true', 'inter.broker.protocol.version': '3.9', ...quorumSettings(plan.quorum) }
      : {})
  }
}

function kraftSettings(plan: BrokerPlan, listeners: string): Record<string, string> {
  const controls = plan.controllerPort !== undefined
  return {
    'node.id': String(plan.id),
    'process.roles': controls ? 'broker,controller' : 'broker',
    ...quorumSettings(plan.quorum),
    listeners: controls ? `${listeners},CONTROLLER://${host}:${plan.controllerPort}` : listeners,
    'advertised.listeners': listeners,
    // The new group protocol's limits are made for years, not for tests; a group's own settings stay within them.
    'group.consumer.min.session.timeout.ms': '1000',
    'group.consumer.min.heartbeat.interval.ms': '100'
  }
}

function quorumSettings(quorum: string): Record<string, string> {
  return {
    'controller.quorum.voters': quorum,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'broker.session.timeout.ms': '4000',
    'broker.heartbeat.interval.ms': '500'
  }
}

async function format(jars: string, file: string, folder: string, id = clusterId): Promise<void> {
  const args = [...quickStart, '-Xmx128m', '-cp', join(jars, '*'), logging(folder)]
  const failure = await run('java', [...args, 'kafka.tools.StorageTool', 'format', '-t', id, '-c', file], 60_000)
  if (failure) throw new Error(`the KRaft storage could not be formatted\n${failure}`)
}

/** An archive only saves time: without one the broker starts just the same. */
async function archiveFlag(kafka: KafkaVersion): Promise<string[]> {
  try {
    return [await classArchive(`broker-${kafka}`, await jarsFor(poms[kafka]), dumpFlag => train(kafka, dumpFlag))]
  } catch (error) {
    console.error(`no class archive for Kafka ${kafka}, starts take longer: ${error instanceof Error ? error.message : error}`)
    return []
  }
}

async function train(kafka: KafkaVersion, dumpFlag: string): Promise<void> {
  const folder = join(temporaryFolder(), `train-${kafka}`)
  const [port, zookeeperPort, controllerPort] = [await freePort(), await freePort(), await freePort()]
  const zookeeper = kafka === '4' ? undefined : await zookeeperServer(folder, zookeeperPort, 500)
  await zookeeper?.start()
  const { spec, file, jars } = await brokerSpec(
    folder,
    {
      kafka,
      id: 1,
      port,
      zookeeper: `${host}:${zookeeperPort}`,
      quorum: `1@${host}:${controllerPort}`,
      controllerPort,
      replication: 1,
      config: {}
    },
    [dumpFlag]
  )
  if (kafka === '4') await format(jars, file, folder)
  const broker = new ServerProcess(spec)
  try {
    await broker.start()
    await broker.stop()
  } finally {
    await broker.kill()
    await zookeeper?.kill()
  }
}

function logging(folder: string): string {
  const file = join(folder, 'log4j.properties')
  writeProperties(file, {
    'log4j.rootLogger': 'INFO, out',
    'log4j.appender.out': 'org.apache.log4j.ConsoleAppender',
    'log4j.appender.out.layout': 'org.apache.log4j.PatternLayout',
    'log4j.appender.out.layout.ConversionPattern': '%d{HH:mm:ss.SSS} %p %c{1} %m%n',
    'log4j.logger.state.change.logger': 'WARN',
    'log4j.logger.org.apache.zookeeper': 'WARN'
  })
  return `-Dlog4j.configuration=file:${file}`
}

function writeProperties(file: string, values: Record<string, string>): void {
  const lines = Object.entries(values).map(([key, value]) => `${key}=${value}\n`)
  writeFileSync(file, lines.join(''))
}
