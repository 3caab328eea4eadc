/**
 * Every anomaly planted in a history of its own: it is found, and nothing else is. And what looks like one and is none.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ANOMALIES, type AnomalyType } from './anomalies.ts'
import { type CheckOptions, check } from './checker.ts'
import type { Entry, Named, Operation, Outcome, Step } from './operation.ts'

/** Writes histories briefly. Each line is 1 ms later than the one before. */
class Script {
  readonly operations: Operation[] = []

  add(process: string, type: Outcome, f: Named, value?: unknown): this {
    const index = this.operations.length
    this.operations.push({ index, time: index, process, type, f, value } as Operation)
    return this
  }

  /** Acked: values at `key` from an offset on. */
  sent(key: string, from: number, ...values: string[]): this {
    values.forEach((value, at) => {
      this.add('p', 'ok', 'send', [['send', key, [from + at, value]]])
    })
    return this
  }

  send(process: string, type: Outcome, ...steps: [key: string, offset: number | null, value: string][]): this {
    return this.add(
      process,
      type,
      'send',
      steps.map(([key, offset, value]): Step => ['send', key, [offset, value]])
    )
  }

  read(process: string, key: string, ...entries: Entry[]): this {
    return this.add(process, 'ok', 'poll', [['poll', { [key]: entries }]])
  }

  txn(process: string, type: Outcome, ...steps: Step[]): this {
    return this.add(process, type, 'txn', steps)
  }

  member(process: string, ...keys: string[]): this {
    this.add(process, 'ok', 'subscribe', { group: 'g' })
    return keys.length > 0 ? this.own(process, 1, ...keys) : this
  }

  own(process: string, epoch: number, ...partitions: string[]): this {
    return this.add(process, 'ok', 'assigned', { partitions, epoch })
  }

  give(process: string, how: 'revoked' | 'lost', ...partitions: string[]): this {
    return this.add(process, 'ok', how, { partitions })
  }

  commit(process: string, key: string, offset: number, type: Outcome = 'ok'): this {
    return this.add(process, type, 'commit', { offsets: { [key]: offset } })
  }
}

const history = () => new Script()
const read = (key: string, ...entries: Entry[]): Step => ['poll', { [key]: entries }]
const write = (key: string, offset: number, value: string): Step => ['send', key, [offset, value]]

/** Exactly these anomalies, each once. */
function finds(script: Script, anomalies: AnomalyType[], options: CheckOptions = {}): void {
  const report = check(script.operations, options)
  assert.deepEqual(
    report.anomalies.map(({ anomaly }) => anomaly),
    anomalies,
    JSON.stringify(report.anomalies)
  )
  assert.equal(report.valid, anomalies.length === 0)
}

/** Three messages in t/0, written and read by all. */
const sound = () => history().sent('t/0', 0, 'a', 'b', 'c').read('r', 't/0', [0, 'a'], [1, 'b'], [2, 'c'])

