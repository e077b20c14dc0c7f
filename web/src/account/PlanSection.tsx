/** The plan: what it is, until when, changing it with what that costs, cancelling and taking that back, and the card. */
import { type ReactElement, useState } from 'react'
import { cancelSubscription, changePlan, getSubscription, listPlans, previewChange, resumeSubscription, setPaymentMethod } from '../api/billing'
import type { ChangePreview, Me, Plan, Subscription } from '../api/types'
import { useAnswer } from '../api/useAnswer'
import { Notice } from '../design/Notice'
import { Dialog } from '../design/Dialog'
import { TextField } from '../design/Field'
import { Done, Problem } from '../design/Problem'
import { type Deed, useDeed } from '../design/useDeed'
import { Link } from '../router'
import { session } from '../session/me'
import { day } from '../words/dates'
import { money } from '../words/money'
import { Section } from './Section'
import { PaymentForm } from './PaymentForm'
import { PlanCards } from './PlanCards'
import type { Payer } from './payer'
import { stateWords } from './subscriptionWords'

type Panel = 'change' | 'cancel' | 'card' | null

export function PlanSection({ me }: { me: Me }): ReactElement {
  const [answer, again] = useAnswer(getSubscription)
  const [plans] = useAnswer(listPlans)
  const known = plans.state === 'here' ? plans.value : []
  const gone = answer.state === 'failed' && me.subscription === null
  return (
    <Section id="plan" title="Plan">
      {answer.state === 'failed' && !gone && <Notice title="Your plan can’t be shown" again={again}>{answer.reason}</Notice>}
      {((answer.state === 'here' && !answer.value) || gone) && (
        <>
          <p>You have no plan yet.</p>
          <Link className="button primary" href="/plans">Choose a plan</Link>
        </>
      )}
      {answer.state === 'here' && answer.value && <Held subscription={answer.value} plans={known} changed={again} />}
    </Section>
  )
}

function Held({ subscription, plans, changed }: { subscription: Subscription; plans: Plan[]; changed: () => void }): ReactElement {
  const [panel, setPanel] = useState<Panel>(null)
  const [done, setDone] = useState('')
  const deed = useDeed()
  const nameOf = (id: string): string => plans.find((plan) => plan.id === id)?.name ?? id
  const ended = subscription.state === 'ended'
  const after = (words: string) => async (): Promise<void> => {
    setPanel(null)
    setDone(words)
    changed()
    await session.ask()
  }
  return (
    <>
      <p className="plan-held"><strong>{nameOf(subscription.plan)}</strong> <span>{money(subscription.price)} a month</span></p>
      <p className={subscription.state === 'past_due' || ended ? 'problem' : 'soft'}>{stateWords(subscription, nameOf)}</p>
      <Problem words={panel === null ? deed.problem : ''} />
      <Done words={done} />
      <p className="row">
        {ended && <Link className="button primary" href="/plans">Renew your subscription</Link>}
        {!ended && <button type="button" className="button" onClick={() => setPanel('change')}>Change plan</button>}
        {!ended && !subscription.cancelAtPeriodEnd && <button type="button" className="button" onClick={() => setPanel('cancel')}>Cancel subscription</button>}
        {!ended && subscription.cancelAtPeriodEnd && <button type="button" className="button primary" disabled={deed.busy} onClick={() => deed.run(resumeSubscription, after('Your subscription goes on.'))}>Keep the subscription</button>}
      </p>
      <p id="payment" className="row">
        <span>Paid by {subscription.paymentMethod?.label ?? 'nothing yet'}</span>
        <button type="button" className="button small" onClick={() => setPanel('card')}>Change the payment method</button>
      </p>
      {panel === 'change' && <ChangeDialog subscription={subscription} plans={plans} deed={deed} close={() => setPanel(null)} after={after('Your plan is changed.')} />}
      {panel === 'cancel' && <CancelDialog subscription={subscription} deed={deed} close={() => setPanel(null)} after={after('Your subscription is cancelled.')} />}
      {panel === 'card' && <CardDialog deed={deed} close={() => setPanel(null)} after={after('The payment method is changed.')} />}
    </>
  )
}

interface DialogProps {
  deed: Deed
  close: () => void
  after: () => Promise<void>
}

function ChangeDialog({ subscription, plans, deed, close, after }: DialogProps & { subscription: Subscription; plans: Plan[] }): ReactElement {
  const [chosen, setChosen] = useState(subscription.plan)
  const [preview, setPreview] = useState<ChangePreview | null>(null)
  const choose = (id: string): void => {
    setChosen(id)
    setPreview(null)
    if (id !== subscription.plan) deed.run(() => previewChange(id), setPreview)
  }
  return (
    <Dialog title="Change plan" close={close}>
      <PlanCards plans={plans} chosen={chosen} current={subscription.plan} choose={choose} />
      <div role="status">
        {preview && (
          <p className="preview-words">
            {preview.chargeNow && preview.chargeNow.minor > 0 ? <>You pay <strong>{money(preview.chargeNow)}</strong> now for the rest of this period, then {money(preview.newPrice)} a month.</> : <>Nothing is charged now. From {day(preview.effective)} you pay {money(preview.newPrice)} a month.</>}
          </p>
        )}
      </div>
      <Problem words={deed.problem} />
      <p className="form-deeds">
        <button type="button" className="button primary" disabled={deed.busy || !preview} onClick={() => deed.run(() => changePlan(chosen), after)}>Change plan</button>
        <button type="button" className="button" onClick={close}>Keep the plan</button>
      </p>
    </Dialog>
  )
}

function CancelDialog({ subscription, deed, close, after }: DialogProps & { subscription: Subscription }): ReactElement {
  const [reason, setReason] = useState('')
  return (
    <Dialog title="Cancel the subscription?" close={close}>
      <p>You can watch until {day(subscription.periodEnd)}. Your list and your history stay.</p>
      <TextField label="Why do you leave? (optional)" rows={2} maxLength={500} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
      <Problem words={deed.problem} />
      <p className="form-deeds">
        <button type="button" className="button danger" disabled={deed.busy} onClick={() => deed.run(() => cancelSubscription(reason.trim()), after)}>Cancel subscription</button>
        <button type="button" className="button" onClick={close}>Keep it</button>
      </p>
    </Dialog>
  )
}

function CardDialog({ deed, close, after }: DialogProps): ReactElement {
  const [payer, setPayer] = useState<Payer | null>(null)
  const [refused, setRefused] = useState(0)
  const use = async (by: Payer): Promise<void> => {
    const token = await by.token()
    await setPaymentMethod(token).catch((error: unknown) => {
      setRefused((n) => n + 1)
      throw error
    })
  }
  return (
    <Dialog title="Payment method" close={close}>
      <PaymentForm take={setPayer} refused={refused} />
      <Problem words={deed.problem} />
      <p className="form-deeds">
        <button type="button" className="button primary" disabled={deed.busy || !payer} onClick={() => payer && deed.run(() => use(payer), after)}>Use this card</button>
        <button type="button" className="button" onClick={close}>Cancel</button>
      </p>
    </Dialog>
  )
}
