/** Another password. */
import { type ReactElement, type SubmitEvent, useState } from 'react'
import { changePassword } from '../api/account'
import { Field } from '../design/Field'
import { Done, Problem } from '../design/Problem'
import { useDeed } from '../design/useDeed'
import { Section } from './Section'

export function PasswordForm(): ReactElement {
  const [current, setCurrent] = useState('')
  const [password, setPassword] = useState('')
  const [done, setDone] = useState('')
  const { busy, problemBeside, run, wrong } = useDeed()
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    setDone('')
    run(() => changePassword(current, password), () => {
      setCurrent('')
      setPassword('')
      setDone('Your password is changed.')
    })
  }
  return (
    <Section id="password" title="Password">
      <form className="form narrow" onSubmit={submit}>
        <Field label="Current password" type="password" autoComplete="current-password" required value={current} wrong={wrong('current')} onChange={(event) => setCurrent(event.currentTarget.value)} />
        <Field label="New password" type="password" autoComplete="new-password" required minLength={8} maxLength={256} value={password} wrong={wrong('password')} onChange={(event) => setPassword(event.currentTarget.value)} />
        <Problem words={problemBeside('current', 'password')} />
        <Done words={done} />
        <p><button type="submit" className="button" disabled={busy}>Change password</button></p>
      </form>
    </Section>
  )
}
