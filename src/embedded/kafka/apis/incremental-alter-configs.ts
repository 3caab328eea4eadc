/**
 * IncrementalAlterConfigs (KIP-339): single values of topics and brokers set, taken away, or lists of them changed.
 */
import type { RequestOf } from '../../../wire/apis.ts'
import type { Broker } from '../broker.ts'
import { definitionOf } from '../config-definitions.ts'
import { ERROR, KafkaFault } from '../errors.ts'
import type { ClusterState } from '../state.ts'
import { type CoreHandler, faultOf, repeated } from './common.ts'
import { checkBroker, RESOURCE } from './describe-configs.ts'

type Change = RequestOf<'IncrementalAlterConfigs'>['resources'][number]['configs'][number]

/** Kafka's numbers (`AlterConfigOp.OpType`). */
const OPERATION = { set: 0, delete: 1, append: 2, subtract: 3 } as const

export const incrementalAlterConfigs: CoreHandler<'IncrementalAlterConfigs'> = {
  api: 'IncrementalAlterConfigs',
  versions: [0, 1],
  handle({ resources, validateOnly }, { broker, state }) {
    const responses = resources.map(({ resourceType, resourceName, configs }) => {
      const told = { errorCode: ERROR.NONE, errorMessage: null, resourceType, resourceName }
      try {
        const resource = resourceOf(state, broker, resourceType, resourceName)
        setConfigs(state, resource, changed(resource, state, resourceName, configs), resourceName, validateOnly)
        return told
      } catch (error) {
        return { ...told, ...faultOf(error) }
      }
    })
    return { throttleTimeMs: 0, responses }
  }
}

/** Also AlterConfigs'. Throws what is wrong with the resource itself. */
export function resourceOf(state: ClusterState, broker: Broker, type: number, name: string): 'topic' | 'broker' {
  if (type === RESOURCE.broker) {
    checkBroker(broker, name)
    return 'broker'
  }
  if (type !== RESOURCE.topic) throw new KafkaFault('INVALID_REQUEST', `Unsupported resource type: ${type}`)
  if (!state.topic(name)) throw new KafkaFault('UNKNOWN_TOPIC_OR_PARTITION', `The topic '${name}' does not exist.`)
  return 'topic'
}

export function setConfigs(
  state: ClusterState,
  resource: 'topic' | 'broker',
  values: Readonly<Record<string, string>>,
  name: string,
  validateOnly: boolean
): void {
  const checked = resource === 'topic' ? state.configs.checkTopic(values) : state.configs.checkBroker(values)
  for (const key of resource === 'broker' ? Object.keys(values) : [])
    if (definitionOf('broker', key)?.readOnly) throw new KafkaFault('INVALID_REQUEST', `Cannot update these configs dynamically: ${key}`)
  if (validateOnly) return
  if (resource === 'topic') state.configs.setTopic(name, checked)
  else state.configs.setBroker(name, checked)
  state.configChanged(resource, name)
}

function changed(resource: 'topic' | 'broker', state: ClusterState, name: string, changes: readonly Change[]): Record<string, string> {
  const twice = repeated(changes.map(each => each.name))
  if (twice.size > 0) throw new KafkaFault('INVALID_REQUEST', `Error due to duplicate config keys : ${[...twice].join(',')}`)
  const nulls = changes.filter(({ configOperation, value }) => configOperation !== OPERATION.delete && value === null)
  if (nulls.length > 0)
    throw new KafkaFault(
      'INVALID_REQUEST',
      `Null value not supported for : ${nulls.map(each => `${each.configOperation}:${each.name}`).join(',')}`
    )
  const values = Object.fromEntries(state.configs.given(resource, name))
  for (const { name: key, configOperation, value } of changes) {
    if (configOperation === OPERATION.set) values[key] = value!
    else if (configOperation === OPERATION.delete) delete values[key]
    else if (configOperation === OPERATION.append || configOperation === OPERATION.subtract)
      values[key] = listChanged(resource, key, values[key], value!.split(','), configOperation === OPERATION.append)
    else throw new KafkaFault('INVALID_REQUEST', `Unknown operation type ${configOperation}`)
  }
  return values
}

function listChanged(resource: 'topic' | 'broker', key: string, before: string | undefined, items: string[], add: boolean): string {
  const definition = definitionOf(resource, key)
  if (definition?.type !== 'list')
    throw new KafkaFault('INVALID_CONFIG', `Config value ${add ? 'append' : 'subtract'} is not allowed for config key: ${key}`)
  const there = (before ?? definition.value ?? '').split(',').filter(each => each !== '')
  return (add ? [...new Set([...there, ...items])] : there.filter(each => !items.includes(each))).join(',')
}
