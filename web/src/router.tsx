/** Pages by address: a handful of routes, the browser's history, and links that stay links. */
import { type AnchorHTMLAttributes, type MouseEvent, type ReactElement, useSyncExternalStore } from 'react'

export type Page =
  | { name: 'titles' }
  | { name: 'title'; id: string }
  | { name: 'studio' }
  | { name: 'workflow'; id: string }
  | { name: 'inspection'; title: string }
  | { name: 'lost'; path: string }

/** The page that an address's path names. */
export function pageAt(path: string): Page {
  const parts = path.split('/').filter((part) => part !== '').map(decode)
  const [first, second, third, fourth] = parts
  if (first === undefined) return { name: 'titles' }
  if (first === 'title' && second !== undefined && parts.length === 2) return { name: 'title', id: second }
  if (first === 'studio' && parts.length === 1) return { name: 'studio' }
  if (first === 'studio' && third !== undefined && parts.length === 3) {
    if (second === 'workflows') return { name: 'workflow', id: third }
  }
  if (first === 'studio' && second === 'titles' && third !== undefined && fourth === 'inspection' && parts.length === 4)
    return { name: 'inspection', title: third }
  return { name: 'lost', path }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

export const titlePath = (id: string): string => `/title/${encodeURIComponent(id)}`
export const workflowPath = (id: string): string => `/studio/workflows/${encodeURIComponent(id)}`
export const inspectionPath = (title: string): string => `/studio/titles/${encodeURIComponent(title)}/inspection`

const MOVED = 'matinee-moved'

function subscribe(changed: () => void): () => void {
  window.addEventListener('popstate', changed)
  window.addEventListener(MOVED, changed)
  return () => {
    window.removeEventListener('popstate', changed)
    window.removeEventListener(MOVED, changed)
  }
}

/** The path that is shown, kept current. */
export function usePath(): string {
  return useSyncExternalStore(subscribe, () => window.location.pathname)
}

/** Goes to another page of the application. */
export function go(path: string): void {
  window.history.pushState(null, '', path)
  window.dispatchEvent(new Event(MOVED))
  window.scrollTo(0, 0)
}

/** Changes one parameter of the address, without a new entry in the history. `null` takes it away. */
export function setParameter(name: string, value: string | null): void {
  const url = new URL(window.location.href)
  if (value === null) url.searchParams.delete(name)
  else url.searchParams.set(name, value)
  window.history.replaceState(null, '', url)
}

/** A link inside the application; a new tab, a download or a modifier key are the browser's business. */
export function Link({ href, onClick, ...rest }: AnchorHTMLAttributes<HTMLAnchorElement> & { href: string }): ReactElement {
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event)
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey
    if (event.defaultPrevented || !plain) return
    event.preventDefault()
    go(href)
  }
  return <a href={href} onClick={follow} {...rest} />
}
