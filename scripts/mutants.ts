/**
 * `npm run mutants -- [--seeds 200] [--write] [name or part of it …]`: plants each bug of `test/mutants/table.ts` into a copy of the tree, and looks whether it is
 * caught: by its test files, or by the simulation within so many seeds. Ends with a table; exit code 1: one has survived, or has no place in the source
 * any more; 2: the command is wrong.
 */
import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { MUTANTS, type Mutant } from '../test/mutants/table.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const COPIED = ['src', 'test', 'scripts', 'package.json', 'tsconfig.json']
/** For one mutant: some make the client spin. */
const LIMIT_MS = 300_000
const USAGE = 'Usage: npm run mutants -- [--seeds 200] [--jobs 1] [--write] [name …]'
/** Where `--write` puts what was measured; rows of mutants that were not run stay. */
const WRITTEN = 'test/mutants/caught.md'

interface Caught {
  mutant: Mutant
  /** Undefined: it has survived. */
  by: string | undefined
  seeds: number | undefined
  seconds: number
}

interface Ended {
  code: number | null
  output: string
}

/** The same file with the bug in it. Throws Error when its place is not there, or not the only one. */
export function planted(mutant: Mutant, text: string): string {
  const places = mutant.find === '' ? 0 : text.split(mutant.find).length - 1
  if (places !== 1) throw new Error(`${mutant.name}: its text is ${places} times in ${mutant.file}`)
  return text.replace(mutant.find, () => mutant.replace)
}

