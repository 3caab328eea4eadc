/**
 * The house rules of src/, read from its files: who may import whom, nothing but src/world touches the world, each file says what it
 * is for, and none grows too long.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { codeOf, importsOf } from './support/source.ts'

const root = fileURLToPath(new URL('../src/', import.meta.url))
const longest = 400

/** Which rooms a room may import (itself always), and which packages. `index` is the public door, src/index.ts. */
const rooms: Record<string, { rooms: string[]; packages?: string[] }> = {
  index: { rooms: ['client', 'actors', 'machines', 'model', 'wire', 'flow', 'registry', 'journal', 'embedded', 'world'] },
  // The embedded cluster only when it is named.
  client: { rooms: ['actors', 'model', 'testing', 'world'], packages: ['xstate'] },
  machines: { rooms: ['model'], packages: ['xstate'] },
  actors: { rooms: ['client', 'machines', 'model', 'wire', 'flow', 'registry', 'journal', 'world'], packages: ['xstate'] },
  model: { rooms: [] },
  wire: { rooms: ['model'], packages: ['@node-rs/crc32', 'snappy', 'lz4-napi', '@toondepauw/node-zstd'] },
  flow: { rooms: ['model', 'wire'] },
  registry: { rooms: ['model', 'wire'], packages: ['node-zookeeper-client'] },
  journal: { rooms: ['model'], packages: ['msgpackr', '@node-rs/crc32', 'xstate'] },
  embedded: { rooms: ['wire', 'model'] },
  testing: { rooms: ['embedded', 'world'] },
  replay: { rooms: ['journal', 'machines', 'world'] },
  inspector: { rooms: ['index', 'journal'] },
  cli: { rooms: ['index', 'testing', 'replay', 'journal', 'world', 'model'] },
  world: { rooms: ['model'] }
}

