/**
 * Histories in files: NDJSON of operations, or the lines that Kafka's VerifiableProducer and VerifiableConsumer print. Several files are merged by
 * time, line by line, so that none has to fit into memory.
 */
import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { createInterface } from 'node:readline'
import { HistoryError, type Operation, parseOperation } from './operation.ts'
import { Verifiable } from './verifiable.ts'

export interface FileOptions {
  /** The group of the consumers whose output is read; theirs does not tell it. */
  group?: string
}

/** The operations of one file (`-`: standard input). Throws HistoryError, which names file and line. */
export async function* readHistory(path: string, options: FileOptions = {}): AsyncGenerator<Operation> {
  const input = path === '-' ? process.stdin : createReadStream(path)
  let verifiable: Verifiable | undefined
  let number = 0
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      number++
      if (line.trim() === '') continue
      if (verifiable === undefined && !isOperation(line))
        verifiable = new Verifiable(basename(path).replace(/\.[^.]+$/, ''), options.group === undefined ? {} : { group: options.group })
      if (verifiable) yield* verifiable.line(line)
      else yield parseOperation(line, number - 1)
    }
    if (verifiable) yield* verifiable.end()
  } catch (error) {
    throw error instanceof HistoryError ? new HistoryError(`${path}: ${error.message}`) : error
  }
}

/** What the tools print has a name, an operation has an f; anything else is told by the parser of operations. */
function isOperation(line: string): boolean {
  try {
    const given = JSON.parse(line) as { name?: unknown; f?: unknown } | null
    return !(typeof given === 'object' && given !== null && typeof given.name === 'string' && given.f === undefined)
  } catch {
    return true
  }
}

/** The operations of several files, each in its own order, together in the order of time. */
export async function* mergeHistories(files: readonly AsyncGenerator<Operation>[]): AsyncGenerator<Operation> {
  const heads: { next: Operation; file: AsyncGenerator<Operation> }[] = []
  const advance = async (file: AsyncGenerator<Operation>) => {
    const { value, done } = await file.next()
    return done ? undefined : { next: value as Operation, file }
  }
  for (const file of files) {
    const head = await advance(file)
    if (head) heads.push(head)
  }
  if (heads.length === 1) {
    yield heads[0]!.next
    yield* heads[0]!.file
    return
  }
  for (let index = 0; heads.length > 0; index++) {
    let least = 0
    for (let at = 1; at < heads.length; at++) if (heads[at]!.next.time < heads[least]!.next.time) least = at
    const { next, file } = heads[least]!
    // Indexes of several files say nothing together.
    yield { ...next, index }
    const head = await advance(file)
    if (head) heads[least] = head
    else heads.splice(least, 1)
  }
}
