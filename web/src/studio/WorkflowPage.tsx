/** One workflow, live: its tasks as a picture, what failed and why, what was found in the master. */
import { type ReactElement, useEffect, useMemo, useState } from 'react'
import { cancelWorkflow, reasonOf, retryWorkflow } from '../api/client'
import type { Task, Workflow } from '../api/types'
import { Notice } from '../design/Notice'
import { ProgressBar } from '../design/ProgressBar'
import { Link, titlePath } from '../router'
import { percent } from '../words/amounts'
import { between, length } from '../words/time'
import { GraphView } from './GraphView'
import { isInspection } from './inspection'
import { Report } from './Report'
import { TASK_WORDS, WORKFLOW_WORDS } from './states'
import { TaskFailure, TaskPanel } from './TaskPanel'
import { useWatched } from './watching'

const SECOND_MS = 1000

export default function WorkflowPage({ id }: { id: string }): ReactElement {
  const { workflow, problem, unknown } = useWatched(id)
  const [refusal, setRefusal] = useState('')
  const [chosen, setChosen] = useState('')
  const now = useNow(workflow?.state === 'active')
  const subject = workflow?.subject ?? id
  useEffect(() => {
    document.title = `${subject} – Studio – Matinee`
  }, [subject])

  const intervene = (deed: Promise<Workflow>): void => {
    deed.then(() => setRefusal(''), (error: unknown) => setRefusal(reasonOf(error)))
  }
  const retry = (name: string): void => intervene(retryWorkflow(id, name))
  const tasks = useMemo(() => workflow?.taskList ?? [], [workflow])

  if (!workflow) {
    return (
      <main id="content" className="page" aria-busy={problem === ''}>
        <p className="crumb"><Link href="/studio">Studio</Link></p>
        <h1 className="page-title">Workflow</h1>
        {unknown && <Notice title="This workflow has not begun">The service does not know it yet. It is asked again every moment.</Notice>}
        {problem !== '' && !unknown && <Notice title="The workflow can’t be shown">{problem}</Notice>}
      </main>
    )
  }
  const failed = tasks.filter((task) => task.state === 'failed')
  const running = tasks.filter((task) => task.state === 'running')
  const task = tasks.find((each) => each.name === chosen)
  const inspection = tasks.find((each) => each.type === 'inspect')?.result
  return (
    <main id="content" className="page wide-page">
      <p className="crumb"><Link href="/studio">Studio</Link></p>
      <Summary workflow={workflow} now={now} />
      {problem !== '' && <p role="status" className="problem">{problem}</p>}
      {refusal !== '' && <p role="alert" className="problem">{refusal}</p>}
      <p className="row">
        {failed.length > 0 && <button type="button" className="button primary" onClick={() => intervene(retryWorkflow(id))}>Retry all that failed</button>}
        {workflow.state === 'active' && <button type="button" className="button" onClick={() => intervene(cancelWorkflow(id))}>Cancel the workflow</button>}
        {workflow.state === 'completed' && <Link className="button primary" href={titlePath(workflow.subject)}>Play the film</Link>}
      </p>
      {failed.length > 0 && (
        <section className="failed-tasks" aria-labelledby="failed-title">
          <h2 id="failed-title">What failed</h2>
          <ul>
            {failed.map((each) => (
              <li key={each.name}>
                <h3>{each.name}</h3>
                <TaskFailure task={each} retry={retry} />
              </li>
            ))}
          </ul>
        </section>
      )}
      <GraphView tasks={tasks} chosen={chosen} choose={(name) => setChosen(name === chosen ? '' : name)} />
      <Legend />
      {task && <TaskPanel task={task} now={now} retry={retry} />}
      {running.length > 0 && <Running tasks={running} />}
      {isInspection(inspection) && (
        <section aria-labelledby="inspection-title">
          <h2 id="inspection-title">The master</h2>
          <Report inspection={inspection} />
        </section>
      )}
    </main>
  )
}

function Summary({ workflow, now }: { workflow: Workflow; now: number }): ReactElement {
  const { word, tone } = WORKFLOW_WORDS[workflow.state]
  const took = between(workflow.startedAt, workflow.endedAt, now)
  const share = workflow.state === 'completed' ? 1 : Math.min(workflow.progress, 0.999)
  // Tenths are enough to be told aloud.
  const said = `${word}, ${Math.floor(share * 10) * 10} %${workflow.reason ? `. ${workflow.reason}` : ''}`
  return (
    <>
      <header className="workflow-head">
        <h1>{workflow.subject}</h1>
        <span className="state" data-tone={tone}>{word}</span>
      </header>
      <p className="visually-hidden" aria-live="polite">{said}</p>
      <ProgressBar share={share} label="Progress of the workflow" tone={tone} />
      <p className="soft">
        {percent(share)}, {workflow.done} of {workflow.tasks} tasks{took !== null && `, ${length(took)}`}
        {workflow.reason && failedWords(workflow.failed)}
      </p>
    </>
  )
}

const failedWords = (failed: number): string => (failed === 1 ? ', one task failed' : `, ${failed} tasks failed`)

function Running({ tasks }: { tasks: Task[] }): ReactElement {
  return (
    <section aria-labelledby="running-title">
      <h2 id="running-title">Running now</h2>
      <ul className="running">
        {tasks.map((task) => (
          <li key={task.name}>
            <span className="running-name">{task.name}</span>
            <ProgressBar share={task.progress} label={`Progress of ${task.name}`} />
            <span>{percent(Math.min(task.progress, 0.999))}</span>
            <span className="soft">{[task.note, task.worker].filter((word) => word !== '').join(', ')}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Legend(): ReactElement {
  return (
    <ul className="legend" aria-label="What the shapes mean">
      {Object.entries(TASK_WORDS).map(([state, { word, shape }]) => (
        <li key={state}>
          <span className="legend-shape" data-state={state} aria-hidden="true">{shape}</span> {word}
        </li>
      ))}
    </ul>
  )
}

/** The time, once a second while something runs. */
function useNow(running: boolean): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    if (!running) return
    const timer = window.setInterval(() => setNow(Date.now()), SECOND_MS)
    return () => window.clearInterval(timer)
  }, [running])
  return now
}