describe('each anomaly is found, and nothing else', () => {
  const planted: Record<AnomalyType, [string, () => Script, CheckOptions?][]> = {
    'inconsistent-offsets': [
      ['two readers see different values', () => sound().read('r2', 't/0', [0, 'a'], [1, 'x'], [2, 'c'])],
      ['acked there, and another read there', () => history().sent('t/0', 0, 'a').read('r', 't/0', [0, 'x'])],
      ['two acks of one offset', () => history().sent('t/0', 0, 'a').sent('t/0', 0, 'b').read('r', 't/0', [0]), { mode: 'idempotent' }]
    ],
    duplicate: [
      ['read twice', () => sound().read('r', 't/0', [3, 'b']), { mode: 'idempotent' }],
      ['in another partition', () => sound().read('r', 't/1', [0, 'b']), { mode: 'read_committed' }]
    ],
    'lost-write': [
      [
        'nobody has read what was acked',
        () => history().sent('t/0', 0, 'a', 'b', 'c').add('r', 'ok', 'subscribe', {}).read('r', 't/0', [0, 'a']).read('r', 't/0', [2, 'c'])
      ],
      [
        'a write of unknown outcome, of which another part was read',
        () =>
          history()
            .send('p', 'info', ['t/0', 0, 'a'], ['t/1', 0, 'b'])
            .sent('t/1', 1, 'c')
            .read('r', 't/0', [0, 'a'])
            .read('r', 't/1', [1, 'c'])
      ],
      [
        'over a hand-over, while another group has read it',
        () =>
          history()
            .sent('t/0', 0, 'a', 'b', 'c')
            .member('m1', 't/0')
            .read('m1', 't/0', [0, 'a'])
            .give('m1', 'revoked', 't/0')
            .member('m2', 't/0')
            .read('m2', 't/0', [2, 'c'])
            .read('r', 't/0', [0, 'a'], [1, 'b'], [2, 'c'])
      ],
      [
        'a message of somebody else, which another group has read',
        () =>
          sound()
            .read('r', 't/0', [3, 'foreign'], [4, 'foreign too'])
            .member('m1')
            .read('m1', 't/0', [0, 'a'], [1, 'b'], [2, 'c'])
            .read('m1', 't/0', [4, 'foreign too'])
      ],
      ['at the very beginning', () => history().sent('t/0', 0, 'a', 'b').read('r', 't/0', [1, 'b'])]
    ],
    unseen: [
      ['the last one', () => history().sent('t/0', 0, 'a', 'b').read('r', 't/0', [0, 'a'])],
      ['a whole partition', () => sound().sent('t/1', 0, 'd')],
      ['the rest of a list, whose place nobody told', () => sound().send('p', 'ok', ['t/0', null, 'd'])],
      ['by the group, while another reader has it', () => sound().member('m1', 't/0').read('m1', 't/0', [0, 'a'], [1, 'b'])]
    ],
    G1a: [
      ['a failed publish was read', () => sound().send('p', 'fail', ['t', null, 'x']).read('r', 't/0', [3, 'x'])],
      [
        'an aborted transaction was read',
        () =>
          sound()
            .txn('p', 'fail', write('t/0', 3, 'x'))
            .read('r', 't/0', [3, 'x']),
        { mode: 'read_committed' }
      ]
    ],
    'int-poll-skip': [['inside one poll', () => sound().read('r2', 't/0', [0, 'a'], [2, 'c'])]],
    'int-nonmonotonic-poll': [
      ['inside one poll', () => sound().read('r2', 't/0', [0, 'a'], [2, 'c'], [1, 'b']), { allow: ['int-poll-skip'] }],
      ['the same again', () => sound().read('r2', 't/0', [0, 'a'], [0, 'a'], [1, 'b'], [2, 'c'])]
    ],
    'poll-skip': [
      ['between polls', () => sound().read('r2', 't/0', [0, 'a']).read('r2', 't/0', [2, 'c'])],
      ['after an assign', () => sound().add('r2', 'ok', 'assign', ['t/0']).read('r2', 't/0', [0, 'a']).read('r2', 't/0', [2, 'c'])],
      [
        'inside one ownership, though it was subscribed',
        () =>
          sound()
            .member('m1', 't/0')
            .read('m1', 't/0', [0, 'a'])
            .read('m1', 't/0', [2, 'c'])
            .give('m1', 'lost', 't/0')
            .member('m2', 't/0')
            .read('m2', 't/0', [1, 'b'])
      ]
    ],
    'nonmonotonic-poll': [
      ['between polls', () => sound().read('r', 't/0', [1, 'b'])],
      [
        'inside one ownership',
        () => sound().member('m1', 't/0').read('m1', 't/0', [0, 'a'], [1, 'b'], [2, 'c']).read('m1', 't/0', [2, 'c'])
      ]
    ],
    'nonmonotonic-send': [
      [
        'one after the other',
        () => history().sent('t/0', 1, 'a').sent('t/0', 0, 'b').read('r', 't/0', [0, 'b'], [1, 'a']),
        { mode: 'idempotent' }
      ],
      [
        'in flight together: the order of invocations counts',
        () =>
          history()
            .send('p', 'invoke', ['t', null, 'a'])
            .send('p', 'invoke', ['t', null, 'b'])
            .send('p', 'ok', ['t/0', 0, 'b'])
            .send('p', 'ok', ['t/0', 1, 'a'])
            .read('r', 't/0', [0, 'b'], [1, 'a']),
        { mode: 'idempotent' }
      ],
      [
        'inside one list',
        () => history().send('p', 'ok', ['t/0', 1, 'a'], ['t/0', 0, 'b']).read('r', 't/0', [0, 'b'], [1, 'a']),
        { mode: 'read_committed' }
      ]
    ],
    G0: [
      [
        'two transactions lie around each other',
        () =>
          history()
            .txn('p1', 'ok', write('t/0', 0, 'a'), write('t/1', 1, 'b'))
            .txn('p2', 'ok', write('t/0', 1, 'c'), write('t/1', 0, 'd'))
            .read('r', 't/0', [0, 'a'], [1, 'c'])
            .read('r', 't/1', [0, 'd'], [1, 'b']),
        { mode: 'read_committed', forbid: ['G0'] }
      ]
    ],
    G1c: [
      [
        'each has read the other',
        () =>
          history()
            .txn('p1', 'ok', write('t/0', 0, 'a'), read('t/1', [0, 'b']))
            .txn('p2', 'ok', write('t/1', 0, 'b'), read('t/0', [0, 'a'])),
        { mode: 'read_committed' }
      ],
      [
        'in a round of three, and a write in it',
        () =>
          history()
            .txn('p1', 'ok', write('t/0', 0, 'a'), read('t/2', [0, 'd']))
            .txn('p2', 'ok', write('t/0', 1, 'b'), write('t/1', 0, 'c'))
            .txn('p3', 'ok', write('t/2', 0, 'd'), read('t/1', [0, 'c']))
            .read('r', 't/0', [0, 'a'], [1, 'b']),
        { forbid: ['G1c'] }
      ]
    ],
    'two-owners': [
      [
        'a zombie goes on reading',
        () =>
          sound()
            .member('m1', 't/0')
            .read('m1', 't/0', [0, 'a'])
            .member('m2', 't/0')
            .read('m1', 't/0', [1, 'b'])
            .read('m2', 't/0', [1, 'b'], [2, 'c'])
            .give('m1', 'lost', 't/0')
      ],
      [
        'given up after another was given it',
        () => sound().member('m1', 't/0').read('m1', 't/0', [0, 'a'], [1, 'b'], [2, 'c']).member('m2', 't/0').give('m1', 'revoked', 't/0')
      ],
      ['both claim it, until the end', () => history().member('m1', 't/0').member('m2', 't/0')],
      [
        'a zombie commits',
        () =>
          sound()
            .member('m1', 't/0')
            .read('m1', 't/0', [0, 'a'], [1, 'b'], [2, 'c'])
            .member('m2', 't/0')
            .commit('m1', 't/0', 3)
            .give('m1', 'lost', 't/0')
      ]
    ],
    'delivery-outside-ownership': [
      [
        'after it was revoked',
        () => sound().member('m1', 't/0').read('m1', 't/0', [0, 'a'], [1, 'b']).give('m1', 'revoked', 't/0').read('m1', 't/0', [2, 'c'])
      ],
      ['before it was given', () => sound().member('m1').read('m1', 't/0', [0, 'a'], [1, 'b'], [2, 'c']).own('m1', 1, 't/0')],
      [
        'of a partition that is another member’s',
        () => sound().member('m1', 't/0').member('m2', 't/1').read('m2', 't/0', [0, 'a'], [1, 'b'], [2, 'c'])
      ]
    ],
    'commit-after-loss': [
      [
        'begun when another had the partition already',
        () =>
          sound()
            .member('m1', 't/0')
            .read('m1', 't/0', [0, 'a'], [1, 'b'], [2, 'c'])
            .member('m2', 't/0')
            .commit('m1', 't/0', 3, 'invoke')
            .give('m1', 'lost', 't/0')
            .commit('m1', 't/0', 3)
      ],
      [
        'after a loss',
        () => sound().member('m1', 't/0').read('m1', 't/0', [0, 'a'], [1, 'b'], [2, 'c']).give('m1', 'lost', 't/0').commit('m1', 't/0', 3)
      ],
      [
        'begun after it was revoked',
        () =>
          sound()
            .member('m1', 't/0')
            .read('m1', 't/0', [0, 'a'], [1, 'b'], [2, 'c'])
            .give('m1', 'revoked', 't/0')
            .commit('m1', 't/0', 3, 'invoke')
            .commit('m1', 't/0', 3)
      ]
    ],
    'commit-beyond-position': [
      [
        'what an earlier incarnation had been given',
        () =>
          sound()
            .member('m1', 't/0')
            .read('m1', 't/0', [0, 'a'], [1, 'b'], [2, 'c'])
            .add('m1', 'info', 'crash')
            .member('m1', 't/0')
            .commit('m1', 't/0', 3)
      ],
      [
        'more than was given',
        () =>
          sound()
            .member('m1', 't/0')
            .read('m1', 't/0', [0, 'a'])
            .commit('m1', 't/0', 3)
            .give('m1', 'lost', 't/0')
            .member('m2', 't/0')
            .read('m2', 't/0', [1, 'b'], [2, 'c'])
      ],
      [
        'before anything was given',
        () => sound().member('m1', 't/0').commit('m1', 't/0', 2).read('m1', 't/0', [0, 'a'], [1, 'b'], [2, 'c'])
      ],
      [
        'given, but not processed',
        () =>
          sound()
            .member('m1', 't/0')
            .read('m1', 't/0', [0, 'a'], [1, 'b'], [2, 'c'])
            .add('m1', 'ok', 'ack', { offsets: { 't/0': 1 } })
            .commit('m1', 't/0', 3)
      ]
    ],
    redelivery: [
      [
        'after a hand-over',
        () =>
          sound()
            .member('m1', 't/0')
            .read('m1', 't/0', [0, 'a'], [1, 'b'])
            .give('m1', 'revoked', 't/0')
            .member('m2', 't/0')
            .read('m2', 't/0', [1, 'b'], [2, 'c']),
        { forbid: ['redelivery'] }
      ]
    ]
  }

  for (const anomaly of Object.keys(ANOMALIES) as AnomalyType[])
    for (const [name, script, options] of planted[anomaly]) test(`${anomaly}: ${name}`, () => finds(script(), [anomaly], options))
})

