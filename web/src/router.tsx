/** Pages by address: the routes, the browser's history, and links that stay links. */
import { type AnchorHTMLAttributes, type MouseEvent, type ReactElement, useSyncExternalStore } from 'react'

/** Pages that an address names by one word. */
const PLAIN = {
  search: 'search',
  'my-list': 'myList',
  'sign-in': 'signIn',
  'sign-up': 'signUp',
  verify: 'verify',
  'forgot-password': 'forgot',
  'reset-password': 'reset',
  plans: 'plans',
  profiles: 'profiles',
  account: 'account',
  tv: 'tv',
  device: 'tv',
} as const

/** The studio's rooms. */
const ROOMS = ['catalogue', 'people', 'accounts', 'plans', 'ledger', 'quality', 'traces', 'models', 'search'] as const
export type StudioRoom = (typeof ROOMS)[number]
/** Rooms whose things have pages of their own. */
const DEEP: readonly string[] = ['catalogue', 'accounts', 'traces']

export type Page =
  | { name: 'home' }
  | { name: (typeof PLAIN)[keyof typeof PLAIN] }
  | { name: 'title'; id: string }
  | { name: 'studio' }
  | { name: 'room'; room: StudioRoom; id: string | null }
  | { name: 'workflow'; id: string }
  | { name: 'inspection'; title: string }
  | { name: 'lost'; path: string }

/** The page that an address's path names. */
export function pageAt(path: string): Page {
  const parts = path.split('/').filter((part) => part !== '').map(decode)
  const [first, second, third, fourth] = parts
  if (first === undefined) return { name: 'home' }
  if (parts.length === 1 && Object.hasOwn(PLAIN, first)) return { name: PLAIN[first as keyof typeof PLAIN] }
  if (first === 'title' && second !== undefined && parts.length === 2) return { name: 'title', id: second }
  if (first === 'studio' && parts.length === 1) return { name: 'studio' }
  if (first === 'studio' && second === 'workflows' && third !== undefined && parts.length === 3) return { name: 'workflow', id: third }
  if (first === 'studio' && second === 'titles' && third !== undefined && fourth === 'inspection' && parts.length === 4)
    return { name: 'inspection', title: third }
  const room = ROOMS.find((each) => each === second)
  if (first === 'studio' && room && (parts.length === 2 || (parts.length === 3 && DEEP.includes(room)))) return { name: 'room', room, id: third ?? null }
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
export const roomPath = (room: StudioRoom, id?: string): string => `/studio/${room}${id === undefined ? '' : `/${encodeURIComponent(id)}`}`

/** Where to go on after signing in: a page of this application, or home. */
export function safeNext(search: string): string {
  const next = new URLSearchParams(search).get('next') ?? '/'
  return /^\/(?![/\\])/.test(next) ? next : '/'
}

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

/** The address's parameters, kept current. */
export function useSearch(): string {
  return useSyncExternalStore(subscribe, () => window.location.search)
}

/** Goes to another page of the application; with `wish`, something that it does at once. */
export function go(path: string, wish?: 'play'): void {
  window.history.pushState(wish ? { wish } : null, '', path)
  window.dispatchEvent(new Event(MOVED))
  window.scrollTo(0, 0)
}

/** Goes to another page in place of this one. */
export function goInstead(path: string): void {
  window.history.replaceState(null, '', path)
  window.dispatchEvent(new Event(MOVED))
  window.scrollTo(0, 0)
}

/** What the page was asked to do when it was gone to; told once, so that a reload does not do it again. */
export function takeWish(): string {
  const state = window.history.state as { wish?: string } | null
  if (!state?.wish) return ''
  window.history.replaceState(null, '')
  return state.wish
}

/** Changes parameters of the address, without a new entry in the history. `null` and empty take one away. */
export function setParameters(changes: Record<string, string | null>): void {
  const url = new URL(window.location.href)
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === '') url.searchParams.delete(name)
    else url.searchParams.set(name, value)
  }
  window.history.replaceState(window.history.state, '', url)
  window.dispatchEvent(new Event(MOVED))
}

/** Changes one parameter of the address, without a new entry in the history. `null` takes it away. */
export const setParameter = (name: string, value: string | null): void => setParameters({ [name]: value })

interface LinkProps extends AnchorHTMLAttributes<HTMLAnchorElement> {
  href: string
  /** What the page does at once. */
  wish?: 'play'
}

/** A link inside the application; a new tab, a download or a modifier key are the browser's business. */
export function Link({ href, onClick, wish, ...rest }: LinkProps): ReactElement {
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event)
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey
    if (event.defaultPrevented || !plain) return
    event.preventDefault()
    go(href, wish)
  }
  return <a href={href} onClick={follow} {...rest} />
}
