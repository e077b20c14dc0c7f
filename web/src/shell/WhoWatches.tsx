/** Who watches: the profile with its menu, or the way in. */
import { type ReactElement, useEffect, useRef, useState } from 'react'
import type { Me } from '../api/types'
import { Avatar } from '../design/Avatar'
import { Link, go, usePath } from '../router'
import { session } from '../session/me'

export function WhoWatches({ me, plain }: { me: Me; plain: boolean }): ReactElement | null {
  if (me.signedIn) return <Menu me={me} />
  if (plain) return null
  return <Link href="/sign-in" className={me.mode === 'members' ? 'button primary' : 'button quiet'}>Sign in</Link>
}

function Menu({ me }: { me: Me }): ReactElement {
  const [open, setOpen] = useState(false)
  const [at, setAt] = useState('')
  const box = useRef<HTMLDivElement>(null)
  const path = usePath()
  // A page that was gone to closes it.
  if (at !== path) {
    setAt(path)
    setOpen(false)
  }
  useEffect(() => {
    if (!open) return
    const elsewhere = (event: Event): void => {
      if (!box.current?.contains(event.target as Node)) setOpen(false)
    }
    const escape = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape') return
      setOpen(false)
      box.current?.querySelector('button')?.focus()
    }
    document.addEventListener('pointerdown', elsewhere)
    document.addEventListener('focusin', elsewhere)
    document.addEventListener('keydown', escape)
    return () => {
      document.removeEventListener('pointerdown', elsewhere)
      document.removeEventListener('focusin', elsewhere)
      document.removeEventListener('keydown', escape)
    }
  }, [open])
  // While accounts do not answer, nobody has a name.
  const name = [me.profile?.name, me.account?.email].find(Boolean) ?? 'Account'
  const leave = (): void => {
    // What can't be told to the service just now is told when it is reached again.
    void session.leave().catch(() => undefined).then(() => go('/'))
  }
  return (
    <div className="who" ref={box}>
      <button type="button" className="who-button" aria-expanded={open} aria-label={`${name}: profiles and account`} onClick={() => setOpen(!open)}>
        <Avatar avatar={me.profile?.avatar ?? ''} name={name} />
      </button>
      {open && (
        <div className="who-menu">
          <p className="who-name">{name}</p>
          <Link href="/profiles">Change profile</Link>
          <Link href="/account">Account</Link>
          <Link href="/tv">Connect a television</Link>
          <button type="button" onClick={leave}>Sign out</button>
        </div>
      )}
    </div>
  )
}