/** Never the working tree: others are at work there. */
function copyTree(): string {
  const tree = mkdtempSync(join(tmpdir(), 'samsa-mutants-'))
  for (const name of COPIED) cpSync(join(root, name), join(tree, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'))
  return tree
}

function run(tree: string, args: string[], limitMs = LIMIT_MS): Promise<Ended> {
  return new Promise(resolve => {
    const child = spawn(process.execPath, ['--import', 'tsx', ...args], { cwd: tree, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    let output = ''
    let overdue = false
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', data => {
        output = (output + data).slice(-100_000)
      })
    // With the processes that it has started.
    const timer = setTimeout(() => {
      overdue = true
      process.kill(-child.pid!, 'SIGKILL')
    }, limitMs)
    child.once('close', code => {
      clearTimeout(timer)
      resolve({ code: overdue ? null : code, output })
    })
  })
}

async function catchIt(tree: string, mutant: Mutant, options: { seeds: number | undefined; jobs: number }): Promise<Caught> {
  const startedMs = performance.now()
  const end = (by: string | undefined, seeds?: number): Caught => ({ mutant, by, seeds, seconds: (performance.now() - startedMs) / 1_000 })
  if (typeof mutant.caughtBy !== 'number') {
    const { code, output } = await run(tree, ['--test', '--test-reporter=tap', ...mutant.caughtBy])
    const failed = /^\s*not ok \d+ - (.*)$/m.exec(output)?.[1]
    return end(code === 0 ? undefined : `${mutant.caughtBy.join(', ')}: ${failed ?? 'it did not end'}`)
  }
  const seeds = options.seeds ?? mutant.caughtBy
  const { code, output } = await run(tree, ['scripts/sim.ts', '--until-failure', '--seeds', String(seeds), '--jobs', String(options.jobs)])
  if (code === 0) return end(undefined, seeds)
  const ran = Number(/^(\d+) seeds in/m.exec(output)?.[1] ?? Number.NaN)
  const [, seed, why] = /^seed (\d+) FAILED.*\n\s+(.*)/m.exec(output) ?? []
  const words = seed === undefined ? (code === null ? 'it never ended' : 'a process died of it') : `seed ${seed}: ${why}`
  return end(words, Number.isNaN(ran) ? undefined : ran)
}

function report(all: readonly Caught[]): void {
  const width = Math.max(...all.map(({ mutant }) => mutant.name.length)) + 2
  console.log(`\n${'mutant'.padEnd(width)}${'seeds'.padStart(6)}${'seconds'.padStart(9)}  caught by`)
  for (const { mutant, by, seeds, seconds } of all) {
    const words = (by ?? 'SURVIVED').slice(0, 130)
    console.log(`${mutant.name.padEnd(width)}${String(seeds ?? '').padStart(6)}${seconds.toFixed(0).padStart(9)}  ${words}`)
  }
  const survived = all.filter(({ by }) => by === undefined)
  const bySeeds = all.filter(({ mutant, by }) => by !== undefined && typeof mutant.caughtBy === 'number').length
  console.log(`\n${all.length - survived.length} of ${all.length} caught, ${bySeeds} of them by seeds of the simulation`)
}

/** The measured table, one row per mutant, in the order of the list. */
function write(all: readonly Caught[]): void {
  const path = join(root, WRITTEN)
  const before = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []
  const rows = MUTANTS.flatMap(({ name, after }) => {
    const found = all.find(({ mutant }) => mutant.name === name)
    if (!found) return before.filter(line => line.startsWith(`| ${name} |`))
    const by = (found.by ?? '**survived**').replaceAll('|', '/').replaceAll('\n', ' ').slice(0, 140)
    return [`| ${name} | ${after.replaceAll('|', '/')} | ${by} | ${found.seeds ?? ''} | ${found.seconds.toFixed(0)} |`]
  })
  const head = ['# Planted bugs, and what caught them', '', 'Written by `npm run mutants -- --write`; without a row: not measured yet.', '']
  const table = ['| mutant | after | caught by | seeds it took | seconds |', '|---|---|---|---|---|', ...rows, '']
  writeFileSync(path, [...head, ...table].join('\n'))
}

function argumentsOf(args: readonly string[]): { names: string[]; seeds: number | undefined; jobs: number; write: boolean } {
  const text = { type: 'string' } as const
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { seeds: text, jobs: text, write: { type: 'boolean' } },
    allowPositionals: true
  })
  const number = (name: 'seeds' | 'jobs') => {
    const given = values[name]
    if (given === undefined) return undefined
    if (/^[1-9]\d{0,6}$/.test(given)) return Number(given)
    throw new Error(`--${name} is '${given}'; give a whole number from 1 on.`)
  }
  const stranger = positionals.find(name => !MUTANTS.some(mutant => mutant.name.includes(name)))
  if (stranger !== undefined) throw new Error(`there is no mutant '${stranger}'.`)
  return { names: positionals, seeds: number('seeds'), jobs: number('jobs') ?? 1, write: values.write ?? false }
}

async function main({ names, ...options }: ReturnType<typeof argumentsOf>): Promise<boolean> {
  const chosen = MUTANTS.filter(({ name }) => names.length === 0 || names.some(part => name.includes(part)))
  const tree = copyTree()
  try {
    const sound = await run(tree, ['scripts/sim.ts', '--seeds', '3', '--jobs', '1'])
    if (sound.code !== 0) throw new Error(`without any mutant it fails as well:\n${sound.output}`)
    const all: Caught[] = []
    for (const mutant of chosen) {
      const path = join(tree, mutant.file)
      const before = readFileSync(path, 'utf8')
      writeFileSync(path, planted(mutant, before))
      const caught = await catchIt(tree, mutant, options)
      writeFileSync(path, before)
      console.log(`${caught.by === undefined ? 'SURVIVED' : 'caught'}  ${mutant.name}`)
      all.push(caught)
    }
    report(all)
    if (options.write) write(all)
    return all.every(({ by }) => by !== undefined)
  } finally {
    rmSync(tree, { recursive: true, force: true })
  }
}

async function command(args: readonly string[]): Promise<number> {
  let given: ReturnType<typeof argumentsOf>
  try {
    given = argumentsOf(args)
  } catch (error) {
    console.error(`mutants: ${(error as Error).message}\n${USAGE}`)
    return 2
  }
  return (await main(given)) ? 0 : 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await command(process.argv.slice(2))
