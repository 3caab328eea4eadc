/**
 * The command `samsa`: finds the command, checks its arguments, runs it, and turns what came of it into an exit code.
 * Commands are loaded when they are used.
 */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { World } from '../model/world.ts'
import { nodeWorld } from '../world/node.ts'
import { CommandLineError, parseCommandLine } from './arguments.ts'
import { COMMON, type Command, type CommandGroup, Context, EXIT } from './command.ts'
import { errorText } from './errors.ts'
import { commandHelp, groupHelp, programHelp } from './help.ts'
import { nearest } from './suggest.ts'
import { type Interrupt, Terminal } from './terminal.ts'

type Loaded = Command | CommandGroup

const COMMANDS: Readonly<Record<string, { summary: string; load: () => Promise<Loaded> }>> = {
  produce: { summary: 'publish the lines of standard input', load: async () => (await import('./commands/produce.ts')).produce },
  consume: { summary: 'print the messages of topics', load: async () => (await import('./commands/consume.ts')).consume },
  topics: { summary: 'ls, describe, create, rm', load: async () => (await import('./commands/topics.ts')).topics },
  groups: { summary: 'ls, describe, lag, reset, rm, move', load: async () => (await import('./commands/groups.ts')).groups },
  watch: { summary: 'groups live: members, owners, lag', load: async () => (await import('./commands/watch.ts')).watch },
  cluster: { summary: 'brokers, controller, id, versions', load: async () => (await import('./commands/cluster.ts')).cluster },
  zk: { summary: 'ls, get, tree, watch: the znodes', load: async () => (await import('./commands/zk.ts')).zk },
  'verifiable-producer': {
    summary: "publish numbers and print what came of each, as Kafka's tool does",
    load: async () => (await import('./commands/verifiable-producer.ts')).verifiableProducer
  },
  'verifiable-consumer': {
    summary: "be a member of a group and print what happens to it, as Kafka's tool does",
    load: async () => (await import('./commands/verifiable-consumer.ts')).verifiableConsumer
  },
  demo: {
    summary: 'see it work: a cluster in this process, and trouble on a key',
    load: async () => (await import('./commands/demo.ts')).demo
  },
  up: { summary: 'a cluster in this process: brokers and their ZooKeeper', load: async () => (await import('./commands/up.ts')).up },
  journal: {
    summary: 'tail, replay, diff, why: what a cluster has lived through',
    load: async () => (await import('./commands/journal.ts')).journal
  },
  doctor: { summary: 'find out why a cluster cannot be used', load: async () => (await import('./commands/doctor.ts')).doctor }
}

/** The place of the first positional argument, as far as the options of every command tell; -1: none. */
function firstWord(args: readonly string[]): number {
  const options = Object.fromEntries(
    Object.entries(COMMON).map(([name, { value, short }]) => [
      name,
      { type: value === undefined ? ('boolean' as const) : ('string' as const), ...(short ? { short } : {}) }
    ])
  )
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true })
  return tokens.find(token => token.kind === 'positional')?.index ?? -1
}

interface Found {
  name: string
  command: Command
  args: string[]
}

/** The command that is meant, or the help that is wanted. Throws CommandLineError. */
async function find(args: readonly string[], world: World): Promise<Found | string> {
  const at = firstWord(args)
  const name = args[at]
  if (at < 0 || name === undefined) {
    if (args.includes('--version') || args.includes('-V')) return version(world)
    const help = programHelp(Object.entries(COMMANDS).map(([each, { summary }]) => [`samsa ${each}`, summary]))
    if (args.includes('--help') || args.includes('-h')) return help
    parseCommandLine(args, { ...COMMON, version: { help: '' } })
    throw new CommandLineError(`which command? One of ${Object.keys(COMMANDS).join(', ')}`)
  }
  if (name === 'help') return find([...args.filter((_, index) => index !== at), '--help'], world)
  if (!Object.hasOwn(COMMANDS, name)) throw unknownCommand(name, Object.keys(COMMANDS))
  const rest = args.filter((_, index) => index !== at)
  const loaded = await COMMANDS[name]!.load()
  if (!('commands' in loaded)) return { name, command: loaded, args: rest }
  const next = firstWord(rest)
  const word = rest[next]
  if (next < 0 || word === undefined) {
    if (rest.includes('--help') || rest.includes('-h')) return groupHelp(name, loaded)
    throw new CommandLineError(`samsa ${name}: which one? One of ${Object.keys(loaded.commands).join(', ')}`, name)
  }
  if (!Object.hasOwn(loaded.commands, word)) throw unknownCommand(word, Object.keys(loaded.commands), name)
  return { name: `${name} ${word}`, command: loaded.commands[word]!, args: rest.filter((_, index) => index !== next) }
}

