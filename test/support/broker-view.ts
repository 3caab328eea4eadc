/**
 * What one particular broker knows of topics and of groups' coordinators, by a bare request: Java's admin client asks whichever it likes,
 * and a broker that has not heard of a new topic yet would make a test fail now and then.
 */
import { connect } from 'node:net'

const metadata = [3, 4] as const
const findCoordinator = [10, 1] as const

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
  const names = topics.map(topic => string(topic))
  const noAutoCreation = Buffer.from([0])
  const read = reader(await exchange(host, port, request(metadata, int32(topics.length), ...names, noAutoCreation)))
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

/** The node that coordinates a group, by this broker's word; undefined: it knows none now. */
export async function coordinatorView(host: string, port: number, group: string): Promise<number | undefined> {
  const ofGroup = Buffer.from([0])
  const read = reader(await exchange(host, port, request(findCoordinator, string(group), ofGroup)))
  read.int32() // correlation id
  read.int32() // throttle
  const error = read.int16()
  read.string() // its message
  const node = read.int32()
  return error === 0 ? node : undefined
}

function request([key, version]: readonly [number, number], ...fields: Buffer[]): Buffer {
  const body = Buffer.concat([Buffer.from([0, key, 0, version, 0, 0, 0, 1]), string('harness'), ...fields])
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
