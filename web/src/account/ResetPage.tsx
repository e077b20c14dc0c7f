/** A new password, by the link of a mail. */
import { type ReactElement, type SubmitEvent, useState } from 'react'
import { resetPassword } from '../api/account'
import { Field } from '../design/Field'
import { Problem } from '../design/Problem'
import { useDeed } from '../design/useDeed'
import { Link, useSearch } from '../router'
import { Entrance } from '../shell/Entrance'

export default function ResetPage(): ReactElement {
  const token = new URLSearchParams(useSearch()).get('token') ?? ''
  const [password, setPassword] = useState('')
  const [changed, setChanged] = useState(false)
  const { busy, problemBeside, run, wrong } = useDeed()
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    run(() => resetPassword(token, password), () => setChanged(true))
  }
  if (token === '') {
    return (
      <Entrance title="This link is not whole" lead="Open the link in the mail again, or ask for a new one.">
        <p className="stack"><Link className="button primary large" href="/forgot-password">Ask for a new link</Link></p>
      </Entrance>
    )
  }
  if (changed) {
    return (
      <Entrance title="Your password is changed" lead="Every device was signed out. Sign in with the new one.">
        <p className="stack"><Link className="button primary large" href="/sign-in">Sign in</Link></p>
      </Entrance>
    )
  }
  return (
    <Entrance title="Choose a new password">
      <form onSubmit={submit} className="form">
        <Field label="New password" type="password" name="password" autoComplete="new-password" required minLength={8} maxLength={256} autoFocus hint="At least 8 characters." value={password} wrong={wrong('password')} onChange={(event) => setPassword(event.currentTarget.value)} />
        <Problem words={problemBeside('password')} />
        <button type="submit" className="button primary large" disabled={busy}>Change the password</button>
      </form>
    </Entrance>
  )
}
