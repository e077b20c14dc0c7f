/**
 * The service worker: the application's files from the cache, pages and answers from the network while there is one,
 * and what was kept of the last visit where there is none. Film, licences, uploads and everything written pass by.
 */
import { type Handling, VIEWER_ANSWERS, VIEWER_PICTURES, SHELL, handlingOf } from './handling'

declare const self: ServiceWorkerGlobalScope

/** Pictures kept at most; the oldest go. */
const MOST_PICTURES = 300
/** Files of earlier versions of the application go beyond this many. */
const MOST_FILES = 120

self.addEventListener('install', (event) => {
  event.waitUntil(keep(['/']).then(() => self.skipWaiting()))
})

self.addEventListener('activate', (event) => {
  event.waitUntil(self.clients.claim())
})

self.addEventListener('message', (event) => {
  const wanted = (event.data as { keep?: unknown } | null)?.keep
  if (Array.isArray(wanted)) event.waitUntil(keep(wanted.filter((each): each is string => typeof each === 'string')))
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  const url = new URL(request.url)
  const handling = url.origin === self.location.origin ? handlingOf(request.method, url.pathname, request.mode, request.headers.has('range')) : 'pass'
  if (handling !== 'pass') event.respondWith(answer(handling, request))
})

async function answer(handling: Exclude<Handling, 'pass'>, request: Request): Promise<Response> {
  switch (handling) {
    case 'page': return fromNetwork(SHELL, request, '/')
    case 'answer': return fromNetwork(VIEWER_ANSWERS, request, request.url)
    case 'file': return fromCache(SHELL, request, MOST_FILES)
    case 'picture': return fromCache(VIEWER_PICTURES, request, MOST_PICTURES)
  }
}

/** The network's answer, kept under `key`; what was kept where there is no network. */
async function fromNetwork(name: string, request: Request, key: string): Promise<Response> {
  try {
    const response = await fetch(request)
    if (response.ok) await put(name, key, response.clone())
    return response
  } catch (error) {
    const kept = await caches.open(name).then((cache) => cache.match(key))
    if (kept) return toldKept(kept)
    throw error
  }
}

/** The page tells that it shows what was kept (`reach.ts`). */
function toldKept(kept: Response): Response {
  const headers = new Headers(kept.headers)
  headers.set('x-matinee-kept', '1')
  return new Response(kept.body, { status: kept.status, statusText: kept.statusText, headers })
}

async function fromCache(name: string, request: Request, most: number): Promise<Response> {
  const cache = await caches.open(name)
  const kept = await cache.match(request)
  if (kept) return kept
  const response = await fetch(request)
  if (response.ok && response.status === 200) {
    await put(name, request.url, response.clone())
    const keys = await cache.keys()
    await Promise.all(keys.slice(0, Math.max(0, keys.length - most)).map((key) => cache.delete(key)))
  }
  return response
}

/** A full disk keeps less, and breaks nothing. */
async function put(name: string, key: string, response: Response): Promise<void> {
  await caches.open(name).then((cache) => cache.put(key, response)).catch(() => undefined)
}

async function keep(addresses: string[]): Promise<void> {
  const cache = await caches.open(SHELL)
  await Promise.all(addresses.map(async (address) => {
    if (address !== '/' && (await cache.match(address))) return
    await cache.add(address).catch(() => undefined)
  }))
}