describe('what is legal is told apart', () => {
  const legalIn = (script: Script, options: CheckOptions) => {
    const { valid, legal } = check(script.operations, options)
    assert.equal(valid, true)
    return legal.map(({ anomaly }) => anomaly)
  }
  const interleaved = () =>
    history()
      .txn('p1', 'ok', write('t/0', 0, 'a'), write('t/0', 2, 'b'))
      .txn('p2', 'ok', write('t/0', 1, 'c'))
      .read('r', 't/0', [0, 'a'], [1, 'c'], [2, 'b'])

  test('duplicates and reordered sends, at least once', () => {
    assert.deepEqual(legalIn(sound().read('r', 't/0', [3, 'b']), {}), ['duplicate'])
    assert.deepEqual(legalIn(history().sent('t/0', 1, 'a').sent('t/0', 0, 'b').read('r', 't/0', [0, 'b'], [1, 'a']), {}), [
      'nonmonotonic-send'
    ])
  })

  test('a value that was sent twice lies twice, in any mode', () => {
    const script = history().send('p', 'info', ['t', null, 'a']).sent('t/0', 1, 'a').read('r', 't/0', [0, 'a'], [1, 'a'])
    assert.deepEqual(legalIn(script, { mode: 'read_committed' }), ['duplicate'])
  })

  test('a new incarnation of a producer begins a new order', () => {
    const script = history().sent('t/0', 1, 'a').add('p', 'info', 'crash').sent('t/0', 0, 'b').read('r', 't/0', [0, 'b'], [1, 'a'])
    assert.deepEqual(legalIn(script, { mode: 'idempotent' }), [])
  })

  test('aborted messages, for readers of everything', () => {
    const script = sound()
      .txn('p', 'fail', write('t/0', 3, 'x'))
      .read('r', 't/0', [3, 'x'])
    assert.deepEqual(legalIn(script, { mode: 'idempotent' }), ['G1a'])
  })

  test('writes of transactions around each other', () => {
    assert.deepEqual(legalIn(interleaved(), { mode: 'read_committed' }), ['G0'])
  })

  test('what transactions have seen of each other around their writes', () => {
    const script = history()
      .txn('p1', 'ok', write('t/0', 0, 'a'), read('t/2', [0, 'd']))
      .txn('p2', 'ok', write('t/0', 1, 'b'), write('t/1', 0, 'c'))
      .txn('p3', 'ok', write('t/2', 0, 'd'), read('t/1', [0, 'c']))
      .read('r', 't/0', [0, 'a'], [1, 'b'])
    assert.deepEqual(legalIn(script, { mode: 'read_committed' }), ['G1c'])
  })

  test('a message that was read in its other place', () => {
    const script = history().sent('t/0', 0, 'a', 'b').add('r', 'ok', 'subscribe', {}).read('r', 't/0', [0, 'a']).read('r', 't/0', [2, 'b'])
    assert.deepEqual(legalIn(script, {}), ['duplicate'])
  })

  test('what the mode says is overruled', () => {
    assert.equal(check(interleaved().operations, { forbid: ['G0'] }).valid, false)
    assert.equal(check(sound().read('r', 't/0', [1, 'b']).operations, { allow: ['nonmonotonic-poll'] }).valid, true)
  })
})

