/**
 * What one particular broker knows of topics, by a bare Metadata request: Java's admin client asks whichever it likes, and a broker
 * that has not heard of a new topic yet would make a test fail now and then.
 */
import { connect } from 'node:net'

const metadataKey = 3
const metadataVersion = 4

/** Of these topics: how many partitions have a leader and all replicas in sync by this broker's word, and how many it knows. */
export async function brokerView(
  host: string,
  port: number,
  topics: string[]
): Promise<{ partitions: number; whole: number; unknown: number }> {
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
  const view = { partitions: 0, whole: 0, unknown: 0 }
  for (let n = read.int32(); n > 0; n--) {
    if (read.int16() !== 0) view.unknown++
    read.string()
    read.int8() // internal
    for (let p = read.int32(); p > 0; p--) {
      const error = read.int16()
      read.int32() // number
      const leader = read.int32()
      const replicas = read.int32()
      for (let i = 0; i < replicas; i++) read.int32()
      const isr = read.int32()
      for (let i = 0; i < isr; i++) read.int32()
      view.partitions++
      if (error === 0 && leader >= 0 && isr === replicas) view.whole++
    }
  }
  return view
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
  return {
    int8: () => buffer.readInt8(step(1)),
    int16,
    int32: () => buffer.readInt32BE(step(4)),
    string: () => void step(Math.max(0, int16()))
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
