/**
 * The checker by itself: `node --import tsx test/checker/main.ts history.ndjson`. Anomalies as JSON lines, the summary last.
 * Exit code 0: the history is right. 1: it is not. 2: it cannot be read, or it proves nothing (`--require-faults`).
 */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ANOMALIES, type AnomalyType, MODES, type Mode } from './anomalies.ts'
import { Checker, type CheckOptions } from './checker.ts'
import { mergeHistories, readHistory } from './files.ts'
import { HistoryError } from './operation.ts'

const USAGE = `usage: node --import tsx test/checker/main.ts [options] FILE…     (- is standard input; several files are merged by time)
  --mode MODE        ${MODES.join(', ')}; default at-least-once
  --forbid A,B       these are faults whatever the mode says
  --allow A,B        these are none
  --require-faults   a run without faults, operations during them, ok and unknown outcomes proves nothing (exit code 2)
  --not-final        the readers have not read to the end: nothing is unseen
  --skew-ms MS       clocks of several processes may differ by this; default 0
  --group NAME       the group of consumers whose output is read as VerifiableConsumer prints it
  --all              tell what is legal in this mode, too
anomalies: ${Object.keys(ANOMALIES).join(', ')}`

function anomalyTypes(text: string | undefined): AnomalyType[] {
  const names = text ? text.split(',') : []
  for (const name of names) if (!Object.hasOwn(ANOMALIES, name)) throw new HistoryError(`there is no anomaly ${name}`)
  return names as AnomalyType[]
}

function readOptions(args: readonly string[]) {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      mode: { type: 'string' },
      forbid: { type: 'string' },
      allow: { type: 'string' },
      'require-faults': { type: 'boolean' },
      'not-final': { type: 'boolean' },
      'skew-ms': { type: 'string' },
      group: { type: 'string' },
      all: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' }
    }
  })
  const { mode = 'at-least-once' } = values
  if (!MODES.includes(mode as Mode)) throw new HistoryError(`--mode is ${mode}; it is one of ${MODES.join(', ')}`)
  const skewMs = Number(values['skew-ms'] ?? 0)
  if (!(skewMs >= 0)) throw new HistoryError(`--skew-ms is ${values['skew-ms']}; give milliseconds`)
  if (positionals.length === 0 && !values.help) throw new HistoryError('which history? Give its file')
  const check: CheckOptions = {
    mode: mode as Mode,
    forbid: anomalyTypes(values.forbid),
    allow: anomalyTypes(values.allow),
    requireFaults: values['require-faults'] ?? false,
    final: !values['not-final'],
    skewMs
  }
  return { check, files: positionals, group: values.group, all: values.all ?? false, help: values.help ?? false }
}

async function checkFiles(args: readonly string[], print: (line: string) => void): Promise<number> {
  const { check, files, group, all, help } = readOptions(args)
  if (help) {
    print(USAGE)
    return 0
  }
  const checker = new Checker(check)
  const histories = files.map(file => readHistory(file, group === undefined ? {} : { group }))
  for await (const operation of mergeHistories(histories)) checker.add(operation)
  const { valid, anomalies, legal, summary } = checker.finish()
  for (const anomaly of anomalies) print(JSON.stringify(anomaly))
  if (all) for (const { anomaly, ...rest } of legal) print(JSON.stringify({ legal: anomaly, ...rest }))
  print(JSON.stringify({ valid, ...summary }))
  return valid === true ? 0 : valid === false ? 1 : 2
}

/** Resolves to the exit code. */
export async function main(args: readonly string[], print: (line: string) => void, complain: (line: string) => void): Promise<number> {
  try {
    return await checkFiles(args, print)
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    const wrongUse = error instanceof HistoryError || code?.startsWith('ERR_PARSE_ARGS') === true
    if (!wrongUse && code !== 'ENOENT') throw error
    complain(message)
    if (wrongUse) complain(USAGE)
    return 2
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main(process.argv.slice(2), console.log, console.error)
