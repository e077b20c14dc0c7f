/** Sign in: by address and password, by a provider of the house, or by a code where there is no keyboard. */
import { type ReactElement, type SubmitEvent, useState } from 'react'
import { listProviders, openIdStart, signIn } from '../api/account'
import { screenKind } from '../api/screen'
import type { Me } from '../api/types'
import { useAnswer } from '../api/useAnswer'
import { Field } from '../design/Field'
import { Problem } from '../design/Problem'
import { useDeed } from '../design/useDeed'
import { Link, goInstead, safeNext, useSearch } from '../router'
import { session } from '../session/me'
import { Entrance } from '../shell/Entrance'
import { CodeSignIn } from './CodeSignIn'

/** Where somebody goes who has just signed in: to who watches, where that is to be chosen. */
export async function enter(me: Me | undefined, next: string): Promise<void> {
  await session.take(me)
  const known = session.snapshot()
  const several = known.state === 'here' && known.me.profiles.length > 1
  goInstead(several ? `/profiles?next=${encodeURIComponent(next)}` : next)
}

export default function SignInPage(): ReactElement {
  const search = useSearch()
  const next = safeNext(search)
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const [byCode, setByCode] = useState(screenKind() === 'tv')
  const [providers] = useAnswer(listProviders)
  const { busy, problemBeside, run, wrong } = useDeed()
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    run(() => signIn(email.trim(), password), (me) => enter(me, next))
  }
  // A provider's refusal comes back in the address.
  const refused = new URLSearchParams(search).has('problem') ? 'The provider did not sign you in. Try again, or use your password.' : ''
  if (byCode) return <CodeSignIn entered={(me) => enter(me, next)} instead={() => setByCode(false)} />
  return (
    <Entrance title="Sign in">
      <form onSubmit={submit} className="form">
        <Field label="Email" type="email" name="email" autoComplete="username" required autoFocus value={email} wrong={wrong('email')} onChange={(event) => setEmail(event.currentTarget.value)} />
        <Field label="Password" type="password" name="password" autoComplete="current-password" required value={password} wrong={wrong('password')} onChange={(event) => setPassword(event.currentTarget.value)} />
        <Problem words={problemBeside('email', 'password') || refused} />
        <button type="submit" className="button primary large" disabled={busy}>{busy ? 'Signing in…' : 'Sign in'}</button>
      </form>
      <p className="aside"><Link href="/forgot-password">Forgot your password?</Link></p>
      {providers.state === 'here' && providers.value.length > 0 && (
        <div className="providers" role="group" aria-label="Other ways to sign in">
          {providers.value.map(({ name, label }) => <a key={name} className="button large" href={openIdStart(name)}>Continue with {label}</a>)}
        </div>
      )}
      <p className="aside"><button type="button" className="textual" onClick={() => setByCode(true)}>Sign in with a code from another device</button></p>
      <p className="aside">New here? <Link href="/sign-up">Create an account</Link></p>
    </Entrance>
  )
}
