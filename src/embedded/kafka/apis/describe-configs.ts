/**
 * DescribeConfigs: configurations of topics and brokers, with where each value comes from.
 *
 * v0: default or not. v1: sources and synonyms. v3: types and documentation.
 */
import type { ResponseOf } from '../../../wire/apis.ts'
import type { Broker } from '../broker.ts'
import { CONFIG_TYPE } from '../config-definitions.ts'
import { CONFIG_SOURCE, type ConfigValue } from '../configs.ts'
import { ERROR, KafkaFault } from '../errors.ts'
import type { ClusterState } from '../state.ts'
import { type CoreHandler, faultOf } from './common.ts'

type ToldConfig = ResponseOf<'DescribeConfigs'>['results'][number]['configs'][number]

/** Kafka's numbers for kinds of resources (`ConfigResource.Type`). */
export const RESOURCE = { topic: 2, broker: 4, brokerLogger: 8 } as const

export const describeConfigs: CoreHandler<'DescribeConfigs'> = {
  api: 'DescribeConfigs',
  versions: [0, 4],
  handle({ resources, includeSynonyms = false }, { version, broker, state }) {
    const results = resources.map(({ resourceType, resourceName, configurationKeys }) => {
      const told = { errorCode: ERROR.NONE, errorMessage: null, resourceType, resourceName, configs: [] }
      try {
        const values = valuesOf(state, broker, resourceType, resourceName)
        const wanted = configurationKeys && configurationKeys.length > 0 ? new Set(configurationKeys) : undefined
        const configs = toldConfigs(values.filter(({ definition }) => wanted?.has(definition.name) ?? true))
        // Sources took the place of this flag.
        const flag = (config: ToldConfig) => version === 0 && config.isDefault
        return {
          ...told,
          configs: configs.map(config => ({ ...config, isDefault: flag(config), synonyms: includeSynonyms ? config.synonyms : [] }))
        }
      } catch (error) {
        return { ...told, ...faultOf(error) }
      }
    })
    return { throttleTimeMs: 0, results }
  }
}

function valuesOf(state: ClusterState, broker: Broker, type: number, name: string): ConfigValue[] {
  if (type === RESOURCE.topic) {
    if (!state.nameIsValid(name)) throw new KafkaFault('INVALID_TOPIC_EXCEPTION', `Topic name is invalid: ${name}`)
    if (!state.topic(name)) throw new KafkaFault('UNKNOWN_TOPIC_OR_PARTITION', 'This server does not host this topic-partition.')
    return state.configs.describe('topic', name)
  }
  if (type === RESOURCE.broker) {
    checkBroker(broker, name)
    const values = state.configs.describe('broker', name, name === '' ? {} : ownConfigs(broker))
    // Of all brokers together: what was given to all of them at run time.
    return name === '' ? values.filter(({ source }) => source === CONFIG_SOURCE.defaultBroker) : values
  }
  if (type === RESOURCE.brokerLogger) {
    checkBroker(broker, name)
    return []
  }
  throw new KafkaFault('INVALID_REQUEST', `Unsupported resource type: ${type}`)
}

/** Only a broker itself knows its own. */
export function checkBroker(broker: Broker, name: string): void {
  if (name === '') return
  if (!/^\d+$/.test(name)) throw new KafkaFault('INVALID_REQUEST', `Broker id must be an integer, but it is: ${name}`)
  if (Number(name) !== broker.id)
    throw new KafkaFault('INVALID_REQUEST', `Unexpected broker id, expected ${broker.id} or empty string, but received ${name}`)
}

function ownConfigs({ id, address }: Broker): Record<string, string> {
  return { 'broker.id': String(id), listeners: `PLAINTEXT://${address}`, 'advertised.listeners': `PLAINTEXT://${address}` }
}

export function toldConfigs(values: readonly ConfigValue[]): ToldConfig[] {
  return values.map(({ definition, value, source, synonyms }) => ({
    name: definition.name,
    value,
    readOnly: definition.readOnly === true,
    isDefault: source === CONFIG_SOURCE.default,
    configSource: source,
    isSensitive: false,
    synonyms: synonyms.map(each => ({ ...each })),
    configType: CONFIG_TYPE[definition.type],
    documentation: null
  }))
}
