/** What was found in a title's newest master. */
import { type ReactElement, useCallback, useEffect } from 'react'
import { Refused, getInspection } from '../api/client'
import { useAnswer } from '../api/useAnswer'
import { Notice } from '../design/Notice'
import { Link } from '../router'
import { Report } from './Report'

export default function InspectionPage({ title }: { title: string }): ReactElement {
  const [answer, again] = useAnswer(useCallback((signal: AbortSignal) => getInspection(title, signal), [title]))
  useEffect(() => {
    document.title = `Inspection of ${title} – Matinee`
  }, [title])
  const none = answer.state === 'failed' && answer.error instanceof Refused && answer.error.status === 404
  return (
    <main id="content" className="page" aria-busy={answer.state === 'waiting'}>
      <p className="crumb"><Link href="/studio">Studio</Link></p>
      <h1 className="page-title">Inspection of {title}</h1>
      {answer.state === 'here' && <Report inspection={answer.value} />}
      {none && <Notice title="There is no report yet">The master is still being inspected, or it could not be read. See its workflow in the <Link href="/studio">studio</Link>.</Notice>}
      {answer.state === 'failed' && !none && <Notice title="The report can’t be shown" again={again}>{answer.reason}</Notice>}
    </main>
  )
}
