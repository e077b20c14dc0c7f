/** The search index: what answers, and building it anew beside it. */
import { type ReactElement, useState } from 'react'
import { getSearchIndex, rebuildSearch } from '../api/studio'
import { useAnswer } from '../api/useAnswer'
import { Done, Problem } from '../design/Problem'
import { useDeed } from '../design/useDeed'
import { Asked, Desk } from './Desk'

export default function SearchIndexPage(): ReactElement {
  const [answer, again] = useAnswer(getSearchIndex)
  const { busy, problem, run } = useDeed()
  const [done, setDone] = useState('')
  const rebuild = (): void => {
    setDone('')
    run(rebuildSearch, ({ titles }) => {
      setDone(`The new index answers, with ${titles} titles.`)
      again()
    })
  }
  return (
    <Desk title="Search index" deeds={<button type="button" className="button primary" disabled={busy} onClick={rebuild}>{busy ? 'Rebuilding…' : 'Rebuild the index'}</button>}>
      <p className="soft">A rebuild reads the catalogue’s events from the beginning. The old index answers until the new one is whole.</p>
      <Problem words={problem} />
      <Done words={done} />
      <Asked answer={answer} again={again} what="the index">
        {({ index, titles, nextEvent }) => (
          <ul className="facts" aria-label="The index that answers">
            <li><span className="fact-name">Index</span><span className="fact-value">{index === '' ? '–' : index}</span></li>
            <li><span className="fact-name">Titles</span><span className="fact-value">{titles}</span></li>
            <li><span className="fact-name">Events read</span><span className="fact-value">{nextEvent}</span></li>
          </ul>
        )}
      </Asked>
    </Desk>
  )
}
