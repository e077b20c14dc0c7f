/** The studio's first page: a film comes in, those on their way, and every workflow with what became of it. */
import { type ReactElement, useEffect, useState, useSyncExternalStore } from 'react'
import { listWorkflows } from '../api/client'
import type { Workflow } from '../api/types'
import { useAnswer } from '../api/useAnswer'
import { Notice } from '../design/Notice'
import { ProgressBar } from '../design/ProgressBar'
import { Link, inspectionPath, titlePath, workflowPath } from '../router'
import { percent } from '../words/amounts'
import { ago, between, length } from '../words/time'
import { WORKFLOW_WORDS } from './states'
import { UploadForm } from './UploadForm'
import { UploadList } from './UploadList'
import { uploads } from './uploads'

/** How often the workflows are asked for again. */
const ASK_MS = 3000

export default function StudioPage(): ReactElement {
  const [answer, again] = useAnswer(listWorkflows)
  const arrived = useSyncExternalStore(uploads.subscribe, () => uploads.snapshot().filter((upload) => upload.snapshot().phase === 'done').length)
  const now = useRepeated(again, arrived)
  useEffect(() => {
    document.title = 'Studio – Matinee'
  }, [])
  return (
    <main id="content" className="page" aria-busy={answer.state === 'waiting'}>
      <h1 className="page-title">Studio</h1>
      <div className="studio">
        <UploadForm />
        <div className="studio-side">
          <UploadList />
          <section aria-labelledby="workflows-title">
            <h2 id="workflows-title">Workflows</h2>
            {answer.state === 'failed' && <Notice title="The workflows can’t be shown" again={again}>{answer.reason}</Notice>}
            {answer.state === 'here' && answer.value.length === 0 && <Notice title="No film has come in yet">Upload one, and its way to a stream is shown here.</Notice>}
            {answer.state === 'here' && answer.value.length > 0 && (
              <ul className="workflows">
                {answer.value.map((workflow) => <WorkflowItem key={workflow.id} workflow={workflow} now={now} />)}
              </ul>
            )}
          </section>
        </div>
      </div>
    </main>
  )
}

/** Asks again every few seconds, and when `cause` changes; gives the time of the last round. */
function useRepeated(ask: () => void, cause: number): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const round = (): void => {
      if (document.visibilityState !== 'visible') return
      setNow(Date.now())
      ask()
    }
    if (cause > 0) ask()
    const timer = window.setInterval(round, ASK_MS)
    return () => window.clearInterval(timer)
  }, [ask, cause])
  return now
}

function WorkflowItem({ workflow, now }: { workflow: Workflow; now: number }): ReactElement {
  const { id, subject, state, progress, reason, startedAt, endedAt } = workflow
  const { word, tone } = WORKFLOW_WORDS[state]
  const took = between(startedAt, endedAt, now)
  return (
    <li className="workflow" data-state={state}>
      <header>
        <h3><Link href={workflowPath(id)}>{subject}</Link></h3>
        <span className="state" data-tone={tone}>{word}</span>
      </header>
      <ProgressBar share={progress} label={`Workflow of ${subject}`} tone={tone} />
      <p className="soft">
        {percent(state === 'completed' ? 1 : Math.min(progress, 0.999))}, {workflow.done} of {workflow.tasks} tasks
        {workflow.running > 0 && `, ${workflow.running} running`}{workflow.failed > 0 && `, ${workflow.failed} failed`}
        {took !== null && `, ${length(took)}`}{startedAt && `, begun ${ago(Date.parse(startedAt), now)}`}
      </p>
      {reason && <p className="problem">{reason}</p>}
      <p className="row">
        <Link className="plain" href={inspectionPath(subject)} aria-label={`Inspection of ${subject}`}>Inspection</Link>
        {state === 'completed' && <Link className="plain" href={titlePath(subject)} aria-label={`Play ${subject}`}>Play</Link>}
      </p>
    </li>
  )
}
