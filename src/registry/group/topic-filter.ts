/**
 * Which topics a wildcard subscription means, by the rules of the Scala consumer (kafka.consumer.TopicFilter), and how a pattern must be
 * written into ZooKeeper so that every version of it reads the same.
 */
import { type CharacterSet, parseRegex, type RegexNode, type RegexTree, range } from './java-regex.ts'
import { compileRegex } from './regex-program.ts'

export type FilterKind = 'white_list' | 'black_list'

/** Kafka's own topics (org.apache.kafka.common.internals.Topic); the reader's `exclude.internal.topics` is on by default. */
const internalTopics = new Set(['__consumer_offsets', '__transaction_state', '__share_group_state'])

/** Scala's rules: trim, `,` means `|`, no spaces, no quotes around it. */
export function normalisePattern(raw: string): string {
  return raw
    .trim()
    .replaceAll(',', '|')
    .replaceAll(' ', '')
    .replace(/^["']+/, '')
    .replace(/["']+$/, '')
}

/** Tells whether a topic is meant, or why the pattern cannot be used. */
export function topicFilter(kind: FilterKind, raw: string): { allows: (topic: string) => boolean } | { problem: string } {
  const parsed = parseRegex(normalisePattern(raw))
  if ('problem' in parsed) return parsed
  const compiled = compileRegex(parsed.tree)
  if ('problem' in compiled) return compiled
  return { allows: topic => !internalTopics.has(topic) && compiled.matches(topic) === (kind === 'white_list') }
}

/**
 * A user's pattern (where `,` inside braces counts, as in any regular expression) as it goes into ZooKeeper: without backslashes, which
 * 1.1.1 doubles, and without commas and spaces, which mean something else there. Patterns that need no change are left as they are.
 */
export function writablePattern(raw: string): { pattern: string } | { problem: string } {
  const text = raw.trim().replaceAll(' ', '')
  const outsideBraces = text.replace(/,(?![^{}]*\})/g, '|')
  const parsed = parseRegex(outsideBraces)
  if ('problem' in parsed) return parsed
  const compiled = compileRegex(parsed.tree)
  if ('problem' in compiled) return compiled
  const pattern = /[\\,"']|^\(\?i\)/.test(outsideBraces) ? printTree(parsed.tree) : outsideBraces
  return pattern.length <= maxWritten
    ? { pattern }
    : { problem: `written without backslashes and commas it has ${pattern.length} characters` }
}

const maxWritten = 1_000
const topicCharacters: CharacterSet = range('a', 'z') | range('A', 'Z') | range('0', '9') | range('-', '.') | range('_', '_')

function printTree(tree: RegexTree): string {
  return tree.branches
    .map(({ looks, node }) => looks.map(look => `(?${look.negative ? '!' : '='}${print(look.node)})`).join('') + print(node))
    .join('|')
}

function print(node: RegexNode): string {
  switch (node.type) {
    case 'begin':
      return '^'
    case 'end':
      return '$'
    case 'set':
      return printSet(node.set)
    case 'sequence':
      return node.nodes.map(each => (each.type === 'choice' ? `(${print(each)})` : print(each))).join('')
    case 'choice':
      return node.nodes.map(print).join('|')
    case 'repeat':
      return printRepeat(node.node.type === 'set' ? print(node.node) : `(${print(node.node)})`, node.min, node.max)
  }
}

function printRepeat(what: string, min: number, max: number | null): string {
  if (max === null && min <= 1) return what + (min === 0 ? '*' : '+')
  const fixed = min === 0 ? '' : min === 1 ? what : `${what}{${min}}`
  if (max === null) return `${fixed}${what}*`
  return fixed + `${what}?`.repeat(max - min)
}

/** Only what topic names can hold counts: the rest cannot be met. */
function printSet(whole: CharacterSet): string {
  const set = whole & topicCharacters
  if (set === topicCharacters) return '.'
  if (set === 0n) return '[^a-zA-Z0-9._-]'
  const codes = [...Array(128).keys()].filter(code => (set >> BigInt(code)) & 1n)
  const only = String.fromCharCode(codes[0]!)
  if (codes.length === 1) return only === '.' ? '[.]' : only
  const dash = codes.includes(45) ? '-' : ''
  return `[${ranges(codes.filter(code => code !== 45))}${dash}]`
}

function ranges(codes: readonly number[]): string {
  let out = ''
  for (let i = 0; i < codes.length; ) {
    let end = i
    while (codes[end + 1] === codes[end]! + 1) end++
    const [from, to] = [String.fromCharCode(codes[i]!), String.fromCharCode(codes[end]!)]
    out +=
      end - i < 2
        ? codes
            .slice(i, end + 1)
            .map(code => String.fromCharCode(code))
            .join('')
        : `${from}-${to}`
    i = end + 1
  }
  return out
}
