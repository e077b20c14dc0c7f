/** All that is kept of the account: to take along, and to have deleted. */
import { type ReactElement, type SubmitEvent, useState } from 'react'
import { EXPORT_ADDRESS, deleteAccount } from '../api/account'
import { Dialog } from '../design/Dialog'
import { Field } from '../design/Field'
import { Problem } from '../design/Problem'
import { useDeed } from '../design/useDeed'
import { beatStore } from '../offline/beatStore'
import { forgetAnswers } from '../offline/answers'
import { go } from '../router'
import { session } from '../session/me'
import { Section } from './Section'

export function YourData(): ReactElement {
  const [asking, setAsking] = useState(false)
  const [password, setPassword] = useState('')
  const { busy, problemBeside, run, wrong } = useDeed()
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    run(() => deleteAccount(password), async () => {
      beatStore.forget()
      await forgetAnswers()
      await session.ask()
      go('/')
    })
  }
  return (
    <Section id="data" title="Your data">
      <p className="soft">What you watched, rated and listed, your profiles, devices and invoices.</p>
      <p className="row">
        <a className="button" href={EXPORT_ADDRESS} download="matinee-export.json">Download your data</a>
        <button type="button" className="button danger" onClick={() => setAsking(true)}>Delete account</button>
      </p>
      {asking && (
        <Dialog title="Delete the account?" close={() => setAsking(false)}>
          <form className="form" onSubmit={submit}>
            <p>Everything is deleted for good: profiles, history, lists and the subscription. What the law asks to be kept of invoices stays.</p>
            <Field label="Your password" type="password" autoComplete="current-password" autoFocus value={password} wrong={wrong('password')} onChange={(event) => setPassword(event.currentTarget.value)} />
            <Problem words={problemBeside('password')} />
            <p className="form-deeds">
              <button type="submit" className="button danger" disabled={busy}>Delete for good</button>
              <button type="button" className="button" onClick={() => setAsking(false)}>Keep the account</button>
            </p>
          </form>
        </Dialog>
      )}
    </Section>
  )
}
