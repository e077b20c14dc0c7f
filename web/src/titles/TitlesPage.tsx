/** What there is to watch. */
import { type ReactElement, useEffect } from 'react'
import { forget, listTitles, listUnfinished } from '../api/client'
import type { Title, Watched } from '../api/types'
import { useAnswer } from '../api/useAnswer'
import { Notice } from '../design/Notice'
import { ProgressBar } from '../design/ProgressBar'
import { Link, titlePath } from '../router'
import { clock, length } from '../words/time'
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
      <ContinueWatching />
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

/** What was begun and not finished. Nothing where there is nothing, or where it is not known just now. */
function ContinueWatching(): ReactElement | null {
  const [answer, again] = useAnswer(listUnfinished)
  if (answer.state !== 'here' || answer.value.length === 0) return null
  const remove = (title: string): void => void forget(title).then(again, again)
  return (
    <section aria-labelledby="continue-title" className="continue">
      <h2 id="continue-title" className="page-title">Continue watching</h2>
      <ul className="shelf">
        {answer.value.map((watched) => <li key={watched.title.id}><Unfinished watched={watched} remove={remove} /></li>)}
      </ul>
    </section>
  )
}

function Unfinished({ watched, remove }: { watched: Watched; remove: (title: string) => void }): ReactElement {
  const { title, resumeSeconds } = watched
  return (
    <article className="card">
      <Link href={titlePath(title.id)} className="card-link" tabIndex={-1} aria-hidden="true">
        <Artwork title={title} />
      </Link>
      <ProgressBar share={resumeSeconds / Math.max(title.durationSeconds, 0.1)} label={`Watched of ${title.name}`} />
      <h3><Link href={titlePath(title.id)}>{title.name}</Link></h3>
      <p className="row">
        <span className="soft">At {clock(resumeSeconds)} of {clock(title.durationSeconds)}</span>
        <button type="button" className="button small" aria-label={`Remove ${title.name}`} onClick={() => remove(title.id)}>Remove</button>
      </p>
    </article>
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
