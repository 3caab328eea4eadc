/**
 * Questions about single partitions that one request can carry: what is asked of one broker in one turn of the event loop goes together, so that
 * a consumer of many partitions needs as many round trips as there are brokers.
 */
import { SamsaError } from '../model/errors.ts'
import type { World } from '../model/world.ts'

/** A question of one partition, and who waits for its answer. */
export type Asked<Question, Answer> = Question & {
  readonly topic: string
  readonly partition: number
  resolve: (answer: Answer) => void
  reject: (error: SamsaError) => void
}

export class AskTogether<Question extends { topic: string; partition: number }, Answer> {
  #world: World
  #request: (node: number, questions: readonly Asked<Question, Answer>[]) => Promise<void>
  #waiting = new Map<number, Asked<Question, Answer>[]>()

  /** `request` settles every question, or rejects for all that are left. */
  constructor(world: World, request: (node: number, questions: readonly Asked<Question, Answer>[]) => Promise<void>) {
    this.#world = world
    this.#request = request
  }

  /** Rejects with SamsaError. */
  ask(node: number, question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const entry = { ...question, resolve, reject }
      const list = this.#waiting.get(node)
      if (list) return void list.push(entry)
      this.#waiting.set(node, [entry])
      this.#world.defer(() => {
        const questions = this.#waiting.get(node)!
        this.#waiting.delete(node)
        this.#request(node, questions).catch((error: unknown) => {
          for (const waiting of questions) waiting.reject(asSamsaError(error))
        })
      })
    })
  }
}

function asSamsaError(error: unknown): SamsaError {
  if (error instanceof SamsaError) return error
  return new SamsaError('LOOKUP_FAILED', `Offsets could not be looked up: ${String(error)}.`, { cause: error, retriable: true })
}

/** The questions as a request has them: by topic. */
export function byTopic<Q extends { topic: string }, P>(
  questions: readonly Q[],
  of: (question: Q) => P
): { topic: string; partitions: P[] }[] {
  const topics = new Map<string, P[]>()
  for (const question of questions) {
    const list = topics.get(question.topic)
    if (list) list.push(of(question))
    else topics.set(question.topic, [of(question)])
  }
  return [...topics].map(([topic, partitions]) => ({ topic, partitions }))
}
