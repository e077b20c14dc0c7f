/** The first page of a house with members, for who is not one yet. */
import { type ReactElement, type SubmitEvent, useEffect, useState } from 'react'
import { listPlans } from '../api/billing'
import { listTitles } from '../api/client'
import { useAnswer } from '../api/useAnswer'
import { trialOf } from '../account/plans'
import { Artwork } from '../design/Artwork'
import { go } from '../router'
import { money } from '../words/money'

/** Pictures behind the words; few films come again. */
const PICTURES = 24

export default function WelcomePage(): ReactElement {
  const [titles] = useAnswer(listTitles)
  const [plans] = useAnswer(listPlans)
  const [email, setEmail] = useState('')
  useEffect(() => {
    document.title = 'Matinee'
  }, [])
  const begin = (event: SubmitEvent): void => {
    event.preventDefault()
    go(email.trim() === '' ? '/sign-up' : `/sign-up?email=${encodeURIComponent(email.trim())}`)
  }
  const cheapest = plans.state === 'here' ? plans.value.filter((plan) => plan.price).sort((a, b) => (a.price?.minor ?? 0) - (b.price?.minor ?? 0))[0] : undefined
  const all = titles.state === 'here' ? titles.value : []
  const shown = all.length === 0 ? [] : Array.from({ length: PICTURES }, (_, n) => all[n % all.length]).filter((title) => title !== undefined)
  return (
    <main id="content" className="welcome">
      <div className="welcome-wall" aria-hidden="true">
        {shown.map((title, index) => <Artwork key={index} artwork={{ backdrop: title.artwork, colour: '' }} kind="backdrop" name={title.name} sizes="30vw" />)}
      </div>
      <div className="welcome-words">
        <h1>Films worth an evening.</h1>
        <p className="lead">
          {cheapest?.price ? <>From {money(cheapest.price)} a month{trialOf(cheapest) !== '' && <>, the first {trialOf(cheapest).replace(' free', '')} free</>}. </> : null}
          On every screen you have. Cancel at any time.
        </p>
        <form className="welcome-form" onSubmit={begin}>
          <label className="visually-hidden" htmlFor="welcome-email">Email</label>
          <input id="welcome-email" type="email" autoComplete="email" placeholder="Your email" value={email} onChange={(event) => setEmail(event.currentTarget.value)} />
          <button type="submit" className="button primary large">Get started</button>
        </form>
      </div>
    </main>
  )
}
