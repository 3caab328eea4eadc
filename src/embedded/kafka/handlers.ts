/**
 * The table of all APIs that a broker answers. A new one is a file under `apis/` and a line here.
 */
import { apiVersions } from './apis/api-versions.ts'
import type { AnyHandler } from './broker.ts'

export const HANDLERS: readonly AnyHandler[] = [apiVersions]
