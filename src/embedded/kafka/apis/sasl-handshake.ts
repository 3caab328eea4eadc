/**
 * SaslHandshake: which mechanism is to be spoken. v0, after which tokens come without any request around them, is not offered.
 */
import { ERROR } from '../errors.ts'
import { MECHANISMS, Sasl } from '../sasl.ts'
import type { CoreHandler } from './common.ts'

export const saslHandshake: CoreHandler<'SaslHandshake'> = {
  api: 'SaslHandshake',
  versions: [1, 1],
  handle({ mechanism }, { state, connection }) {
    const sasl = state.part(Sasl)
    if (!sasl.enabled) return { errorCode: ERROR.ILLEGAL_SASL_STATE, mechanisms: [] }
    const errorCode = sasl.begin(connection, mechanism) ? ERROR.NONE : ERROR.UNSUPPORTED_SASL_MECHANISM
    return { errorCode, mechanisms: [...MECHANISMS] }
  }
}
