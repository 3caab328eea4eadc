/**
 * Reads a `.cpuprofile` of Node and says where the time went: self time by function, without idle time.
 */
import { readFileSync } from 'node:fs'

interface Profile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[]
  samples: number[]
  timeDeltas: number[]
}

/** The functions with the most self time, a line each. */
export function selfTimes(file: string, count: number): string {
  const profile = JSON.parse(readFileSync(file, 'utf8')) as Profile
  const names = new Map(
    profile.nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => [
      id,
      functionName === '(idle)' ? '' : `${functionName || '(anonymous)'} ${url.replace(/^.*\/(dist|node_modules)\//, '')}:${lineNumber + 1}`
    ])
  )
  const times = new Map<string, number>()
  let total = 0
  profile.samples.forEach((id, i) => {
    const name = names.get(id)
    if (!name) return
    const us = profile.timeDeltas[i]!
    times.set(name, (times.get(name) ?? 0) + us)
    total += us
  })
  return [...times]
    .sort(([, a], [, b]) => b - a)
    .slice(0, count)
    .map(([name, us]) => `${((100 * us) / total).toFixed(1).padStart(5)} %  ${name}`)
    .join('\n')
}
