/**
 * A tier: spawns the children that it is told to, itself or in slices, so that no parent has more than SLICE of them.
 * XState copies a parent's children at each spawn and stop: 1,000 under one parent take seconds to stop, 10,000 minutes.
 *
 *      ┌──────┐  ADD: spawned here while there is room, then in the first slice that has room, in a new slice at last
 *      │ open │  REMOVE (sent to the child's own parent, see `stopActor`): stopped here; a slice tells its tier LEFT
 *      └──────┘  LEFT: that slice has room again
 */
import { assign, enqueueActions, setup } from 'xstate'

/** Children of one parent, at most. */
export const SLICE = 64
/** What a tier keeps for itself before it makes slices; the rest of SLICE is for those. */
const OWN = 16

export interface TierContext {
  instance: string
  path: string
  /** Path of the tier that this one is a slice of. */
  tier: string | null
  own: number
  /** Children in each slice; slice i has the path `<path>~<i>`. */
  slices: number[]
}

export type TierEvent =
  | { type: 'ADD'; id: string; src: string; input: Record<string, unknown> }
  | { type: 'REMOVE'; id: string }
  | { type: 'LEFT'; slice: string }

const room = (context: TierContext) => context.own < (context.tier === null ? OWN : SLICE)

export const tierMachine = setup({
  types: {} as { context: TierContext; events: TierEvent; input: { instance: string; path: string; tier?: string } },
  actions: {
    /** Spawns `src` under this actor. Only the actors room knows the logic. */
    spawn: (_, _params: { id: string; src: string; input: Record<string, unknown> }) => {},
    stop: (_, _params: { id: string }) => {},
    tell: (_, _params: { path: string; event: TierEvent }) => {}
  },
  guards: { hasRoom: ({ context }) => room(context) }
}).createMachine({
  id: 'tier',
  context: ({ input }) => ({ instance: input.instance, path: input.path, tier: input.tier ?? null, own: 0, slices: [] }),
  initial: 'open',
  states: {
    open: {
      on: {
        ADD: [
          {
            guard: 'hasRoom',
            actions: [
              { type: 'spawn', params: ({ event }) => ({ id: event.id, src: event.src, input: event.input }) },
              assign({ own: ({ context }) => context.own + 1 })
            ]
          },
          {
            actions: enqueueActions(({ context, event, enqueue }) => {
              const free = context.slices.findIndex(used => used < SLICE)
              const index = free === -1 ? context.slices.length : free
              const slice = `${context.path}~${index}`
              if (free === -1)
                enqueue({
                  type: 'spawn',
                  params: { id: slice, src: 'tier', input: { instance: context.instance, path: slice, tier: context.path } }
                })
              enqueue({ type: 'tell', params: { path: slice, event } })
              const slices = [...context.slices]
              slices[index] = (slices[index] ?? 0) + 1
              enqueue(assign({ slices }))
            })
          }
        ],
        REMOVE: {
          actions: [
            { type: 'stop', params: ({ event }) => ({ id: event.id }) },
            assign({ own: ({ context }) => context.own - 1 }),
            enqueueActions(({ context, enqueue }) => {
              if (context.tier !== null)
                enqueue({ type: 'tell', params: { path: context.tier, event: { type: 'LEFT', slice: context.path } } })
            })
          ]
        },
        LEFT: {
          actions: assign({
            slices: ({ context, event }) =>
              context.slices.map((used, index) => (`${context.path}~${index}` === event.slice ? used - 1 : used))
          })
        }
      }
    }
  }
})
