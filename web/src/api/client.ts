/** Asks the gateway. A refusal becomes a [`Refused`] whose message is fit to show. */
import type { Inspection, PlaySession, Title, UnfinishedUpload, Workflow } from './types'

/** The gateway said no (RFC 9457), or could not be reached (status 0). */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
    this.name = 'Refused'
  }
}

interface Problem {
  title?: string
  detail?: string
}

async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
  let response: Response
  try {
    const headers = new Headers(init.headers)
    headers.set('accept', 'application/json')
    response = await fetch(path, { ...init, headers })
  } catch (error) {
    if (init.signal?.aborted) throw error
    throw new Refused(0, 'The service can’t be reached. Check the connection and try again.')
  }
  if (!response.ok) {
    const problem = (await response.json().catch(() => ({}))) as Problem
    throw new Refused(response.status, problem.detail ?? problem.title ?? `The service answered ${response.status}.`)
  }
  return (await response.json()) as T
}

function send<T>(method: 'POST' | 'PUT', path: string, body: unknown): Promise<T> {
  return ask(path, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
}

const part = encodeURIComponent

/** Published titles. */
export const listTitles = (signal?: AbortSignal): Promise<Title[]> => ask('/api/titles', signal ? { signal } : {})
export const getTitle = (id: string, signal?: AbortSignal): Promise<Title> =>
  ask(`/api/titles/${part(id)}`, signal ? { signal } : {})
/** A new session for a title. */
export const startPlay = (title: string): Promise<PlaySession> => send('POST', '/api/play', { title })

/** All titles, published or not; the studio's. */
export const listStudioTitles = (signal?: AbortSignal): Promise<Title[]> =>
  ask('/api/studio/titles', signal ? { signal } : {})
/** Newest first. */
export const listWorkflows = (signal?: AbortSignal): Promise<Workflow[]> =>
  ask('/api/studio/workflows', signal ? { signal } : {})
export const getWorkflow = (id: string, signal?: AbortSignal): Promise<Workflow> =>
  ask(`/api/studio/workflows/${part(id)}`, signal ? { signal } : {})
export const listUploads = (signal?: AbortSignal): Promise<UnfinishedUpload[]> =>
  ask('/api/studio/uploads', signal ? { signal } : {})
/** Runs one failed task again, or all of them. */
export const retryWorkflow = (id: string, task?: string): Promise<Workflow> =>
  send('POST', `/api/studio/workflows/${part(id)}/retry`, task === undefined ? {} : { task })
export const cancelWorkflow = (id: string): Promise<Workflow> =>
  send('POST', `/api/studio/workflows/${part(id)}/cancel`, {})
/** What was found in a title's newest master. */
export const getInspection = (title: string, signal?: AbortSignal): Promise<Inspection> =>
  ask(`/api/studio/titles/${part(title)}/inspection`, signal ? { signal } : {})
export const workflowEvents = (id: string): string => `/api/studio/workflows/${part(id)}/events`

/** The message to show for whatever was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
