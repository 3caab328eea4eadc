/**
 * How a consumed message is printed: `--format` in the manner of rpk and kcat, compiled once, and NDJSON. Bytes go through unchanged.
 */
import { isUtf8 } from 'node:buffer'
import type { Message } from '../index.ts'
import { CommandLineError } from './arguments.ts'

/** Appends the bytes of one message. */
export type Formatter = (message: Message, out: Buffer[]) => void

const EMPTY = Buffer.alloc(0)
const text = (value: string | number | bigint) => Buffer.from(String(value))

const FIELDS: Readonly<Record<string, (message: Message, out: Buffer[]) => void>> = {
  t: ({ topic }, out) => void out.push(text(topic)),
  p: ({ partition }, out) => void out.push(text(partition)),
  o: ({ offset }, out) => void out.push(text(offset)),
  k: ({ key }, out) => void out.push(key ?? EMPTY),
  v: ({ value }, out) => void out.push(value ?? EMPTY),
  K: ({ key }, out) => void out.push(text(key?.length ?? -1)),
  V: ({ value }, out) => void out.push(text(value?.length ?? -1)),
  T: ({ timestamp }, out) => void out.push(text(timestamp)),
  H: ({ headerList }, out) => void out.push(text(headerList.length)),
  h: ({ headerList }, out) =>
    headerList.forEach(([name, value], index) => {
      out.push(text(`${index > 0 ? ',' : ''}${name}=`), value ?? EMPTY)
    })
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\\': '\\', '0': '\0' }

/** What `--help` says of the format. */
export const FORMAT_HELP = [
  '%t topic   %p partition   %o offset   %T timestamp (ms)   %k key   %v value   %h headers as name=value,…',
  '%K and %V  length of key and value in bytes (-1: null)   %H number of headers   %% a percent sign',
  '\\n \\t \\r \\0 \\\\ \\xHH  as in C; nothing is added at the end of a message'
]

/** Compiles a format. Throws CommandLineError on a letter that it does not know. */
export function compileFormat(format: string): Formatter {
  const parts: ((message: Message, out: Buffer[]) => void)[] = []
  let literal: Buffer[] = []
  const flush = () => {
    const bytes = Buffer.concat(literal)
    literal = []
    if (bytes.length > 0) parts.push((_, out) => void out.push(bytes))
  }
  const pattern = /%(.?)|\\x([0-9a-fA-F]{2})|\\(.?)|[^%\\]+/gsu
  for (const [whole, field, hex, escaped] of format.matchAll(pattern)) {
    if (field === '%') literal.push(Buffer.from('%'))
    else if (field !== undefined) {
      const part = Object.hasOwn(FIELDS, field) ? FIELDS[field] : undefined
      if (!part)
        throw new CommandLineError(
          `--format: there is no ${whole}; known are ${Object.keys(FIELDS)
            .map(name => `%${name}`)
            .join(' ')} and %%`
        )
      flush()
      parts.push(part)
    } else if (hex !== undefined) literal.push(Buffer.from(hex, 'hex'))
    else if (escaped !== undefined) {
      if (!Object.hasOwn(ESCAPES, escaped))
        throw new CommandLineError(`--format: there is no escape ${whole}; known are \\n \\t \\r \\0 \\\\ \\xHH`)
      literal.push(Buffer.from(ESCAPES[escaped]!))
    } else literal.push(Buffer.from(whole))
  }
  flush()
  return (message, out) => {
    for (const part of parts) part(message, out)
  }
}

/** Bytes as JSON: text where they are UTF-8, else `{"base64": …}`, so that nothing is lost. */
function jsonBytes(bytes: Buffer | null): string {
  if (bytes === null) return 'null'
  return isUtf8(bytes) ? JSON.stringify(bytes.toString('utf8')) : `{"base64":"${bytes.toString('base64')}"}`
}

/** One JSON object a line. Offset and timestamp are numbers of any length; headers a list of pairs, as Kafka keeps them. */
export const jsonMessage: Formatter = (message, out) => {
  const { topic, partition, offset, timestamp, key, value, headerList } = message
  const headers = headerList.map(([name, bytes]) => `[${JSON.stringify(name)},${jsonBytes(bytes)}]`).join(',')
  out.push(
    text(
      `{"topic":${JSON.stringify(topic)},"partition":${partition},"offset":${offset},"timestamp":${timestamp},` +
        `"key":${jsonBytes(key)},"value":${jsonBytes(value)},"headers":[${headers}]}\n`
    )
  )
}
