/**
 * A picture of some lines on a terminal, drawn anew in its own place. It is cut to the terminal, so that the cursor finds back to its first line.
 */
import type { Output } from './terminal.ts'

export interface Line {
  text: string
  bold?: boolean
}

/** The lines that fit: cut at the right, and at the bottom with a word on how many are left out. */
export function fit(lines: readonly Line[], size: { rows: number; columns: number }): Line[] {
  // The cursor stands in the row below the picture.
  const most = Math.max(1, size.rows - 1)
  const left = lines.length - most
  const shown = left > 0 ? [...lines.slice(0, most - 1), { text: `… ${left + 1} more lines` }] : lines
  return shown.map(line => ({ ...line, text: cut(line.text, size.columns) }))
}

function cut(text: string, columns: number): string {
  const characters = [...text]
  return characters.length <= columns ? text : `${characters.slice(0, Math.max(0, columns - 1)).join('')}…`
}

/** What draws `lines` over a picture of so many rows. */
export function drawing(lines: readonly Line[], rowsBefore: number, colour: boolean): string {
  const back = rowsBefore > 0 ? `\x1b[${rowsBefore}A` : ''
  const text = lines.map(line => `${colour && line.bold ? `\x1b[1m${line.text}\x1b[22m` : line.text}\n`).join('')
  return `${back}\r\x1b[J${text}`
}

export class Screen {
  #out: Output
  #colour: boolean
  #rows = 0

  constructor(out: Output, colour: boolean) {
    this.#out = out
    this.#colour = colour
  }

  draw(lines: readonly Line[]): void {
    const shown = fit(lines, this.#out.size)
    this.#out.write(drawing(shown, this.#rows, this.#colour))
    this.#rows = shown.length
  }
}
