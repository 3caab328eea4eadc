/**
 * `npm run errors [-- API …]`: every Kafka error code as the answer to every API that samsa sends, all of them, one API after the other. Exit code 1:
 * a client did not do what the table of classes says.
 */
import { SENT_APIS, type SentApi } from '../src/model/error-classes.ts'
import { OPERATIONS } from '../test/embedded/errors/operations.ts'
import { problemsOf, walk } from '../test/embedded/errors/walk.ts'

const named = process.argv.slice(2)
const stranger = named.find(name => !SENT_APIS.includes(name as SentApi))
if (stranger !== undefined) throw new Error(`${stranger} is no API of the table; there are ${SENT_APIS.join(', ')}.`)

let cells = 0
let wrong = 0
for (const api of SENT_APIS.filter(name => OPERATIONS[name] && (named.length === 0 || named.includes(name)))) {
  const startedMs = performance.now()
  const outcomes = await walk(api)
  const problems = problemsOf(api, outcomes)
  cells += outcomes.length
  wrong += problems.length
  console.log(
    `${api.padEnd(24)} ${outcomes.length} codes, ${((performance.now() - startedMs) / 1_000).toFixed(1)} s${problems.length > 0 ? '' : ', all well'}`
  )
  for (const problem of problems) console.log(`  ${problem}`)
}
console.log(`${cells} cells, ${wrong} wrong`)
process.exitCode = wrong > 0 ? 1 : 0
