import { expect, test } from 'vitest'
import { waysFor } from './rooms'

const rooms = (...roles: string[]): string[] => waysFor(roles).map(({ room }) => room)

test('each sees the rooms of their roles', () => {
  expect(rooms('support')).toEqual(['accounts', 'plans', 'ledger', 'quality'])
  expect(rooms('studio')).toContain('catalogue')
  expect(rooms('studio')).not.toContain('ledger')
  expect(rooms('admin')).toHaveLength(10)
  expect(rooms()).toHaveLength(10)
})
