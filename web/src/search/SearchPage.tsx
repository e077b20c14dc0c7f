/** Search as you type: titles, people and genres, with what was understood where something was misspelt. */
import { type ReactElement, useCallback, useDeferredValue, useEffect, useRef, useState } from 'react'
import { searchTitles } from '../api/browse'
import type { SearchAnswer } from '../api/types'
import { useAnswer } from '../api/useAnswer'
import { Icon } from '../design/icons'
import { Notice } from '../design/Notice'
import { TitleCard } from '../home/TitleCard'
import { setParameter, useSearch } from '../router'
import { Filters } from './Filters'
import { NO_WORDS, filtered, genreId, genreName, wordsIn } from './searchWords'
import { useDebounced } from './useDebounced'

/** A typist's pause: long enough to spare the service a question a letter, short enough to feel immediate. */
const PAUSE_MS = 150
const LONGEST = 200

export default function SearchPage(): ReactElement {
  const address = useSearch()
  const words = wordsIn(address)
  const [typed, setTyped] = useState(words.q)
  const still = useDebounced(typed, PAUSE_MS)
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => {
    document.title = 'Search – Matinee'
    input.current?.focus()
  }, [])
  useEffect(() => {
    if (still !== wordsIn(window.location.search).q) setParameter('q', still)
  }, [still])
  const key = JSON.stringify(words)
  const [answer, again] = useAnswer(useCallback((signal: AbortSignal) => searchTitles(JSON.parse(key) as typeof words, signal), [key]))
  // What was found before stays while the next is asked for.
  const [last, setLast] = useState<SearchAnswer | null>(null)
  if (answer.state === 'here' && answer.value !== last) setLast(answer.value)
  const found = useDeferredValue(last)
  return (
    <main id="content" className="page search-page">
      <h1 className="visually-hidden">Search</h1>
      <search className="search" data-spatial>
        <label className="search-field">
          <Icon name="search" />
          <span className="visually-hidden">Search for titles, people and genres</span>
          <input ref={input} type="search" enterKeyHint="search" autoComplete="off" spellCheck={false} maxLength={LONGEST} placeholder="Titles, people, genres" value={typed} onChange={(event) => setTyped(event.currentTarget.value)} />
        </label>
        <Filters words={words} genres={found?.genres ?? []} />
      </search>
      {answer.state === 'failed' && <Notice title="Search does not answer just now" again={again}>{answer.reason}</Notice>}
      {found && answer.state !== 'failed' && <Found found={found} browsing={words.q === '' && !filtered(words)} search={(q) => { setTyped(q); setParameter('q', q) }} />}
    </main>
  )
}

interface FoundProps {
  found: SearchAnswer
  /** Nothing is asked for: all there is. */
  browsing: boolean
  search: (q: string) => void
}

function Found({ found, browsing, search }: FoundProps): ReactElement {
  const { hits, people, corrected, query, total } = found
  const said = hits.length === 0 ? 'Nothing found' : `${total} ${total === 1 ? 'title' : 'titles'}`
  return (
    <>
      <div className="search-said">
        {corrected && corrected !== query && (
          <p className="corrected">Showing results for <strong>{corrected}</strong> <span className="soft">instead of “{query}”</span></p>
        )}
        <p className="soft" role="status">{browsing ? '' : said}</p>
        {people.length > 0 && (
          <ul className="chips" aria-label="People" data-spatial>
            {people.map((person) => (
              <li key={person.id}><button type="button" className="chip" onClick={() => search(person.name)}><Icon name="person" /> {person.name}</button></li>
            ))}
          </ul>
        )}
        {browsing && found.genres.length > 0 && (
          <ul className="chips" aria-label="Genres" data-spatial>
            {found.genres.map((genre) => (
              <li key={genreId(genre)}><button type="button" className="chip" onClick={() => setParameter('genre', genreId(genre))}>{genreName(genre)}</button></li>
            ))}
          </ul>
        )}
      </div>
      {hits.length > 0 && (
        <section aria-label={browsing ? 'To discover' : 'Found titles'} data-spatial>
          <ul className="shelf">
            {hits.map((hit) => <li key={hit.id}><TitleCard card={hit} /></li>)}
          </ul>
        </section>
      )}
      {hits.length === 0 && !browsing && (
        <Notice title={query === '' ? 'Nothing is like that here' : `Nothing found for “${query}”`}>
          Try another word, or a person’s name. {filtered(wordsIn(window.location.search)) && <button type="button" className="textual" onClick={() => clear()}>Take the filters away</button>}
        </Notice>
      )}
    </>
  )
}

function clear(): void {
  for (const name of Object.keys(NO_WORDS)) if (name !== 'q') setParameter(name, null)
}
