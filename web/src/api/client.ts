/** Asks the gateway. A refusal becomes a [`Refused`] whose message is fit to show. */
import type { Inspection, PlaySession, Title, UnfinishedUpload, Watched, Workflow } from './types'

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
  return (response.status === 204 ? undefined : await response.json()) as T
}

function sent(method: 'POST' | 'PUT', body: unknown): RequestInit {
  return { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

function send<T>(method: 'POST' | 'PUT', path: string, body: unknown): Promise<T> {
  return ask(path, sent(method, body))
}

const part = encodeURIComponent

/** Published titles. */
export const listTitles = (signal?: AbortSignal): Promise<Title[]> => ask('/api/titles', signal ? { signal } : {})
export const getTitle = (id: string, signal?: AbortSignal): Promise<Title> =>
  ask(`/api/titles/${part(id)}`, signal ? { signal } : {})
/** A new session for a title. */
export const startPlay = (title: string): Promise<PlaySession> => send('POST', '/api/play', { title })

export type BeatState = 'playing' | 'paused' | 'stalled' | 'ended'
/** Where somebody is in a film. Times are milliseconds since 1970 by this device's clock. */
export interface Beat {
  title: string
  session: string
  /** From 1, within the session. */
  sequence: number
  positionSeconds: number
  durationSeconds: number
  at: number
  state: BeatState
  quality: {
    startMs: number
    stalls: number
    stalledMs: number
    bitsPerSecond: number
    height: number
    droppedFrames: number
    error: string
  }
}
export interface HeartbeatReport {
  sentAt: number
  beats: Beat[]
}

/** Reports what a player does. Outlives the page that sends it. */
export const sendHeartbeats = (report: HeartbeatReport): Promise<void> => ask('/api/heartbeats', { ...sent('POST', report), keepalive: true })
/** What was begun and not finished, the latest first. */
export const listUnfinished = (signal?: AbortSignal): Promise<Watched[]> =>
  ask('/api/history?unfinished=true', signal ? { signal } : {})
/** Takes a title out of the viewer's history. */
export const forget = (title: string): Promise<void> => ask(`/api/history/${part(title)}`, { method: 'DELETE' })

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
