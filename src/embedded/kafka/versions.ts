/**
 * Which versions a broker offers: what its handlers can, cut to what a Kafka of that time has, and to what a test wants of an older one.
 */
import type { ApiName } from '../../wire/apis.ts'
import type { VersionRange } from '../../wire/definition.ts'
import { API_TABLE } from '../../wire/messages/index.ts'

/** '4.x': everything that we can. */
export type VersionProfile = '3.9' | '4.x'

/** Where Kafka 3.9 ends and 4.x goes on. */
const MAX_3_9: Partial<Record<ApiName, number>> = {
  Produce: 11,
  Fetch: 17,
  ListOffsets: 9,
  Metadata: 12,
  OffsetCommit: 9,
  OffsetFetch: 9,
  DescribeGroups: 5,
  InitProducerId: 5,
  EndTxn: 4,
  TxnOffsetCommit: 4,
  ListTransactions: 1,
  DescribeCluster: 1,
  DescribeLogDirs: 4,
  ConsumerGroupHeartbeat: 0,
  ConsumerGroupDescribe: 0
}

export interface OfferedApi {
  readonly api: ApiName
  readonly key: number
  readonly min: number
  readonly max: number
}

export class BrokerVersions {
  readonly profile: VersionProfile
  /** By key. */
  readonly apis: readonly OfferedApi[]
  #byName: ReadonlyMap<ApiName, OfferedApi>

  constructor(profile: VersionProfile, apis: readonly OfferedApi[]) {
    this.profile = profile
    this.apis = [...apis].sort((a, b) => a.key - b.key)
    this.#byName = new Map(apis.map(each => [each.api, each]))
  }

  of(api: ApiName): OfferedApi | undefined {
    return this.#byName.get(api)
  }

  takes(api: ApiName, version: number): boolean {
    const range = this.#byName.get(api)
    return range !== undefined && version >= range.min && version <= range.max
  }
}

export function offered(
  handlers: readonly { api: ApiName; versions: VersionRange }[],
  profile: VersionProfile,
  maxVersions: Partial<Record<ApiName, number>>
): BrokerVersions {
  const apis = new Map<ApiName, OfferedApi>()
  for (const { api, versions } of handlers) {
    const ends = [versions[1], profile === '3.9' ? MAX_3_9[api] : undefined, maxVersions[api]].filter(end => end !== undefined)
    const max = Math.min(...ends)
    if (max >= versions[0]) apis.set(api, { api, key: API_TABLE[api].key, min: versions[0], max })
  }
  return new BrokerVersions(profile, [...apis.values()])
}
