/** Asks the gateway. A refusal becomes a [`Refused`] whose message is fit to show; tokens that ran out are renewed on the way. */
import { reach as reached } from '../offline/reach'
import { renewTokens } from './refresh'
import type { Problem } from './types'

/** One field that was refused, and why. */
export type RefusedField = NonNullable<Problem['errors']>[number]

/** The gateway said no (RFC 9457), or could not be reached (status 0). */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** For a program: "lapsed", "not_licensed_here"; empty where there is none. */
    readonly code = '',
    readonly fields: readonly RefusedField[] = [],
  ) {
    super(message)
    this.name = 'Refused'
  }
}

type Listener = () => void
const leavers = new Set<Listener>()

/** Calls `run` when the gateway no longer knows who this is. */
export function onSignedOut(run: Listener): () => void {
  leavers.add(run)
  return () => leavers.delete(run)
}

function tellSignedOut(): void {
  for (const tell of leavers) tell()
}

/** A service that is busy names a time; one this short is waited for, once, by what only reads. Seconds. */
const PATIENCE = 3

/** How long to wait before asking again, in milliseconds; null: not at all. */
export function patienceFor(method: string, status: number, retryAfter: string | null): number | null {
  if (method !== 'GET' || (status !== 503 && status !== 429) || retryAfter === null || !/^\d+$/.test(retryAfter)) return null
  const seconds = Number(retryAfter)
  return seconds <= PATIENCE ? seconds * 1000 : null
}

async function reach(path: string, init: RequestInit): Promise<Response> {
  const response = await reachOnce(path, init)
  const wait = patienceFor(init.method ?? 'GET', response.status, response.headers.get('retry-after'))
  if (wait === null) return response
  await new Promise((over) => setTimeout(over, wait))
  return reachOnce(path, init)
}

async function reachOnce(path: string, init: RequestInit): Promise<Response> {
  try {
    const headers = new Headers(init.headers)
    headers.set('accept', 'application/json')
    const response = await fetch(path, { ...init, headers })
    reached.note(response.headers)
    return response
  } catch (error) {
    if (init.signal?.aborted) throw error
    reached.lost()
    throw new Refused(0, navigator.onLine ? 'The service can’t be reached. Check the connection and try again.' : 'You are offline. It goes on when the network is back.')
  }
}

/** What was answered; of a server between, perhaps nothing that we know. */
const problemOf = async (response: Response): Promise<Partial<Problem>> => (await response.json().catch(() => ({}))) as Partial<Problem>

function refusal(status: number, problem: Partial<Problem>): Refused {
  const words = sentence(problem.detail ?? problem.title ?? `the service answered ${status}`)
  return new Refused(status, words, problem.code ?? '', problem.errors ?? [])
}

/** The service speaks without capitals and full stops; a person is told a sentence. */
export function sentence(words: string): string {
  const text = words.trim()
  if (text === '') return text
  const ended = /[.!?…]$/.test(text) ? text : `${text}.`
  return ended.charAt(0).toUpperCase() + ended.slice(1)
}

/** Asks, and renews expired tokens once on the way. */
export async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
  const asked = Date.now()
  let response = await reach(path, init)
  if (response.status === 401) {
    const problem = await problemOf(response)
    if (problem.code === 'invalid_token') tellSignedOut()
    if (problem.code !== 'expired') throw refusal(401, problem)
    const renewed = await renewTokens(asked).catch(() => null)
    if (renewed === null) throw new Refused(0, 'The service can’t be reached. Check the connection and try again.')
    if (!renewed) {
      tellSignedOut()
      throw new Refused(401, 'You were signed out. Sign in again to go on.', 'sign_in')
    }
    response = await reach(path, init)
  }
  if (!response.ok) throw refusal(response.status, await problemOf(response))
  const empty = response.status === 204 || response.headers.get('content-length') === '0'
  return (empty ? undefined : await response.json()) as T
}

/** A request with a JSON body. */
export function sent(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', body: unknown, headers: Record<string, string> = {}): RequestInit {
  return { method, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) }
}

export function send<T>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body: unknown = {}, headers: Record<string, string> = {}): Promise<T> {
  return ask(path, sent(method, body, headers))
}

/** Asks for something that can be let go of. */
export const get = <T>(path: string, signal?: AbortSignal): Promise<T> => ask(path, signal ? { signal } : {})

export const part = encodeURIComponent

/** A key by which the service knows a request that comes twice. */
export const idempotencyKey = (): string => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')

/** The message to show for whatever was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Why the named field was refused, as a sentence; empty where it was not. */
export function reasonFor(error: unknown, field: string): string {
  if (!(error instanceof Refused)) return ''
  const found = error.fields.find((each) => each.field === field)
  return found ? sentence(found.reason) : ''
}
