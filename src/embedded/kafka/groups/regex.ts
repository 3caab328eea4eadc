/**
 * Regular expressions of clients (RE2 in Kafka): for topics of a subscription, for transactional ids. The whole name must match.
 */
import { KafkaFault } from '../errors.ts'

const PATTERN_MAX = 1_024
/** Expressions seen before; the oldest go when there are many. */
const known = new Map<string, (name: string) => boolean>()
const KNOWN_MAX = 256

/** Throws KafkaFault (INVALID_REGULAR_EXPRESSION). Groups with a name are written `(?P<name>` in RE2. */
export function matcherOf(pattern: string): (name: string) => boolean {
  const there = known.get(pattern)
  if (there) return there
  const expression = compiled(pattern)
  const matcher = (name: string) => expression.test(name)
  if (known.size >= KNOWN_MAX) known.delete(known.keys().next().value!)
  known.set(pattern, matcher)
  return matcher
}

function compiled(pattern: string): RegExp {
  try {
    // RE2 knows neither look-around nor back references: they may take time without end.
    if (pattern.length > PATTERN_MAX || /\(\?<?[=!]|\\[1-9]|\\k/.test(pattern)) throw new SyntaxError('it uses what RE2 does not have')
    return new RegExp(`^(?:${pattern.replaceAll('(?P<', '(?<')})$`, 'su')
  } catch (error) {
    throw new KafkaFault('INVALID_REGULAR_EXPRESSION', `Regular expression ${pattern} is invalid: ${(error as Error).message}.`)
  }
}
