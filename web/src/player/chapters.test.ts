import { expect, test } from 'vitest'
import { offersNext, offersNextAt, skipTo } from './chapters'

test('an opening can be left while it plays', () => {
  const parts = { introStart: 30, introEnd: 90 }
  expect(skipTo(29, parts)).toBeNull()
  expect(skipTo(30, parts)).toBe(90)
  expect(skipTo(89, parts)).toBeNull()
  expect(skipTo(5, { introEnd: 20 })).toBe(20)
  expect(skipTo(5, {})).toBeNull()
})

test('the next episode is offered when the credits begin', () => {
  expect(offersNextAt(1500, { creditsStart: 1440 })).toBe(1440)
  expect(offersNextAt(1500, {})).toBe(1488)
  expect(offersNextAt(1500, { creditsStart: 9000 })).toBe(1488)
  expect(offersNextAt(60, {})).toBe(59)
  expect(offersNext(1450, 1500, { creditsStart: 1440 })).toBe(true)
  expect(offersNext(0, 0, {})).toBe(false)
})
