/**
 * The leader epochs of what was read of one partition (KIP-320): which epoch the message before a position has, and, when a new leader's log
 * differs from the one that was read, where the two part. Kept in memory only, of the newest epochs only: leaders are few.
 */

interface Step {
  epoch: number
  /** Positions from here on have it, up to the next step's: the message before them is of this epoch. */
  from: bigint
  /** The first offset that is known to be of this epoch. */
  first: bigint
}

const MOST = 32
/** Not known: brokers before Kafka 0.11, old message formats, offsets that were given without one. */
export const NO_EPOCH = -1

export class EpochTrail {
  #steps: Step[] = []
  /** Of everything that was read last; -1: not known. */
  last = NO_EPOCH

  /** Begins anew at this position, which was told with this epoch (or none). */
  begin(position: bigint, epoch: number): void {
    this.#steps = epoch >= 0 ? [{ epoch, from: position, first: position }] : []
    this.last = epoch >= 0 ? epoch : NO_EPOCH
  }

  /** A batch was read. Epochs never go back in a log; one that does, or is above `most`, the leader's own, is damage and not believed. */
  note(baseOffset: bigint, epoch: number, most: number): void {
    if (epoch <= this.last || epoch > most) return
    this.#steps.push({ epoch, from: baseOffset + 1n, first: baseOffset })
    if (this.#steps.length > MOST) this.#steps.shift()
    this.last = epoch
  }

  /** What was read from this position on is dropped. */
  cut(position: bigint): void {
    const steps = this.#steps
    while (steps.length > 0 && steps[steps.length - 1]!.from > position) steps.pop()
    this.last = steps.length > 0 ? steps[steps.length - 1]!.epoch : NO_EPOCH
  }

  /** The epoch of the message before this position; -1: not known. */
  at(position: bigint): number {
    for (let index = this.#steps.length - 1; index >= 0; index--) {
      const { from, epoch } = this.#steps[index]!
      if (from <= position) return epoch
    }
    return NO_EPOCH
  }

  /**
   * A leader has said that its newest epoch not above ours is `epoch`, and that it ends at `endOffset`: the first offset at which its log may
   * differ from what was read (`OffsetsForLeaderEpoch`; a replica cuts its own log in the same way, KIP-279).
   */
  parting(epoch: number, endOffset: bigint): bigint {
    const foreign = this.#steps.find(step => step.epoch > epoch)
    return foreign && foreign.first < endOffset ? foreign.first : endOffset
  }
}
