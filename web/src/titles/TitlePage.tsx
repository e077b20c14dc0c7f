/** One title: to play, to put aside, to judge; its episodes, its people, and what is like it. */
import { type ReactElement, Suspense, lazy, useCallback, useEffect, useState } from 'react'
import { Refused } from '../api/ask'
import type { TitlePage as Shown } from '../api/types'
import { useAnswer } from '../api/useAnswer'
import { Notice } from '../design/Notice'
import { TitleRow } from '../home/TitleRow'
import { Link, goInstead, takeWish, titlePath, usePath } from '../router'
import { isRefusal, refusalFor } from '../words/refusals'
import { About } from './About'
import { askTitle } from './askTitle'
import { Episodes } from './Episodes'
import { NotPlayable } from './NotPlayable'
import { Opinion } from './Opinion'
import { fetchPlayer } from './playerModule'
import { TitleHead } from './TitleHead'

const PlayerView = lazy(fetchPlayer)

export function TitlePage({ id }: { id: string }): ReactElement {
  const [answer, again] = useAnswer(useCallback((signal: AbortSignal) => askTitle(id, signal), [id]))
  // Told once, however often the page is drawn.
  const [wish] = useState(takeWish)
  const path = usePath()
  const name = answer.state === 'here' ? answer.value.name : null
  useEffect(() => {
    document.title = name === null ? 'Matinee' : `${name} – Matinee`
  }, [name])
  // Beside the title's words, not after them.
  useEffect(() => void fetchPlayer().catch(() => undefined), [])
  const stranger = answer.state === 'failed' && answer.error instanceof Refused && answer.error.status === 401
  useEffect(() => {
    if (stranger) goInstead(`/sign-in?next=${encodeURIComponent(path)}`)
  }, [stranger, path])

  if (answer.state === 'failed') {
    const code = answer.error instanceof Refused && isRefusal(answer.error.code) ? answer.error.code : ''
    if (code !== '' && !stranger) {
      const { what, advice, way } = refusalFor(code, answer.reason)
      return (
        <main id="content" className="page">
          <Notice title={what}>{advice} {way && <Link href={way.href}>{way.label}</Link>}</Notice>
        </main>
      )
    }
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
  if (answer.state === 'waiting') return <main id="content" className="title-page"><div className="stage skeleton" aria-busy="true" /></main>
  return <Whole title={answer.value} autoplay={wish === 'play'} />
}

function Whole({ title, autoplay }: { title: Shown; autoplay: boolean }): ReactElement {
  const series = title.kind === 'series'
  const similar = { id: 'similar', kind: 'because' as const, title: 'More like this', items: title.similar }
  return (
    <main id="content" className="title-page">
      {!title.playable && <NotPlayable title={title} />}
      {title.playable && !series && (
        <Suspense fallback={<div className="stage skeleton" aria-busy="true" />}>
          <PlayerView key={title.id} title={title} autoplay={autoplay} />
        </Suspense>
      )}
      {title.playable && series && <TitleHead title={title} autoplay={autoplay} />}
      <div className="title-body">
        {title.series && (
          <p className="crumb"><Link href={titlePath(title.series.id)}>{title.series.name}</Link>{title.season ? ` · Season ${title.season}, episode ${title.episode ?? '?'}` : ''}</p>
        )}
        <About title={title} opinion={<Opinion title={title} />} />
        {title.seasons && title.seasons.length > 0 && <Episodes seasons={title.seasons} />}
        {title.similar.length > 0 && <TitleRow row={similar} />}
      </div>
    </main>
  )
}
