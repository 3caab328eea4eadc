/**
 * Connect strings: what names a ZooKeeper, and what is refused with a reason.
 */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { parseConnectString, pathProblem } from '../../../src/registry/zookeeper/connect-string.ts'

it('reads hosts, ports and one chroot', () => {
  const server = (host: string, port = 2181) => ({ host, port })
  assert.deepEqual(parseConnectString('h1'), { servers: [server('h1')], chroot: '' })
  assert.deepEqual(parseConnectString('h1:1,h2:2,/'), { servers: [server('h1', 1), server('h2', 2)], chroot: '' })
  assert.deepEqual(parseConnectString('10.0.0.1:2182, zk-2.example.org/kafka/a/'), {
    servers: [server('10.0.0.1', 2182), server('zk-2.example.org')],
    chroot: '/kafka/a'
  })
  assert.deepEqual(parseConnectString('[::1]:99,[fe80::1%eth0]/k').servers, [server('::1', 99), server('fe80::1%eth0')])
})

it('refuses what names none, and says why', () => {
  const refused: [string, RegExp][] = [
    ['', /no server/],
    [',', /no server/],
    ['/kafka', /no server/],
    ['h1:0', /between 1 and 65535/],
    ['h1:99999', /between 1 and 65535/],
    ['h1:x', /host:port/],
    ['::1:2181', /brackets/],
    ['h1/kafka,h2/kafka', /once, at the end/],
    ['h1/a//b', /empty name/],
    ['h1/../b', /relative/],
    ['h1/a\u0000', /refuses/],
    ['zookeeper://h1', /scheme/],
    ['a b', /host:port/],
    [Array.from({ length: 65 }, (_, i) => `h${i}`).join(','), /more than 64/],
    ['h'.repeat(20_000), /sane length/],
    [undefined as unknown as string, /sane length/]
  ]
  for (const [text, why] of refused) assert.throws(() => parseConnectString(text), { code: 'ZK_INVALID_CONNECT_STRING', message: why })
})

it('knows which paths ZooKeeper takes', () => {
  for (const path of ['/', '/a', '/a/b.c', '/a/...', '/ü/日本']) assert.equal(pathProblem(path), undefined, path)
  for (const path of ['', 'a', '/a/', '//', '/a//b', '/.', '/a/..', '/a/../b', '/\u0001', '/\ud800', '/\uffff', `/${'a'.repeat(70_000)}`]) {
    assert.notEqual(pathProblem(path), undefined, path.slice(0, 20))
  }
})

it('refuses users and passwords, and repeats neither', () => {
  for (const text of [
    'anna:canary@h:2181',
    'h:2181,anna:canary@h',
    'anna:can/ary@h:2181/kafka',
    ':canary@h',
    'zookeeper://anna:canary@h'
  ]) {
    const refusal = (error: Error) => !/anna|can/.test(error.message) && /\[redacted\]@h/.test(error.message)
    assert.throws(() => parseConnectString(text), refusal, text)
  }
})
