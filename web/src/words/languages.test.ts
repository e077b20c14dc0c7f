import { expect, test } from 'vitest'
import { territoryName } from './languages'

test('a territory has a name, and an odd one stays as it is', () => {
  expect(territoryName('DE', 'en')).toBe('Germany')
  expect(territoryName('*', 'en')).toBe('Everywhere')
  expect(territoryName('nowhere', 'en')).toBe('nowhere')
})
