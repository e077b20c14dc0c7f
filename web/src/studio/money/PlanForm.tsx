/** One plan: what it gives and what it costs, by territory. */
import { type ReactElement, type SubmitEvent, useState } from 'react'
import { putPlan } from '../../api/studio'
import type { StudioPlan } from '../../api/types'
import { Dialog } from '../../design/Dialog'
import { Choice, Field, Switch } from '../../design/Field'
import { Problem } from '../../design/Problem'
import { useDeed } from '../../design/useDeed'
import { minorOf, typed } from '../../words/money'
import { slugOf } from '../catalogue/slug'

interface PriceLine {
  territory: string
  amount: string
  currency: string
}

const whole = (value: string): number => Math.max(0, Math.floor(Number(value)) || 0)

export function PlanForm({ stored, close, saved }: { stored: StudioPlan; close: () => void; saved: () => void }): ReactElement {
  const [plan, setPlan] = useState(stored)
  const [prices, setPrices] = useState<PriceLine[]>(stored.prices.map(({ territory, amount }) => ({ territory, amount: typed(amount), currency: amount.currency })))
  const { busy, problemBeside, run, wrong } = useDeed()
  const change = (by: Partial<StudioPlan>): void => setPlan({ ...plan, ...by })
  const priced = (index: number, by: Partial<PriceLine>): void => setPrices(prices.map((each, at) => (at === index ? { ...each, ...by } : each)))
  const amiss = prices.some(({ amount, currency }) => minorOf(amount, currency) === null) ? 'Each price is an amount such as 9.99, in a currency such as EUR.' : ''
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    if (amiss !== '') return
    const known = prices.map(({ territory, amount, currency }) => ({ territory, amount: { minor: minorOf(amount, currency) ?? 0, currency } }))
    run(() => putPlan({ ...plan, id: plan.id === '' ? slugOf(plan.name) : plan.id, prices: known }), saved)
  }
  return (
    <Dialog title={stored.id === '' ? 'Add a plan' : `Change ${stored.name}`} close={close}>
      <form className="form" onSubmit={submit}>
        <Field label="Name" required autoFocus maxLength={60} value={plan.name} wrong={wrong('name')} onChange={(event) => change({ name: event.currentTarget.value })} />
        <div className="pair">
          <Choice label="Picture up to" value={plan.maxHeight} onChange={(event) => change({ maxHeight: Number(event.currentTarget.value) })}>
            {[480, 720, 1080, 2160].map((height) => <option key={height} value={height}>{height}p</option>)}
          </Choice>
          <Field label="Screens at once" inputMode="numeric" value={plan.streams} wrong={wrong('streams')} onChange={(event) => change({ streams: whole(event.currentTarget.value) })} />
          <Field label="Free days" inputMode="numeric" value={plan.trialDays} wrong={wrong('trial_days')} onChange={(event) => change({ trialDays: whole(event.currentTarget.value) })} />
          <Field label="Rank" inputMode="numeric" hint="Rises with what it gives" value={plan.rank} wrong={wrong('rank')} onChange={(event) => change({ rank: whole(event.currentTarget.value) })} />
        </div>
        <fieldset className="box">
          <legend>A month, tax included</legend>
          <ul className="lines">
            {prices.map((price, index) => (
              <li key={index}>
                <input aria-label={`Territory ${index + 1}`} size={4} value={price.territory} onChange={(event) => priced(index, { territory: event.currentTarget.value.toUpperCase() })} />
                <input aria-label={`Price ${index + 1}`} size={8} inputMode="decimal" value={price.amount} onChange={(event) => priced(index, { amount: event.currentTarget.value })} />
                <input aria-label={`Currency ${index + 1}`} size={4} maxLength={3} value={price.currency} onChange={(event) => priced(index, { currency: event.currentTarget.value.toUpperCase() })} />
                <button type="button" className="button small" aria-label={`Leave out price ${index + 1}`} onClick={() => setPrices(prices.filter((_, at) => at !== index))}>Leave out</button>
              </li>
            ))}
          </ul>
          <p><button type="button" className="button small" onClick={() => setPrices([...prices, { territory: '', amount: '', currency: prices[0]?.currency ?? 'EUR' }])}>Add a price</button> <span className="soft">“*” is where no other territory is named.</span></p>
        </fieldset>
        <Switch label="Offered to new subscribers" checked={plan.offered} onChange={(event) => change({ offered: event.currentTarget.checked })} />
        <Problem words={amiss || problemBeside('name', 'streams', 'trial_days', 'rank')} />
        <p className="form-deeds"><button type="submit" className="button primary" disabled={busy || amiss !== ''}>Save</button><button type="button" className="button" onClick={close}>Cancel</button></p>
      </form>
    </Dialog>
  )
}
