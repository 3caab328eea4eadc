/**
 * What there is once per cluster: `/controller` (which broker governs), `/controller_epoch`, `/cluster/id`.
 */
import { decimal, invalidZnode, parseObject, znodeJson } from './fields.ts'

export const controllerPath = '/controller'
export const controllerEpochPath = '/controller_epoch'
export const clusterIdPath = '/cluster/id'

/** @throws RegistryError ZNODE_INVALID */
export function parseController(data: Uint8Array): { brokerId: number } {
  const fields = parseObject(controllerPath, data)
  fields.int('version', 1)
  return { brokerId: fields.int('brokerid', 0) }
}

/** A plain decimal number. @throws RegistryError ZNODE_INVALID */
export function parseControllerEpoch(data: Uint8Array): number {
  const epoch = data.length <= 10 ? decimal(Buffer.from(data).toString('latin1')) : undefined
  if (epoch === undefined) throw invalidZnode(controllerEpochPath, 'holds no epoch')
  return epoch
}

/** @throws RegistryError ZNODE_INVALID */
export function parseClusterId(data: Uint8Array): string {
  return parseObject(clusterIdPath, data).text('id', 256)
}

export function writeController(brokerId: number, timestampMs: number): Buffer {
  return znodeJson({ version: 2, brokerid: brokerId, timestamp: String(timestampMs), kraftControllerEpoch: -1 })
}

export function writeClusterId(id: string): Buffer {
  return znodeJson({ version: '1', id })
}
