/**
 * Java programs of the tests: compiled once per content into the cache, and class archives that halve a broker's start.
 * Sources lie in `test/java/`.
 */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hashOf, once, requireTool, run } from './maven.ts'

const sourceFolder = fileURLToPath(new URL('../java/', import.meta.url))

/** Flags for a JVM that lives for minutes and must start soon: first compiler only, smallest collector, no files in /tmp. */
export const quickStart = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-XX:-UsePerfData', '-Xshare:auto']

/**
 * Compiles `test/java/<file>` … against jars and answers with the folder of classes.
 * @throws with the compiler's words.
 */
export async function compileJava(files: string[], jarFolder: string): Promise<string> {
  const sources = files.map(file => join(sourceFolder, file))
  const name = `${basename(files[0]!, '.java')}-${hashOf(jarFolder, ...sources.map(source => readFileSync(source)))}`
  return once('classes', name, async work => {
    await requireTool('javac', ['-version'], 'a JDK (17 or newer; a JRE has no compiler)')
    const failure = await run('javac', ['-nowarn', '-proc:none', '-d', work, '-cp', join(jarFolder, '*'), ...sources], 120_000)
    if (failure) throw new Error(`javac failed on ${files.join(', ')}\n${failure}`)
  })
}

/** The same as a jar: a class archive takes no folder of classes. Answers with the folder that holds nothing but the jar. */
export async function javaJar(files: string[], jarFolder: string): Promise<string> {
  const classes = await compileJava(files, jarFolder)
  return once('programs', basename(classes), async work => {
    const failure = await run('jar', ['--create', '--file', join(work, 'program.jar'), '-C', classes, '.'], 60_000)
    if (failure) throw new Error(`jar failed on ${classes}\n${failure}`)
  })
}

/**
 * The flag that lets a JVM map an archive of its loaded classes, which `train` makes on first use: it gets the flag that dumps the
 * archive at exit and runs the program once, ending it in order.
 */
export async function classArchive(name: string, jarFolder: string, train: (dumpFlag: string) => Promise<void>): Promise<string> {
  const folder = await once('archives', `${name}-${hashOf(jarFolder, await javaVersion())}`, async work => {
    console.error(`making a class archive for ${name}, once`)
    await train(`-XX:ArchiveClassesAtExit=${join(work, 'classes.jsa')}`)
  })
  return `-XX:SharedArchiveFile=${join(folder, 'classes.jsa')}`
}

function javaVersion(): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('java', ['-version'], (error, _stdout, stderr) => {
      if (error) reject(new Error(`the tests against real Kafka need a JDK (17 or newer): \`java\` did not run. ${error.message}`))
      else resolve(stderr)
    })
  })
}
