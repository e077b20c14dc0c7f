/** One film: its player, its words, its credits. */
import { type ReactElement, Suspense, lazy, useCallback, useEffect } from 'react'
import { Refused, getTitle } from '../api/client'
import { useAnswer } from '../api/useAnswer'
import { Notice } from '../design/Notice'
import { Link } from '../router'
import { length } from '../words/time'
import { fetchPlayer } from './playerModule'
import { Credits } from './TitlesPage'

const PlayerView = lazy(fetchPlayer)

export function TitlePage({ id }: { id: string }): ReactElement {
  const [answer, again] = useAnswer(useCallback((signal: AbortSignal) => getTitle(id, signal), [id]))
  const name = answer.state === 'here' ? answer.value.name : null
  useEffect(() => {
    document.title = name === null ? 'Matinee' : `${name} – Matinee`
  }, [name])
  // Beside the title's words, not after them.
  useEffect(() => void fetchPlayer().catch(() => undefined), [])

  if (answer.state === 'failed') {
    const unknown = answer.error instanceof Refused && answer.error.status === 404
    return (
      <main id="content" className="page">
        {unknown ? (
          <Notice title="This film is not here">It may not be published yet. See <Link href="/">all films</Link>.</Notice>
        ) : (
          <Notice title="This film can’t be shown" again={again}>{answer.reason}</Notice>
        )}
      </main>
    )
  }
  if (answer.state === 'waiting') return <main id="content" className="page"><div className="stage skeleton" aria-busy="true" /></main>
  const title = answer.value
  return (
    <main id="content" className="page">
      <Suspense fallback={<div className="stage skeleton" aria-busy="true" />}>
        <PlayerView key={title.id} title={title} />
      </Suspense>
      <div className="about">
        <h1>{title.name}</h1>
        <p className="about-facts">{length(title.durationSeconds)}</p>
        <p className="about-words">{title.description}</p>
        <Credits title={title} />
      </div>
    </main>
  )
}
