/**
 * Java's KafkaConsumer as a member of a Kafka group: that of 3.9.1 or of 4.x, of the classic protocol or of the new one.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ForeignMember } from './foreign-member.ts'
import { classArchive, javaJar, quickStart } from './java.ts'
import { jarsFor, run } from './maven.ts'
import { temporaryFolder } from './watchdog.ts'

export interface JavaMemberOptions {
  bootstrap: string[]
  group: string
  topics?: string[]
  /** Or a Java regex over topic names, matched by the member. */
  pattern?: string
  /** Or an RE2 regex, matched by the broker: the new protocol, of the 4.x client only. */
  serverPattern?: string
  /** The client's version. Default 3.9.1; 4 for the new protocol. */
  client?: '3.9.1' | '4'
  /** Default classic. `consumer` is the new one (KIP-848). */
  protocol?: 'classic' | 'consumer'
  /** Of the classic protocol, in order of preference. Default range. Others are class names. */
  assignors?: (keyof typeof assignorClasses | (string & {}))[]
  /** `group.remote.assignor`: the broker's assignor, of the new protocol. */
  remoteAssignor?: string
  /** A static member. */
  groupInstanceId?: string
  /** Default 300 ms; false: only `commit()` commits, or `commitEach`. */
  autoCommitIntervalMs?: number | false
  /** Commits after each poll, before the next, and hands partitions over only when that is done. Default false. */
  commitEach?: boolean
  /** Default earliest. */
  reset?: 'earliest' | 'latest' | 'none'
  /** Of the classic protocol. Default 6000. */
  sessionTimeoutMs?: number
  /** Of the classic protocol. Default a third of the session's, at most 1000. */
  heartbeatIntervalMs?: number
  /** Default 300,000. */
  maxPollIntervalMs?: number
  maxPollRecords?: number
  isolation?: 'read_uncommitted' | 'read_committed'
  /** How long each poll's records keep it busy. Default 0. */
  busyMs?: number
  clientId?: string
  /** Further settings of the consumer. */
  config?: Record<string, string>
}

const assignorClasses = {
  range: 'org.apache.kafka.clients.consumer.RangeAssignor',
  roundrobin: 'org.apache.kafka.clients.consumer.RoundRobinAssignor',
  sticky: 'org.apache.kafka.clients.consumer.StickyAssignor',
  'cooperative-sticky': 'org.apache.kafka.clients.consumer.CooperativeStickyAssignor',
  RoundRobinAssigner: 'JavaMember$KafkajsAssignor'
}

/** Joins; resolves when the consumer is made, not yet assigned: `waitForOwned`. */
export async function startJavaMember(options: JavaMemberOptions): Promise<ForeignMember> {
  const client = options.client ?? (options.protocol === 'consumer' ? '4' : '3.9.1')
  const jars = await jarsFor(`kafka-${client}`)
  const program = await javaJar(['JavaMember.java'], jars)
  const { topics, pattern, serverPattern, commitEach, busyMs } = options
  const settings = JSON.stringify({ topics, pattern, serverPattern, commitEach, busyMs, config: configOf(options) })
  const base = [...quickStart, '-Xmx128m', logging(), '-cp', `${join(program, '*')}:${join(jars, '*')}`]
  const archive = await classArchive(`member-${client}`, program, async dumpFlag => {
    const failure = await run('java', [dumpFlag, ...base, 'JavaMember', '--train'], 60_000)
    if (failure) throw new Error(`the Java member did not run\n${failure}`)
  })
  return ForeignMember.run({
    name: `the Java member (${client}${options.clientId ? `, ${options.clientId}` : ''})`,
    command: 'java',
    args: [archive, ...base, 'JavaMember', settings]
  })
}

function configOf(options: JavaMemberOptions): Record<string, string> {
  const { group, bootstrap, protocol = 'classic', sessionTimeoutMs = 6_000 } = options
  const interval = options.commitEach ? false : (options.autoCommitIntervalMs ?? 300)
  const values: Record<string, string | number | undefined> = {
    'bootstrap.servers': bootstrap.join(','),
    'group.id': group,
    'client.id': options.clientId ?? 'java',
    'group.instance.id': options.groupInstanceId,
    'enable.auto.commit': String(interval !== false),
    'auto.commit.interval.ms': interval === false ? undefined : interval,
    'auto.offset.reset': options.reset ?? 'earliest',
    'isolation.level': options.isolation,
    'max.poll.interval.ms': options.maxPollIntervalMs,
    'max.poll.records': options.maxPollRecords,
    'metadata.max.age.ms': 1_000,
    'reconnect.backoff.max.ms': 200,
    'allow.auto.create.topics': 'false',
    ...(protocol === 'consumer'
      ? { 'group.protocol': 'consumer', 'group.remote.assignor': options.remoteAssignor }
      : {
          'partition.assignment.strategy': (options.assignors ?? ['range'])
            .map(name => assignorClasses[name as keyof typeof assignorClasses] ?? name)
            .join(','),
          'session.timeout.ms': sessionTimeoutMs,
          'heartbeat.interval.ms': options.heartbeatIntervalMs ?? Math.min(1_000, Math.floor(sessionTimeoutMs / 3))
        }),
    ...options.config
  }
  return Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])))
}

function logging(): string {
  const file = join(temporaryFolder(), 'java-member.properties')
  writeFileSync(
    file,
    `log4j.rootLogger=INFO, err
log4j.appender.err=org.apache.log4j.ConsoleAppender
log4j.appender.err.target=System.err
log4j.appender.err.layout=org.apache.log4j.PatternLayout
log4j.appender.err.layout.ConversionPattern=%d{HH:mm:ss.SSS} %p %c{1} %m%n
`
  )
  return `-Dlog4j.configuration=file:${file}`
}
