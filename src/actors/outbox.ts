/**
 * Binds the machine of the outbox: opens the directory and gives what lies there to the publisher.
 */
import { openOutbox } from '../journal/outbox-open.ts'
import { outboxMachine } from '../machines/outbox.ts'
import { plainError } from '../model/errors.ts'
import { bind } from './bind.ts'
import { findInstance, instanceOf, tell } from './instance.ts'

export const outboxActor = bind(outboxMachine, {
  actions: {
    open: ({ context, self }, { directory }) => {
      const { world, options, publisher } = instanceOf(context.instance)
      const { outbox: publishOutbox } = publisher
      openOutbox({
        ...{ world, directory, fsync: options.outboxFsync },
        refused: (ids, error, certain) => publishOutbox!.refused(ids, error, certain),
        health: reason => self.send(reason === null ? { type: 'WRITTEN' } : { type: 'WRITE_FAILED', reason })
      }).then(
        opened => {
          const instance = findInstance(context.instance)
          // Closed while it was being opened: nobody else would let the directory go.
          if (!instance || instance.closed) return void opened.outbox.close()
          const { entries, damages, outbox } = opened
          self.send({ type: 'OPENED', batches: entries.length, bytes: outbox.bytes, damages: damages.length })
          publishOutbox!.opened(opened)
          for (const look of instance.onLevel) look()
        },
        (error: Error) => self.send({ type: 'OPEN_FAILED', error: plainError(error) })
      )
    },
    noteOpened: ({ context }, params) =>
      instanceOf(context.instance).emit({ type: 'outbox.opened', directory: context.directory, ...params }),
    noteFailing: ({ context }, { reason }) =>
      instanceOf(context.instance).emit({ type: 'outbox.failing', directory: context.directory, reason }),
    noteWriting: ({ context }) => instanceOf(context.instance).emit({ type: 'outbox.writing', directory: context.directory }),
    refuse: ({ context }, { error }) => void tell(instanceOf(context.instance), 'cluster', { type: 'OUTBOX_FAILED', error })
  }
})
