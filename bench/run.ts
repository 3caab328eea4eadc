/**
 * `npm run bench [-- --only P1,C1m --clients samsa,kafkajs --rounds 3 --before <dist> --profile]`: this package beside its peers on one real broker
 * with its data in memory. `npm run bench:whole` measures everything and writes docs/PERFORMANCE.md; `-- --report` writes it again from the last results.
 *
 * Clients take turns (A B C A B C), one process a run, a topic of its own for each run that publishes, whose end offsets must be what was acked.
 * CPU per message comes first: on a machine with other work it is what stays comparable.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Cluster, startCluster } from '../test/support/cluster.ts'
import { cacheFolder } from '../test/support/maven.ts'
import { barsTable, rivals } from './bars.ts'
import { measure, type Place, store } from './measure.ts'
import { writeSection } from './page.ts'
import { clients, keepBuild, prepare, projectFolder } from './peers.ts'
import { digits, workloadTable } from './report.ts'
import { keepRuns, type Run, readRuns } from './results.ts'
import { selfTimes } from './self-times.ts'
import { shortCut, workloads } from './workloads.ts'

const { values: flags } = parseArgs({
  options: {
    whole: { type: 'boolean', default: false },
    only: { type: 'string' },
    clients: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    /** So many rounds of this package and of the peers that decide its bars. Default: as `rounds`. */
    pairs: { type: 'string' },
    /** The dist of an older build (with its package.json and node_modules beside it), measured as `before`. */
    before: { type: 'string' },
    profile: { type: 'boolean', default: false },
    report: { type: 'boolean', default: false },
    /** Installs and builds the clients, and no more. */
    prepare: { type: 'boolean', default: false }
  }
})

if (flags.report) report(readRuns())
else await main()

async function main(): Promise<void> {
  execFileSync('npm', ['run', 'build', '--silent'], { cwd: projectFolder, stdio: 'inherit' })
  const dist = keepBuild(projectFolder, 'samsa')
  const names = flags.only?.split(',') ?? (flags.whole ? Object.keys(workloads) : shortCut.works)
  const unknown = names.filter(name => !workloads[name])
  if (unknown.length > 0) throw new Error(`there is no workload ${unknown.join(', ')}: choose from ${Object.keys(workloads).join(', ')}`)
  const who = flags.clients?.split(',') ?? (flags.whole ? Object.keys(clients(dist)) : shortCut.clients)
  if (flags.before) who.push('before')
  const { runners } = await prepare(who, dist, flags.before)
  if (flags.prepare) return
  const profiles = join(cacheFolder(), 'bench', `profiles-${process.pid}`)
  if (flags.profile) mkdirSync(profiles, { recursive: true })
  const cluster = await brokerInMemory()
  try {
    const runs: Run[] = []
    const place: Place = { cluster, runners, profiles: flags.profile ? profiles : undefined }
    for (const name of names) runs.push(...(await measureRounds(place, name)))
    const all = keepRuns(runs)
    for (const name of names) console.log(`\n${workloadTable(name, runs)}`)
    if (flags.whole) report(all)
    if (flags.profile) for (const file of readdirSync(profiles)) console.log(`\n${file}\n${selfTimes(join(profiles, file), 25)}`)
  } finally {
    await cluster.dispose()
    rmSync(dirname(dist), { recursive: true, force: true })
  }
}

function brokerInMemory(): Promise<Cluster> {
  return startCluster({
    brokers: 1,
    config: {
      'num.partitions': '6',
      'message.max.bytes': '10485760',
      'log.segment.bytes': '268435456',
      'log.cleaner.enable': 'false',
      'group.initial.rebalance.delay.ms': '0',
      'socket.send.buffer.bytes': '1048576',
      'socket.receive.buffer.bytes': '1048576'
    }
  })
}

async function measureRounds(place: Place, name: string): Promise<Run[]> {
  const workload = workloads[name]!
  const wanted = workload.clients.flatMap(client => (client === 'samsa' && flags.before ? [client, 'before'] : [client]))
  const who = wanted.filter(client => place.runners.has(client))
  if (workload.stored) await store(place, workload.stored)
  const runs: Run[] = []
  const failed = new Set<string>()
  const rounds = Number(flags.rounds)
  for (let round = 1; round <= Math.max(rounds, Number(flags.pairs ?? 0)); round++) {
    const more = round > rounds ? rivals(name, runs) : undefined
    for (const client of who) {
      if (failed.has(client) || (more && client !== 'samsa' && !more.has(client))) continue
      try {
        const { version, figures } = await measure(place, name, client, round)
        runs.push({ workload: name, client, version, round, figures })
        console.log(
          `${name} ${round} ${client.padEnd(17)} ${workload.figures.map(figure => `${figure} ${digits(figures[figure] ?? Number.NaN)}`).join('  ')}`
        )
      } catch (error) {
        failed.add(client)
        console.error(`${name} ${client}: ${(error as Error).message}`)
      }
    }
  }
  return runs
}

function report(runs: readonly Run[]): void {
  const present = Object.keys(workloads).filter(name => runs.some(run => run.workload === name))
  writeSection('bars', barsTable(runs))
  writeSection('clients', present.map(name => workloadTable(name, runs)).join('\n\n'))
}
