/**
 * The command line taken apart and checked: options of a command and those of all commands, with a suggestion for what is unknown.
 */
import { parseArgs } from 'node:util'
import { nearest } from './suggest.ts'

/** Wrong use: ends the command with exit code 2. */
export class CommandLineError extends Error {
  /** The command whose help says more, e.g. `topics create`. */
  readonly command: string | undefined
  constructor(message: string, command?: string) {
    super(message)
    this.command = command
  }
}

export interface OptionSpec {
  /** Shown for its value in the help; without one it is a switch. */
  value?: string
  short?: string
  /** May be given more than once. */
  multiple?: boolean
  help: string
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>

export interface Parsed {
  positionals: string[]
  /** Given switches, and values in the order given. */
  has: (name: string) => boolean
  one: (name: string) => string | undefined
  all: (name: string) => string[]
}

/** Takes `args` apart. Throws CommandLineError. */
export function parseCommandLine(args: readonly string[], specs: OptionSpecs, command?: string): Parsed {
  const options = Object.fromEntries(
    Object.entries(specs).map(([name, { value, short }]) => [
      name,
      { type: value === undefined ? ('boolean' as const) : ('string' as const), multiple: true, ...(short ? { short } : {}) }
    ])
  )
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true })
  const positionals: string[] = []
  const values = new Map<string, string[]>()
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind !== 'option') continue
    const spec = Object.hasOwn(specs, token.name) ? specs[token.name] : undefined
    if (!spec) throw unknownOption(token.rawName, specs, command)
    const list = values.get(token.name) ?? []
    values.set(token.name, list)
    if (list.length > 0 && spec.value !== undefined && !spec.multiple) throw new CommandLineError(`--${token.name} is given twice`, command)
    list.push(readValue(token, spec, command))
  }
  return {
    positionals,
    has: name => values.has(name),
    one: name => values.get(name)?.[0],
    all: name => values.get(name) ?? []
  }
}

function readValue(
  token: { name: string; rawName: string; value?: string | undefined; inlineValue?: boolean | undefined },
  spec: OptionSpec,
  command: string | undefined
): string {
  if (spec.value === undefined) {
    if (token.value !== undefined) throw new CommandLineError(`--${token.name} takes no value`, command)
    return ''
  }
  // `--group --count 5` forgot the group; `--group=--count` would mean it.
  if (token.value === undefined || (!token.inlineValue && token.value.startsWith('--')))
    throw new CommandLineError(`${token.rawName} needs a value: --${token.name} ${spec.value}`, command)
  return token.value
}

function unknownOption(given: string, specs: OptionSpecs, command: string | undefined): CommandLineError {
  const near = nearest(given.replace(/^-+/, ''), Object.keys(specs))
  return new CommandLineError(`there is no option ${given}${near ? `; did you mean --${near}?` : ''}`, command)
}

/** `500ms`, `30s`, `2m`, `1h`, as ms; a bare number is seconds. Throws CommandLineError. */
export function duration(name: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text)
  const ms = Number(match?.[1]) * { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[(match?.[2] ?? 's') as 'ms' | 's' | 'm' | 'h']
  if (!match || ms > 2_147_483_647) throw new CommandLineError(`--${name} is "${text}"; give a time such as 500ms, 30s or 2m`)
  return Math.round(ms)
}

/** A whole number within bounds. Throws CommandLineError. */
export function wholeNumber(name: string, text: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const number = /^-?\d+$/.test(text) ? Number(text) : Number.NaN
  if (number >= least && number <= most) return number
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`
  throw new CommandLineError(`--${name} is "${text}"; give a whole number ${range}`)
}

/** One of these words. Throws CommandLineError with the nearest. */
export function choice<T extends string>(name: string, text: string, allowed: readonly T[]): T {
  if (allowed.includes(text as T)) return text as T
  const near = nearest(text, allowed)
  throw new CommandLineError(`--${name} is "${text}"; it must be one of ${allowed.join(', ')}${near ? ` (${near}?)` : ''}`)
}

/** `k=v`, split at the first `=`. Throws CommandLineError. */
export function pair(name: string, text: string): [string, string] {
  const at = text.indexOf('=')
  if (at <= 0) throw new CommandLineError(`--${name} is "${text}"; give name=value`)
  return [text.slice(0, at), text.slice(at + 1)]
}
