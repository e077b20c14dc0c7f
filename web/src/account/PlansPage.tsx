/** Choose a plan and pay: two steps on one page. For whoever never had one, and for whose has ended. */
import { type ReactElement, type SubmitEvent, useCallback, useState } from 'react'
import { Refused, idempotencyKey } from '../api/ask'
import { listPlans, subscribe } from '../api/billing'
import type { Me, Plan } from '../api/types'
import { useAnswer } from '../api/useAnswer'
import { Notice } from '../design/Notice'
import { Problem } from '../design/Problem'
import { useDeed } from '../design/useDeed'
import { Link, go } from '../router'
import { session } from '../session/me'
import { Entrance } from '../shell/Entrance'
import { money } from '../words/money'
import { PaymentForm } from './PaymentForm'
import { PlanCards } from './PlanCards'
import type { Payer } from './payer'

export default function PlansPage({ me }: { me: Me }): ReactElement {
  const [answer, again] = useAnswer(listPlans)
  const held = me.subscription && me.subscription.state !== 'ended'
  if (held) {
    return (
      <Entrance title="You have a plan" lead="It is changed in your account.">
        <p className="stack"><Link className="button primary large" href="/account#plan">Change your plan</Link> <Link className="button large" href="/">Go to the films</Link></p>
      </Entrance>
    )
  }
  const renewing = me.subscription?.state === 'ended'
  return (
    <Entrance title={renewing ? 'Renew your subscription' : 'Choose your plan'} lead="Change or cancel it whenever you like." wide>
      {answer.state === 'waiting' && <div className="plans" aria-busy="true">{[0, 1, 2].map((n) => <div key={n} className="plan skeleton" />)}</div>}
      {answer.state === 'failed' && <Notice title="The plans can’t be shown" again={again}>{answer.reason}</Notice>}
      {answer.state === 'here' && answer.value.length === 0 && <Notice title="Nothing is sold here yet">Ask whoever runs this house.</Notice>}
      {answer.state === 'here' && answer.value.length > 0 && <Purchase plans={answer.value} held={me.subscription?.plan ?? ''} renewing={renewing} />}
    </Entrance>
  )
}

function Purchase({ plans, held, renewing }: { plans: Plan[]; held: string; renewing: boolean }): ReactElement {
  const first = plans.find((plan) => plan.id === held) ?? plans[Math.floor((plans.length - 1) / 2)]
  const [chosen, setChosen] = useState(first?.id ?? '')
  const [paying, setPaying] = useState(renewing)
  const [payer, setPayer] = useState<Payer | null>(null)
  const [refused, setRefused] = useState(0)
  // One key a purchase: what is sent twice is charged once. Another plan or card is another purchase.
  const [key, setKey] = useState(idempotencyKey)
  const { busy, problem, run } = useDeed()
  const plan = plans.find((each) => each.id === chosen)
  const choose = (id: string): void => {
    setChosen(id)
    setKey(idempotencyKey())
  }
  const take = useCallback((given: Payer | null) => {
    setPayer(given)
    setKey(idempotencyKey())
  }, [])
  const pay = async (by: Payer): Promise<void> => {
    const token = await by.token()
    try {
      await subscribe(chosen, token, key)
    } catch (error) {
      // A refused card is another purchase's matter; a lost answer is this one's.
      if (!(error instanceof Refused && error.status === 0)) {
        setKey(idempotencyKey())
        setRefused((n) => n + 1)
      }
      throw error
    }
  }
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    if (!paying) {
      setPaying(true)
      return
    }
    if (!payer) return
    run(() => pay(payer), async () => {
      await session.ask()
      go('/profiles')
    })
  }
  const price = plan?.price ? money(plan.price) : ''
  const trial = plan && plan.trialDays > 0 && !renewing
  return (
    <form onSubmit={submit} className="form purchase">
      <PlanCards plans={plans} chosen={chosen} choose={choose} />
      {paying && (
        <section className="payment" aria-labelledby="payment-title">
          <h2 id="payment-title">Payment</h2>
          <PaymentForm take={take} refused={refused} />
          <p className="soft">{trial ? `Nothing today. ${price} a month when your ${plan.trialDays} free days are over, if you don’t cancel before.` : `${price} today, and every month until you cancel.`}</p>
        </section>
      )}
      <Problem words={problem} />
      <button type="submit" className="button primary large" disabled={busy || !plan?.price || (paying && !payer)}>
        {!paying ? 'Continue' : busy ? 'Paying…' : trial ? 'Start your free days' : 'Subscribe and pay'}
      </button>
    </form>
  )
}
