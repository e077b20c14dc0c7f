import { expect, test } from 'vitest'
import { day, daysFrom, moment, momentTyped, typedMoment } from './dates'

test('a day and a moment are told in words', () => {
  expect(day('2026-11-25T14:05:00Z', 'en-GB', 'UTC')).toBe('25 November 2026')
  expect(day('2026-11-25T14:05:00Z', 'de', 'UTC')).toBe('25. November 2026')
  expect(moment('2026-11-25T14:05:00Z', 'en-GB', 'UTC')).toBe('25 Nov 2026, 14:05')
  expect(day(null)).toBe('–')
  expect(moment('yesterday')).toBe('–')
})

test('days are counted from now', () => {
  const now = Date.parse('2026-11-25T12:00:00Z')
  expect(daysFrom(now + 3 * 86_400_000, now, 'en')).toBe('in 3 days')
  expect(daysFrom(now, now, 'en')).toBe('today')
})

test('what is typed in a field comes back as it was', () => {
  expect(momentTyped(typedMoment('2026-11-25T14:05:00.000Z'))).toBe('2026-11-25T14:05:00.000Z')
  expect(momentTyped('')).toBeNull()
  expect(typedMoment(undefined)).toBe('')
})
