import { expect, test } from 'vitest'
import { ceiling, pathOf } from './lines'

test('the upper edge of a plot is a round number', () => {
  expect(ceiling(0)).toBe(1)
  expect(ceiling(3)).toBe(5)
  expect(ceiling(51)).toBe(100)
  expect(ceiling(0.013)).toBeCloseTo(0.02)
  expect(ceiling(200)).toBe(200)
})

test('a line goes from the left to the right, and stays in its picture', () => {
  expect(pathOf([{ at: 0, value: 0 }, { at: 50, value: 5 }, { at: 100, value: 20 }], 200, 100, 10)).toBe('M0.0 100.0 L100.0 50.0 L200.0 0.0')
  expect(pathOf([{ at: 0, value: 1 }], 200, 100, 10)).toBe('')
})
