/** The whole catalogue: to find, to add, to take in and to give out. */
import { type ReactElement, useState } from 'react'
import { listCatalog } from '../../api/studio'
import type { CatalogTitle } from '../../api/types'
import { useAnswer } from '../../api/useAnswer'
import { Link, roomPath } from '../../router'
import { territoryName } from '../../words/languages'
import { Asked, Desk, TableWindow } from '../Desk'
import { ImportExport } from './ImportExport'
import { NewTitle } from './NewTitle'

export default function CataloguePage(): ReactElement {
  const [answer, again] = useAnswer(listCatalog)
  const [query, setQuery] = useState('')
  const [panel, setPanel] = useState<'new' | 'import' | null>(null)
  return (
    <Desk
      title="Catalogue"
      deeds={
        <>
          <button type="button" className="button primary" onClick={() => setPanel('new')}>Add a title</button>
          <button type="button" className="button" onClick={() => setPanel('import')}>Import or export</button>
        </>
      }
    >
      <input className="desk-find" type="search" aria-label="Find in the catalogue" placeholder="Name, id, genre or person" value={query} onChange={(event) => setQuery(event.currentTarget.value)} />
      <Asked answer={answer} again={again} what="the catalogue">{(titles) => <Titles titles={titles} query={query} />}</Asked>
      {panel === 'new' && <NewTitle close={() => setPanel(null)} />}
      {panel === 'import' && <ImportExport changed={again} close={() => setPanel(null)} />}
    </Desk>
  )
}

const KINDS = { movie: 'Film', series: 'Series', episode: 'Episode' }
/** Rows drawn at once; a search narrows them. */
const MOST_ROWS = 200

function Titles({ titles, query }: { titles: CatalogTitle[]; query: string }): ReactElement {
  const wanted = query.trim().toLocaleLowerCase()
  const found = titles.filter((title) => wanted === '' || wordsOf(title).includes(wanted))
  return (
    <>
      <p className="soft" role="status">{found.length === titles.length ? `${titles.length} titles` : `${found.length} of ${titles.length} titles`}{found.length > MOST_ROWS && `, the first ${MOST_ROWS} shown`}</p>
      <TableWindow label="Titles">
        <thead><tr><th scope="col">Title</th><th scope="col">Kind</th><th scope="col">Year</th><th scope="col">Age</th><th scope="col">Licensed</th><th scope="col">Film</th></tr></thead>
        <tbody>
          {found.slice(0, MOST_ROWS).map((title) => (
            <tr key={title.id}>
              <th scope="row"><Link href={roomPath('catalogue', title.id)}>{title.name}</Link> <span className="soft">{title.id}</span></th>
              <td>{KINDS[title.kind]}{title.kind === 'episode' && ` S${title.season} E${title.episode}`}</td>
              <td>{title.year || '–'}</td>
              <td>{title.maturityAge > 0 ? `${title.maturityAge}+` : 'all'}</td>
              <td>{licensed(title)}</td>
              <td>{title.kind === 'series' ? '–' : title.published ? 'Plays' : 'None yet'}</td>
            </tr>
          ))}
        </tbody>
      </TableWindow>
    </>
  )
}

const wordsOf = (title: CatalogTitle): string => [title.name, title.id, title.originalName, ...title.genres, ...title.people.map(({ name }) => name)].join(' ').toLocaleLowerCase()

function licensed({ windows }: CatalogTitle): string {
  if (windows.length === 0) return 'Everywhere, always'
  const places = [...new Set(windows.map(({ territory }) => territory))]
  return places.length > 3 ? `${places.length} territories` : places.map((place) => territoryName(place)).join(', ')
}
