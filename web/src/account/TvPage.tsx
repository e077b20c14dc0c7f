/** Lets a television in by the code that it shows. */
import { type ReactElement, type SubmitEvent, useState } from 'react'
import { approveDevice } from '../api/account'
import { Field } from '../design/Field'
import { Problem } from '../design/Problem'
import { useDeed } from '../design/useDeed'
import { Link, useSearch } from '../router'
import { Entrance } from '../shell/Entrance'
import { spelt } from './codes'

export default function TvPage(): ReactElement {
  const given = new URLSearchParams(useSearch()).get('code') ?? ''
  const [code, setCode] = useState(spelt(given))
  const [ended, setEnded] = useState<'' | 'approved' | 'denied'>('')
  const { busy, problemBeside, run, wrong } = useDeed()
  const answer = (deny: boolean): void => run(() => approveDevice(code, deny), () => setEnded(deny ? 'denied' : 'approved'))
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    answer(false)
  }
  if (ended !== '') {
    return (
      <Entrance title={ended === 'approved' ? 'Your television is connected' : 'The television was refused'} lead={ended === 'approved' ? 'It goes on by itself in a few seconds.' : 'Nobody is signed in on it.'}>
        <p className="stack"><Link className="button primary large" href="/">Go to the films</Link></p>
      </Entrance>
    )
  }
  return (
    <Entrance title="Connect a television" lead="Type the code that your television shows. Only do so for a screen in front of you.">
      <form onSubmit={submit} className="form">
        <Field label="Code" name="code" className="code-input" autoComplete="one-time-code" autoCapitalize="characters" spellCheck={false} required maxLength={9} placeholder="WDJB-MJHT" autoFocus value={code} wrong={wrong('userCode')} onChange={(event) => setCode(spelt(event.currentTarget.value))} />
        <Problem words={problemBeside('userCode')} />
        <button type="submit" className="button primary large" disabled={busy || code.length < 9}>Connect</button>
        <button type="button" className="button large" disabled={busy || code.length < 9} onClick={() => answer(true)}>It is not mine</button>
      </form>
    </Entrance>
  )
}
