/**
 * Free ports below the range from which the kernel takes the near end of outgoing connections: a server that is killed and
 * started again must find its port free, which an outgoing connection could have taken otherwise.
 */
import { connect, createServer } from 'node:net'

const lowest = 15_000
const beyond = 32_000
const given = new Set<number>()

/** A port of 127.0.0.1 that nothing listens on, different at each call. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = lowest + Math.floor(Math.random() * (beyond - lowest))
    if (given.has(port) || !(await canBind(port))) continue
    given.add(port)
    return port
  }
  throw new Error(`no free port found between ${lowest} and ${beyond}`)
}

function canBind(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}

/** Sends one text and answers with all that comes back until the peer closes; undefined when that does not come about. */
export function askOnce(port: number, text: string, limitMs: number): Promise<string | undefined> {
  return new Promise(resolve => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    socket.setTimeout(limitMs, () => socket.destroy(new Error('late')))
    socket.on('data', chunk => {
      answer += chunk
    })
    socket.on('error', () => resolve(undefined))
    socket.on('close', () => resolve(answer === '' ? undefined : answer))
  })
}
