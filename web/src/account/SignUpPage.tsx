/** A new account: an address and a password, no more than is needed. */
import { type ReactElement, type SubmitEvent, useState } from 'react'
import { signUp } from '../api/account'
import { Choice, Field } from '../design/Field'
import { Problem } from '../design/Problem'
import { useDeed } from '../design/useDeed'
import { Link, goInstead } from '../router'
import { session } from '../session/me'
import { Entrance } from '../shell/Entrance'
import { TERRITORIES, likelyTerritory, territoryName } from '../words/languages'

const LEAST_PASSWORD = 8

export default function SignUpPage(): ReactElement {
  const known = session.snapshot()
  const here = known.state === 'here' ? known.me.territory : ''
  const [email, setEmail] = useState(new URLSearchParams(window.location.search).get('email') ?? '')
  const [password, setPassword] = useState('')
  const [name, setName] = useState('')
  const [territory, setTerritory] = useState(here === '' ? likelyTerritory(navigator.languages) : here)
  const { busy, problemBeside, run, wrong } = useDeed()
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    const words = { email: email.trim(), password, territory, language: navigator.language, ...(name.trim() === '' ? {} : { name: name.trim() }) }
    run(() => signUp(words), async (me) => {
      await session.take(me)
      goInstead('/verify')
    })
  }
  const territories = TERRITORIES.includes(territory) ? TERRITORIES : [territory, ...TERRITORIES]
  return (
    <Entrance title="Create your account" lead="One account for every screen and everybody in your house.">
      <form onSubmit={submit} className="form">
        <Field label="Email" type="email" name="email" autoComplete="username" required autoFocus value={email} wrong={wrong('email')} onChange={(event) => setEmail(event.currentTarget.value)} />
        <Field label="Password" type="password" name="password" autoComplete="new-password" required minLength={LEAST_PASSWORD} maxLength={256} hint="At least 8 characters." value={password} wrong={wrong('password')} onChange={(event) => setPassword(event.currentTarget.value)} />
        <Field label="Your name" name="name" autoComplete="given-name" maxLength={40} hint="For your profile; it can be changed." value={name} wrong={wrong('name')} onChange={(event) => setName(event.currentTarget.value)} />
        <Choice label="Country" name="territory" autoComplete="country" hint="Films and prices depend on it." value={territory} wrong={wrong('territory')} onChange={(event) => setTerritory(event.currentTarget.value)}>
          {territories.map((code) => <option key={code} value={code}>{territoryName(code)}</option>)}
        </Choice>
        <Problem words={problemBeside('email', 'password', 'name', 'territory')} />
        <button type="submit" className="button primary large" disabled={busy}>{busy ? 'Creating…' : 'Create account'}</button>
      </form>
      <p className="aside">You have one already? <Link href="/sign-in">Sign in</Link></p>
    </Entrance>
  )
}
