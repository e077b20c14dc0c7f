/** What the service worker does with a request. */

/** The caches; those of a viewer go with the viewer. */
export const VIEWER_ANSWERS = 'matinee-viewer-answers'
export const VIEWER_PICTURES = 'matinee-viewer-pictures'
export const SHELL = 'matinee-shell'

export type Handling = 'pass' | 'page' | 'answer' | 'file' | 'picture'

/** Answers that are shown again without a network. Nothing of money, and nothing of the studio. */
const ANSWERS = [/^\/api\/account$/, /^\/api\/(web|mobile|tv)\/home$/, /^\/api\/(web|mobile|tv)\/titles\/[^/]+$/, /^\/api\/titles(\/[^/]+)?$/, /^\/api\/my-list$/, /^\/api\/history$/]
const PICTURES = [/^\/api\/artwork\//, /^\/api\/titles\/[^/]+\/artwork$/]

/** By method, path and mode; a request for a part of something passes by. */
export function handlingOf(method: string, path: string, mode: string, partial: boolean): Handling {
  if (method !== 'GET' || partial) return 'pass'
  if (mode === 'navigate') return path.startsWith('/api/') || path.includes('.') ? 'pass' : 'page'
  if (path.startsWith('/assets/') || path === '/favicon.svg') return 'file'
  if (PICTURES.some((pattern) => pattern.test(path))) return 'picture'
  return ANSWERS.some((pattern) => pattern.test(path)) ? 'answer' : 'pass'
}
