/** What there is to say of a title. */
import type { ReactElement, ReactNode } from 'react'
import type { TitlePage } from '../api/types'
import { Link } from '../router'
import { languageName } from '../words/languages'
import { length } from '../words/time'
import { Credits } from './Credits'

/** People named before the rest is left to the end. */
const NAMED = 6

export function About({ title, opinion }: { title: TitlePage; opinion: ReactNode }): ReactElement {
  const { ratingLabel, maturityAge, score } = title
  const age = ratingLabel ?? (maturityAge ? `${maturityAge}+` : '')
  return (
    <div className="about">
      <div className="about-main">
        <h1>{title.name}</h1>
        {title.originalName && title.originalName !== title.name && <p className="about-original">{title.originalName}</p>}
        <p className="about-facts">
          {score ? <span className="about-score">{Math.round(score)} % like it</span> : null}
          {title.year ? <span>{title.year}</span> : null}
          {age !== '' && <span className="age" title="Age rating">{age}</span>}
          {title.kind === 'series' ? <span>{seasonWords(title.seasons?.length ?? 0)}</span> : <span>{length(title.durationSeconds)}</span>}
        </p>
        {opinion}
        <p className="about-words">{title.description}</p>
        <Credits credits={title.credits} license={title.license} />
      </div>
      <dl className="about-lists">
        <People title={title} />
        {title.genres.length > 0 && (
          <div>
            <dt>Genres</dt>
            <dd>{title.genres.map(({ id, name }, index) => <span key={id}>{index > 0 && ', '}<Link className="quiet-link" href={`/search?genre=${encodeURIComponent(id)}`}>{name}</Link></span>)}</dd>
          </div>
        )}
        {title.audioLanguages.length > 0 && <div><dt>Sound</dt><dd>{title.audioLanguages.map(languageName).join(', ')}</dd></div>}
        {title.subtitleLanguages.length > 0 && <div><dt>Subtitles</dt><dd>{title.subtitleLanguages.map(languageName).join(', ')}</dd></div>}
      </dl>
    </div>
  )
}

const seasonWords = (count: number): string => (count === 1 ? '1 season' : `${count} seasons`)

function People({ title }: { title: TitlePage }): ReactElement | null {
  const cast = title.people.filter(({ job }) => job === 'cast').slice(0, NAMED)
  const makers = title.people.filter(({ job }) => ['director', 'creator', 'writer'].includes(job)).slice(0, NAMED)
  if (cast.length + makers.length === 0) return null
  const named = (people: typeof cast): ReactElement[] =>
    people.map(({ id, name, character }, index) => (
      <span key={`${id} ${character ?? ''}`}>{index > 0 && ', '}<Link className="quiet-link" href={`/search?q=${encodeURIComponent(name)}`}>{name}</Link>{character ? <span className="soft"> as {character}</span> : null}</span>
    ))
  return (
    <>
      {cast.length > 0 && <div><dt>With</dt><dd>{named(cast)}</dd></div>}
      {makers.length > 0 && <div><dt>By</dt><dd>{named(makers)}</dd></div>}
    </>
  )
}
