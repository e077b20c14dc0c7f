/** The mail that proves an address: that it was sent, or, by the link in it, that the address is proved. */
import { type ReactElement, useEffect, useState } from 'react'
import { resendVerification, verifyEmail } from '../api/account'
import { reasonOf } from '../api/ask'
import { Done, Problem } from '../design/Problem'
import { useDeed } from '../design/useDeed'
import { Link, useSearch } from '../router'
import { session, useMe } from '../session/me'
import { Entrance } from '../shell/Entrance'

export default function VerifyPage(): ReactElement {
  const token = new URLSearchParams(useSearch()).get('token') ?? ''
  return token === '' ? <MailSent /> : <Proof token={token} />
}

function MailSent(): ReactElement {
  const me = useMe()
  const { busy, problem, run } = useDeed()
  const [again, setAgain] = useState(false)
  const address = me?.account?.email ?? 'your address'
  // Where anyone may watch there is nothing to choose.
  const onward = me?.mode === 'open' || me?.subscription ? '/' : '/plans'
  return (
    <Entrance title="Check your mail" lead={<>We sent a link to <strong>{address}</strong>. Open it when you find the time; you need not wait for it.</>}>
      <Problem words={problem} />
      <Done words={again ? 'It is on its way once more.' : ''} />
      <p className="stack">
        <Link className="button primary large" href={onward}>Continue</Link>
        {me?.signedIn && <button type="button" className="textual" disabled={busy} onClick={() => run(resendVerification, () => setAgain(true))}>Send it again</button>}
      </p>
    </Entrance>
  )
}

function Proof({ token }: { token: string }): ReactElement {
  const [state, setState] = useState<'asking' | 'proved' | { why: string }>('asking')
  useEffect(() => {
    let gone = false
    verifyEmail(token).then(
      async () => {
        await session.ask()
        if (!gone) setState('proved')
      },
      (error: unknown) => {
        if (!gone) setState({ why: reasonOf(error) })
      },
    )
    return () => {
      gone = true
    }
  }, [token])
  if (state === 'asking') return <Entrance title="Verifying your address"><p className="lead" role="status">One moment…</p></Entrance>
  if (state === 'proved') return <Entrance title="Your address is verified" lead="Thank you."><p className="stack"><Link className="button primary large" href="/">Go on</Link></p></Entrance>
  return (
    <Entrance title="The link did not work" lead="It may be old, or used already. Sign in to have a new one sent.">
      <Problem words={state.why} />
      <p className="stack"><Link className="button primary large" href="/verify">Send a new link</Link></p>
    </Entrance>
  )
}
