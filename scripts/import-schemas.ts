/**
 * Takes Kafka's message schemas out of two kafka-clients jars (the oldest line that is supported and the newest) and writes the union of both
 * as declarative definitions, one file per API, into `src/wire/messages`. No prose is carried over.
 *
 *   npm run schemas               writes the files
 *   npm run schemas -- --check    fails when what lies there differs
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jarsFor } from '../test/support/maven.ts'

type Range = [number, number]

interface Schema {
  apiKey?: number
  type: string
  name: string
  listeners?: string[]
  validVersions: string
  flexibleVersions: string
  fields: SchemaField[]
  commonStructs?: { name: string; versions: string; fields: SchemaField[] }[]
}

interface SchemaField {
  name: string
  type: string
  versions: string
  nullableVersions?: string
  taggedVersions?: string
  flexibleVersions?: string
  tag?: number
  default?: unknown
  ignorable?: boolean
  fields?: SchemaField[]
}

/** A field with absolute ranges, as it is written out. */
interface Field {
  name: string
  type: string
  array: boolean
  versions: Range
  nullable?: Range
  tag?: number
  tagged?: Range
  rigid?: true
  default?: unknown
  ignorable?: true
  fields?: Field[]
}

interface Message {
  name: string
  versions: Range
  flexible: Range | null
  fields: Field[]
}

/** Between brokers only; a client never sends them. */
const BETWEEN_BROKERS = new Set([
  'LeaderAndIsr',
  'StopReplica',
  'UpdateMetadata',
  'ControlledShutdown',
  'AlterPartition',
  'Envelope',
  'AllocateProducerIds',
  'AssignReplicasToDirs',
  'InitializeShareGroupState',
  'ReadShareGroupState',
  'WriteShareGroupState',
  'DeleteShareGroupState',
  'ReadShareGroupStateSummary'
])
/** What any publisher speaks before its first message is written: loaded with the rest, since a file more takes 2 ms of a start. */
const AT_ONCE = ['ApiVersions', 'Metadata', 'InitProducerId', 'Produce']

/** Written by clients into other messages' bytes fields. */
const DATA = ['ConsumerProtocolSubscription', 'ConsumerProtocolAssignment']
const TARGET = new URL('../src/wire/messages/', import.meta.url)

const stripComments = (text: string) =>
  text
    .split('\n')
    .map(line => line.replace(/^\s*\/\/.*$/, ''))
    .join('\n')

