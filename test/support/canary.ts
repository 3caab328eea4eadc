/**
 * A password that is looked for afterwards, in everything that could have carried it away: as it is, and as it looks encoded.
 */
import { inspect } from 'node:util'

export class Canary {
  /** With characters that URLs, JSON and shells write differently. */
  readonly password: string
  readonly #forms: [name: string, form: string][]

  constructor(password = 'cAn4ry/p"s+w%rd&7f3e9b') {
    this.password = password
    const json = JSON.stringify(password).slice(1, -1)
    const hex = Buffer.from(password).toString('hex')
    this.#forms = [
      ['plain', password],
      ['JSON', json],
      ['JSON twice', JSON.stringify(json).slice(1, -1)],
      ['URL', encodeURIComponent(password)],
      ['hex', hex],
      ['HEX', hex.toUpperCase()],
      // A part of it is too much, too.
      ['its end', password.slice(-6)],
      ['its beginning', password.slice(0, 6)],
      ...[0, 1, 2].flatMap((shift): [string, string][] =>
        ['base64' as const, 'base64url' as const].map(how => [how, shifted(password, shift, how)])
      )
    ]
  }

  /** As it stands in a URL. */
  get inUrl(): string {
    return encodeURIComponent(this.password)
  }

  /** The forms in which it lies in these bytes. */
  in(text: string | Uint8Array): string[] {
    const bytes = Buffer.from(text as string)
    return this.#forms.filter(([, form]) => bytes.includes(form)).map(([name]) => name)
  }
}

/** Its base64 where it begins so many bytes behind a group of three; what its neighbours decide is left out. */
function shifted(password: string, shift: number, how: 'base64' | 'base64url'): string {
  const text = Buffer.concat([Buffer.alloc(shift), Buffer.from(password)])
    .toString(how)
    .replace(/=+$/, '')
  return text.slice(shift === 0 ? 0 : shift + 1, -2)
}

/** Whatever somebody may print of a value: an error with its causes, an event, an object with its insides. */
export function shown(value: unknown): string {
  const parts = [inspect(value, { depth: 12, showHidden: false, maxArrayLength: 1_000, maxStringLength: null, breakLength: 200 })]
  try {
    parts.push(JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? String(each) : each)) ?? '')
  } catch {
    // It goes round in circles: the first form has it all.
  }
  for (let error = value; error instanceof Error; error = error.cause)
    parts.push(String(error), error.stack ?? '', inspect(error, { depth: 12 }))
  return parts.join('\n')
}
