/**
 * Backpressure of `produce`: how much is published and not settled. Reading goes on when there is room again.
 */
export class Window {
  #maxCount: number
  #maxBytes: number
  #count = 0
  #bytes = 0
  #wake: (() => void) | undefined
  #until = 0

  constructor(maxCount: number, maxBytes: number) {
    this.#maxCount = maxCount
    this.#maxBytes = maxBytes
  }

  get isFull(): boolean {
    return this.#count >= this.#maxCount || this.#bytes >= this.#maxBytes
  }

  get isEmpty(): boolean {
    return this.#count === 0
  }

  enter(bytes: number): void {
    this.#count++
    this.#bytes += bytes
  }

  leave(bytes: number): void {
    this.#count--
    this.#bytes -= bytes
    if (this.#wake && this.#fill <= this.#until) {
      this.#wake()
      this.#wake = undefined
    }
  }

  /** Until it is half empty, when it is full. One waiter at a time. */
  async room(): Promise<void> {
    if (this.isFull) await this.#below(0.5)
  }

  /** Until everything has left. */
  async empty(): Promise<void> {
    if (this.#count > 0) await this.#below(0)
  }

  get #fill(): number {
    return this.#count === 0 ? 0 : Math.max(this.#count / this.#maxCount, this.#bytes / this.#maxBytes)
  }

  #below(fill: number): Promise<void> {
    this.#until = fill
    return new Promise(resolve => {
      this.#wake = resolve
    })
  }
}
