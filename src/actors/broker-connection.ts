/**
 * Binds the machine of a broker connection: its leaf resolves the name, dials one address after the other, negotiates,
 * and reports. Links are offered and withdrawn here.
 */
import { type EventObject, fromCallback } from 'xstate'
import { type BrokerConnectionContext, type BrokerConnectionEvent, brokerConnectionMachine } from '../machines/broker-connection.ts'
import { ConnectionError, plainError, type SamsaError, TimeoutError } from '../model/errors.ts'
import { Connection } from '../wire/connection.ts'
import { bind } from './bind.ts'
import { type Instance, instanceOf, tell } from './instance.ts'

const leafOf = (path: string) => `${path}#leaf`

interface Dial {
  instance: Instance
  context: BrokerConnectionContext
  report: (event: BrokerConnectionEvent) => void
  stopped: boolean
  connection: Connection | undefined
}

const wanted = ({ instance, context }: Dial) => instance.links.isWanted(context.node, context.purpose)

/** One address: resolves when negotiated, rejects with why not. A connection that ends later is reported as CLOSED. */
function tryAddress(dial: Dial, address: string): Promise<void> {
  const { instance, context } = dial
  const { world, options } = instance
  return new Promise((resolve, reject) => {
    let settled = false
    const timer = world.setTimer(
      () =>
        connection.close(
          new TimeoutError('DIAL_TIMEOUT', `${address}:${context.port} did not take the connection within ${options.dialTimeoutMs} ms.`, {
            retriable: true
          })
        ),
      options.dialTimeoutMs
    )
    const connection = new Connection({
      world,
      node: context.node,
      purpose: context.purpose,
      host: address,
      port: context.port,
      clientId: options.clientId,
      maxFrameBytes: options.maxFrameBytes,
      requestTimeoutMs: options.requestTimeoutMs,
      onThrottled: throttleMs => instance.emit({ type: 'throttled', broker: context.node, throttleMs }),
      onDefect: error => instance.emit({ type: 'trouble', where: context.path, error: plainError(error) }),
      onConnected: () => {
        world.clearTimer(timer)
        if (dial.stopped) return connection.close()
        dial.report({ type: 'CONNECTED', link: context.link, address })
        connection.negotiate(options.requestTimeoutMs).then(
          () => {
            settled = true
            resolve()
          },
          error => connection.close(error as SamsaError)
        )
      },
      onClosed: (error, inFlight) => {
        world.clearTimer(timer)
        if (!settled)
          return reject(
            error ??
              new ConnectionError('CONNECTION_REFUSED', `${address}:${context.port} closed the connection before it was ready.`, {
                retriable: true
              })
          )
        dial.report({
          type: 'CLOSED',
          link: context.link,
          error: error ? plainError(error) : null,
          inFlight,
          wanted: wanted(dial),
          random: world.random()
        })
      }
    })
    dial.connection = connection
  })
}

/** Every address of the host in turn; the last failure is the one that is told. */
async function dialHost(dial: Dial): Promise<void> {
  const { instance, context, report } = dial
  let failure: unknown
  try {
    const addresses = await instance.world.resolve(context.host)
    if (addresses.length === 0) throw new ConnectionError('HOST_UNKNOWN', `${context.host} has no address.`, { retriable: true })
    for (const address of addresses) {
      if (dial.stopped) return
      try {
        await tryAddress(dial, address)
        if (!dial.stopped && dial.connection?.open) {
          instance.connections.set(context.path, dial.connection)
          report({ type: 'NEGOTIATED', link: context.link })
        }
        return
      } catch (error) {
        failure = error
      }
    }
  } catch (error) {
    failure = new ConnectionError('HOST_UNKNOWN', `${context.host} could not be resolved: ${(error as Error).message}.`, {
      retriable: true,
      cause: error
    })
  }
  if (!dial.stopped)
    report({
      type: 'CLOSED',
      link: context.link,
      error: plainError(failure),
      inFlight: 0,
      wanted: wanted(dial),
      random: instance.world.random()
    })
}

const connectionLeaf = fromCallback<EventObject, BrokerConnectionContext>(({ input, sendBack, receive, self }) => {
  const instance = instanceOf(input.instance)
  const dial: Dial = { instance, context: input, report: event => !dial.stopped && sendBack(event), stopped: false, connection: undefined }
  instance.directory.set(leafOf(input.path), self)
  receive(event => {
    if (event.type === 'DRAIN') dial.connection?.whenIdle(() => dial.report({ type: 'DRAINED', link: input.link }))
  })
  void dialHost(dial)
  return () => {
    dial.stopped = true
    if (instance.directory.get(leafOf(input.path)) === self) instance.directory.delete(leafOf(input.path))
    instance.connections.delete(input.path)
    dial.connection?.close(
      new ConnectionError('CONNECTION_CLOSED', `The connection to broker ${input.node} was closed by us.`, { retriable: true })
    )
  }
})

export const brokerConnectionActor = bind(brokerConnectionMachine, {
  actors: { connection: connectionLeaf },
  actions: {
    drain: ({ context }) => void tell(instanceOf(context.instance), leafOf(context.path), { type: 'DRAIN' }),
    offer: ({ context }) => {
      const instance = instanceOf(context.instance)
      const connection = instance.connections.get(context.path)
      if (connection) instance.links.offer(connection)
    },
    withdraw: ({ context }) => instanceOf(context.instance).links.withdraw(context.node, context.purpose),
    failWaiters: ({ context }, { error }) => instanceOf(context.instance).links.fail(context.node, context.purpose, error),
    tellUnreachable: ({ context }, { node, purpose, error }) => {
      const { links, registry } = instanceOf(context.instance)
      links.dialFailed(node, purpose, error)
      registry?.brokerUnreachable?.()
    },
    note: ({ context }, { state, reason }) =>
      instanceOf(context.instance).emit({ type: 'broker.state', broker: context.node, purpose: context.purpose, state, reason })
  }
})
