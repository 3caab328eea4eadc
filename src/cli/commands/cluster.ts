/**
 * `samsa cluster`: its id and controller, and each broker with its address and the Kafka that it seems to be.
 */
import { type Command, EXIT } from '../command.ts'
import { errorText } from '../errors.ts'
import { guessKafkaVersion } from '../kafka-version.ts'

const REACH_MS = 5_000

export const cluster: Command = {
  summary: 'brokers, controller, id, versions',
  usage: '[options]',
  takes: [0, 0],
  options: {},
  notes: ['The version of a broker is a guess from the APIs that it offers. Exit code 1 when a broker cannot be reached.'],
  examples: [
    ['samsa cluster', 'a line for each broker'],
    ['samsa cluster --json | jq .address', 'for programs']
  ],
  async run(context) {
    const client = await context.connect()
    const { clusterId, controller } = await client.admin.describeCluster()
    const brokers = [...client.brokers.values()].sort((a, b) => a.id - b.id)
    let code: number = EXIT.ok
    const rows = await Promise.all(
      brokers.map(async ({ id, host, port, rack }) => {
        const common = { broker: id, address: `${host.includes(':') ? `[${host}]` : host}:${port}`, rack, controller: id === controller }
        try {
          const { apis } = await client.admin.brokerVersions(id, { timeoutMs: REACH_MS })
          return { ...common, kafka: guessKafkaVersion(apis) }
        } catch (error) {
          context.terminal.say(errorText(error))
          code = EXIT.failed
          return { ...common, kafka: 'unreachable' }
        }
      })
    )
    if (!context.json) context.note(`cluster ${clusterId ?? 'without an id'}, controller ${controller ?? 'none'}`)
    context.table(
      rows.map(row => ({ clusterId, ...row })),
      ['broker', 'address', 'rack', 'controller', 'kafka']
    )
    return code
  }
}
