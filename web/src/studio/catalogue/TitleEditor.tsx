/** One title of the catalogue: everything that is said of it. What somebody else changed meanwhile is told, not overwritten. */
import { type ReactElement, type SubmitEvent, useCallback, useEffect, useRef, useState } from 'react'
import { Refused } from '../../api/ask'
import { deleteCatalogTitle, getCatalogTitle, listCatalog, putCatalogTitle } from '../../api/studio'
import type { CatalogTitle } from '../../api/types'
import { useAnswer } from '../../api/useAnswer'
import { Done, Problem } from '../../design/Problem'
import { useDeed } from '../../design/useDeed'
import { Link, go, roomPath, titlePath } from '../../router'
import { Asked, Desk } from '../Desk'
import { ArtworkEditor } from './ArtworkEditor'
import { PlaceInSeries, Times, Words } from './TitleWords'
import { CreditsEditor, LocalizedEditor, RatingsEditor } from './TitleLists'
import { WindowsEditor } from './WindowsEditor'

const CRUMB = { href: '/studio/catalogue', words: 'Catalogue' }

export default function TitleEditor({ id }: { id: string }): ReactElement {
  const [answer, again] = useAnswer(useCallback((signal: AbortSignal) => getCatalogTitle(id, signal), [id]))
  const name = answer.state === 'here' ? answer.value.name : id
  return (
    <Desk title={name} crumb={CRUMB} deeds={answer.state === 'here' && answer.value.version ? <Link className="button" href={titlePath(id)}>See its page</Link> : undefined}>
      <Asked answer={answer} again={again} what="the title">
        {/* Another revision is another form. */}
        {(title) => <Editor key={title.revision} stored={title} reload={again} />}
      </Asked>
    </Desk>
  )
}

function Editor({ stored, reload }: { stored: CatalogTitle; reload: () => void }): ReactElement {
  const [title, setTitle] = useState(stored)
  const [saved, setSaved] = useState('')
  const [conflict, setConflict] = useState<CatalogTitle | null>(null)
  const deed = useDeed()
  const change = (by: Partial<CatalogTitle>): void => {
    setTitle({ ...title, ...by })
    setSaved('')
  }
  const save = (from: CatalogTitle): void =>
    deed.run(
      () => putCatalogTitle(from).catch(async (error: unknown) => {
        if (error instanceof Refused && (error.status === 409 || error.status === 412)) {
          setConflict(await getCatalogTitle(from.id))
          return null
        }
        throw error
      }),
      (kept) => {
        if (!kept) return
        setConflict(null)
        setTitle({ ...title, ...kept })
        setSaved('Saved.')
      },
    )
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    save(title)
  }
  // Windows and pictures are kept apart from the words, with a revision of their own.
  const took = (kept: CatalogTitle): void => setTitle({ ...title, windows: kept.windows, artworks: kept.artworks, revision: kept.revision })
  return (
    <div className="editor">
      <form className="form" onSubmit={submit} aria-label="What is said of it">
        <Words title={title} change={change} wrong={deed.wrong} />
        {title.kind === 'episode' && <PlaceInSeries title={title} change={change} wrong={deed.wrong} />}
        {title.kind !== 'series' && <Times title={title} change={change} />}
        <CreditsEditor title={title} change={change} />
        <RatingsEditor title={title} change={change} />
        <LocalizedEditor title={title} change={change} />
        {conflict && <Conflict mine={title} theirs={conflict} keepMine={() => save({ ...title, revision: conflict.revision })} takeTheirs={reload} />}
        <div className="editor-deeds">
          <Problem words={deed.problem} />
          <Done words={saved} />
          <p className="form-deeds">
            <button type="submit" className="button primary" disabled={deed.busy}>Save</button>
            <span className="spread" />
            <DeleteTitle title={title} />
          </p>
        </div>
      </form>
      <div className="editor-side">
        <ArtworkEditor title={title} took={took} />
        <WindowsEditor title={title} took={took} />
        {title.kind === 'series' && <EpisodeList series={title.id} />}
      </div>
    </div>
  )
}

const WORDS = ['name', 'description', 'credits', 'license', 'originalName', 'year', 'maturityAge', 'originalLanguage'] as const

function Conflict({ mine, theirs, keepMine, takeTheirs }: { mine: CatalogTitle; theirs: CatalogTitle; keepMine: () => void; takeTheirs: () => void }): ReactElement {
  const box = useRef<HTMLElement>(null)
  useEffect(() => {
    // Newer browsers answer with a promise, which is nothing to clean up with.
    box.current?.scrollIntoView({ block: 'center' })
  }, [])
  const differing = WORDS.filter((name) => mine[name] !== theirs[name])
  return (
    <section ref={box} className="conflict" role="alert" aria-labelledby="conflict-title">
      <h2 id="conflict-title">Somebody else changed this title</h2>
      <p>It is at revision {theirs.revision} now; yours was made from {mine.revision}. Nothing was saved yet.</p>
      <dl>
        {differing.map((name) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd><span className="soft">theirs:</span> {String(theirs[name])}</dd>
            <dd><span className="soft">yours:</span> {String(mine[name])}</dd>
          </div>
        ))}
      </dl>
      <p className="form-deeds">
        <button type="button" className="button" onClick={takeTheirs}>Take theirs</button>
        <button type="button" className="button danger" onClick={keepMine}>Save mine over it</button>
      </p>
    </section>
  )
}

function DeleteTitle({ title }: { title: CatalogTitle }): ReactElement {
  const [asking, setAsking] = useState(false)
  const { busy, problem, run } = useDeed()
  if (!asking) return <button type="button" className="button danger" onClick={() => setAsking(true)}>Delete</button>
  return (
    <span className="row" role="group" aria-label={`Delete ${title.name}?`}>
      <span>For good?</span>
      <button type="button" className="button danger" autoFocus disabled={busy} onClick={() => run(() => deleteCatalogTitle(title.id, title.revision), () => go('/studio/catalogue'))}>Delete {title.name}</button>
      <button type="button" className="button" onClick={() => setAsking(false)}>Keep</button>
      <Problem words={problem} />
    </span>
  )
}

function EpisodeList({ series }: { series: string }): ReactElement {
  const [answer, again] = useAnswer(listCatalog)
  return (
    <section className="box" aria-labelledby="episodes-of">
      <h2 id="episodes-of">Episodes</h2>
      <Asked answer={answer} again={again} what="the episodes">
        {(titles) => {
          const episodes = titles.filter((title) => title.series === series).sort((a, b) => a.season - b.season || a.episode - b.episode)
          if (episodes.length === 0) return <p className="soft">None yet: add a title of the kind “Episode”, and name this series in it.</p>
          return <ol className="plain-list">{episodes.map((each) => <li key={each.id}>S{each.season} E{each.episode} <Link href={roomPath('catalogue', each.id)}>{each.name}</Link></li>)}</ol>
        }}
      </Asked>
    </section>
  )
}