function unknownCommand(word: string, known: readonly string[], group?: string): CommandLineError {
  const near = nearest(word, known)
  const prefix = group ? `${group} ` : ''
  return new CommandLineError(
    `there is no command ${prefix}${word}; ${near ? `did you mean samsa ${prefix}${near}?` : `known: ${known.join(', ')}`}`,
    group
  )
}

async function version(world: World): Promise<string> {
  const manifest = await world.files.read(fileURLToPath(new URL('../../package.json', import.meta.url)))
  return `${(JSON.parse(manifest.toString('utf8')) as { version: string }).version}\n`
}

/** Runs one command line. Resolves to the exit code. */
export async function run(args: readonly string[], terminal: Terminal, world: World): Promise<number> {
  let context: Context | undefined
  let name: string | undefined
  try {
    const found = await find(args, world)
    if (typeof found === 'string') {
      terminal.out.write(found)
      return EXIT.ok
    }
    const { command } = found
    name = found.name
    const parsed = parseCommandLine(found.args, { ...command.options, ...COMMON }, name)
    if (parsed.has('help')) {
      terminal.out.write(commandHelp(name, command))
      return EXIT.ok
    }
    checkCount(parsed.positionals, command, name)
    const controller = new AbortController()
    terminal.onInterrupt(interrupt => {
      controller.abort(interrupt)
      if (!command.handlesInterrupt) terminal.exit(interrupt.code)
    })
    context = new Context(parsed, terminal, world, controller.signal)
    const code = await command.run(context)
    if (!terminal.out.error) return code
    terminal.say(`samsa: standard output cannot be written: ${terminal.out.error.message}`)
    return EXIT.failed
  } catch (error) {
    terminal.progress('')
    if (context?.interrupted.aborted) return (context.interrupted.reason as Interrupt).code
    return tellError(error, terminal, name)
  } finally {
    await context?.close()
  }
}

function checkCount({ length }: readonly string[], { takes: [least, most], usage }: Command, name: string): void {
  if (length < least)
    throw new CommandLineError(`samsa ${name} needs ${least === 1 ? 'an argument' : `${least} arguments`}: samsa ${name} ${usage}`, name)
  if (length > most)
    throw new CommandLineError(`samsa ${name} takes ${most === 0 ? 'no argument' : `at most ${most}`}: samsa ${name} ${usage}`, name)
}

/** Options that only the library can judge (a URL, a topic's name) are wrong use too. */
const WRONG_USE = [
  'CREDENTIALS_IN_ADDRESS',
  'INVALID_CLUSTER_URL',
  'INVALID_OPTION',
  'INVALID_TOPIC',
  'UNKNOWN_OPTION',
  'ZK_INVALID_CONNECT_STRING',
  'ZK_BAD_ARGUMENTS'
]

function tellError(error: unknown, terminal: Terminal, name: string | undefined): number {
  if (error instanceof CommandLineError) {
    const of = error.command ?? name
    terminal.say(`samsa: ${error.message}\n  next: samsa ${of ? `${of} ` : ''}--help`)
    return EXIT.usage
  }
  terminal.say(errorText(error))
  return WRONG_USE.includes((error as { code?: string }).code ?? '') ? EXIT.usage : EXIT.failed
}

/** Runs the process's own command line, and ends the process. */
export async function main(): Promise<never> {
  const terminal = new Terminal()
  const code = await run(terminal.arguments, terminal, nodeWorld())
  await terminal.out.flush()
  return terminal.exit(code)
}
