/**
 * CreatePartitions: more of them for topics that are there, by the controller alone.
 */
import { ERROR } from '../errors.ts'
import { type CoreHandler, faultOf, firsts, repeated } from './common.ts'

export const createPartitions: CoreHandler<'CreatePartitions'> = {
  api: 'CreatePartitions',
  versions: [0, 3],
  handle({ topics, validateOnly }, { broker, state }) {
    const twice = repeated(topics.map(({ name }) => name))
    const once = firsts(topics)
    const results = once.map(({ name, count, assignments }) => {
      const told = { name, errorCode: ERROR.NONE, errorMessage: null }
      if (state.controllerId !== broker.id) return { ...told, errorCode: ERROR.NOT_CONTROLLER }
      if (twice.has(name)) return { ...told, errorCode: ERROR.INVALID_REQUEST, errorMessage: 'Duplicate topic in request.' }
      try {
        const replicas = assignments && assignments.length > 0 ? assignments.map(({ brokerIds }) => brokerIds) : null
        state.addPartitions(name, count, replicas, { validateOnly })
        return told
      } catch (error) {
        return { ...told, ...faultOf(error) }
      }
    })
    return { throttleTimeMs: 0, results }
  }
}
