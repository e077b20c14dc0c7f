/** What narrows a search: the kind, the genre, the years, the language of the sound. They stand in the address. */
import type { ReactElement } from 'react'
import type { SearchWords } from '../api/browse'
import { setParameter } from '../router'
import { LANGUAGES, languageName } from '../words/languages'
import { genreId, genreName } from './searchWords'

const THIS_YEAR = new Date().getFullYear()
const FIRST_DECADE = 1920

/** "1990s" as years from and until. */
const DECADES = Array.from({ length: Math.floor((THIS_YEAR - FIRST_DECADE) / 10) + 1 }, (_, n) => FIRST_DECADE + n * 10).reverse()

interface Props {
  words: SearchWords
  genres: SearchAnswerGenres
}
type SearchAnswerGenres = readonly (string | { id: string; name: string })[]

export function Filters({ words, genres }: Props): ReactElement {
  const known = genres.some((genre) => genreId(genre) === words.genre) || words.genre === '' ? genres : [words.genre, ...genres]
  const decade = (value: string): void => {
    setParameter('yearFrom', value === '' ? null : value)
    setParameter('yearUntil', value === '' ? null : String(Number(value) + 9))
  }
  return (
    <div className="filters" role="group" aria-label="Filters">
      <select aria-label="Kind" value={words.kind} data-on={words.kind !== ''} onChange={(event) => setParameter('kind', event.currentTarget.value)}>
        <option value="">Films and series</option>
        <option value="movie">Films</option>
        <option value="series">Series</option>
      </select>
      <select aria-label="Genre" value={words.genre} data-on={words.genre !== ''} onChange={(event) => setParameter('genre', event.currentTarget.value)}>
        <option value="">Every genre</option>
        {known.map((genre) => <option key={genreId(genre)} value={genreId(genre)}>{genreName(genre)}</option>)}
      </select>
      <select aria-label="Years" value={words.yearFrom} data-on={words.yearFrom !== ''} onChange={(event) => decade(event.currentTarget.value)}>
        <option value="">Every year</option>
        {DECADES.map((year) => <option key={year} value={year}>{year}s</option>)}
      </select>
      <select aria-label="Sound" value={words.audio} data-on={words.audio !== ''} onChange={(event) => setParameter('audio', event.currentTarget.value)}>
        <option value="">Every language</option>
        {LANGUAGES.map((tag) => <option key={tag} value={tag} lang={tag}>{languageName(tag)}</option>)}
      </select>
    </div>
  )
}
