/**
 * Which version of an API two sides speak: the highest that both have (KIP-35).
 */
import { BrokerError } from '../model/errors.ts'
import { type ApiName, apiNameOf, type ResponseOf } from './apis.ts'
import { API_TABLE, type ApiTypes } from './messages/index.ts'

export interface ApiRange {
  min: number
  max: number
}

/** Our own ranges, known without loading the definitions. */
const OURS = new Map<ApiName, ApiRange>(
  (Object.keys(API_TABLE) as (keyof ApiTypes)[]).map(name => [name, { min: API_TABLE[name].versions[0], max: API_TABLE[name].versions[1] }])
)

/** What a broker said that it speaks. */
export class BrokerVersions {
  #ranges: ReadonlyMap<ApiName, ApiRange>

  constructor(ranges: ReadonlyMap<ApiName, ApiRange>) {
    this.#ranges = ranges
  }

  range(name: ApiName): ApiRange | undefined {
    return this.#ranges.get(name)
  }

  /** The highest version of both sides; undefined: there is none. */
  highest(name: ApiName, limits: { minVersion?: number; maxVersion?: number } = {}): number | undefined {
    const theirs = this.#ranges.get(name)
    const ours = OURS.get(name)
    if (!theirs || !ours) return undefined
    const version = Math.min(theirs.max, ours.max, limits.maxVersion ?? Number.POSITIVE_INFINITY)
    return version >= Math.max(theirs.min, ours.min, limits.minVersion ?? 0) ? version : undefined
  }
}

/** Unknown keys are left out: a newer broker has APIs that we do not know. */
export function parseApiVersions(answer: ResponseOf<'ApiVersions'>): BrokerVersions {
  const ranges = new Map<ApiName, ApiRange>()
  for (const { apiKey, minVersion, maxVersion } of answer.apiKeys) {
    const name = apiNameOf(apiKey)
    if (name && minVersion <= maxVersion) ranges.set(name, { min: minVersion, max: maxVersion })
  }
  return new BrokerVersions(ranges)
}

/** Throws BrokerError UNSUPPORTED_VERSION that names both ranges. */
export function chooseVersion(
  versions: BrokerVersions | undefined,
  name: ApiName,
  limits: { minVersion?: number; maxVersion?: number } = {}
): number {
  const version = versions?.highest(name, limits)
  if (version !== undefined) return version
  const theirs = versions?.range(name)
  const ours = OURS.get(name)!
  const low = Math.max(ours.min, limits.minVersion ?? 0)
  const high = Math.min(ours.max, limits.maxVersion ?? ours.max)
  const offered = versions ? 'it does not offer that API' : 'it has not said yet what it speaks'
  const what = theirs ? `it speaks versions ${theirs.min} to ${theirs.max}` : offered
  throw new BrokerError(
    'UNSUPPORTED_VERSION',
    `The broker cannot take ${name} in versions ${low} to ${high}: ${what}. Another version of Kafka is needed for this call.`,
    {
      kafka: { code: 35, name: 'UNSUPPORTED_VERSION' },
      details: { api: name }
    }
  )
}
