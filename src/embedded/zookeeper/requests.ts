/**
 * Requests as they come over a socket: the opcode says how the bytes are read, what is asked, and how the answer is written. One line each
 * (`ZooDefs.OpCode`, `zookeeper.jute`).
 */
import { authenticate, readAcl, writeAcl } from './acl.ts'
import type { Core } from './core.ts'
import { ZK_CODE, ZkFault } from './faults.ts'
import { type JuteReader, JuteWriter } from './jute.ts'
import type { Asker, Change } from './operations.ts'
import * as operations from './operations.ts'
import type { Session } from './sessions.ts'
import type { Stat } from './tree.ts'

/** Who asks over a socket. */
export interface Client extends Asker {
  readonly session: Session
  readonly address: string
}

type Handler = (core: Core, client: Client, reader: JuteReader) => JuteWriter

const writer = () => new JuteWriter()
const nothing = (): JuteWriter => writer()

export function writeStat(out: JuteWriter, stat: Stat): JuteWriter {
  out.long(stat.czxid).long(stat.mzxid).long(stat.ctime).long(stat.mtime)
  out.int(stat.version).int(stat.cversion).int(stat.aversion).long(stat.ephemeralOwner)
  return out.int(stat.dataLength).int(stat.numChildren).long(stat.pzxid)
}

/** An answer of a header alone. */
const silent =
  (run: (core: Core, client: Client, reader: JuteReader) => unknown): Handler =>
  (core, client, reader) => {
    run(core, client, reader)
    return nothing()
  }

const strings = (reader: JuteReader) => reader.vector(() => reader.string())
const writeStrings = (out: JuteWriter, values: readonly string[]) => out.vector(values, value => void out.string(value))

/** What every creation begins with; `timed` ones have a time behind it. */
function readCreate(reader: JuteReader, timed = false): Extract<Change, { type: 'create' }> {
  const head = { path: reader.string(), data: reader.buffer(), acl: readAcl(reader), mode: reader.int() }
  return { type: 'create', ...head, ...(timed ? { ttlMs: reader.long() } : {}) }
}

const readDelete = (reader: JuteReader): Change => ({ type: 'delete', path: reader.string(), version: reader.int() })
const readSetData = (reader: JuteReader): Change => ({
  type: 'setData',
  path: reader.string(),
  data: reader.buffer(),
  version: reader.int()
})
const readCheck = (reader: JuteReader): Change => ({ type: 'check', path: reader.string(), version: reader.int() })

/** The answer to a creation: the path, and from create2 on what became of it. */
const created =
  (withStat: boolean, timed = false): Handler =>
  (core, client, reader) => {
    const { path, stat } = operations.change(core, client, readCreate(reader, timed))
    const out = writer().string(path)
    return withStat ? writeStat(out, stat!) : out
  }

const OP = {
  error: -1,
  create: 1,
  delete: 2,
  getData: 4,
  setData: 5,
  getChildren: 8,
  check: 13,
  create2: 15,
  container: 19,
  ttl: 21
} as const

const IN_MULTI: Readonly<Record<number, (reader: JuteReader) => Change>> = {
  [OP.create]: reader => readCreate(reader),
  [OP.create2]: reader => readCreate(reader),
  [OP.container]: reader => readCreate(reader),
  [OP.ttl]: reader => readCreate(reader, true),
  [OP.delete]: readDelete,
  [OP.setData]: readSetData,
  [OP.check]: readCheck
}

/** Before each operation and its result, and with type -1 behind the last: type, done, error. */
function* multiHeaders(reader: JuteReader): Generator<number, void, void> {
  for (;;) {
    const [type, done] = [reader.int(), reader.bool()]
    reader.int()
    if (done) return
    yield type
  }
}

const header = (out: JuteWriter, type: number, error: number, done = false) => out.int(type).bool(done).int(error)
const ended = (out: JuteWriter) => header(out, OP.error, -1, true)

function multi(core: Core, client: Client, reader: JuteReader): JuteWriter {
  const types: number[] = []
  const changes: Change[] = []
  for (const type of multiHeaders(reader)) {
    const read = IN_MULTI[type]
    if (!read) throw new ZkFault('UNIMPLEMENTED')
    types.push(type)
    changes.push(read(reader))
  }
  const out = writer()
  const result = operations.multi(core, client, changes)
  if ('failedAt' in result) {
    for (const index of changes.keys()) {
      const { failedAt, fault } = result
      const code = index < failedAt ? ZK_CODE.OK : index === failedAt ? fault.number : ZK_CODE.RUNTIME_INCONSISTENCY
      header(out, OP.error, code).int(code)
    }
    return ended(out)
  }
  for (const [index, { path, stat }] of result.done.entries()) {
    const type = types[index]!
    header(out, type, ZK_CODE.OK)
    if (changes[index]!.type === 'create') out.string(path)
    if (stat && type !== OP.create) writeStat(out, stat)
  }
  return ended(out)
}

