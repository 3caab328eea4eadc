/**
 * What may be a path (`PathUtils.validatePath`), and its parts.
 */
import { ZkFault } from './faults.ts'

/** Throws BAD_ARGUMENTS. `sequential`: digits follow, so it may end with a slash. */
export function checkPath(path: string, sequential = false): void {
  const text = sequential ? `${path}1` : path
  if (!text.startsWith('/') || (text.length > 1 && text.endsWith('/'))) throw new ZkFault('BAD_ARGUMENTS', path)
  if (text === '/') return
  for (const part of text.slice(1).split('/')) if (part === '' || part === '.' || part === '..') throw new ZkFault('BAD_ARGUMENTS', path)
  for (let i = 0; i < text.length; i++) if (isForbidden(text.charCodeAt(i))) throw new ZkFault('BAD_ARGUMENTS', path)
}

const isForbidden = (unit: number) => unit <= 0x1f || (unit >= 0x7f && unit <= 0x9f) || (unit >= 0xd800 && unit <= 0xf8ff) || unit >= 0xfff0

export function parentOf(path: string): string {
  const at = path.lastIndexOf('/')
  return at <= 0 ? '/' : path.slice(0, at)
}

export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

/** The path itself and all above it, nearest first. */
export function* upwards(path: string): Generator<string, void, void> {
  for (let at = path; ; at = parentOf(at)) {
    yield at
    if (at === '/') return
  }
}
