/**
 * The codecs without Java: against the bytes that Kafka's own classes wrote (`golden.java.test.ts` keeps them), against themselves with
 * many more values, and what is refused on the way out.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { UsageError } from '../../src/model/errors.ts'
import { compile } from '../../src/wire/compile.ts'
import type { Definition } from '../../src/wire/definition.ts'
import { consumerProtocolSubscription } from '../../src/wire/messages/consumer-protocol-subscription.ts'
import { request as joinGroupRequest } from '../../src/wire/messages/join-group.ts'
import { request as metadataRequest, response as metadataResponse } from '../../src/wire/messages/metadata.ts'
import { request as produceRequest } from '../../src/wire/messages/produce.ts'
import { Writer } from '../../src/wire/writer.ts'
import { allDefinitions, allVersions, decode, encode } from './definitions.ts'
import { goldenFile, goldenSamples, sampleOf } from './golden.ts'
import { Random, randomMessage } from './random-message.ts'

const hexOf = (definition: Definition, version: number, value: object) => encode(definition, version, value).toString('hex')

describe('every message in every version', async () => {
  const golden = JSON.parse(readFileSync(goldenFile, 'utf8')) as Record<string, Record<string, string[]>>
  const all = await allVersions()

  it('is written and read as Java wrote it', () => {
    let judged = 0
    for (const { definition, version } of all) {
      for (let number = 0; number < goldenSamples; number++) {
        const what = `${definition.name} ${version}, sample ${number}`
        const java = golden[definition.name]?.[version]?.[number]
        assert.ok(java !== undefined, `${what} is not among the kept bytes: run golden.java.test.ts with SAMSA_UPDATE_FIXTURES=1`)
        const value = sampleOf(definition, version, number)
        assert.equal(hexOf(definition, version, value), java, what)
        assert.deepEqual(decode(definition, version, Buffer.from(java, 'hex')), value, what)
        judged++
      }
    }
    assert.ok(judged > 1_000, `only ${judged}`)
    const known = new Set(all.map(({ definition }) => definition.name))
    assert.deepEqual(
      Object.keys(golden).filter(name => !known.has(name)),
      [],
      'bytes are kept of messages that are gone'
    )
  })

  it('is read back as it was written, and written again to the same bytes', () => {
    for (const { definition, version } of all) {
      const codec = compile(definition, version)
      const random = new Random(`round trip ${definition.name} ${version}`)
      for (let i = 0; i < 10; i++) {
        const value = randomMessage(definition, version, random)
        const writer = new Writer()
        codec.encode(writer, value)
        const bytes = Buffer.concat(writer.finish())
        const read = decode(definition, version, bytes)
        assert.deepEqual(read, value, `${definition.name} ${version}`)
        assert.ok(encode(definition, version, read).equals(bytes), `${definition.name} ${version}`)
      }
    }
  })

  it('is read into fields of one order, whatever the version', async () => {
    for (const definition of await allDefinitions()) {
      const names = definition.fields.map(field => field.name)
      for (let version = definition.versions[0]; version <= definition.versions[1]; version++) {
        const read = decode(definition, version, encode(definition, version, sampleOf(definition, version, 0)))
        assert.deepEqual(Object.keys(read), names, `${definition.name} ${version}`)
      }
    }
  })

  it('has no array whose elements take no bytes', () => {
    // What an array's count is checked by is the bytes that are left: nothing else would bound such elements.
    for (const { definition, version } of all) {
      const walk = (fields: Definition['fields'], path: string): void => {
        const present = fields.filter(field => version >= field.versions[0] && version <= field.versions[1])
        for (const field of present) {
          if (!field.fields) continue
          const inner = field.fields.filter(each => version >= each.versions[0] && version <= each.versions[1])
          assert.ok(inner.length > 0, `${path}.${field.name} ${version} is empty`)
          walk(field.fields, `${path}.${field.name}`)
        }
      }
      walk(definition.fields, definition.name)
    }
  })
})

describe('tagged fields', () => {
  const field = (name: string, tag: number) => ({ name, type: 'int8', versions: [0, 0], tag, tagged: [0, 0] }) as const
  const definition: Definition = { name: 'Tagged', versions: [0, 0], flexible: [0, 0], fields: [field('late', 7), field('early', 2)] }

  it('are written in the order of their tags, and not at all when they hold their default', () => {
    assert.equal(hexOf(definition, 0, { late: 1, early: 3 }), '02020103070101')
    assert.equal(hexOf(definition, 0, { late: 1, early: 0 }), '01070101')
    assert.equal(hexOf(definition, 0, {}), '00')
    assert.deepEqual(decode(definition, 0, Buffer.from('02020103070101', 'hex')), { late: 1, early: 3 })
  })
})

describe('what is left out', () => {
  it('is written as its default', () => {
    const full = {
      topics: null,
      allowAutoTopicCreation: true,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false
    }
    assert.equal(hexOf(metadataRequest, 12, { topics: null }), hexOf(metadataRequest, 12, full))
    // Compact null, true, false, no tagged fields.
    assert.equal(hexOf(metadataRequest, 12, { topics: null }), '00010000')
  })

  it('is read as its default where the version has no such field', () => {
    const { clusterId, controllerId } = decode(metadataResponse, 0, Buffer.from('0000000000000000', 'hex')) as Record<string, unknown>
    assert.equal(clusterId, null)
    assert.equal(controllerId, -1)
  })

  it('does not let one answer change the next', () => {
    const bytes = Buffer.from('00000000', 'hex')
    const mine = decode(consumerProtocolSubscription, 0, Buffer.concat([bytes, bytes])) as { ownedPartitions: unknown[] }
    try {
      mine.ownedPartitions.push('mine')
    } catch {
      // A default that is shared may be frozen.
    }
    const next = decode(consumerProtocolSubscription, 0, Buffer.concat([bytes, bytes])) as { ownedPartitions: unknown[] }
    assert.deepEqual(next.ownedPartitions, [])
  })
})

describe('what cannot travel', () => {
  const refused = (definition: Definition, version: number, value: object, code: string, words: RegExp) =>
    assert.throws(
      () => encode(definition, version, value),
      (error: unknown) => {
        assert.ok(error instanceof UsageError, String(error))
        assert.equal(error.code, code)
        assert.match(error.message, words)
        return true
      }
    )
  const produce = (partition: object) => ({
    acks: -1,
    timeoutMs: 1,
    topicData: [{ name: 'a', partitionData: [{ index: 0, records: null }, partition] }]
  })

  it('is refused with the path of the field', () => {
    refused(
      produceRequest,
      9,
      produce({ index: 1.5, records: null }),
      'INVALID_FIELD',
      /ProduceRequest\.topicData\[0\]\.partitionData\[1\]\.index/
    )
    refused(produceRequest, 9, produce({ index: 2 ** 31, records: null }), 'INVALID_FIELD', /partitionData\[1\]\.index/)
    refused(produceRequest, 9, produce({ index: '1', records: null }), 'INVALID_FIELD', /partitionData\[1\]\.index/)
    refused(produceRequest, 9, produce({ index: 1, records: 'text' }), 'INVALID_FIELD', /partitionData\[1\]\.records/)
    refused(produceRequest, 9, { ...produce({}), topicData: [null] }, 'INVALID_FIELD', /topicData\[0\]/)
    refused(produceRequest, 9, { ...produce({}), topicData: 7 }, 'INVALID_FIELD', /topicData/)
    refused(produceRequest, 9, { ...produce({}), acks: 40_000, topicData: [] }, 'INVALID_FIELD', /acks/)
  })

  it('is refused when it is null and the version has no null', () => {
    refused(metadataRequest, 0, { topics: null }, 'NULL_FIELD', /topics/)
    refused(metadataRequest, 9, { topics: [{ name: null }] }, 'NULL_FIELD', /topics\[0\]\.name/)
  })

  it('is refused when the version has no such field, unless that may be ignored', () => {
    const join = { groupId: 'g', sessionTimeoutMs: 1, memberId: '', protocolType: 'consumer', protocols: [] }
    refused(joinGroupRequest, 0, { ...join, groupInstanceId: 'static' }, 'UNSUPPORTED_FIELD', /groupInstanceId.*version 0/)
    assert.equal(hexOf(joinGroupRequest, 0, { ...join, rebalanceTimeoutMs: 5 }), hexOf(joinGroupRequest, 0, join))
  })

  it('is refused when a string is longer than Kafka takes, in both forms', () => {
    const long = 'x'.repeat(32_768)
    refused(metadataRequest, 1, { topics: [{ name: long }] }, 'STRING_TOO_LONG', /topics\[0\]\.name/)
    refused(metadataRequest, 9, { topics: [{ name: long }] }, 'STRING_TOO_LONG', /topics\[0\]\.name/)
    assert.equal(encode(metadataRequest, 1, { topics: [{ name: 'x'.repeat(32_767) }] }).length, 4 + 2 + 32_767)
  })

  it('is refused when the uuid is not one', () => {
    for (const topicId of ['', 'AAAAAAAAAAAAAAAAAAAAA', 'AAAAAAAAAAAAAAAAAAAAA!', '00000000-0000-0000-0000-000000000000', 7])
      refused(metadataRequest, 12, { topics: [{ name: null, topicId }] }, 'INVALID_FIELD', /topics\[0\]\.topicId/)
  })

  it('has to be of a version that there is', () => {
    assert.throws(() => compile(metadataRequest, 14), { name: 'UsageError', code: 'UNSUPPORTED_VERSION' })
  })
})
