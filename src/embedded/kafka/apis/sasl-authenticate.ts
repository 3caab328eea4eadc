/**
 * SaslAuthenticate: a step of the exchange that SaslHandshake has begun. v1: how long it holds (0: for good).
 */
import { ERROR } from '../errors.ts'
import { AuthenticationError, Sasl } from '../sasl.ts'
import type { CoreHandler } from './common.ts'

export const saslAuthenticate: CoreHandler<'SaslAuthenticate'> = {
  api: 'SaslAuthenticate',
  versions: [0, 2],
  handle({ authBytes }, { state, connection }) {
    const told = { errorMessage: null as string | null, authBytes: Buffer.alloc(0), sessionLifetimeMs: 0n }
    try {
      const answer = state.part(Sasl).step(connection, Buffer.from(authBytes))
      if (answer) return { ...told, errorCode: ERROR.NONE, authBytes: answer }
      return { ...told, errorCode: ERROR.ILLEGAL_SASL_STATE, errorMessage: 'SaslAuthenticate request received without a SaslHandshake' }
    } catch (error) {
      if (!(error instanceof AuthenticationError)) throw error
      return { ...told, errorCode: ERROR.SASL_AUTHENTICATION_FAILED, errorMessage: error.message }
    }
  }
}
