/** Titles, playing, history and the studio's workflows, as the gateway answers them. */
import { ask, part, send, sent } from './ask'
import { screenKind } from './screen'
import type { HeartbeatReport, Inspection, PlaySession, Title, UnfinishedUpload, Watched, Workflow } from './types'

export { Refused, reasonOf } from './ask'

/** Published titles. */
export const listTitles = (signal?: AbortSignal): Promise<Title[]> => ask('/api/titles', signal ? { signal } : {})
export const getTitle = (id: string, signal?: AbortSignal): Promise<Title> =>
  ask(`/api/titles/${part(id)}`, signal ? { signal } : {})
/** A new session for a title. */
export const startPlay = (title: string): Promise<PlaySession> => send('POST', `/api/${screenKind()}/play`, { title })

/** The viewer left: the session no longer counts against the account's streams. Outlives the page that says so. */
export function endSession(session: string): void {
  navigator.sendBeacon(`/api/sessions/${part(session)}/end`, new Blob(['{}'], { type: 'application/json' }))
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
