/**
 * Binds the machine of the producer identity: InitProducerId goes to any broker.
 */
import { identityMachine } from '../machines/identity.ts'
import { brokerError } from '../model/error-classes.ts'
import { BrokerError, plainError, SamsaError } from '../model/errors.ts'
import { bind } from './bind.ts'
import { type Instance, instanceOf } from './instance.ts'

async function initProducerId(instance: Instance): Promise<{ producerId: bigint; producerEpoch: number }> {
  const { links, options } = instance
  const link = await links.any(options.requestTimeoutMs)
  // InitProducerId came with 0.11 (KIP-98); without it there is no idempotence, and the user must say that this is wanted.
  if (link.version('InitProducerId') === undefined)
    throw new BrokerError(
      'NOT_IDEMPOTENT',
      `Broker ${link.node} cannot give producer ids (Kafka before 0.11). Set publish.idempotent to false.`
    )
  const answer = await link.request('InitProducerId', {
    transactionalId: null,
    transactionTimeoutMs: 60_000,
    producerId: -1n,
    producerEpoch: -1
  })
  if (answer.errorCode !== 0) throw brokerError('InitProducerId', answer.errorCode, '')
  return answer
}

export const identityActor = bind(identityMachine, {
  actions: {
    ask: ({ context, self }, { round }) => {
      const instance = instanceOf(context.instance)
      initProducerId(instance).then(
        ({ producerId, producerEpoch }) => self.send({ type: 'GIVEN', round, producerId: String(producerId), producerEpoch }),
        error => self.send({ type: 'FAILED', round, error: plainError(error), random: instance.world.random() })
      )
    },
    give: ({ context }, { producerId, producerEpoch }) =>
      instanceOf(context.instance).publisher.identity.give(BigInt(producerId), producerEpoch),
    refuse: ({ context }, { error }) =>
      instanceOf(context.instance).publisher.identity.refuse(new SamsaError(error.code, error.message, { details: error.details })),
    note: ({ context }, { error }) => instanceOf(context.instance).emit({ type: 'trouble', where: context.path, error })
  }
})
