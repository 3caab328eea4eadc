/**
 * Every error code in every API that samsa sends: the embedded cluster answers it once, and the client's operation ends as the code's class says.
 * Here with all codes that mean more than "fatal", and a part of those that do not; `npm run errors` walks over all of them.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { errorClass, SENT_APIS, type SentApi } from '../../../src/model/error-classes.ts'
import { OPERATIONS } from './operations.ts'
import { CODES, FUTURE, problemsOf, walk } from './walk.ts'

/** Looked at with another test: what a connection begins with, what needs a leader that moves, and an outbox that is found again. */
const ELSEWHERE: readonly SentApi[] = ['ApiVersions', 'OffsetForLeaderEpoch', 'DescribeProducers']
const WHOLE = process.env.SAMSA_ERRORS === 'whole'
const PART = 20

/** Each API takes another part of the fatal ones, so that together they are most. */
function codesFor(api: SentApi): readonly number[] {
  const part = SENT_APIS.indexOf(api) % PART
  return CODES.filter((code, at) => WHOLE || code === FUTURE || at % PART === part || isTold(api, code))
}

/** Members and publishers take the longest; of what they only try again a part will do. */
const isTold = (api: SentApi, code: number) => {
  const found = errorClass(api, code)
  return found === 'rejoin' || found === 'none' || ((found === 'retry' || found === 'refresh') && code <= 16) || code === 29 || code === 82
}

describe('an error code as the answer', () => {
  for (const api of SENT_APIS)
    if (!ELSEWHERE.includes(api))
      it(`of ${api}: the client does what the table says`, async () => {
        assert.ok(OPERATIONS[api], 'nothing uses it')
        assert.deepEqual(problemsOf(api, await walk(api, codesFor(api))), [])
      })
})
