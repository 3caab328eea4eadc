/**
 * Java's regular expressions, as far as topic names need them, matched without backtracking: a group's patterns are written by strangers, and
 * one of them must neither hang this process (`(a+)+$`) nor mean something else here than at the Scala members (`[a-z&&[^b]]`).
 * What is not understood exactly is refused, never guessed.
 *
 *   pattern := ['(?i)'] look* seq ('|' look* seq)*      look := '(?!' alt ')' | '(?=' alt ')', at the start of the whole only
 *   seq := (atom quantifier?)*       atom := literal | '.' | class | escape | '^' | '$' | '(' alt ')'
 */

/** A set of ASCII characters as 128 bits. Topic names have no others. */
export type CharacterSet = bigint

export type RegexNode =
  | { type: 'set'; set: CharacterSet }
  | { type: 'begin' | 'end' }
  | { type: 'sequence' | 'choice'; nodes: RegexNode[] }
  /** `max` null: without limit. */
  | { type: 'repeat'; node: RegexNode; min: number; max: number | null }

export interface Look {
  negative: boolean
  node: RegexNode
}

export interface RegexTree {
  branches: { looks: Look[]; node: RegexNode }[]
}

export const ALL: CharacterSet = (1n << 128n) - 1n
const maxLength = 1_000
const maxDepth = 50
const maxRepeat = 1_000

const bit = (code: number): CharacterSet => 1n << BigInt(code)
export const range = (from: string, to: string): CharacterSet => {
  let set = 0n
  for (let code = from.charCodeAt(0); code <= Math.min(to.charCodeAt(0), 127); code++) set |= bit(code)
  return set
}
const of = (text: string): CharacterSet => [...text].reduce((set, each) => set | bit(each.charCodeAt(0)), 0n)
const LOWER = range('a', 'z')
const UPPER = range('A', 'Z')
const DIGIT = range('0', '9')
const WORD = LOWER | UPPER | DIGIT | of('_')
const SPACE = of(' \t\n\v\f\r')
const LINE_ENDS = of('\n\r')
const POSIX: Readonly<Record<string, CharacterSet>> = {
  Lower: LOWER,
  Upper: UPPER,
  Alpha: LOWER | UPPER,
  Digit: DIGIT,
  Alnum: LOWER | UPPER | DIGIT,
  ASCII: ALL,
  XDigit: DIGIT | range('a', 'f') | range('A', 'F'),
  Space: SPACE,
  Punct: of('!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~')
}
const CLASSES: Readonly<Record<string, CharacterSet>> = {
  d: DIGIT,
  D: ALL & ~DIGIT,
  w: WORD,
  W: ALL & ~WORD,
  s: SPACE,
  S: ALL & ~SPACE
}

/** Thrown inside; `parseRegex` gives its words. */
class Refusal extends Error {}

/** The tree, or why there is none. */
export function parseRegex(text: string): { tree: RegexTree } | { problem: string } {
  if (text.length > maxLength) return { problem: `it has ${text.length} characters, more than ${maxLength}` }
  try {
    return { tree: new Parser(text).pattern() }
  } catch (error) {
    if (error instanceof Refusal) return { problem: error.message }
    throw error
  }
}

class Parser {
  readonly #text: string
  #at = 0
  #depth = 0
  #ignoreCase = false

  constructor(text: string) {
    this.#text = text
  }

