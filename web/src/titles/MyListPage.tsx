/** What the profile put aside to watch. */
import { type ReactElement, useEffect } from 'react'
import { listMyList, setListed } from '../api/browse'
import { useAnswer } from '../api/useAnswer'
import { Notice } from '../design/Notice'
import { Problem } from '../design/Problem'
import { useDeed } from '../design/useDeed'
import { TitleCard } from '../home/TitleCard'
import { Link } from '../router'

export default function MyListPage(): ReactElement {
  const [answer, again] = useAnswer(listMyList)
  const { problem, run } = useDeed()
  useEffect(() => {
    document.title = 'My list – Matinee'
  }, [])
  return (
    <main id="content" className="page" aria-busy={answer.state === 'waiting'}>
      <h1 className="page-title">My list</h1>
      <Problem words={problem} />
      {answer.state === 'failed' && <Notice title="Your list can’t be shown" again={again}>{answer.reason}</Notice>}
      {answer.state === 'here' && answer.value.length === 0 && (
        <Notice title="Nothing is on your list yet">Put something on it by “My list” on its page. <Link href="/search">Find something</Link></Notice>
      )}
      {answer.state === 'here' && answer.value.length > 0 && (
        <ul className="shelf" data-spatial>
          {answer.value.map((card) => <li key={card.id}><TitleCard card={card} remove={() => run(() => setListed(card.id, false), again)} /></li>)}
        </ul>
      )}
    </main>
  )
}
