/**
 * AlterConfigs, of old: all values of a resource at once; what is not named goes back to its default. kafkajs has nothing else.
 */
import { ERROR, KafkaFault } from '../errors.ts'
import { type CoreHandler, faultOf } from './common.ts'
import { resourceOf, setConfigs } from './incremental-alter-configs.ts'

export const alterConfigs: CoreHandler<'AlterConfigs'> = {
  api: 'AlterConfigs',
  versions: [0, 2],
  handle({ resources, validateOnly }, { broker, state }) {
    const responses = resources.map(({ resourceType, resourceName, configs }) => {
      const told = { errorCode: ERROR.NONE, errorMessage: null, resourceType, resourceName }
      try {
        const nulls = configs.filter(({ value }) => value === null).map(({ name }) => name)
        if (nulls.length > 0) throw new KafkaFault('INVALID_REQUEST', `Null value not supported for : ${nulls.join(',')}`)
        const values = Object.fromEntries(configs.map(({ name, value }) => [name, value!]))
        setConfigs(state, resourceOf(state, broker, resourceType, resourceName), values, resourceName, validateOnly)
        return told
      } catch (error) {
        return { ...told, ...faultOf(error) }
      }
    })
    return { throttleTimeMs: 0, responses }
  }
}