/** The one place that loads a package by a name it is given: those names are read where they are written. */
const loader = { path: 'wire/records/codec.ts', call: /\bloadPackage(?:<[^()]*>)?\(\s*'[^']*',\s*'([^']+)'/g }

/** Node's modules that compute and nothing else. All others are ways out, which only src/world may take. */
const harmless = ['buffer', 'util', 'events', 'zlib', 'crypto', 'module', 'url', 'path', 'assert', 'async_hooks', 'string_decoder']
/** Of node:crypto, what answers differently each time. */
const entropy = /^(random\w*|webcrypto|getRandomValues|subtle|generate\w*)\b/
const waysOut: [RegExp, string][] = [
  [/(?<![.\w$#])(setTimeout|setInterval|setImmediate|clearTimeout|clearInterval|clearImmediate)\b/, 'a timer'],
  [/\bDate\s*\.\s*now\b|\bnew\s+Date\s*(?!\s*\()|\bnew\s+Date\s*\(\s*\)|(?<![.\w$])(?<!new\s)Date\s*\(/, 'the clock'],
  [/(?<![.\w$])performance\b|\bhrtime\b|\bprocess\s*\.\s*uptime\b/, 'the clock'],
  [/\bMath\s*\.\s*random\b|(?<![.\w$])crypto\s*\./, 'entropy'],
  [/(?<![.\w$])(fetch|WebSocket|EventSource)\s*\(/, 'the network'],
  [/(?<![.\w$])globalThis\b|(?<![.\w$])global\s*\./, 'the global object, by which everything can be reached'],
  [/\bprocess\s*\.\s*(binding|getBuiltinModule|env|stdin|stdout|stderr|exit)\b/, 'the process']
]

interface File {
  path: string
  room: string
  text: string
}

const files: File[] = readdirSync(root, { recursive: true, withFileTypes: true })
  .filter(entry => entry.isFile() && /\.[cm]?[jt]sx?$/.test(entry.name))
  .map(entry => {
    const path = relative(root, join(entry.parentPath, entry.name)).split(sep).join('/')
    return { path, room: roomOf(path), text: readFileSync(join(root, path), 'utf8') }
  })

function roomOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : path.replace(/\.ts$/, '')
}

/** Every broken rule of the imports of one file, in words. */
function importFaults({ path, room, text }: File): string[] {
  const rule = rooms[room]
  if (!rule) return [`${path}: there is no room ${room}; add it to the design and to this test`]
  const faults: string[] = []
  for (const { from, names } of importsOf(text)) {
    if (from.startsWith('.')) {
      const target = relative(root, resolve(root, dirname(path), from))
        .split(sep)
        .join('/')
      const other = roomOf(target)
      if (target.startsWith('..')) faults.push(`${path} imports ${from}, outside src`)
      else if (other !== room && !rule.rooms.includes(other)) faults.push(`${path} imports ${from}: ${room} may not import ${other}`)
    } else if (from.startsWith('node:')) {
      const name = from.slice(5)
      if (room === 'world') continue
      if (!harmless.includes(name)) faults.push(`${path} imports ${from}: only src/world may`)
      const random = name === 'crypto' ? names.find(each => entropy.test(each)) : undefined
      if (random || (name === 'crypto' && names.length === 0))
        faults.push(`${path} takes entropy from node:crypto (${random ?? 'all of it'})`)
    } else if (!allowedPackage(room, from)) faults.push(`${path} imports ${from}: not one of the packages of ${room}`)
  }
  for (const [, name] of codeOf(text, true).matchAll(loader.call))
    if (!allowedPackage(room, name!)) faults.push(`${path} loads ${name}: not one of the packages of ${room}`)
  const indirect = /\b(?:import|require)\s*\(\s*(?!'')[^)\s]/.exec(codeOf(text))
  if (indirect && room !== 'world' && path !== loader.path) faults.push(`${path} imports a module by a name that is not written out`)
  return faults
}

function allowedPackage(room: string, specifier: string): boolean {
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
  return rooms[room]?.packages?.includes(name) ?? false
}

function worldFaults({ path, room, text }: File): string[] {
  if (room === 'world') return []
  const code = codeOf(text)
  return waysOut.flatMap(([pattern, what]) => {
    if (path === 'cli/terminal.ts' && what === 'the process') return []
    const match = [...code.matchAll(new RegExp(pattern, 'g'))].find(each => !isMethod(code, each.index, each[0]))
    if (!match) return []
    const line = code.slice(0, match.index).split('\n').length
    return [`${path}:${line} reaches for ${what} (${match[0].trim()}): use the World that is passed in`]
  })
}

/** Is this the head of a method (`fetch(offset: number) {`, `setTimeout(): void`), not a call? */
function isMethod(code: string, index: number, found: string): boolean {
  if (!/(?:^|[{};,\n]|\basync)\s*$/.test(code.slice(Math.max(0, index - 20), index))) return false
  let depth = 0
  for (let at = index + found.replace(/\(.*/s, '').length; at < code.length; at++) {
    if (code[at] === '(') depth++
    else if (code[at] === ')' && --depth === 0) return /^\)\s*[:{]/.test(code.slice(at, at + 20))
    else if (depth === 0 && !/\s/.test(code[at]!)) return false
  }
  return false
}

function shapeFaults({ path, text }: File): string[] {
  const faults: string[] = []
  const lines = text.split('\n')
  const head = lines.slice(lines[0]!.startsWith('#!') ? 1 : 0, 4).join('\n')
  const words = /^(?:\/\*\*?|\/\/)/.test(head) ? head.replace(/[/*\s]+/g, ' ').trim() : ''
  if (words.length < 20) faults.push(`${path} does not say in its first three lines what it is for`)
  if (lines.length - 1 > longest && !path.startsWith('wire/messages/'))
    faults.push(`${path} has ${lines.length - 1} lines, more than ${longest}`)
  return faults
}

const file = (path: string, text: string): File => ({ path, room: roomOf(path), text })

test('every room imports only the rooms and packages below it', () => {
  assert.ok(files.length > 20, 'the files of src/ were not found')
  assert.deepEqual(files.flatMap(importFaults), [])
})

test('nothing but src/world reaches for clock, timers, entropy, network or files', () => {
  assert.deepEqual(files.flatMap(worldFaults), [])
})

test('each file says first what it is for, and none is too long', () => {
  assert.deepEqual(files.flatMap(shapeFaults), [])
})

test('an import across a wall is found in every form', () => {
  const faults = (path: string, text: string) => importFaults(file(path, text)).length
  assert.equal(faults('model/x.ts', "import { a } from '../wire/y.ts'"), 1)
  assert.equal(faults('model/x.ts', "import type { a } from '../wire/y.ts'"), 1)
  assert.equal(faults('wire/x.ts', "export * from '../flow/y.ts'"), 1)
  assert.equal(faults('wire/x.ts', "const y = await import('../actors/y.ts')"), 1)
  assert.equal(faults('wire/x.ts', 'const y = await import(name)'), 1)
  assert.equal(faults('machines/x.ts', "import { nodeWorld } from '../world/node.ts'"), 1)
  assert.equal(faults('machines/x.ts', "import _ from 'lodash'"), 1)
  assert.equal(faults('flow/x.ts', "import { connect } from 'node:net'"), 1)
  assert.equal(faults('flow/x.ts', "import { setTimeout as later } from 'node:timers/promises'"), 1)
  assert.equal(faults('wire/x.ts', "import { createHash, randomBytes } from 'node:crypto'"), 1)
  assert.equal(faults('registry/x.ts', "const zk = require('fs')"), 1)
  assert.equal(faults('wire/x.ts', "loadPackage<Lz4>('lz4', 'lz4')"), 1)
  assert.equal(
    faults('wire/x.ts', "import { createHash } from 'node:crypto'\nimport { a } from '../model/y.ts'\n// from '../flow/z.ts'"),
    0
  )
  assert.equal(faults('client/deep/x.ts', "import { a } from '../../actors/y.ts'"), 0)
})

test('a way out is found in code, and only there', () => {
  const faults = (text: string) => worldFaults(file('flow/x.ts', text)).length
  assert.equal(faults('const now = Date.now()'), 1)
  assert.equal(faults('const now = new Date()'), 1)
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a template, as source.
  assert.equal(faults('const text = `${new Date(ms)} at ${Math.random()}`'), 1)
  assert.equal(faults('const id = setTimeout(go, 5)'), 1)
  assert.equal(faults('globalThis.setTimeout(go, 5)'), 1)
  assert.equal(faults('const t0 = performance.now()'), 1)
  assert.equal(faults('const half = a / b; setImmediate(go); const c = d / 2'), 1)
  assert.equal(faults('const q = /[\'"`]/.test(x) ? 1 : setInterval(go, 1)'), 1)
  assert.equal(faults('const r = await fetch(url)'), 1)
  assert.equal(
    faults('interface Socket { setTimeout(): void }\nclass A {\n  async fetch(node: number, f: () => void): Promise<void> {}\n}'),
    0
  )
  assert.equal(faults("/* Date.now() */ const s = 'setTimeout(' // Math.random()"), 0)
  assert.equal(faults('socket.setTimeout(5); const d = new Date(ms); interface Date2 { now(): number }'), 0)
  // biome-ignore lint/suspicious/noTemplateCurlyInString: templates, as source.
  assert.equal(faults('const s = `setTimeout( ${inner(`Date.now()`)} Math.random()`'), 0)
})

test('a file without a word about itself is found, and one that is too long', () => {
  assert.equal(shapeFaults(file('flow/x.ts', "import { a } from './y.ts'\n")).length, 1)
  assert.equal(shapeFaults(file('flow/x.ts', `/** Keeps what is in flight. */\n${'a\n'.repeat(400)}`)).length, 1)
  assert.equal(shapeFaults(file('wire/messages/x.ts', `/** Made by a script from the schemas. */\n${'a\n'.repeat(400)}`)).length, 0)
})
