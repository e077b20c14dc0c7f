/** A forgotten password: a link by mail. It says the same whether the address is known or not. */
import { type ReactElement, type SubmitEvent, useState } from 'react'
import { forgotPassword } from '../api/account'
import { Field } from '../design/Field'
import { Problem } from '../design/Problem'
import { useDeed } from '../design/useDeed'
import { Link } from '../router'
import { Entrance } from '../shell/Entrance'

export default function ForgotPage(): ReactElement {
  const [email, setEmail] = useState('')
  const [sent, setSent] = useState(false)
  const { busy, problemBeside, run, wrong } = useDeed()
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    run(() => forgotPassword(email.trim()), () => setSent(true))
  }
  if (sent) {
    return (
      <Entrance title="Check your mail" lead={<>If there is an account for <strong>{email.trim()}</strong>, a link to choose a new password is on its way.</>}>
        <p className="aside"><Link href="/sign-in">Back to sign in</Link></p>
      </Entrance>
    )
  }
  return (
    <Entrance title="Forgot your password?" lead="Tell us your address, and we send a link to choose a new one.">
      <form onSubmit={submit} className="form">
        <Field label="Email" type="email" name="email" autoComplete="username" required autoFocus value={email} wrong={wrong('email')} onChange={(event) => setEmail(event.currentTarget.value)} />
        <Problem words={problemBeside('email')} />
        <button type="submit" className="button primary large" disabled={busy}>Send the link</button>
      </form>
      <p className="aside"><Link href="/sign-in">Back to sign in</Link></p>
    </Entrance>
  )
}