describe('what is no anomaly', () => {
  test('offsets without a message are no gaps: control records, compaction, aborted messages', () => {
    finds(history().sent('t/0', 0, 'a').sent('t/0', 5, 'b').read('r', 't/0', [0, 'a'], [5, 'b']), [])
    const aborted = history()
      .sent('t/0', 0, 'a')
      .txn('p', 'fail', write('t/0', 1, 'x'))
      .sent('t/0', 2, 'b')
    finds(
      aborted
        .read('all', 't/0', [0, 'a'], [1, 'x'], [2, 'b'])
        .member('m1', 't/0')
        .read('m1', 't/0', [0, 'a'], [2, 'b'])
        .commit('m1', 't/0', 3),
      []
    )
  })

  test('a write of unknown outcome that nobody has read', () => {
    finds(history().send('p', 'info', ['t/0', 1, 'x']).sent('t/0', 0, 'a').sent('t/0', 2, 'b').read('r', 't/0', [0, 'a'], [2, 'b']), [])
  })

  test('a write of unknown outcome that the group has not read yet', () => {
    const script = sound().send('p', 'info', ['t', null, 'd']).read('r', 't/0', [3, 'd'])
    finds(script.member('m1', 't/0').read('m1', 't/0', [0, 'a'], [1, 'b'], [2, 'c']), [])
  })

  test('a publish that failed and was tried again', () => {
    finds(sound().send('p', 'fail', ['t', null, 'd']).sent('t/0', 3, 'd').read('r', 't/0', [3, 'd']), [], { mode: 'idempotent' })
  })

  test('readers without a group that own and read the same', () => {
    const own = (process: string) => (script: Script) =>
      script.add(process, 'ok', 'assigned', { partitions: ['t/0'] }).read(process, 't/0', [0, 'a'], [1, 'b'], [2, 'c'])
    finds(own('r3')(own('r2')(sound())), [], { forbid: ['redelivery'] })
  })

  test('a member that reads everything by its own will in the end', () => {
    const member = sound().member('m1', 't/0').read('m1', 't/0', [0, 'a'], [1, 'b'], [2, 'c']).sent('t/1', 0, 'd').own('m1', 2, 't/1')
    const final = member.read('m1', 't/1', [0, 'd']).add('m1', 'ok', 'assign', ['t/0', 't/1'])
    finds(final.read('m1', 't/0', [0, 'a'], [1, 'b'], [2, 'c']).read('m1', 't/1', [0, 'd']), [])
  })

  test('a group that begins behind the first message, or was given nothing', () => {
    const late = () => sound().add('m1', 'ok', 'subscribe', { group: 'g', from: 'latest' }).own('m1', 1, 't/0')
    finds(late(), [])
    finds(late().commit('m1', 't/0', 3), [])
    finds(late().read('m1', 't/0', [2, 'c']).commit('m1', 't/0', 3), [])
  })

  test('what a consumer reads anew after assign, subscribe, seek, or another ownership', () => {
    const again = () => sound().add('r2', 'ok', 'assign', ['t/0']).read('r2', 't/0', [0, 'a'], [1, 'b'])
    finds(again().add('r2', 'ok', 'assign', ['t/0']).read('r2', 't/0', [0, 'a']), [])
    finds(again().add('r2', 'ok', 'subscribe', {}).read('r2', 't/0', [0, 'a']).read('r2', 't/0', [2, 'c'], [3, 'd']), [])
    finds(
      again()
        .add('r2', 'ok', 'seek', { offsets: { 't/0': 0 } })
        .read('r2', 't/0', [0, 'a']),
      []
    )
    const member = sound().member('m1', 't/0').read('m1', 't/0', [0, 'a'], [1, 'b'])
    finds(member.give('m1', 'lost', 't/0').own('m1', 2, 't/0').read('m1', 't/0', [0, 'a'], [1, 'b'], [2, 'c']), [])
  })

  test('a frozen member that learns of its loss late, and does nothing meanwhile', () => {
    const frozen = () =>
      sound().member('m1', 't/0').read('m1', 't/0', [0, 'a']).member('m2', 't/0').read('m2', 't/0', [0, 'a'], [1, 'b'], [2, 'c'])
    finds(frozen().give('m1', 'lost', 't/0'), [])
    finds(frozen().add('m1', 'info', 'crash'), [])
    finds(frozen().give('m1', 'lost', 't/0').give('m2', 'revoked', 't/0').own('m1', 3, 't/0'), [])
  })

  test('an overlap within the skew of the clocks', () => {
    const script = () =>
      sound().member('m1', 't/0').read('m1', 't/0', [0, 'a'], [1, 'b'], [2, 'c']).member('m2', 't/0').give('m1', 'revoked', 't/0')
    finds(script(), [], { skewMs: 1 })
    finds(script(), ['two-owners'], { skewMs: 0.5 })
  })

  test('a commit that was under way when the partition went', () => {
    const script = sound().member('m1', 't/0').read('m1', 't/0', [0, 'a'], [1, 'b'], [2, 'c']).commit('m1', 't/0', 3, 'invoke')
    finds(script.member('m2', 't/0').give('m1', 'lost', 't/0').commit('m1', 't/0', 3), [])
  })

  test('a commit up to where the group had been before', () => {
    const first = sound().member('m1', 't/0').read('m1', 't/0', [0, 'a'], [1, 'b'], [2, 'c']).commit('m1', 't/0', 3)
    finds(first.give('m1', 'revoked', 't/0').member('m2', 't/0').commit('m2', 't/0', 3), [])
  })

  test('a commit after a seek, of a member that does not tell what it has processed', () => {
    const member = sound().member('m1', 't/0')
    finds(
      member
        .add('m1', 'ok', 'seek', { offsets: { 't/0': 0 } })
        .read('m1', 't/0', [0, 'a'], [1, 'b'], [2, 'c'])
        .commit('m1', 't/0', 3),
      []
    )
  })

  test('readers without a group, together, and members of two groups, each', () => {
    finds(sound().read('r2', 't/1', [0, 'd']).sent('t/1', 1, 'e').read('r3', 't/1', [1, 'e']), [])
    const two = sound().member('m1', 't/0').read('m1', 't/0', [0, 'a'], [1, 'b'], [2, 'c'])
    finds(two.add('n1', 'ok', 'assigned', { group: 'h', partitions: ['t/0'] }).read('n1', 't/0', [0, 'a'], [1, 'b'], [2, 'c']), [])
  })

  test('messages that were read by offset alone', () => {
    finds(history().sent('t/0', 0, 'a', 'b').member('m1', 't/0').read('m1', 't/0', [0], [1]).commit('m1', 't/0', 2), [])
  })

  test('readers that have not read to the end', () => {
    finds(history().sent('t/0', 0, 'a', 'b').sent('t/1', 0, 'c').read('r', 't/0', [0, 'a']), [], { final: false })
  })
})

