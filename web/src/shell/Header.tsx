/** The bar above every page: the name of the house, the ways through it, and who watches. On a phone its ways are below. */
import { type ReactElement, useEffect, useState } from 'react'
import { Icon, type IconName } from '../design/icons'
import { type Page, Link } from '../router'
import { mayStudio, useMe } from '../session/me'
import { WhoWatches } from './WhoWatches'

const STUDIO: readonly Page['name'][] = ['studio', 'room', 'workflow', 'inspection']

export function Header({ page, plain }: { page: Page; plain: boolean }): ReactElement {
  const me = useMe()
  const solid = useScrolled()
  const studio = STUDIO.includes(page.name)
  const stranger = me !== null && me.mode === 'members' && !me.signedIn
  const ways = !plain && !stranger
  return (
    <header className="top" data-solid={solid || studio} data-over={page.name === 'home' || page.name === 'title'} data-spatial>
      <Link href="/" className="brand">
        <img src="/favicon.svg" alt="" width={28} height={28} /> <span>Matinee</span>
      </Link>
      {ways && (
        <nav aria-label="Main" className="ways">
          <Way href="/" icon="home" words="Films" here={page.name === 'home'} />
          <Way href="/search" icon="search" words="Search" here={page.name === 'search'} />
          <Way href="/my-list" icon="list" words="My list" here={page.name === 'myList'} />
          {mayStudio(me) && <Way href="/studio" icon="film" words="Studio" here={studio} />}
        </nav>
      )}
      <span className="spread" />
      {me && <WhoWatches me={me} plain={plain} />}
    </header>
  )
}

function Way({ href, icon, words, here }: { href: string; icon: IconName; words: string; here: boolean }): ReactElement {
  return <Link href={href} aria-current={here ? 'page' : undefined}><Icon name={icon} /> <span>{words}</span></Link>
}

/** Whether something is scrolled under the bar. */
function useScrolled(): boolean {
  const [scrolled, setScrolled] = useState(false)
  useEffect(() => {
    const read = (): void => setScrolled(window.scrollY > 24)
    read()
    window.addEventListener('scroll', read, { passive: true })
    return () => window.removeEventListener('scroll', read)
  }, [])
  return scrolled
}
