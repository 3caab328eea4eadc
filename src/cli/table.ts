/**
 * Rows for people and for programs: an aligned table with a head on a terminal, tab-separated without one in a pipe, NDJSON with `--json`.
 */

export type Cell = string | number | bigint | boolean | null | readonly (string | number)[]
export type Row = Readonly<Record<string, Cell>>

export interface TableStyle {
  json: boolean
  terminal: boolean
  colour: boolean
}

/** Control characters out of names from elsewhere must not reach a terminal, nor break a line. */
export function printable(value: string): string {
  return value.replace(/\p{Cc}/gu, character => `\\x${character.codePointAt(0)!.toString(16).padStart(2, '0')}`)
}

function plain(cell: Cell): string {
  if (cell === null) return '-'
  return printable(Array.isArray(cell) ? (cell as readonly unknown[]).join(',') : String(cell))
}

/** Plain data of any depth as JSON; a bigint is a number of any length. */
export function jsonText(value: unknown): string {
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{${Object.entries(value)
    .map(([name, field]) => `${JSON.stringify(name)}:${jsonText(field)}`)
    .join(',')}}`
}

export function jsonLine(row: Row): string {
  return `${jsonText(row)}\n`
}

const isNumber = (cell: Cell | undefined) => typeof cell === 'number' || typeof cell === 'bigint'

/** The rows as text. `columns`: which fields, in order; `--json` gives all fields of a row. */
export function renderTable(rows: readonly Row[], columns: readonly string[], style: TableStyle): string {
  if (style.json) return rows.map(jsonLine).join('')
  const cells = rows.map(row => columns.map(column => plain(row[column] ?? null)))
  if (!style.terminal) return cells.map(line => `${line.join('\t')}\n`).join('')
  const head = columns.map(column => column.replace(/[A-Z]/g, letter => ` ${letter}`).toUpperCase())
  const right = columns.map(column => rows.some(row => isNumber(row[column])))
  const widths = columns.map((_, index) => Math.max(head[index]!.length, ...cells.map(line => line[index]!.length)))
  const line = (texts: readonly string[]) =>
    texts
      .map((cell, index) => (right[index] ? cell.padStart(widths[index]!) : cell.padEnd(widths[index]!)))
      .join('  ')
      .trimEnd()
  const top = line(head)
  return `${[style.colour ? `\x1b[1m${top}\x1b[22m` : top, ...cells.map(line)].join('\n')}\n`
}
