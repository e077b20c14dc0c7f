/** A workflow as it is now, kept current by the service's events. */
import { useEffect, useState } from 'react'
import { Refused, getWorkflow, reasonOf, workflowEvents } from '../api/client'
import type { Workflow } from '../api/types'

/** Before the service is asked again when it refused the events, in milliseconds. */
const AGAIN_MS = 2000
/** A connection that is gone for less is not worth a word. */
const PATIENCE_MS = 4000

export interface Watched {
  workflow: Workflow | null
  /** Why it is not current, in words; empty where it is. */
  problem: string
  /** The service knows no such workflow, yet. */
  unknown: boolean
}

/** Watches a workflow for as long as it is shown. Connects again by itself, whatever happened. */
export function useWatched(id: string): Watched {
  const [watched, setWatched] = useState<Watched>({ workflow: null, problem: '', unknown: false })
  useEffect(() => {
    const leaving = new AbortController()
    let events: EventSource | null = null
    let again = 0
    let patience = 0
    const problem = (text: string, unknown = false): void => {
      if (!leaving.signal.aborted) setWatched((before) => ({ ...before, problem: text, unknown }))
    }
    const refused = async (): Promise<void> => {
      // The browser does not say why it gave up: the plain address does.
      try {
        const workflow = await getWorkflow(id, leaving.signal)
        if (!leaving.signal.aborted) setWatched({ workflow, problem: 'The live view is interrupted; it comes back by itself.', unknown: false })
      } catch (error) {
        problem(reasonOf(error), error instanceof Refused && error.status === 404)
      }
      if (!leaving.signal.aborted) again = window.setTimeout(connect, AGAIN_MS)
    }
    const connect = (): void => {
      events = new EventSource(workflowEvents(id))
      events.onmessage = (event: MessageEvent<string>) => {
        window.clearTimeout(patience)
        patience = 0
        setWatched({ workflow: JSON.parse(event.data) as Workflow, problem: '', unknown: false })
      }
      events.onerror = () => {
        if (events?.readyState === EventSource.CLOSED) void refused()
        else if (patience === 0) patience = window.setTimeout(problem, PATIENCE_MS, 'The live view is interrupted; it comes back by itself.')
      }
    }
    connect()
    return () => {
      leaving.abort()
      events?.close()
      window.clearTimeout(again)
      window.clearTimeout(patience)
    }
  }, [id])
  return watched
}
