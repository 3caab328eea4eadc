// Not a client but a floor: fixed requests over one socket, no metadata, no retries, no checks but the CRC of what is produced.
// It says what JavaScript on Node can reach at all; nobody should publish with it.
import { connect } from 'node:net'

export const version = 'floor'

const TABLES = Array.from({ length: 8 }, () => new Uint32Array(256))
for (let i = 0; i < 256; i++) {
  let crc = i
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  TABLES[0][i] = crc
}
for (let i = 0; i < 256; i++) for (let t = 1; t < 8; t++) TABLES[t][i] = (TABLES[t - 1][i] >>> 8) ^ TABLES[0][TABLES[t - 1][i] & 255]

function crc32c(bytes, from, to) {
  const [a, b, c, d, e, f, g, h] = TABLES
  let crc = -1
  let i = from
  for (; i + 8 <= to; i += 8) {
    crc ^= bytes.readInt32LE(i)
    crc =
      h[crc & 255] ^
      g[(crc >>> 8) & 255] ^
      f[(crc >>> 16) & 255] ^
      e[crc >>> 24] ^
      d[bytes[i + 4]] ^
      c[bytes[i + 5]] ^
      b[bytes[i + 6]] ^
      a[bytes[i + 7]]
  }
  for (; i < to; i++) crc = (crc >>> 8) ^ a[(crc ^ bytes[i]) & 255]
  return ~crc >>> 0
}

/** Frames out, frames in, answered in order. */
async function dial(address) {
  const [host, port] = address.split(':')
  const socket = connect({ host, port: Number(port), noDelay: true })
  const waiting = []
  let parts = []
  let have = 0
  let need = 4
  socket.on('error', error => {
    throw error
  })
  socket.on('data', chunk => {
    parts.push(chunk)
    have += chunk.length
    if (have < need) return
    let bytes = parts.length === 1 ? chunk : Buffer.concat(parts, have)
    need = 4
    while (bytes.length >= 4) {
      need = 4 + bytes.readInt32BE(0)
      if (bytes.length < need) break
      waiting.shift()(bytes.subarray(8, need))
      bytes = bytes.subarray(need)
      need = 4
    }
    parts = bytes.length > 0 ? [bytes] : []
    have = bytes.length
  })
  await new Promise(resolve => socket.once('connect', resolve))
  let correlationId = 0
  const call = (api, apiVersion, body, onAnswer) => {
    const size = body.reduce((sum, part) => sum + part.length, 0)
    const head = Buffer.alloc(14)
    head.writeInt32BE(10 + size, 0)
    head.writeInt16BE(api, 4)
    head.writeInt16BE(apiVersion, 6)
    head.writeInt32BE(correlationId++, 8)
    head.writeInt16BE(-1, 12)
    waiting.push(onAnswer)
    socket.cork()
    for (const part of [head, ...body]) socket.write(part)
    socket.uncork()
  }
  return { call, end: () => socket.destroy() }
}

const int32 = value => {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeInt32BE(value)
  return bytes
}

const text = value => {
  const bytes = Buffer.from(`  ${value}`)
  bytes.writeInt16BE(bytes.length - 2)
  return bytes
}

function batchOf(values) {
  let size = 61
  for (const value of values) size += value.length + 20
  const bytes = Buffer.allocUnsafe(size)
  let at = 61
  const varint = value => {
    let rest = value << 1
    for (; rest > 127; rest >>>= 7) bytes[at++] = (rest & 127) | 128
    bytes[at++] = rest
  }
  const length = value => (value < 64 ? 1 : value < 8192 ? 2 : 3)
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    varint(4 + length(i) + length(value.length) + value.length)
    bytes[at++] = 0
    bytes[at++] = 0
    varint(i)
    bytes[at++] = 1
    varint(value.length)
    bytes.set(value, at)
    at += value.length
    bytes[at++] = 0
  }
  const now = BigInt(Date.now())
  bytes.fill(0, 0, 61)
  bytes.writeInt32BE(at - 12, 8)
  bytes[16] = 2
  bytes.writeInt32BE(values.length - 1, 23)
  bytes.writeBigInt64BE(now, 27)
  bytes.writeBigInt64BE(now, 35)
  bytes.fill(255, 43, 57)
  bytes.writeInt32BE(values.length, 57)
  bytes.writeUInt32BE(crc32c(bytes, 21, at), 17)
  return bytes.subarray(0, at)
}

