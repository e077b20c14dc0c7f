/** The plans side by side, one to be chosen. */
import { type ReactElement, useId } from 'react'
import type { Plan } from '../api/types'
import { money } from '../words/money'
import { giftsOf, trialOf } from './plans'

interface Props {
  plans: readonly Plan[]
  chosen: string
  /** The plan that is held. */
  current?: string
  choose: (id: string) => void
}

export function PlanCards({ plans, chosen, current = '', choose }: Props): ReactElement {
  const group = useId()
  return (
    <fieldset className="plans">
      <legend className="visually-hidden">Plan</legend>
      {plans.map((plan) => (
        <label key={plan.id} className="plan" data-chosen={plan.id === chosen}>
          <input type="radio" name={group} value={plan.id} checked={plan.id === chosen} onChange={() => choose(plan.id)} />
          <span className="plan-name">{plan.name}</span>
          <span className="plan-price">{plan.price ? <>{money(plan.price)} <small>a month</small></> : 'Not sold in your country'}</span>
          {plan.id === current && <span className="plan-mark">Your plan</span>}
          {plan.id !== current && trialOf(plan) !== '' && <span className="plan-mark">{trialOf(plan)}</span>}
          <span className="plan-gifts">{giftsOf(plan).map((gift) => <span key={gift}>{gift}</span>)}</span>
        </label>
      ))}
    </fieldset>
  )
}