  pattern(): RegexTree {
    if (this.#take('(?i)')) this.#ignoreCase = true
    const branches: RegexTree['branches'] = []
    do branches.push({ looks: this.#looks(), node: this.#sequence() })
    while (this.#take('|'))
    if (this.#at < this.#text.length) throw this.#refusal('a parenthesis is closed that was never opened')
    return { branches }
  }

  #looks(): Look[] {
    const looks: Look[] = []
    const start = this.#at
    this.#take('^')
    for (;;) {
      const negative = this.#text.startsWith('(?!', this.#at)
      if (!negative && !this.#text.startsWith('(?=', this.#at)) break
      this.#at += 3
      looks.push({ negative, node: this.#group() })
    }
    if (looks.length === 0) this.#at = start
    return looks
  }

  /** Up to its closing parenthesis. */
  #group(): RegexNode {
    if (++this.#depth > maxDepth) throw this.#refusal(`groups are nested deeper than ${maxDepth}`)
    const nodes = [this.#sequence()]
    while (this.#take('|')) nodes.push(this.#sequence())
    if (!this.#take(')')) throw this.#refusal('a parenthesis is not closed')
    this.#depth--
    return nodes.length === 1 ? nodes[0]! : { type: 'choice', nodes }
  }

  #sequence(): RegexNode {
    const nodes: RegexNode[] = []
    while (this.#at < this.#text.length && !'|)'.includes(this.#text[this.#at]!)) {
      if (this.#take('\\Q')) nodes.push(...this.#quoted().map(each => this.#literal(each)))
      else nodes.push(this.#quantified(this.#atom()))
    }
    return { type: 'sequence', nodes }
  }

  #quoted(): string[] {
    const end = this.#text.indexOf('\\E', this.#at)
    const text = this.#text.slice(this.#at, end === -1 ? undefined : end)
    this.#at = end === -1 ? this.#text.length : end + 2
    return [...text]
  }

  #atom(): RegexNode {
    const character = this.#text[this.#at++]!
    if (character === '(') return this.#opened()
    if (character === '[') return this.#set(this.#class())
    if (character === '.') return { type: 'set', set: ALL & ~LINE_ENDS }
    if (character === '^') return { type: 'begin' }
    if (character === '$') return { type: 'end' }
    if (character === '\\') return this.#escape()
    if ('*+?{'.includes(character)) throw this.#refusal(`${character} has nothing before it to repeat`)
    return this.#literal(character)
  }

  #opened(): RegexNode {
    if (!this.#take('?')) return this.#group()
    if (this.#take(':')) return this.#group()
    const name = /^<[a-zA-Z][a-zA-Z0-9]*>/.exec(this.#text.slice(this.#at, this.#at + 100))
    if (!name) throw this.#refusal(`(?${this.#text.slice(this.#at, this.#at + 1)} is not supported here`)
    this.#at += name[0].length
    return this.#group()
  }

  #escape(): RegexNode {
    if (this.#take('A')) return { type: 'begin' }
    if (this.#take('z') || this.#take('Z')) return { type: 'end' }
    return this.#set(this.#escapedSet())
  }

  /** After the backslash: what one character it can be. Java refuses unknown letters, and so do we. */
  #escapedSet(): CharacterSet {
    const character = this.#text[this.#at++]
    if (character === undefined) throw this.#refusal('it ends in a backslash')
    const known = CLASSES[character]
    if (known !== undefined) return known
    if (character === 'p' || character === 'P') {
      const name = /^\{(?:Is)?(\w{1,20})\}/.exec(this.#text.slice(this.#at, this.#at + 30))
      const set = name && Object.hasOwn(POSIX, name[1]!) ? POSIX[name[1]!] : undefined
      if (!name || set === undefined) throw this.#refusal(`\\${character} names no class that is known here`)
      this.#at += name[0].length
      return character === 'p' ? set : ALL & ~set
    }
    if (/[a-zA-Z0-9]/.test(character)) throw this.#refusal(`\\${character} is not supported`)
    return this.#one(character)
  }

  /** Between brackets; the opening one is taken. `&&` intersects, a bracket inside is a union. */
  #class(): CharacterSet {
    if (++this.#depth > maxDepth) throw this.#refusal(`classes are nested deeper than ${maxDepth}`)
    const negative = this.#take('^')
    let all: CharacterSet | undefined
    let part: CharacterSet = 0n
    let empty = true
    for (;;) {
      if (this.#at >= this.#text.length) throw this.#refusal('a bracket is not closed')
      if (!empty && this.#take(']')) break
      if (!empty && this.#take('&&')) {
        all = all === undefined ? part : all & part
        part = 0n
        continue
      }
      part |= this.#take('[') ? this.#class() : this.#classRange()
      empty = false
    }
    this.#depth--
    const set = this.#fold(all === undefined ? part : all & part)
    return negative ? ALL & ~set : set
  }

  #classRange(): CharacterSet {
    const [from, set] = this.#classCharacter()
    const next = this.#text[this.#at + 1]
    if (from === undefined || this.#text[this.#at] !== '-' || next === undefined || next === ']' || next === '[') return set
    this.#at++
    const [to] = this.#classCharacter()
    if (to === undefined || to < from) throw this.#refusal(`the range from ${from} has no end after it`)
    return range(from, to)
  }

  /** The character, if it is one, and the set. */
  #classCharacter(): [string | undefined, CharacterSet] {
    const character = this.#text[this.#at++]!
    if (character !== '\\') return [character, this.#one(character)]
    const next = this.#text[this.#at]
    return [next !== undefined && /[^a-zA-Z0-9]/.test(next) ? next : undefined, this.#escapedSet()]
  }

  #quantified(node: RegexNode): RegexNode {
    const limits = this.#limits()
    if (!limits) return node
    this.#take('?') // Reluctant: takes less first, but the whole name matches or does not, all the same.
    if (/^[*+?{]/.test(this.#text.slice(this.#at, this.#at + 1))) throw this.#refusal('a quantifier follows a quantifier')
    return { type: 'repeat', node, ...limits }
  }

  #limits(): { min: number; max: number | null } | undefined {
    if (this.#take('*')) return { min: 0, max: null }
    if (this.#take('+')) return { min: 1, max: null }
    if (this.#take('?')) return { min: 0, max: 1 }
    if (this.#text[this.#at] !== '{') return undefined
    const counts = /^\{(\d{1,4})(?:(,)(\d{1,4})?)?\}/.exec(this.#text.slice(this.#at, this.#at + 20))
    if (!counts) throw this.#refusal('a brace does not hold counts')
    this.#at += counts[0].length
    const min = Number(counts[1])
    const max = counts[2] === undefined ? min : counts[3] === undefined ? null : Number(counts[3])
    if (min > maxRepeat || (max ?? 0) > maxRepeat || (max !== null && max < min)) throw this.#refusal('counts that are too high or swapped')
    return { min, max }
  }

  #literal(character: string): RegexNode {
    return this.#set(this.#one(character))
  }

  #set(set: CharacterSet): RegexNode {
    return { type: 'set', set: this.#fold(set) }
  }

  /** No topic name has a character beyond ASCII: it matches nothing. */
  #one(character: string): CharacterSet {
    const code = character.charCodeAt(0)
    return code < 128 ? bit(code) : 0n
  }

  #fold(set: CharacterSet): CharacterSet {
    if (!this.#ignoreCase) return set
    return set | ((set & UPPER) << 32n) | ((set & LOWER) >> 32n)
  }

  #take(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false
    this.#at += text.length
    return true
  }

  #refusal(why: string): Refusal {
    return new Refusal(`at character ${this.#at}: ${why}`)
  }
}
