/**
 * The measured parts of `docs/PERFORMANCE.md`: each stands between two marks and is written by the command that measured it.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const page = fileURLToPath(new URL('../docs/PERFORMANCE.md', import.meta.url))

/** Puts `markdown` where the page has the marks of `name`. Throws when it has none: figures without words around them say nothing. */
export function writeSection(name: string, markdown: string): void {
  const text = readFileSync(page, 'utf8')
  const [open, close] = [`<!-- measured: ${name} -->\n`, `<!-- end: ${name} -->\n`]
  const [from, to] = [text.indexOf(open), text.indexOf(close)]
  if (from < 0 || to < from)
    throw new Error(`docs/PERFORMANCE.md has no section "${name}": put ${open.trim()} and ${close.trim()} where it belongs`)
  writeFileSync(page, `${text.slice(0, from + open.length)}\n${markdown.trim()}\n\n${text.slice(to)}`)
}

/** A Markdown table; cells are text already. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n')
}

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
