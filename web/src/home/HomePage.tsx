/** Home: one title above, rows below, and all films where the house is small enough to show them. */
import { type ReactElement, useCallback, useEffect, useState } from 'react'
import { getHome } from '../api/browse'
import { Refused, forget, listTitles, listUnfinished } from '../api/client'
import type { Home, Me, Row, Title, Watched } from '../api/types'
import { useAnswer } from '../api/useAnswer'
import { Notice } from '../design/Notice'
import { Link } from '../router'
import { fetchPlayer } from '../titles/playerModule'
import { Hero } from './Hero'
import { cardOf, heroOf, shownRows, withoutCard } from './rows'
import { TitleCard } from './TitleCard'
import { TitleRow } from './TitleRow'

interface Shown {
  rows: Row[]
  titles: Title[]
  stale: boolean
}

/** The rows; where nothing recommends, what there is. A part that does not answer is left out, not told. */
async function askHome(everything: boolean, signal: AbortSignal): Promise<Shown> {
  const nothing: Home = { profile: null, rows: [], stale: true }
  let refusal: unknown = null
  const asked = getHome(signal).catch((error: unknown) => {
    if (error instanceof Refused && error.status === 401) throw error
    refusal = error
    return nothing
  })
  const home = await asked
  const begun = home.rows.some((row) => row.kind === 'continue') ? [] : await listUnfinished(signal).catch((): Watched[] => [])
  const rows = shownRows(home, begun)
  const bare = rows.every((row) => row.kind === 'continue')
  if (!everything && !bare) return { rows, titles: [], stale: home.stale }
  const titles = await listTitles(signal).catch((error: unknown) => {
    if (rows.length > 0) return []
    throw refusal ?? error
  })
  return { rows, titles, stale: home.stale }
}

export function HomePage({ me }: { me: Me }): ReactElement {
  const everything = me.mode === 'open'
  const [answer, again] = useAnswer(useCallback((signal: AbortSignal) => askHome(everything, signal), [everything]))
  useEffect(() => {
    document.title = 'Matinee'
    // Whoever is here will likely watch something: have the player's code at hand, once the pictures are there.
    const idle = requestIdleCallback(() => void fetchPlayer().catch(() => undefined))
    return () => cancelIdleCallback(idle)
  }, [])
  if (answer.state === 'waiting') return <Waiting />
  if (answer.state === 'failed') {
    return (
      <main id="content" className="page">
        <Notice title="The films can’t be listed" again={again}>{answer.reason}</Notice>
      </main>
    )
  }
  return <Rows key={me.profile?.id ?? ''} shown={answer.value} />
}

function Rows({ shown }: { shown: Shown }): ReactElement {
  const [gone, setGone] = useState<readonly string[]>([])
  const rows = gone.reduce((left, id) => withoutCard(left, 'continue', id), shown.rows)
  const hero = heroOf(rows)
  const remove = (id: string): void => {
    setGone([...gone, id])
    forget(id).catch(() => setGone((before) => before.filter((each) => each !== id)))
  }
  const empty = rows.length === 0 && shown.titles.length === 0
  return (
    <main id="content" className="home" data-hero={hero !== null}>
      {hero ? <Hero card={hero} /> : <h1 className="page-title home-title">{empty ? 'Matinee' : 'Films'}</h1>}
      {empty && <Notice title="No film is published yet">Films are added in the <Link href="/studio">studio</Link>.</Notice>}
      <div className="rows">
        {rows.map((row) => <TitleRow key={row.id} row={row} {...(row.kind === 'continue' ? { remove } : {})} />)}
        {shown.titles.length > 0 && <AllFilms titles={shown.titles} />}
      </div>
    </main>
  )
}

function AllFilms({ titles }: { titles: Title[] }): ReactElement {
  return (
    <section className="all-films" aria-labelledby="all-films" data-spatial>
      <h2 id="all-films">All films</h2>
      <ul className="shelf">
        {titles.map((title) => <li key={title.id}><TitleCard card={cardOf(title)} /></li>)}
      </ul>
    </section>
  )
}

function Waiting(): ReactElement {
  return (
    <main id="content" className="home" aria-busy="true" data-hero="true">
      <div className="hero skeleton" />
      <div className="rows" aria-hidden="true">
        {[0, 1].map((row) => (
          <div key={row} className="row-of-titles">
            <div className="row-items">{[0, 1, 2, 3, 4, 5].map((n) => <div key={n} className="card-waiting skeleton" />)}</div>
          </div>
        ))}
      </div>
    </main>
  )
}
