/**
 * DescribeCluster (KIP-700): brokers and the controller.
 *
 * v1: brokers or controllers (KIP-919; controllers cannot be asked for at a broker). v2: fenced brokers too, of which there are none.
 */
import { ERROR } from '../errors.ts'
import { CLUSTER_OPERATIONS, type CoreHandler, OPERATIONS_NOT_ASKED } from './common.ts'

/** Kafka's number for brokers among kinds of endpoints. */
const BROKERS = 1
const CONTROLLERS = 2

export const describeCluster: CoreHandler<'DescribeCluster'> = {
  api: 'DescribeCluster',
  versions: [0, 2],
  handle({ endpointType = BROKERS, includeClusterAuthorizedOperations }, { state }) {
    const errorCode =
      endpointType === BROKERS
        ? ERROR.NONE
        : endpointType === CONTROLLERS
          ? ERROR.MISMATCHED_ENDPOINT_TYPE
          : ERROR.UNSUPPORTED_ENDPOINT_TYPE
    const ok = errorCode === ERROR.NONE
    const nodes = ok ? state.aliveNodes : []
    return {
      throttleTimeMs: 0,
      errorCode,
      errorMessage: ok ? null : `Unsupported endpoint type ${endpointType}`,
      endpointType: ok ? BROKERS : endpointType,
      clusterId: state.clusterId,
      controllerId: ok && state.isAlive(state.controllerId) ? state.controllerId : -1,
      brokers: nodes.map(({ id, host, port, rack }) => ({ brokerId: id, host, port, rack, isFenced: false })),
      clusterAuthorizedOperations: includeClusterAuthorizedOperations ? CLUSTER_OPERATIONS : OPERATIONS_NOT_ASKED
    }
  }
}
