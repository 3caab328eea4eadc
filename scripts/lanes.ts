/**
 * The lanes of the test command, quickest first: which files belong to each, by their names. A lane without files is a mistake, and
 * a test file that no lane takes cannot be. (What needs other runtimes is named `*.judge.ts`: see `judges.ts`.)
 */
import { readdirSync } from 'node:fs'
import { join, relative, sep } from 'node:path'

export interface Lane {
  name: string
  takes(file: string): boolean
  /** Test files at a time. Those that share a cluster, or start JVMs, go one by one. */
  atOnce: number
  /** Its files share processes: they hold nothing global, and must be quick. */
  together: boolean
  /** For one file as a whole. */
  fileLimitMs: number
  needsJava: boolean
  /** Run only when it is named: it takes too long for every change. */
  byName?: boolean
}

const isJava = (file: string) => file.endsWith('.java.test.ts')
const isCluster = (file: string) => file.startsWith('test/cluster/')
/** Faults under groups for minutes, mixed groups under load, a whole migration: `npm run test:long`. */
const long = [
  'classic-faults',
  'kafka-group-faults',
  'consumer-group-faults',
  'foreign-members',
  'group-foreign',
  'history',
  'migration',
  'outbox-kills',
  'verifiable'
]
const isLong = (file: string) => long.some(name => file === `test/cluster/${name}.test.ts`)
/** A part of the fault table on real brokers; its embedded scenarios and its tools are quick. */
const isFaults = (file: string) => file === 'test/faults/cut.test.ts'
const isEmbedded = (file: string) => file.startsWith('test/embedded/') || (file.startsWith('test/faults/') && !isFaults(file))
const isPackage = (file: string) => file === 'test/package.test.ts'

/** `pure` takes what no other lane does: no Java, no cluster, no network. */
export const lanes: Lane[] = [
  {
    name: 'pure',
    takes: file => !isJava(file) && !isCluster(file) && !isPackage(file) && !isEmbedded(file) && !isFaults(file),
    atOnce: 2,
    together: true,
    fileLimitMs: 120_000,
    needsJava: false
  },
  {
    name: 'embedded',
    takes: file => isEmbedded(file) && !isJava(file),
    atOnce: 2,
    together: false,
    fileLimitMs: 300_000,
    needsJava: false
  },
  { name: 'package', takes: isPackage, atOnce: 1, together: false, fileLimitMs: 240_000, needsJava: false },
  { name: 'java', takes: file => isJava(file) && !isCluster(file), atOnce: 1, together: false, fileLimitMs: 300_000, needsJava: true },
  { name: 'cluster', takes: file => isCluster(file) && !isLong(file), atOnce: 1, together: false, fileLimitMs: 600_000, needsJava: true },
  { name: 'faults', takes: isFaults, atOnce: 1, together: false, fileLimitMs: 600_000, needsJava: true },
  { name: 'long', takes: isLong, atOnce: 1, together: false, fileLimitMs: 1_800_000, needsJava: true, byName: true }
]

/** Every test file, relative to the root, with forward slashes. */
export function testFiles(root: string): string[] {
  return readdirSync(join(root, 'test'), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map(entry => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort()
}
