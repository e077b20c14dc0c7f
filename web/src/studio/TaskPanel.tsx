/** One task in full: how far it is, who does it, what its tool said, and what can be done about it. */
import type { ReactElement } from 'react'
import type { Task } from '../api/types'
import { ProgressBar } from '../design/ProgressBar'
import { percent } from '../words/amounts'
import { between, length } from '../words/time'
import { TASK_WORDS } from './states'

interface Props {
  task: Task
  /** Milliseconds since the epoch. */
  now: number
  retry: (name: string) => void
}

export function TaskPanel({ task, now, retry }: Props): ReactElement {
  const { word, shape } = TASK_WORDS[task.state]
  const took = between(task.startedAt, task.endedAt, now)
  const facts: [string, string][] = [
    ['State', `${shape} ${word}${task.reused ? ': its output existed' : ''}`],
    ['Attempt', task.attempt === 0 ? 'not begun' : String(task.attempt)],
    ['Worker', task.worker || '–'],
    ['Kind of work', task.pool],
    ['Time', took === null ? '–' : length(took)],
  ]
  if (task.note !== '') facts.push(['Note', task.note])
  if (task.dependsOn.length > 0) facts.push(['Waits for', waitsFor(task.dependsOn)])
  return (
    <section className="task" aria-label={`Task ${task.name}`}>
      <h2>{task.name}</h2>
      {task.state === 'running' && (
        <div className="task-progress">
          <ProgressBar share={task.progress} label={`Progress of ${task.name}`} /> {percent(Math.min(task.progress, 0.999))}
        </div>
      )}
      <dl className="task-facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <TaskFailure task={task} retry={retry} open />
      {task.state === 'done' && task.result !== undefined && (
        <details>
          <summary>Result</summary>
          <pre tabIndex={0}>{JSON.stringify(task.result, null, 2)}</pre>
        </details>
      )}
    </section>
  )
}

/** Why a task failed, what its tool said, and the button that runs it again. Nothing where all is well. */
export function TaskFailure({ task, retry, open = false }: Pick<Props, 'task' | 'retry'> & { open?: boolean }): ReactElement | null {
  if (!task.error && !task.diagnostics) return null
  return (
    <div className="task-failure">
      {task.error && <p className="problem">{task.error}</p>}
      {task.diagnostics && (
        <details open={open}>
          <summary>What the tool said</summary>
          <pre tabIndex={0}>{task.diagnostics}</pre>
        </details>
      )}
      {task.state === 'failed' && <button type="button" className="button small primary" aria-label={`Retry ${task.name}`} onClick={() => retry(task.name)}>Retry</button>}
    </div>
  )
}

/** At most so many names are worth reading. */
const NAMED = 4

function waitsFor(names: string[]): string {
  const more = names.length - NAMED
  return names.slice(0, NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '')
}
