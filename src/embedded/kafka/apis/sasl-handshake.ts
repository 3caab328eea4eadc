/**
 * SaslHandshake: which mechanism is to be spoken. v0: tokens follow without any request around them; v1: in SaslAuthenticate (KIP-152).
 */
import { ERROR } from '../errors.ts'
import { MECHANISMS, Sasl } from '../sasl.ts'
import type { CoreHandler } from './common.ts'

export const saslHandshake: CoreHandler<'SaslHandshake'> = {
  api: 'SaslHandshake',
  versions: [0, 1],
  handle({ mechanism }, { version, state, connection }) {
    const sasl = state.part(Sasl)
    if (!sasl.enabled) return { errorCode: ERROR.ILLEGAL_SASL_STATE, mechanisms: [] }
    const errorCode = sasl.begin(connection, mechanism, version === 0) ? ERROR.NONE : ERROR.UNSUPPORTED_SASL_MECHANISM
    return { errorCode, mechanisms: [...MECHANISMS] }
  }
}
