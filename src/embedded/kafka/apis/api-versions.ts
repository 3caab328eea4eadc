/**
 * ApiVersions (KIP-35, KIP-511, KIP-584): what this broker offers. A version that it does not know is answered with error 35 in version 0, and
 * with ApiVersions' own range, so that the client can ask again.
 *
 * v3: flexible, the client's name and version; features. v4: features whose range begins with 0.
 */
import type { Broker } from '../broker.ts'
import { ERROR } from '../errors.ts'
import type { Handler } from '../handler.ts'
import type { ClusterState } from '../state.ts'

/** Librdkafka before 2.11 talks to nobody who does not offer these versions of Produce; nobody sends them any more (Kafka 4.0 does the same). */
const PRODUCE_OFFERED_FROM = 0
/** What Kafka takes for a name (`ApiVersionsRequest.isValid`). */
const SOFTWARE_NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?$/

/** Features that are switched on, by profile: name, highest version supported, version that counts. */
const FEATURES = {
  '3.9': [['group.version', 1, 1]],
  '4.x': [
    ['group.version', 1, 1],
    ['share.version', 1, 0],
    ['transaction.version', 2, 2]
  ]
} as const

export const apiVersions: Handler<'ApiVersions', ClusterState, Broker> = {
  api: 'ApiVersions',
  versions: [0, 4],
  handle({ clientSoftwareName = '', clientSoftwareVersion = '' }, { version, broker }) {
    const { versions } = broker
    const known = versions.takes('ApiVersions', version)
    const named = version < 3 || (SOFTWARE_NAME.test(clientSoftwareName) && SOFTWARE_NAME.test(clientSoftwareVersion))
    const errorCode = !known ? ERROR.UNSUPPORTED_VERSION : !named ? ERROR.INVALID_REQUEST : ERROR.NONE
    const shown = errorCode === ERROR.NONE ? versions.apis : versions.apis.filter(({ api }) => !known && api === 'ApiVersions')
    const features = errorCode === ERROR.NONE ? FEATURES[versions.profile] : []
    return {
      errorCode,
      apiKeys: shown.map(({ api, key, min, max }) => ({
        apiKey: key,
        minVersion: api === 'Produce' ? PRODUCE_OFFERED_FROM : min,
        maxVersion: max
      })),
      throttleTimeMs: 0,
      // A range that begins with 0 is not to be shown before v4 (KIP-1022).
      supportedFeatures: version < 4 ? [] : features.map(([name, maxVersion]) => ({ name, minVersion: 0, maxVersion })),
      finalizedFeaturesEpoch: 0n,
      finalizedFeatures: features
        .filter(([, , level]) => level > 0)
        .map(([name, , level]) => ({ name, maxVersionLevel: level, minVersionLevel: level })),
      zkMigrationReady: false
    }
  }
}
