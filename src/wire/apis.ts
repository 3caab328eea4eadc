/**
 * Kafka's APIs: definitions loaded when an API is first used, codecs compiled once per version, whole frames in and out.
 */
import { LimitError, ProtocolError, UsageError } from '../model/errors.ts'
import { type Codec, compile } from './compile.ts'
import { type Definition, within } from './definition.ts'
import { API_TABLE, type ApiTypes } from './messages/index.ts'
import { type RequestHeader, requestHeader } from './messages/request-header.ts'
import { responseHeader } from './messages/response-header.ts'
import { Reader } from './reader.ts'
import { Writer } from './writer.ts'

export type ApiName = keyof ApiTypes
export type RequestOf<N extends ApiName> = ApiTypes[N]['request']
export type ResponseOf<N extends ApiName> = ApiTypes[N]['response']

export const API_NAMES = Object.keys(API_TABLE) as ApiName[]

export interface RequestMeta {
  correlationId: number
  clientId: string | null
}

/** A frame that is ready for a socket. `bytes` counts the size prefix too. */
export interface Frame {
  chunks: Uint8Array[]
  bytes: number
}

/** What any request begins with, whatever its version. */
export interface RequestHead {
  apiKey: number
  apiVersion: number
  correlationId: number
}

/** The size prefix, an int32. */
const SIZE_BYTES = 4
const FRAME_MAX_BYTES = 0x7fffffff

const headerCodecs = {
  request: [1, 2].map(version => compile(requestHeader, version)),
  response: [0, 1].map(version => compile(responseHeader, version))
}

export class Api<N extends ApiName> {
  readonly name: N
  readonly key: number
  readonly minVersion: number
  readonly maxVersion: number
  #request: Definition
  #response: Definition
  /** By version, made when first used. */
  #codecs = { request: [] as Codec[], response: [] as Codec[] }

  constructor(name: N, definitions: { request: Definition; response: Definition }) {
    this.name = name
    this.key = API_TABLE[name].key
    this.#request = definitions.request
    this.#response = definitions.response
    this.minVersion = definitions.request.versions[0]
    this.maxVersion = definitions.request.versions[1]
  }

  /** A whole request frame: size, header, body. Large byte fields are taken by reference. Throws UsageError on a value that cannot travel. */
  encodeRequest(version: number, body: RequestOf<N>, meta: RequestMeta): Frame {
    const header = { requestApiKey: this.key, requestApiVersion: version, correlationId: meta.correlationId, clientId: meta.clientId }
    return this.#frame(this.#requestHeader(version), header, this.#codec('request', version), body)
  }

  /** A response frame without its size prefix. Throws ProtocolError on bytes that are not this response, also when some are left over. */
  decodeResponse(version: number, frame: Buffer): { correlationId: number; body: ResponseOf<N> } {
    const reader = new Reader(frame)
    const { correlationId } = this.#responseHeader(version).decode(reader) as { correlationId: number }
    // A broker that does not know our version of ApiVersions answers error 35 in version 0, whatever was asked (KIP-511).
    const told = this.name === 'ApiVersions' && reader.remaining >= 2 && frame.readInt16BE(reader.at) === 35 ? 0 : version
    return { correlationId, body: this.#whole(this.#codec('response', told), reader) as ResponseOf<N> }
  }

  /** The server's side: a request frame without its size prefix, of the API and version that `readRequestHead` found in it. */
  decodeRequest(version: number, frame: Buffer): RequestMeta & { body: RequestOf<N> } {
    const reader = new Reader(frame)
    const header = this.#requestHeader(version).decode(reader) as RequestHeader
    if (header.requestApiKey !== this.key || header.requestApiVersion !== version)
      throw new ProtocolError(
        'WRONG_API',
        `The frame is of API ${header.requestApiKey} in version ${header.requestApiVersion}, not ${this.name} in ${version}.`
      )
    return {
      correlationId: header.correlationId,
      clientId: header.clientId,
      body: this.#whole(this.#codec('request', version), reader) as RequestOf<N>
    }
  }

  /** The server's side: a whole response frame. */
  encodeResponse(version: number, correlationId: number, body: ResponseOf<N>): Frame {
    return this.#frame(this.#responseHeader(version), { correlationId }, this.#codec('response', version), body)
  }

  #requestHeader(version: number): Codec {
    return headerCodecs.request[within(this.#request.flexible, version) ? 1 : 0]!
  }

  /** ApiVersions always answers with the oldest header, so that any client can read it. */
  #responseHeader(version: number): Codec {
    return headerCodecs.response[within(this.#response.flexible, version) && this.name !== 'ApiVersions' ? 1 : 0]!
  }

  #codec(side: 'request' | 'response', version: number): Codec {
    return (this.#codecs[side][version] ??= compile(side === 'request' ? this.#request : this.#response, version))
  }

  #frame(headerCodec: Codec, header: object, bodyCodec: Codec, body: object): Frame {
    const writer = new Writer()
    writer.int32(0)
    headerCodec.encode(writer, header)
    bodyCodec.encode(writer, body)
    const { bytes } = writer
    if (bytes - SIZE_BYTES > FRAME_MAX_BYTES)
      throw new LimitError(
        'FRAME_TOO_LARGE',
        `${this.name} would take ${bytes} bytes; a frame holds ${FRAME_MAX_BYTES}. Send less at once.`
      )
    const chunks = writer.finish()
    const first = chunks[0]!
    new DataView(first.buffer, first.byteOffset).setInt32(0, bytes - SIZE_BYTES)
    return { chunks, bytes }
  }

  #whole(codec: Codec, reader: Reader): object {
    const body = codec.decode(reader)
    if (reader.remaining > 0)
      throw new ProtocolError('TRAILING_BYTES', `${this.name} ends ${reader.remaining} bytes before its frame does.`)
    return body
  }
}

const loaded = new Map<ApiName, Api<ApiName>>()
const byKey = new Map(API_NAMES.map(name => [API_TABLE[name].key, name]))

/** Loads an API's definitions, once. */
export async function loadApi<N extends ApiName>(name: N): Promise<Api<N>> {
  const there = loaded.get(name)
  if (there) return there as unknown as Api<N>
  const definitions = await API_TABLE[name].load()
  // Another call may have been quicker: there is one codec per version in the process.
  const api = loaded.get(name) ?? (new Api(name, definitions) as unknown as Api<ApiName>)
  loaded.set(name, api)
  return api as unknown as Api<N>
}

/** An API that `loadApi` has loaded. Throws when it has not: the hot path must not wait. */
export function loadedApi<N extends ApiName>(name: N): Api<N> {
  const api = loaded.get(name)
  if (!api) throw new UsageError('API_NOT_LOADED', `${name} has not been loaded; call loadApi first.`)
  return api as unknown as Api<N>
}

/** The server's side: which API and version a request frame (without its size prefix) is of. Throws ProtocolError when it is cut. */
export function readRequestHead(frame: Buffer): RequestHead {
  const reader = new Reader(frame)
  return { apiKey: reader.int16(), apiVersion: reader.int16(), correlationId: reader.int32() }
}

/** The API with this key; undefined for one that we do not know. */
export function apiNameOf(key: number): ApiName | undefined {
  return byKey.get(key)
}
