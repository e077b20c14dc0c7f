import { expect, test } from 'vitest'
import { isRefusal, refusalFor } from './refusals'

test('whoever may not watch is told why, and what to do', () => {
  expect(refusalFor('lapsed', '').way).toEqual({ label: 'Renew your subscription', href: '/plans' })
  expect(refusalFor('not_licensed_here', '').what).toContain('not available where you are')
  expect(refusalFor('moon', 'The moon is full.')).toMatchObject({ what: 'The moon is full.', way: null })
  expect(isRefusal('too_many_streams')).toBe(true)
  expect(isRefusal('')).toBe(false)
})
