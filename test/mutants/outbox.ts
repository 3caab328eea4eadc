/**
 * Bugs of an outbox: what would make it lose, double, or lie.
 */
import type { Mutant } from './table.ts'

const EMBEDDED = ['test/embedded/outbox.test.ts']
const SEEDS = 200

export const OUTBOX: Mutant[] = [
  {
    name: 'accepted is said before it is on disk',
    after: 'acknowledged and lost: a write that was not waited for',
    file: 'src/actors/publish-outbox.ts',
    find: '    outbox.whenDurable().then(\n      () => {\n        if (!batch.error) batch.accepted()\n      },',
    replace: '    batch.accepted()\n    outbox.whenDurable().then(\n      () => {},',
    caughtBy: EMBEDDED
  },
  {
    name: 'a batch is sent before its identity is on disk',
    after: 'who dies in between sends it again under another identity, and it is there twice',
    file: 'src/actors/publish-outbox.ts',
    find: 'if (batches.every(({ outboxId }) => outbox.isDurable(outboxId))) return add(batches)',
    replace: 'if (batches.length > 0) return add(batches)',
    caughtBy: SEEDS
  },
  {
    name: 'what was left gets a new identity',
    after: 'every client whose producer id dies with the process: what was sent and not acked is written again',
    file: 'src/actors/publish-outbox.ts',
    find: '      if (entry.identity) queue.recovered.add(batch)\n      else queue.sealed.push(batch)',
    replace: '      queue.sealed.push(batch)',
    caughtBy: EMBEDDED
  },
  {
    name: 'the leader is believed before its followers have it',
    after: 'acked by one log only: the leader dies after it was asked, and what it alone had is gone',
    file: 'src/flow/recovered.ts',
    find: 'for (const flight of written.slice(0, -1)) this.#hold(flight)',
    replace: 'for (const flight of written) this.#settle(flight)',
    caughtBy: EMBEDDED
  },
  {
    name: 'new publishes do not wait for what was left',
    after: 'sarama 2619: younger messages overtake those that are tried again',
    file: 'src/flow/partition-queue.ts',
    find: '    if (this.#hasOlderIdentity()) return out\n    while (flying',
    replace: '    while (flying',
    caughtBy: ['test/flow/partition-queue.test.ts']
  },
  {
    name: 'behind a gap the old sequence is used',
    after: 'a batch that was damaged on disk leaves a hole, and brokers refuse what follows it for ever',
    file: 'src/flow/recovered.ts',
    find: 'if (flight.sequence === expected) {',
    replace: 'if (flight.sequence >= 0) {',
    caughtBy: ['test/flow/recovered.test.ts']
  },
  {
    name: 'a refused write leaves its frames in the file',
    after: 'refused as not accepted, and found and sent after a crash all the same',
    file: 'src/journal/outbox-segments.ts',
    find: '      await file.cut(bytes)\n',
    replace: '',
    caughtBy: ['test/journal/outbox.test.ts']
  },
  {
    name: 'files are deleted while something in them is live',
    after: 'a log that is trimmed by age and not by what is still needed',
    file: 'src/journal/outbox.ts',
    find: 'oldest !== undefined && !this.#live.get(oldest); oldest',
    replace: 'oldest !== undefined; oldest',
    caughtBy: ['test/journal/outbox.test.ts']
  },
  {
    name: 'damage ends the reading of a file',
    after: 'one flipped bit costs everything behind it',
    file: 'src/journal/outbox-frames.ts',
    find: '    const next = nextFrame(segment, at + 1, mark, search)',
    replace: '    const next = -1',
    caughtBy: ['test/journal/outbox-frames.test.ts']
  },
  {
    name: 'two processes write one outbox',
    after: 'a lock that is a file with a number in it: nobody holds it after a crash, or two do',
    file: 'src/world/node-files.ts',
    find: 'socket.destroy()\n      resolve(true)',
    replace: 'socket.destroy()\n      resolve(false)',
    caughtBy: ['test/world/node-files.test.ts']
  }
]