describe('after a seek', () => {
  const seek = (exact: boolean) =>
    history()
      .sent('t/0', 0, 'a', 'b', 'c')
      .member('c', 't/0')
      .read('c', 't/0', [0, 'a'], [1, 'b'], [2, 'c'])
      .add('c', 'ok', 'seek', { offsets: { 't/0': 1 }, ...(exact ? { exact } : {}) })

  test('the next message is the sought one', () => {
    finds(seek(true).read('c', 't/0', [1, 'b'], [2, 'c']), [])
    finds(seek(true).read('c', 't/0', [0, 'a'], [1, 'b'], [2, 'c']), ['nonmonotonic-poll'])
    finds(seek(true).read('c', 't/0', [2, 'c']), ['poll-skip'])
  })

  test('unless it goes somewhere behind it', () => {
    finds(seek(false).read('c', 't/0', [2, 'c']), [])
  })
})

describe('a run that proves nothing is not green', () => {
  const missing = (script: Script) => {
    const { valid, summary } = check(script.operations, { requireFaults: true })
    assert.equal(valid, summary.missing.length === 0 ? true : 'unknown')
    return summary.missing
  }
  const fault = (script: Script, phase?: 'begin' | 'end') =>
    script.add('nemesis', 'info', 'fault', { name: 'kill', ...(phase ? { phase } : {}) })

  test('without faults, or with faults that met nothing', () => {
    assert.deepEqual(missing(sound().send('p', 'info', ['t', null, 'x'])), ['no fault fired'])
    const idle = fault(fault(sound().send('p', 'info', ['t', null, 'x']), 'begin'), 'end')
    assert.deepEqual(missing(idle), ['no operation overlapped a fault'])
  })

  test('without unknown outcomes', () => {
    assert.deepEqual(missing(fault(sound(), 'begin').read('r2', 't/0', [0, 'a'])), ['no outcome was unknown'])
  })

  test('one that proves something', () => {
    assert.deepEqual(missing(fault(fault(sound(), 'begin').send('p', 'info', ['t', null, 'x']), 'end')), [])
    const momentary = fault(sound().send('p', 'invoke', ['t', null, 'x'])).send('p', 'info', ['t', null, 'x'])
    assert.deepEqual(missing(momentary), [])
  })
})

test('of each anomaly so many are told, and all are counted', () => {
  const script = history()
  for (let at = 0; at < 50; at++) script.sent('t/0', at, `m${at}`)
  const { anomalies, summary } = check(script.operations, { examples: 3 })
  assert.equal(anomalies.length, 3)
  assert.deepEqual(summary.anomalies, { unseen: 50 })
})
