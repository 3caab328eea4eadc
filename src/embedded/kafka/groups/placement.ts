/**
 * Which broker coordinates which names, as the brokers themselves believe it: the leader of the partition that a name falls on, once it has read the
 * partition. Groups and transactions share these rules.
 */
import type { Timer, World } from '../../../model/world.ts'
import { ERROR, KafkaFault } from '../errors.ts'
import type { Place } from './host.ts'

interface Seat {
  leader: number
  leaderEpoch: number
  /** While it reads. */
  loading: Timer | undefined
}

export interface PlacementOwner {
  readonly world: World
  placeOf(key: string): Place
  /** Asked when a load begins. */
  loadMs(): number
  /** The broker that had this partition has it no more. */
  unload(partition: number): void
  /** Another broker has read it. */
  load(partition: number, leaderEpoch: number): void
}

export class Placement {
  #owner: PlacementOwner
  #seats = new Map<number, Seat>()

  constructor(owner: PlacementOwner) {
    this.#owner = owner
  }

  /** May this broker answer for this name? NONE, NOT_COORDINATOR or COORDINATOR_LOAD_IN_PROGRESS. */
  check(brokerId: number, key: string): number {
    const place = this.#owner.placeOf(key)
    const seat = this.follow(place)
    if (place.leader !== brokerId) return ERROR.NOT_COORDINATOR
    return seat.loading ? ERROR.COORDINATOR_LOAD_IN_PROGRESS : ERROR.NONE
  }

  /** Is anything of this broker still being read? */
  isLoading(brokerId: number): boolean {
    return [...this.#seats.values()].some(({ leader, loading }) => leader === brokerId && loading)
  }

  leaderEpoch(partition: number): number {
    return this.#seats.get(partition)?.leaderEpoch ?? 0
  }

  /** To be told of each change of a partition's leader; asking for a name tells it too. */
  follow({ partition, leader, leaderEpoch }: Place): Seat {
    let seat = this.#seats.get(partition)
    if (seat && seat.leader === leader) {
      seat.leaderEpoch = leaderEpoch
      return seat
    }
    if (seat) this.#stop(seat)
    if (seat && seat.leader >= 0) this.#owner.unload(partition)
    seat = { leader, leaderEpoch, loading: undefined }
    this.#seats.set(partition, seat)
    if (leader >= 0) this.#read(partition, seat, this.#owner.loadMs())
    return seat
  }

  /** The coordinator of this partition reads it anew, for this long: a fault. */
  reload(partition: number, loadMs: number): void {
    const seat = this.#seats.get(partition)
    if (!seat || seat.leader < 0) return
    if (!seat.loading) this.#owner.unload(partition)
    this.#stop(seat)
    this.#read(partition, seat, loadMs)
  }

  close(): void {
    for (const seat of this.#seats.values()) this.#stop(seat)
  }

  #read(partition: number, seat: Seat, loadMs: number): void {
    const done = () => {
      seat.loading = undefined
      this.#owner.load(partition, seat.leaderEpoch)
    }
    if (loadMs > 0) seat.loading = this.#owner.world.setTimer(done, loadMs)
    else done()
  }

  #stop(seat: Seat): void {
    if (seat.loading) this.#owner.world.clearTimer(seat.loading)
    seat.loading = undefined
  }
}

/** NOT_COORDINATOR and its kin, as an error to throw. */
export function coordinatorFault(errorCode: number): KafkaFault {
  if (errorCode === ERROR.COORDINATOR_LOAD_IN_PROGRESS)
    return new KafkaFault('COORDINATOR_LOAD_IN_PROGRESS', "The coordinator is loading and hence can't process requests.")
  if (errorCode === ERROR.INVALID_GROUP_ID) return new KafkaFault('INVALID_GROUP_ID', 'The group id is invalid.')
  return new KafkaFault('NOT_COORDINATOR', 'This is not the correct coordinator.')
}
