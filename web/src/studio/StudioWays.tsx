/** The way between the studio's rooms: those that this person's roles open. */
import type { ReactElement } from 'react'
import { type StudioRoom, Link, roomPath } from '../router'
import { useMe } from '../session/me'
import { waysFor } from './rooms'

export function StudioWays({ here }: { here: StudioRoom | 'films' }): ReactElement {
  const me = useMe()
  const roles = me?.account?.roles ?? []
  const ways = waysFor(me?.mode === 'open' ? ['admin'] : roles)
  return (
    <nav className="studio-ways" aria-label="Studio">
      <ul>
        {ways.map(({ room, words }) => (
          <li key={room}><Link href={room === 'films' ? '/studio' : roomPath(room)} aria-current={room === here ? 'page' : undefined}>{words}</Link></li>
        ))}
      </ul>
    </nav>
  )
}
