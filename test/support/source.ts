/**
 * A look at TypeScript source without a compiler: its code with comments and literals blanked out, and the modules it imports.
 */

export interface SourceImport {
  /** As written: `./x.ts`, `xstate`, `node:zlib`. */
  from: string
  /** The names taken, as written between the braces; empty for other forms. */
  names: string[]
  typeOnly: boolean
}

/** What a `/` begins a regular expression after; after anything else it divides. */
const beforeRegex = /(?:^|[(,=:[!&|?{};+\-*%~^<>\n]|=>|\b(?:return|typeof|case|in|of|do|else|void|delete|await|yield|throw))\s*$/

/**
 * The code alone: comments become spaces, strings `''`, regular expressions `/_/`, templates their expressions. `keepStrings` leaves
 * plain strings as they are.
 */
export function codeOf(source: string, keepStrings = false): string {
  let code = ''
  let at = 0
  /** Depths of braces at which a template's expression ends. */
  const templates: number[] = []
  let depth = 0
  const template = () => {
    for (; at < source.length; at++) {
      if (source[at] === '\\') at++
      else if (source[at] === '`') {
        at++
        return
      } else if (source.startsWith('${', at)) {
        at += 2
        templates.push(depth++)
        code += '('
        return
      }
    }
  }
  while (at < source.length) {
    const char = source[at]!
    if (source.startsWith('//', at)) {
      const end = source.indexOf('\n', at)
      at = end < 0 ? source.length : end
    } else if (source.startsWith('/*', at)) {
      const end = source.indexOf('*/', at + 2)
      code += source.slice(at, end).replace(/[^\n]/g, '')
      code += ' '
      at = end < 0 ? source.length : end + 2
    } else if (char === "'" || char === '"') {
      const start = at++
      while (at < source.length && source[at] !== char) at += source[at] === '\\' ? 2 : 1
      at++
      code += keepStrings ? source.slice(start, at) : "''"
    } else if (char === '`') {
      at++
      template()
    } else if (char === '/' && beforeRegex.test(code.slice(-24))) {
      at = afterRegex(source, at)
      code += '/_/'
    } else if (char === '}' && templates.at(-1) === depth - 1) {
      templates.pop()
      depth--
      at++
      code += ')'
      template()
    } else {
      if (char === '{') depth++
      if (char === '}') depth--
      code += char
      at++
    }
  }
  return code
}

function afterRegex(source: string, start: number): number {
  let inClass = false
  let at = start + 1
  for (; at < source.length && source[at] !== '\n'; at++) {
    if (source[at] === '\\') at++
    else if (source[at] === '[') inClass = true
    else if (source[at] === ']') inClass = false
    else if (source[at] === '/' && !inClass) break
  }
  at++
  while (/[a-z]/.test(source[at] ?? '')) at++
  return at
}

/** Static, dynamic and `require`d imports, and re-exports. */
export function importsOf(source: string): SourceImport[] {
  const code = codeOf(source, true)
  const found: SourceImport[] = []
  for (const match of code.matchAll(/\b(?:import|export)\s+(type\s+)?([^'"();]*?)\bfrom\s*(['"])([^'"]+)\3/g)) {
    const names = /\{([^}]*)\}/.exec(match[2]!)?.[1]?.split(',') ?? []
    found.push({ from: match[4]!, names: names.map(name => name.trim()).filter(Boolean), typeOnly: match[1] !== undefined })
  }
  for (const match of code.matchAll(/\bimport\s*(['"])([^'"]+)\1|\b(?:import|require)\s*\(\s*(['"])([^'"]+)\3\s*\)/g))
    found.push({ from: (match[2] ?? match[4])!, names: [], typeOnly: false })
  return found
}