/** Produce v7 with one batch a request, partitions in turn. */
export async function producer({ brokers, topic, partitions }) {
  const { call, end } = await dial(brokers[0])
  const head = Buffer.from([255, 255, 255, 255, 0, 0, 0x75, 0x30, 0, 0, 0, 1])
  const named = text(topic)
  let turn = 0
  const send = values =>
    new Promise((resolve, reject) => {
      const batch = batchOf(values)
      call(0, 7, [head, named, int32(1), int32(turn++ % partitions), int32(batch.length), batch], answer => {
        const error = answer.readInt16BE(4 + named.length + 4 + 4)
        if (error === 0) resolve()
        else reject(new Error(`Produce answered ${error}`))
      })
    })
  let open = []
  const flush = () => {
    const mine = open
    open = []
    send(mine.map(({ value }) => value)).then(() => {
      for (const { resolve } of mine) resolve()
    })
  }
  return {
    sendList: send,
    sendOne: value =>
      new Promise(resolve => {
        open.push({ value, resolve })
        if (open.length === 1) setImmediate(() => open.length > 0 && flush())
        else if (open.length === 1_000) flush()
      }),
    close: async () => end()
  }
}

/** Fetch v4 of all partitions, the next request on its way before an answer is read. */
export async function consumer({ brokers, topic, partitions, onValue }) {
  const { call } = await dial(brokers[0])
  const named = text(topic)
  const next = new Array(partitions).fill(0n)
  const fetch = () => {
    const body = Buffer.alloc(17)
    body.writeInt32BE(-1, 0)
    body.writeInt32BE(500, 4)
    body.writeInt32BE(1, 8)
    body.writeInt32BE(8 << 20, 12)
    const list = Buffer.alloc(16 * partitions)
    for (let i = 0; i < partitions; i++) {
      list.writeInt32BE(i, 16 * i)
      list.writeBigInt64BE(next[i], 16 * i + 4)
      list.writeInt32BE(1 << 20, 16 * i + 12)
    }
    call(1, 4, [body, int32(1), named, int32(partitions), list], onAnswer)
  }
  const onAnswer = bytes => {
    const batches = []
    let at = 8 + named.length
    const count = bytes.readInt32BE(at)
    at += 4
    for (let i = 0; i < count; i++) {
      const partition = bytes.readInt32BE(at)
      at += 22
      at += 4 + 16 * Math.max(0, bytes.readInt32BE(at))
      const end = at + 4 + Math.max(0, bytes.readInt32BE(at))
      for (at += 4; end - at >= 61; ) {
        const size = 12 + bytes.readInt32BE(at + 8)
        if (at + size > end) break
        const base = bytes.readBigInt64BE(at)
        if (base >= next[partition]) batches.push(at)
        next[partition] = base + BigInt(bytes.readInt32BE(at + 23)) + 1n
        at += size
      }
      at = end
    }
    fetch()
    for (const start of batches) readBatch(bytes, start, onValue)
  }
  fetch()
}

function readBatch(bytes, start, onValue) {
  let at = start + 61
  const varint = () => {
    let value = 0
    let shift = 0
    let byte
    do {
      byte = bytes[at++]
      value |= (byte & 127) << shift
      shift += 7
    } while (byte > 127)
    return (value >>> 1) ^ -(value & 1)
  }
  if (crc32c(bytes, start + 21, start + 12 + bytes.readInt32BE(start + 8)) !== bytes.readUInt32BE(start + 17)) throw new Error('bad CRC')
  for (let left = bytes.readInt32BE(start + 57); left > 0; left--) {
    const size = varint()
    const end = at + size
    at++
    varint()
    varint()
    const key = varint()
    if (key > 0) at += key
    const value = varint()
    onValue(bytes.subarray(at, at + value))
    at = end
  }
}