/** Questions side by side: each has its own answer, or its own error. */
function multiRead(core: Core, client: Client, reader: JuteReader): JuteWriter {
  const out = writer()
  for (const type of multiHeaders(reader)) {
    if (type !== OP.getData && type !== OP.getChildren) throw new ZkFault('UNIMPLEMENTED')
    const [path, watch] = [reader.string(), reader.bool()]
    try {
      const body = writer()
      if (type === OP.getData) {
        const { data, stat } = operations.getData(core, client, path, watch)
        writeStat(body.buffer(data), stat)
      } else writeStrings(body, operations.getChildren(core, client, path, watch).children)
      header(out, type, ZK_CODE.OK).raw(body.bytes())
    } catch (error) {
      if (!(error instanceof ZkFault)) throw error
      header(out, OP.error, error.number).int(error.number)
    }
  }
  return ended(out)
}

const HANDLERS: Readonly<Record<number, Handler>> = {
  [OP.create]: created(false),
  [OP.delete]: silent((core, client, reader) => operations.change(core, client, readDelete(reader))),
  3: (core, client, reader) => writeStat(writer(), operations.exists(core, client, reader.string(), reader.bool())),
  [OP.getData]: (core, client, reader) => {
    const { data, stat } = operations.getData(core, client, reader.string(), reader.bool())
    return writeStat(writer().buffer(data), stat)
  },
  [OP.setData]: (core, client, reader) => writeStat(writer(), operations.change(core, client, readSetData(reader)).stat!),
  6: (core, client, reader) => {
    const { acl, stat } = operations.getAcl(core, client, reader.string())
    return writeStat(writeAcl(writer(), acl), stat)
  },
  7: (core, client, reader) => writeStat(writer(), operations.setAcl(core, client, reader.string(), readAcl(reader), reader.int())),
  [OP.getChildren]: (core, client, reader) =>
    writeStrings(writer(), operations.getChildren(core, client, reader.string(), reader.bool()).children),
  // There is one state: what is asked after it sees all that was before it.
  9: (_, __, reader) => writer().string(reader.string()),
  12: (core, client, reader) => {
    const { children, stat } = operations.getChildren(core, client, reader.string(), reader.bool())
    return writeStat(writeStrings(writer(), children), stat)
  },
  [OP.check]: silent((core, client, reader) => operations.change(core, client, readCheck(reader))),
  14: multi,
  [OP.create2]: created(true),
  17: silent((core, client, reader) => operations.checkWatches(core, client, reader.string(), reader.int(), false)),
  18: silent((core, client, reader) => operations.checkWatches(core, client, reader.string(), reader.int(), true)),
  [OP.container]: created(true),
  [OP.ttl]: created(true, true),
  22: multiRead,
  100: (_, client, reader) => {
    reader.int()
    const identity = authenticate(reader.string(), reader.buffer() ?? Buffer.alloc(0), client.address)
    if (!identity) throw new ZkFault('AUTH_FAILED')
    client.session.identities = [
      ...client.session.identities.filter(({ scheme, id }) => scheme !== identity.scheme || id !== identity.id),
      identity
    ]
    return nothing()
  },
  101: (core, client, reader) => setWatches(core, client, reader, false),
  103: (core, client, reader) => writeStrings(writer(), operations.ephemeralsBelow(core, client, reader.string())),
  104: (core, client, reader) => writer().int(operations.countBelow(core, client, reader.string())),
  105: (core, client, reader) => setWatches(core, client, reader, true),
  106: (core, client, reader) => {
    const [path, mode] = [reader.string(), reader.int()]
    if (mode !== 0 && mode !== 1) throw new ZkFault('BAD_ARGUMENTS', path)
    core.watches.add(mode === 0 ? 'persistent' : 'recursive', path, client.watcher)
    return writer().int(ZK_CODE.OK)
  },
  107: (_, client) => {
    const out = writer()
    return out.vector(
      client.identities,
      ({ scheme, id }) => void out.string(scheme).string(scheme === 'digest' ? id.split(':', 1)[0]! : id)
    )
  }
}

function setWatches(core: Core, client: Client, reader: JuteReader, all: boolean): JuteWriter {
  const before = { zxid: reader.long(), data: strings(reader), exist: strings(reader), children: strings(reader) }
  operations.setWatches(core, client, all ? { ...before, persistent: strings(reader), recursive: strings(reader) } : before)
  return nothing()
}

/** The body of the answer. Throws ZkFault: then the answer is its number alone. */
export function handle(opcode: number, core: Core, client: Client, reader: JuteReader): JuteWriter {
  const handler = HANDLERS[opcode]
  if (!handler) throw new ZkFault('UNIMPLEMENTED')
  return handler(core, client, reader)
}
