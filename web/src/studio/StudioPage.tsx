/** The studio's first page: every workflow, the newest first, and what became of it. */
import type { ReactElement } from 'react'
import { listWorkflows } from '../api/client'
import { useAnswer } from '../api/useAnswer'
import { Notice } from '../design/Notice'
import { Link, workflowPath } from '../router'
import { percent } from './amount'

export default function StudioPage(): ReactElement {
  const [answer, again] = useAnswer(listWorkflows)
  return (
    <main id="content" className="page" aria-busy={answer.state === 'waiting'}>
      <h1>Workflows</h1>
      {answer.state === 'failed' && <Notice title="The workflows can’t be shown" again={again}>{answer.reason}</Notice>}
      {answer.state === 'here' && answer.value.length === 0 && <Notice title="No film has come in yet" />}
      {answer.state === 'here' && answer.value.length > 0 && (
        <table className="workflows">
          <thead>
            <tr><th scope="col">Title</th><th scope="col">State</th><th scope="col">Done</th><th scope="col">Reason</th></tr>
          </thead>
          <tbody>
            {answer.value.map((workflow) => (
              <tr key={workflow.id}>
                <th scope="row"><Link href={workflowPath(workflow.id)}>{workflow.subject}</Link></th>
                <td>{workflow.state}</td>
                <td>{percent(workflow.progress)}</td>
                <td>{workflow.reason ?? ''}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </main>
  )
}
