/**
 * The values of configurations: what topics and brokers were given, over what server.properties says, over Kafka's defaults.
 */
import { BROKER_CONFIGS, badValue, type ConfigDefinition, definitionOf, TOPIC_CONFIGS } from './config-definitions.ts'
import { KafkaFault } from './errors.ts'

export type ConfigResource = 'topic' | 'broker'

/** Kafka's numbers for where a value comes from, as DescribeConfigs has them. */
export const CONFIG_SOURCE = { topic: 1, broker: 2, defaultBroker: 3, file: 4, default: 5 } as const

export interface ConfigValue {
  readonly definition: ConfigDefinition
  readonly value: string | null
  readonly source: number
  /** All that it could be, the one that counts first. */
  readonly synonyms: { name: string; value: string | null; source: number }[]
}

export class Configs {
  #file: Readonly<Record<string, string>>
  #topics = new Map<string, ReadonlyMap<string, string>>()
  /** By broker id; '' is the default of all. */
  #brokers = new Map<string, ReadonlyMap<string, string>>()

  constructor(file: Readonly<Record<string, string>>) {
    this.#file = file
  }

  /** What was given to a topic or a broker itself. */
  given(of: ConfigResource, name: string): ReadonlyMap<string, string> {
    return (of === 'topic' ? this.#topics : this.#brokers).get(name) ?? new Map()
  }

  setTopic(topic: string, values: ReadonlyMap<string, string>): void {
    this.#topics.set(topic, values)
  }

  setBroker(broker: string, values: ReadonlyMap<string, string>): void {
    this.#brokers.set(broker, values)
  }

  forgetTopic(topic: string): void {
    this.#topics.delete(topic)
  }

  /** The value that counts for a topic. */
  topic(topic: string, name: string): string {
    const given = this.#topics.get(topic)?.get(name)
    if (given !== undefined) return given
    const definition = definitionOf('topic', name)
    return (definition?.broker === undefined ? undefined : this.#ofBroker(definition.broker, '')) ?? definition?.value ?? ''
  }

  topicNumber(topic: string, name: string): number {
    return Number(this.topic(topic, name))
  }

  /** The value that counts for a broker, or for all of them. */
  broker(name: string, id = ''): string {
    return this.#ofBroker(name, id) ?? definitionOf('broker', name)?.value ?? ''
  }

  brokerNumber(name: string, id = ''): number {
    return Number(this.broker(name, id))
  }

  /** Throws KafkaFault INVALID_CONFIG. */
  checkTopic(values: Readonly<Record<string, string | null>>): Map<string, string> {
    return this.#check('topic', values)
  }

  checkBroker(values: Readonly<Record<string, string | null>>): Map<string, string> {
    return this.#check('broker', values)
  }

  /** Everything that DescribeConfigs tells. */
  describe(
    of: ConfigResource,
    name: string,
    /** Of this broker alone, as if from its file. */
    own: Readonly<Record<string, string>> = {},
    /** In place of what it was given: as it would be. */
    given: ReadonlyMap<string, string> = this.given(of, name)
  ): ConfigValue[] {
    const definitions = of === 'topic' ? TOPIC_CONFIGS : BROKER_CONFIGS
    return definitions.map(definition => {
      const synonyms = this.#synonyms(of, definition, own, given)
      const first = synonyms[0]
      return { definition, value: first?.value ?? definition.value, source: first?.source ?? CONFIG_SOURCE.default, synonyms }
    })
  }

  #synonyms(
    of: ConfigResource,
    definition: ConfigDefinition,
    own: Readonly<Record<string, string>>,
    given: ReadonlyMap<string, string>
  ): ConfigValue['synonyms'] {
    const found: ConfigValue['synonyms'] = []
    const add = (key: string, value: string | null | undefined, source: number) => {
      if (value !== undefined && value !== null) found.push({ name: key, value, source })
    }
    if (of === 'topic') add(definition.name, given.get(definition.name), CONFIG_SOURCE.topic)
    const key = of === 'topic' ? definition.broker : definition.name
    if (key !== undefined) {
      if (of === 'broker') add(key, given.get(key), CONFIG_SOURCE.broker)
      add(key, this.#brokers.get('')?.get(key), CONFIG_SOURCE.defaultBroker)
      add(key, own[key] ?? this.#file[key], CONFIG_SOURCE.file)
      add(key, definition.value, CONFIG_SOURCE.default)
    }
    return found
  }

  #ofBroker(name: string, id: string): string | undefined {
    return this.#brokers.get(id)?.get(name) ?? this.#brokers.get('')?.get(name) ?? this.#file[name]
  }

  #check(of: ConfigResource, values: Readonly<Record<string, string | null>>): Map<string, string> {
    const nulls = Object.keys(values).filter(name => values[name] === null)
    if (nulls.length > 0) throw new KafkaFault('INVALID_CONFIG', `Null value not supported for ${of} configs: ${nulls.join(',')}`)
    const checked = new Map<string, string>()
    for (const [name, value] of Object.entries(values)) {
      const definition = definitionOf(of, name)
      // Brokers take names that they do not know: a plugin may.
      if (!definition && of === 'topic') throw new KafkaFault('INVALID_CONFIG', `Unknown topic config name: ${name}`)
      const why = definition && badValue(definition, value!)
      if (why) throw new KafkaFault('INVALID_CONFIG', why)
      checked.set(name, value!)
    }
    return checked
  }
}
