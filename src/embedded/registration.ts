/**
 * A broker's own dealings with ZooKeeper, as Kafka 3.9 has them: one session, its ephemeral node under `/brokers/ids`, and standing for controller
 * whenever there is none. A session that expires is followed by another, with the same node registered anew.
 */
import type { World } from '../model/world.ts'
import { Controller } from './controller.ts'
import type { ClusterState } from './kafka/state.ts'
import * as znodes from './znodes.ts'
import type { EmbeddedZooKeeper } from './zookeeper/server.ts'
import type { LocalSession } from './zookeeper/session.ts'

export interface RegistrationOptions {
  world: World
  state: ClusterState
  zookeeper: EmbeddedZooKeeper
  brokerId: number
}

export class Registration {
  #options: RegistrationOptions
  #session: LocalSession | undefined
  /** Ends the session of a process that has ended, which ZooKeeper still waits for. */
  #over: (() => void) | undefined
  #controller: Controller | undefined

  constructor(options: RegistrationOptions) {
    this.#options = options
  }

  /** The session's id; undefined: it has none. */
  get sessionId(): bigint | undefined {
    return this.#session?.id
  }

  /** The process has started: registers, and stands for controller. */
  begin(): void {
    const { zookeeper, state, brokerId, world } = this.#options
    const session = zookeeper.session()
    this.#session = session
    session.onExpired(() => {
      if (this.#session !== session) return
      this.#forget()
      this.begin()
    })
    for (const path of znodes.PERSISTENT_PATHS) ensure(session, path)
    ensure(session, znodes.CLUSTER_ID, znodes.clusterIdData(state.clusterId))
    ensure(session, znodes.FEATURE, znodes.featureData())
    session.create(znodes.brokerPath(brokerId), znodes.brokerData(state.brokers.get(brokerId)!, world.now()), { ephemeral: true })
    this.#stand(session)
  }

  /** The process has ended: its session is over when it has not been heard of for so long; 0: now, also if it was to wait before. */
  end(afterMs: number): void {
    const { world, state, brokerId } = this.#options
    const session = this.#session
    this.#forget()
    if (session) {
      const timer = afterMs > 0 ? world.setTimer(() => this.#over?.(), afterMs) : undefined
      this.#over = () => {
        this.#over = undefined
        if (timer) world.clearTimer(timer)
        session.close()
        if (state.controllerId === brokerId) state.setController(-1)
      }
    }
    if (afterMs <= 0) this.#over?.()
  }

  /** Becomes the controller in place of whoever is: its node is deleted, and this one is the first to stand. */
  takeOver(): void {
    const session = this.#session
    if (!session || this.#controller) return
    if (session.exists(znodes.CONTROLLER)) session.delete(znodes.CONTROLLER)
    this.#stand(session)
  }

  #forget(): void {
    this.#session = undefined
    this.#controller?.end()
    this.#controller = undefined
  }

  /** One function for good: a watch that is set with it twice calls it once. */
  #look = (): void => {
    if (this.#session) this.#stand(this.#session)
  }

  /** Becomes the controller when there is none, gives it up when there is another; and looks again at the next change of who it is. */
  #stand(session: LocalSession): void {
    const there = session.exists(znodes.CONTROLLER, this.#look)
    if (there?.ephemeralOwner === session.id) return
    this.#controller?.end()
    this.#controller = undefined
    if (there) return
    const { state, brokerId, world } = this.#options
    const epoch = bumpEpoch(session)
    session.create(znodes.CONTROLLER, znodes.controllerData(brokerId, world.now()), { ephemeral: true })
    this.#controller = new Controller({ state, session, brokerId, epoch })
    this.#controller.begin()
  }
}

/** Each controller has an epoch of its own, by which brokers tell an old one. */
function bumpEpoch(session: LocalSession): number {
  const before = session.exists(znodes.CONTROLLER_EPOCH) ? Number(session.getData(znodes.CONTROLLER_EPOCH).data) : 0
  const epoch = Buffer.from(String(before + 1))
  if (before === 0) ensure(session, znodes.CONTROLLER_EPOCH, epoch)
  else session.setData(znodes.CONTROLLER_EPOCH, epoch)
  return before + 1
}

/** Makes a persistent node, and those above it, unless it is there. */
export function ensure(session: LocalSession, path: string, data: Buffer = Buffer.alloc(0)): void {
  for (let at = path.indexOf('/', 1); at > 0; at = path.indexOf('/', at + 1)) {
    const above = path.slice(0, at)
    if (!session.exists(above)) session.create(above, Buffer.alloc(0))
  }
  if (!session.exists(path)) session.create(path, data)
}
