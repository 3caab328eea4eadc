/**
 * Settings of a group of the new protocol (KIP-848), which its brokers keep: how long its members' sessions last, how often they are heard of.
 */
import assert from 'node:assert/strict'
import { connect } from '../../src/index.ts'
import { instanceOfClient } from './connected.ts'

/** Resource type of a group's configuration. */
const GROUP_RESOURCE = 32
const SET = 0

export async function configureGroup(brokers: string, group: string, config: Record<string, string>): Promise<void> {
  const client = await connect({ brokers, recorderMaxBytes: 0 })
  try {
    const link = await instanceOfClient(client).links.any(10_000)
    const configs = Object.entries(config).map(([name, value]) => ({ name, configOperation: SET, value }))
    const { responses } = await link.request('IncrementalAlterConfigs', {
      resources: [{ resourceType: GROUP_RESOURCE, resourceName: group, configs }],
      validateOnly: false
    })
    assert.deepEqual(
      responses.map(({ errorCode, errorMessage }) => [errorCode, errorMessage]),
      [[0, null]]
    )
  } finally {
    await client.close()
  }
}
