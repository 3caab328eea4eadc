/**
 * `--help`: of the program, of a group of commands, of one command with examples.
 */
import type { OptionSpecs } from './arguments.ts'
import { COMMON, type Command, type CommandGroup } from './command.ts'

function optionLines(specs: OptionSpecs): string[] {
  const heads = Object.entries(specs).map(([name, { value, short, multiple }]) => ({
    name,
    head: `${short ? `-${short}, ` : '    '}--${name}${value === undefined ? '' : ` ${value}`}${multiple ? ' …' : ''}`
  }))
  return columns(heads.map(({ name, head }) => [head, specs[name]!.help]))
}

function columns(pairs: readonly (readonly [string, string])[]): string[] {
  const width = Math.min(44, Math.max(...pairs.map(([left]) => left.length)))
  return pairs.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`)
}

export function programHelp(commands: readonly (readonly [string, string])[]): string {
  return [
    'samsa: Kafka and its ZooKeeper from the command line',
    '',
    'usage: samsa COMMAND [arguments] [options]',
    '',
    ...columns(commands),
    '',
    'options of every command:',
    ...optionLines({ ...COMMON, version: { help: 'the version of samsa' } }),
    '',
    'examples:',
    ...columns([
      ['export SAMSA_CLUSTER=zookeeper://127.0.0.1:2181/kafka', 'name the cluster once'],
      ['seq 1000 | samsa produce numbers --create', 'publish lines'],
      ['samsa consume numbers --from-beginning', 'print what is there and what comes'],
      ['samsa doctor', 'when something does not work']
    ]),
    '',
    'exit code: 0 done, 1 failed, 2 wrong use, 124 timeout, 130 Ctrl-C',
    ''
  ].join('\n')
}

export function groupHelp(name: string, group: CommandGroup): string {
  const commands = Object.entries(group.commands)
  return [
    `samsa ${name}: ${group.summary}`,
    '',
    ...columns(commands.map(([sub, { usage, summary }]) => [`samsa ${name} ${sub} ${usage}`.trimEnd(), summary])),
    '',
    'examples:',
    ...columns(commands.flatMap(([, { examples }]) => examples.slice(0, 1))),
    ''
  ].join('\n')
}

export function commandHelp(name: string, command: Command): string {
  return [
    `samsa ${name}: ${command.summary}`,
    '',
    `usage: samsa ${name} ${command.usage}`.trimEnd(),
    '',
    ...(Object.keys(command.options).length > 0 ? ['options:', ...optionLines(command.options), ''] : []),
    'options of every command:',
    ...optionLines(COMMON),
    '',
    ...(command.notes ? [...command.notes, ''] : []),
    'examples:',
    ...columns(command.examples),
    ''
  ].join('\n')
}
