import { expect, test } from 'vitest'
import type { Subscription } from '../api/types'
import { stateWords } from './subscriptionWords'

const held = (by: Partial<Subscription>): string =>
  stateWords({
    id: 's', plan: 'basic', state: 'active', price: { minor: 599, currency: 'EUR' }, periodStart: null, periodEnd: '2026-12-25T12:00:00Z', trialEnd: null,
    cancelAtPeriodEnd: false, nextPlan: null, nextAttempt: null, paymentMethod: null, territory: 'DE', ...by,
  }, (plan) => plan.toUpperCase(), 'en-GB')

test('a subscription says where it stands', () => {
  expect(held({})).toBe('Renews on 25 December 2026.')
  expect(held({ state: 'trialing', trialEnd: '2026-12-01T12:00:00Z' })).toBe('Free until 1 December 2026.')
  expect(held({ cancelAtPeriodEnd: true })).toBe('Cancelled: you can watch until 25 December 2026.')
  expect(held({ nextPlan: 'family' })).toBe('Changes to FAMILY on 25 December 2026.')
  expect(held({ state: 'ended' })).toContain('has ended on')
  expect(held({ state: 'past_due' })).toContain('payment')
})
