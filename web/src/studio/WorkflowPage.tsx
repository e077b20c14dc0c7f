/** One workflow, live: its tasks as they run, why one failed, and what to do about it. */
import { type ReactElement, useEffect, useState } from 'react'
import { cancelWorkflow, reasonOf, retryWorkflow, workflowEvents } from '../api/client'
import type { Task, Workflow } from '../api/types'
import { Notice } from '../design/Notice'
import { percent } from './amount'

export default function WorkflowPage({ id }: { id: string }): ReactElement {
  const [workflow, setWorkflow] = useState<Workflow>()
  const [problem, setProblem] = useState('')
  useEffect(() => {
    // The browser connects again by itself when the connection breaks.
    const events = new EventSource(workflowEvents(id))
    events.onmessage = (event: MessageEvent<string>) => {
      setWorkflow(JSON.parse(event.data) as Workflow)
      setProblem('')
    }
    events.onerror = () => setProblem('The live view is interrupted; it comes back by itself.')
    return () => events.close()
  }, [id])
  const intervene = (deed: Promise<Workflow>): void => {
    deed.then(() => setProblem(''), (error: unknown) => setProblem(reasonOf(error)))
  }
  if (!workflow) {
    return (
      <main id="content" className="page" aria-busy={problem === ''}>
        {problem && <Notice title="The workflow can’t be shown">{problem}</Notice>}
      </main>
    )
  }
  const stopped = workflow.state === 'stuck' || workflow.state === 'stopped'
  return (
    <main id="content" className="page">
      <h1>{workflow.subject}</h1>
      <p aria-live="polite">{workflow.state}, {percent(workflow.progress)} done{workflow.reason ? `: ${workflow.reason}` : ''}</p>
      {problem && <p role="alert">{problem}</p>}
      <p>
        {stopped && <button type="button" className="button" onClick={() => intervene(retryWorkflow(id))}>Retry what failed</button>}
        {workflow.state === 'active' && <button type="button" className="button" onClick={() => intervene(cancelWorkflow(id))}>Cancel</button>}
      </p>
      <table className="tasks">
        <thead>
          <tr><th scope="col">Task</th><th scope="col">State</th><th scope="col">Try</th><th scope="col">Progress</th><th scope="col">Note</th></tr>
        </thead>
        <tbody>
          {(workflow.taskList ?? []).map((task) => <TaskRow key={task.name} task={task} retry={() => intervene(retryWorkflow(id, task.name))} />)}
        </tbody>
      </table>
    </main>
  )
}

function TaskRow({ task, retry }: { task: Task; retry: () => void }): ReactElement {
  return (
    <tr>
      <th scope="row">{task.name}</th>
      <td>{task.state}</td>
      <td>{task.attempt}</td>
      <td>{task.state === 'done' ? '100 %' : percent(task.progress)}</td>
      <td>
        {task.error ?? (task.reused ? 'its output existed' : task.note)}
        {task.state === 'failed' && <button type="button" className="button" onClick={retry}>Retry</button>}
        {task.diagnostics && <details><summary>What the tool said</summary><pre>{task.diagnostics}</pre></details>}
      </td>
    </tr>
  )
}
