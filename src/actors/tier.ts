/**
 * Binds the tier. What may be spawned under one is listed by name (`tree.ts`, `consumers.ts`), since tiers hold consumers and consumers hold tiers.
 */
import { type AnyActorLogic, enqueueActions } from 'xstate'
import { type TierContext, type TierEvent, tierMachine } from '../machines/tier.ts'
import { bind } from './bind.ts'
import { instanceOf, tell } from './instance.ts'

/** Logic by name. */
const logics: Record<string, AnyActorLogic> = {}

export function spawnable(more: Record<string, AnyActorLogic>): void {
  Object.assign(logics, more)
}

export const tierActor: typeof tierMachine = bind(tierMachine, {
  actions: {
    spawn: enqueueActions(({ enqueue }, params: { id: string; src: string; input: Record<string, unknown> }) => {
      const logic = logics[params.src]
      if (logic) enqueue.spawnChild(logic, { id: params.id, input: params.input })
    }),
    stop: enqueueActions(({ enqueue }, params: { id: string }) => enqueue.stopChild(params.id)),
    tell: ({ context }: { context: TierContext }, { path, event }: { path: string; event: TierEvent }) =>
      void tell(instanceOf(context.instance), path, event)
  }
} as never)
