import { expect, test } from 'vitest'
import { spelt } from './codes'

test('a code is spelt as the television shows it, however it is typed', () => {
  expect(spelt('wdjb mjht')).toBe('WDJB-MJHT')
  expect(spelt('WDJB-')).toBe('WDJB')
  expect(spelt('wdjbm')).toBe('WDJB-M')
  expect(spelt('wdjb-mjht-more')).toBe('WDJB-MJHT')
})
