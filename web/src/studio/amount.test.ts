import { expect, test } from 'vitest'
import { percent } from './amount'

test('a workflow says 100 % only when all is done', () => {
  expect(percent(0.999)).toBe('99 %')
  expect(percent(1)).toBe('100 %')
  expect(percent(-1)).toBe('0 %')
})
