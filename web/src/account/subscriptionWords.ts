/** Where a subscription stands, as a sentence. */
import type { Subscription } from '../api/types'
import { day } from '../words/dates'

/** `nameOf` names a plan by its id. */
export function stateWords(subscription: Subscription, nameOf: (plan: string) => string, language?: string): string {
  const { state, periodEnd, trialEnd, cancelAtPeriodEnd, nextPlan } = subscription
  const until = day(state === 'trialing' ? (trialEnd ?? periodEnd) : periodEnd, language)
  if (state === 'ended') return `Your subscription has ended on ${until}.`
  if (state === 'past_due') return 'Your last payment did not go through. Change the payment method to go on watching.'
  if (cancelAtPeriodEnd) return `Cancelled: you can watch until ${until}.`
  if (nextPlan) return `Changes to ${nameOf(nextPlan)} on ${until}.`
  return state === 'trialing' ? `Free until ${until}.` : `Renews on ${until}.`
}
