/**
 * Events as they came, and waits for one of them with a deadline, so that tests never sleep.
 */
export class Gathered<T> {
  readonly all: T[] = []
  #waiting = new Set<() => void>()

  add(event: T): void {
    this.all.push(event)
    for (const look of [...this.#waiting]) look()
  }

  /** The first event, past or to come, for which `wanted` is true. */
  first(wanted: (event: T) => boolean, limitMs = 10_000): Promise<T> {
    return this.#until(() => this.all.find(wanted), limitMs)
  }

  /** The first such event among those that come after this call. */
  next(wanted: (event: T) => boolean, limitMs = 10_000): Promise<T> {
    const from = this.all.length
    return this.#until(() => this.all.slice(from).find(wanted), limitMs)
  }

  /** Waits until so many have come. */
  async count(count: number, limitMs = 10_000): Promise<void> {
    await this.#until(() => (this.all.length >= count ? true : undefined), limitMs)
  }

  #until<R>(find: () => R | undefined, limitMs: number): Promise<R> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(look)
        reject(new Error(`it did not come within ${limitMs} ms; what came: ${shown(this.all)}`))
      }, limitMs)
      const look = () => {
        const found = find()
        if (found === undefined) return
        clearTimeout(timer)
        this.#waiting.delete(look)
        resolve(found)
      }
      this.#waiting.add(look)
      look()
    })
  }
}

function shown(events: readonly unknown[]): string {
  return JSON.stringify(events.slice(-20), (_, value) => (typeof value === 'bigint' ? `${value}n` : value)).slice(0, 4_000)
}
