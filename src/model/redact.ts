/**
 * What may be repeated of an address that somebody gave: never what stands where a URL has a user and a password.
 */

export const REDACTED_PART = '[redacted]'

/**
 * The text without anything between its scheme and its last `@`: a password may hold any character, so nothing in front of that is told from it.
 * An address without `@` is answered as it is.
 */
export function withoutCredentials(text: string): string {
  const end = text.lastIndexOf('@')
  if (end < 0) return text
  const scheme = /^[a-z]{1,20}:\/\//.exec(text)?.[0] ?? ''
  return `${scheme}${REDACTED_PART}${text.slice(end)}`
}

/** Does it hold a user or a password? Nothing else in an address has an `@`. */
export const hasCredentials = (text: string): boolean => text.includes('@')
