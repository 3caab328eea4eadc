/**
 * What `verifiable-producer` and `verifiable-consumer` share: they print the JSON lines of Kafka's tools of these names (org.apache.kafka.tools,
 * 4.3), take their options, and may be named a cluster as those are.
 */
import { CommandLineError, type OptionSpecs } from './arguments.ts'
import type { Context } from './command.ts'
import { type JavaSettings, javaSettings, type Properties, parseProperties } from './java-properties.ts'

/** JSON in the order given; a bigint is a number of any length. */
function encode(value: unknown): string {
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value)) return `[${value.map(encode).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const fields = Object.entries(value).filter(([, each]) => each !== undefined)
  return `{${fields.map(([name, each]) => `${JSON.stringify(name)}:${encode(each)}`).join(',')}}`
}

/** Lines of one turn are written together. */
export class Lines {
  readonly #context: Context
  #waiting: string[] = []

  constructor(context: Context) {
    this.#context = context
  }

  /** `{"timestamp":…,"name":…, fields}` */
  print(name: string, fields: Record<string, unknown> = {}): void {
    const { world } = this.#context
    this.#waiting.push(`${encode({ timestamp: world.now(), name, ...fields })}\n`)
    if (this.#waiting.length === 1) world.defer(() => this.#write())
  }

  /** Until everything is with the operating system. */
  async flush(): Promise<void> {
    this.#write()
    await this.#context.terminal.out.flush()
  }

  /** Until there is room for more. */
  async room(): Promise<void> {
    await this.#context.terminal.out.room()
  }

  #write(): void {
    if (this.#waiting.length > 0) this.#context.terminal.out.write(this.#waiting.join(''))
    this.#waiting = []
  }
}

/** How Java's tools are told where the brokers are, and configured. */
export const JAVA_OPTIONS: OptionSpecs = {
  topic: { value: 'TOPIC', help: 'the topic; needed' },
  'bootstrap-server': { value: 'HOST:PORT,…', help: 'the brokers, in place of --cluster' },
  'broker-list': { value: 'HOST:PORT,…', help: 'the same, as older tools call it' },
  'command-config': { value: 'FILE', help: "Java's client settings; those on the command line win" }
}

/** The value of an option that must be there. Throws CommandLineError. */
export function needed({ args }: Context, name: string): string {
  const value = args.one(name)
  if (value) return value
  throw new CommandLineError(`--${name} is missing`)
}

/** The cluster as it is named: brokers as Java's tools take them, `--cluster`, the environment, the configuration. Throws CommandLineError. */
export function verifiableUrl(context: Context, properties: Properties): string {
  const { args, terminal } = context
  const listed = args.one('bootstrap-server') ?? args.one('broker-list')
  if (listed !== undefined && args.one('cluster') !== undefined)
    throw new CommandLineError('give --cluster or --bootstrap-server, not both')
  const named = args.one('cluster') ?? terminal.env.SAMSA_CLUSTER
  const brokers = listed ?? (named ? undefined : properties.get('bootstrap.servers'))
  return brokers === undefined ? context.clusterUrl : `kafka://${brokers}`
}

/** What the configuration file says; an empty one where there is none. Tells what of it has no meaning here. */
export async function readConfiguration(
  context: Context,
  side: 'producer' | 'consumer',
  handled: readonly string[]
): Promise<{ properties: Properties; settings: JavaSettings }> {
  const { args, world } = context
  const [path, other] = [args.one('command-config'), args.one(`${side}.config`)]
  if (path !== undefined && other !== undefined) throw new CommandLineError(`give --command-config or --${side}.config, not both`)
  const file = path ?? other
  let text = ''
  if (file !== undefined) {
    const bytes = await world.files.read(file).catch((error: Error) => {
      throw new CommandLineError(`the configuration cannot be read: ${error.message}`)
    })
    text = bytes.toString('utf8')
  }
  const properties = parseProperties(text)
  const settings = javaSettings(properties, side, ['bootstrap.servers', 'key.serializer', 'value.serializer', ...handled])
  if (settings.unknown.length > 0) context.note(`Of the configuration this has no meaning here: ${settings.unknown.join(', ')}`)
  return { properties, settings }
}
