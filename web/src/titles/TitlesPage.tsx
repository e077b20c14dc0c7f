/** What there is to watch. */
import { type ReactElement, useEffect } from 'react'
import { listTitles } from '../api/client'
import type { Title } from '../api/types'
import { useAnswer } from '../api/useAnswer'
import { Notice } from '../design/Notice'
import { Link, titlePath } from '../router'
import { length } from '../words/time'
import { fetchPlayer } from './playerModule'

export function TitlesPage(): ReactElement {
  const [answer, again] = useAnswer(listTitles)
  useEffect(() => {
    document.title = 'Matinee'
    // Whoever is here will likely watch something: have the player's code at hand.
    const idle = requestIdleCallback(() => void fetchPlayer().catch(() => undefined))
    return () => cancelIdleCallback(idle)
  }, [])
  return (
    <main id="content" className="page">
      <h1 className="page-title">Films</h1>
      {answer.state === 'waiting' && <Shelf waiting />}
      {answer.state === 'failed' && <Notice title="The films can’t be listed" again={again}>{answer.reason}</Notice>}
      {answer.state === 'here' && answer.value.length === 0 && (
        <Notice title="No film is published yet">
          Films are added in the <Link href="/studio">studio</Link>.
        </Notice>
      )}
      {answer.state === 'here' && answer.value.length > 0 && <Shelf titles={answer.value} />}
    </main>
  )
}

function Shelf({ titles = [], waiting = false }: { titles?: Title[]; waiting?: boolean }): ReactElement {
  return (
    <ul className="shelf" aria-busy={waiting}>
      {waiting && [0, 1, 2].map((n) => <li key={n} className="card skeleton" aria-hidden="true" />)}
      {titles.map((title) => <li key={title.id}><Card title={title} /></li>)}
    </ul>
  )
}

function Card({ title }: { title: Title }): ReactElement {
  return (
    <article className="card">
      <Link href={titlePath(title.id)} className="card-link" aria-label={`${title.name}, ${length(title.durationSeconds)}`}>
        <Artwork title={title} />
        <span className="card-length">{length(title.durationSeconds)}</span>
      </Link>
      <h2><Link href={titlePath(title.id)} tabIndex={-1}>{title.name}</Link></h2>
      <p className="card-words">{title.description}</p>
      <Credits title={title} />
    </article>
  )
}

function Artwork({ title }: { title: Title }): ReactElement {
  if (title.artwork) return <img className="artwork" src={title.artwork} alt="" loading="lazy" />
  // The letter is a picture, not a word: it comes from the style sheet.
  return <div className="artwork artwork-none" data-letter={title.name.charAt(0)} />
}

/** Who made it, and under which licence it may be shown. */
export function Credits({ title }: { title: Title }): ReactElement | null {
  if (title.credits === '' && title.license === '') return null
  return (
    <p className="credits">
      {title.credits}
      {title.credits !== '' && title.license !== '' && <span aria-hidden="true"> · </span>}
      {title.license !== '' && <span className="licence">{title.license}</span>}
    </p>
  )
}
