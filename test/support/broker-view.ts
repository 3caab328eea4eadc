/**
 * What one particular broker knows of topics, by a bare Metadata request: Java's admin client asks whichever it likes, and a broker
 * that has not heard of a new topic yet would make a test fail now and then.
 */
import { connect } from 'node:net'

const metadataKey = 3
const metadataVersion = 4

/** A partition by one broker's word. */
export interface PartitionView {
  topic: string
  partition: number
  /** -1: none. */
  leader: number
  /** The preferred leader first. */
  replicas: number[]
  isr: number[]
}

/** The partitions of these topics as this broker knows them, and how many of the topics it does not know. */
export async function brokerView(host: string, port: number, topics: string[]): Promise<{ partitions: PartitionView[]; unknown: number }> {
  const body = await exchange(host, port, request(topics))
  const read = reader(body)
  read.int32() // correlation id
  read.int32() // throttle
  for (let n = read.int32(); n > 0; n--) {
    read.int32()
    read.string()
    read.int32()
    read.string()
  }
  read.string() // cluster id
  read.int32() // controller
  const partitions: PartitionView[] = []
  let unknown = 0
  for (let n = read.int32(); n > 0; n--) {
    if (read.int16() !== 0) unknown++
    const topic = read.string()
    read.int8() // internal
    for (let p = read.int32(); p > 0; p--) {
      const error = read.int16()
      const partition = read.int32()
      const leader = read.int32()
      partitions.push({ topic, partition, leader: error === 0 ? leader : -1, replicas: read.int32s(), isr: read.int32s() })
    }
  }
  return { partitions, unknown }
}

function request(topics: string[]): Buffer {
  const names = topics.map(topic => string(topic))
  const body = Buffer.concat([
    Buffer.from([0, metadataKey, 0, metadataVersion, 0, 0, 0, 1]),
    string('harness'),
    int32(topics.length),
    ...names,
    Buffer.from([0]) // no auto creation
  ])
  return Buffer.concat([int32(body.length), body])
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeInt32BE(value)
  return buffer
}

function string(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes])
}

function reader(buffer: Buffer) {
  let at = 0
  const step = (bytes: number) => (at += bytes) - bytes
  const int16 = () => buffer.readInt16BE(step(2))
  const int32 = () => buffer.readInt32BE(step(4))
  return {
    int8: () => buffer.readInt8(step(1)),
    int16,
    int32,
    int32s: () => Array.from({ length: int32() }, int32),
    string: () => {
      const length = Math.max(0, int16())
      const from = step(length)
      return buffer.toString('utf8', from, from + length)
    }
  }
}

function exchange(host: string, port: number, bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let got = Buffer.alloc(0)
    const socket = connect({ host, port }, () => socket.write(bytes))
    socket.setTimeout(5000, () => socket.destroy(new Error(`${host}:${port} did not answer`)))
    socket.on('data', chunk => {
      got = Buffer.concat([got, chunk])
      if (got.length < 4 || got.length < 4 + got.readInt32BE(0)) return
      socket.destroy()
      resolve(got.subarray(4))
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`${host}:${port} closed the connection`)))
  })
}
