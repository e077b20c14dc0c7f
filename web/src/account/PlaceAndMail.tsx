/** The address, whether it is verified, and the country of the account. */
import { type ReactElement, useState } from 'react'
import { changeAccount, resendVerification } from '../api/account'
import type { Me } from '../api/types'
import { Choice } from '../design/Field'
import { Done, Problem } from '../design/Problem'
import { useDeed } from '../design/useDeed'
import { session } from '../session/me'
import { TERRITORIES, territoryName } from '../words/languages'
import { Section } from './Section'

export function PlaceAndMail({ me }: { me: Me }): ReactElement | null {
  const { busy, problem, run, wrong } = useDeed()
  const [done, setDone] = useState('')
  if (!me.account) return null
  const { email, emailVerified, territory } = me.account
  const move = (to: string): void => run(() => changeAccount({ territory: to }), async () => {
    await session.ask()
    setDone('Your country is changed.')
  })
  const known = TERRITORIES.includes(territory) ? TERRITORIES : [territory, ...TERRITORIES]
  return (
    <Section id="about" title="You">
      <p>
        <strong>{email}</strong>{' '}
        {emailVerified ? <span className="soft">verified</span> : <button type="button" className="textual" disabled={busy} onClick={() => run(resendVerification, () => setDone('The mail is on its way.'))}>Not verified: send the mail again</button>}
      </p>
      <Choice label="Country" hint="Where you live: films and prices depend on it." value={territory} disabled={busy} wrong={wrong('territory')} onChange={(event) => move(event.currentTarget.value)}>
        {known.map((code) => <option key={code} value={code}>{territoryName(code)}</option>)}
      </Choice>
      <Problem words={problem} />
      <Done words={done} />
    </Section>
  )
}