function readSchemas(jar: string): Map<string, Schema> {
  const folder = mkdtempSync(join(tmpdir(), 'schemas-'))
  try {
    execFileSync('jar', ['xf', jar, 'common/message'], { cwd: folder })
    const out = new Map<string, Schema>()
    for (const file of readdirSync(join(folder, 'common/message'))) {
      if (!file.endsWith('.json')) continue
      const schema = JSON.parse(stripComments(readFileSync(join(folder, 'common/message', file), 'utf8'))) as Schema
      if (schema.validVersions !== 'none') out.set(schema.name, schema)
    }
    return out
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function parseRange(text: string | undefined, within: Range): Range | null {
  if (text === undefined || text === 'none') return null
  const match = /^(\d+)(\+|-(\d+))?$/.exec(text)
  if (!match) throw new Error(`not a version range: ${text}`)
  const low = Number(match[1])
  const high = match[2] === '+' ? within[1] : match[3] === undefined ? low : Number(match[3])
  const range: Range = [Math.max(low, within[0]), Math.min(high, within[1])]
  return range[0] <= range[1] ? range : null
}

function union(a: Range | null | undefined, b: Range | null | undefined, what: string): Range | null {
  if (!a || !b) return a ?? b ?? null
  if (a[1] + 1 < b[0] || b[1] + 1 < a[0]) throw new Error(`${what}: the ranges ${a} and ${b} leave a gap`)
  return [Math.min(a[0], b[0]), Math.max(a[1], b[1])]
}

const lower = (name: string) => name[0]!.toLowerCase() + name.slice(1)

function readFields(fields: SchemaField[], within: Range, structs: Map<string, SchemaField[]>): Field[] {
  const out: Field[] = []
  for (const field of fields) {
    const tagged = field.tag === undefined ? null : parseRange(field.taggedVersions ?? field.versions, within)
    const versions = parseRange(field.versions, within)
    if (!versions) continue
    const array = field.type.startsWith('[]')
    const type = array ? field.type.slice(2) : field.type
    const isStruct = /^[A-Z]/.test(type)
    const nullable = parseRange(field.nullableVersions, within)
    out.push({
      name: lower(field.name),
      type,
      array,
      versions,
      ...(nullable ? { nullable } : {}),
      ...(tagged ? { tag: field.tag!, tagged } : {}),
      ...(field.flexibleVersions === 'none' ? { rigid: true as const } : {}),
      ...(field.default !== undefined ? { default: field.default } : {}),
      ...(field.ignorable ? { ignorable: true as const } : {}),
      ...(isStruct ? { fields: readFields(field.fields ?? structs.get(type) ?? fail(`no struct ${type}`), within, structs) } : {})
    })
  }
  return out
}

function fail(what: string): never {
  throw new Error(what)
}

function readMessage(schema: Schema): Message {
  const versions = parseRange(schema.validVersions, [0, 1000])!
  const structs = new Map((schema.commonStructs ?? []).map(struct => [struct.name, struct.fields]))
  return {
    name: schema.name,
    versions,
    flexible: parseRange(schema.flexibleVersions, versions),
    fields: readFields(schema.fields, versions, structs)
  }
}

/** Fields of both, in the newer order; those that only the older has follow their older neighbour. */
function mergeFields(old: Field[], recent: Field[], where: string): Field[] {
  const out = recent.map(field => {
    const before = old.find(other => other.name === field.name)
    return before ? mergeField(before, field, `${where}.${field.name}`) : field
  })
  for (const [index, field] of old.entries()) {
    if (out.some(other => other.name === field.name)) continue
    const previous = index === 0 ? -1 : out.findIndex(other => other.name === old[index - 1]!.name)
    out.splice(previous + 1, 0, field)
  }
  return out
}

function mergeField(old: Field, recent: Field, where: string): Field {
  const told = (field: Field) =>
    JSON.stringify([field.fields ? 'struct' : field.type, field.array, field.tag, field.rigid, String(field.default)])
  if (told(old) !== told(recent)) throw new Error(`${where} differs between the two releases: ${told(old)} and ${told(recent)}`)
  const nullable = union(old.nullable, recent.nullable, where)
  const tagged = union(old.tagged, recent.tagged, where)
  return {
    ...recent,
    versions: union(old.versions, recent.versions, where)!,
    ...(nullable ? { nullable } : {}),
    ...(tagged ? { tagged } : {}),
    ...(old.ignorable || recent.ignorable ? { ignorable: true as const } : {}),
    ...(recent.fields ? { fields: mergeFields(old.fields ?? [], recent.fields, where) } : {})
  }
}

function mergeMessage(old: Message | undefined, recent: Message | undefined): Message {
  if (!old || !recent) return old ?? recent!
  return {
    name: recent.name,
    versions: union(old.versions, recent.versions, recent.name)!,
    flexible: union(old.flexible, recent.flexible, recent.name),
    fields: mergeFields(old.fields, recent.fields, recent.name)
  }
}

// ---- writing -------------------------------------------------------------------------------------------------------------------

const TYPES: Record<string, string> = {
  bool: 'boolean',
  int8: 'number',
  int16: 'number',
  uint16: 'number',
  int32: 'number',
  uint32: 'number',
  int64: 'bigint',
  float64: 'number',
  string: 'string',
  uuid: 'string',
  bytes: 'Buffer',
  records: 'Buffer'
}

/** Kafka writes defaults as JSON of any kind, numbers also as strings and hex. */
function defaultOf(field: Field): string | undefined {
  const { default: value, type } = field
  if (value === undefined) return undefined
  if (value === 'null' || value === null) return 'null'
  if (type === 'int64') return `${BigInt(value as string)}n`
  if (type === 'bool') return String(value === true || value === 'true')
  if (type === 'string') return JSON.stringify(value)
  if (TYPES[type] === 'number') return String(Number(value))
  throw new Error(`${field.name}: a default of ${JSON.stringify(value)} for ${type}`)
}

function writeField(field: Field, indent: string): string {
  const parts = [`name: '${field.name}'`, `type: '${field.fields ? 'struct' : field.type}'`]
  if (field.array) parts.push('array: true')
  parts.push(`versions: [${field.versions.join(', ')}]`)
  if (field.nullable) parts.push(`nullable: [${field.nullable.join(', ')}]`)
  if (field.tagged) parts.push(`tag: ${field.tag}`, `tagged: [${field.tagged.join(', ')}]`)
  if (field.rigid) parts.push('rigid: true')
  const fallback = defaultOf(field)
  if (fallback !== undefined) parts.push(`default: ${fallback}`)
  if (field.ignorable) parts.push('ignorable: true')
  const fields = field.fields ? `, fields: [\n${field.fields.map(inner => writeField(inner, `${indent}  `)).join(',\n')}\n${indent}]` : ''
  return `${indent}{ ${parts.join(', ')}${fields} }`
}

function writeDefinition(message: Message): string {
  const flexible = message.flexible ? `[${message.flexible.join(', ')}]` : 'null'
  const fields = message.fields.map(field => writeField(field, '    ')).join(',\n')
  return `export const ${lower(message.name)}: Definition = {\n  name: '${message.name}', versions: [${message.versions.join(', ')}], flexible: ${flexible},\n  fields: [\n${fields}\n  ]\n}\n`
}

/** In what is sent, a field may be left out where it has a default to fall back on; what is read has every field. */
function writeType(fields: Field[], versions: Range, sent: boolean, indent: string): string {
  return fields
    .map(field => {
      const inner = field.fields ? `{\n${writeType(field.fields, versions, sent, `${indent}  `)}\n${indent}}` : TYPES[field.type]!
      const one =
        sent && field.type === 'records' ? 'Buffer | readonly Uint8Array[]' : sent && field.type === 'bytes' ? 'Uint8Array' : inner
      const list = field.array ? (/[|{]/.test(one) && !one.startsWith('{') ? `(${one})[]` : `${one}[]`) : one
      const mayBeNull = field.nullable || field.default === 'null' || field.default === null || field.type === 'records'
      const everywhere = field.versions[0] <= versions[0] && field.versions[1] >= versions[1]
      const optional = sent && (!everywhere || field.tag !== undefined || field.default !== undefined || field.ignorable) ? '?' : ''
      return `${indent}${field.name}${optional}: ${list}${mayBeNull ? ' | null' : ''}`
    })
    .join('\n')
}

const writeInterface = (message: Message, sent: boolean) =>
  `export interface ${message.name} {\n${writeType(message.fields, message.versions, sent, '  ')}\n}\n`

const HEADER = "// Made by `npm run schemas` from Kafka's own schemas. Do not edit.\n"
const kebab = (name: string) => name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase()

function writeFiles(old: Map<string, Schema>, recent: Map<string, Schema>): Map<string, string> {
  const merged = (name: string) => {
    const [a, b] = [old.get(name), recent.get(name)]
    return mergeMessage(a && readMessage(a), b && readMessage(b))
  }
  const files = new Map<string, string>()
  const apis: { name: string; key: number; versions: Range }[] = []
  const newest = new Map(
    [...old.values(), ...recent.values()].filter(({ type }) => type === 'request').map(schema => [schema.apiKey, schema])
  )
  // By key, not by name: an API that was renamed is one API, under its newer name.
  for (const schema of newest.values()) {
    const name = schema.name.replace(/Request$/, '')
    const listeners = [...(old.get(schema.name)?.listeners ?? []), ...(recent.get(schema.name)?.listeners ?? [])]
    if (BETWEEN_BROKERS.has(name) || !listeners.some(listener => listener === 'broker' || listener === 'zkBroker')) continue
    const [request, response] = [merged(`${name}Request`), merged(`${name}Response`)]
    apis.push({ name, key: schema.apiKey!, versions: request.versions })
    files.set(
      `${kebab(name)}.ts`,
      `${HEADER}import type { Definition } from '../definition.ts'\n\n${writeInterface(request, true)}\n${writeInterface(response, false)}\n${writeDefinition(request)}\n${writeDefinition(response)}\nexport { ${lower(request.name)} as request, ${lower(response.name)} as response }\n`
    )
  }
  for (const name of [...DATA, 'RequestHeader', 'ResponseHeader']) {
    const message = merged(name)
    files.set(
      `${kebab(name)}.ts`,
      `${HEADER}import type { Definition } from '../definition.ts'\n\n${writeInterface(message, false)}\n${writeDefinition(message)}`
    )
  }
  apis.sort((a, b) => a.key - b.key)
  const types = apis.map(
    ({ name }) =>
      `  ${name}: { request: import('./${kebab(name)}.ts').${name}Request; response: import('./${kebab(name)}.ts').${name}Response }`
  )
  const table = apis.map(({ name, key, versions }) => {
    const load = AT_ONCE.includes(name) ? `Promise.resolve(${lower(name)})` : `import('./${kebab(name)}.ts')`
    return `  ${name}: { key: ${key}, versions: [${versions.join(', ')}], load: () => ${load} }`
  })
  const atOnce = AT_ONCE.map(name => `import * as ${lower(name)} from './${kebab(name)}.ts'\n`)
    .sort()
    .join('')
  files.set(
    'index.ts',
    `${HEADER}import type { Definition } from '../definition.ts'\n${atOnce}\n/** Every API's types, by name. */\nexport interface ApiTypes {\n${types.join('\n')}\n}\n\n/** Every API: its key, and how to load its definitions. */\nexport const API_TABLE: Record<keyof ApiTypes, { key: number; versions: readonly [number, number]; load: () => Promise<{ request: Definition; response: Definition }> }> = {\n${table.join(',\n')}\n}\n`
  )
  return files
}

async function main(): Promise<void> {
  const jarIn = (folder: string) =>
    join(folder, readdirSync(folder).find(file => /^kafka-clients-\d.*\.jar$/.test(file)) ?? fail(`no kafka-clients jar in ${folder}`))
  const files = writeFiles(readSchemas(jarIn(await jarsFor('kafka-3.9.1'))), readSchemas(jarIn(await jarsFor('kafka-4'))))
  const there = new Set(readdirSync(TARGET).filter(file => file.endsWith('.ts')))
  let stale = 0
  for (const [file, text] of files) {
    there.delete(file)
    const target = new URL(file, TARGET)
    const before = readdirSync(TARGET).includes(file) ? readFileSync(target, 'utf8') : ''
    if (before === text) continue
    stale++
    if (!process.argv.includes('--check')) writeFileSync(target, text)
  }
  for (const file of there) {
    stale++
    if (!process.argv.includes('--check')) rmSync(new URL(file, TARGET))
  }
  console.log(`${files.size} files, ${stale} ${process.argv.includes('--check') ? 'differ from the schemas' : 'written or removed'}.`)
  if (process.argv.includes('--check') && stale > 0) process.exitCode = 1
}

await main()
