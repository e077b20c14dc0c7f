import { expect, test } from 'vitest'
import { giftsOf, pictureOf, trialOf } from './plans'

const plan = { id: 'basic', name: 'Basic', price: { minor: 599, currency: 'EUR' }, maxHeight: 1080, streams: 1, trialDays: 7, rank: 1 }

test('a plan says what it gives', () => {
  expect(giftsOf(plan).slice(0, 2)).toEqual(['Full HD picture', 'One screen at a time'])
  expect(giftsOf({ ...plan, streams: 4 })[1]).toBe('4 screens at a time')
  expect(pictureOf(2160)).toBe('4K')
  expect(pictureOf(0)).toBe('4K')
  expect(pictureOf(480)).toBe('Standard definition')
  expect(trialOf(plan)).toBe('7 days free')
  expect(trialOf({ ...plan, trialDays: 0 })).toBe('')
})
