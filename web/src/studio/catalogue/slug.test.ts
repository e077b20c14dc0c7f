import { expect, test } from 'vitest'
import { listed, secondsTyped, slugOf } from './slug'

test('an id is made of a name', () => {
  expect(slugOf('Big Buck Bunny!')).toBe('big-buck-bunny')
  expect(slugOf('  Äpfel & Öl ')).toBe('apfel-ol')
  expect(slugOf('!!!')).toBe('')
})

test('lists and times are read as they are typed', () => {
  expect(listed('de, en  fr,de')).toEqual(['de', 'en', 'fr'])
  expect(secondsTyped('4:05')).toBe(245)
  expect(secondsTyped('1:00:01')).toBe(3601)
  expect(secondsTyped('90')).toBe(90)
  expect(secondsTyped('')).toBe(0)
  expect(secondsTyped('soon')).toBeNull()
})
