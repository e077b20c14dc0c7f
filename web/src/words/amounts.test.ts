import { expect, test } from 'vitest'
import { bitrate, bytes, percent, rate } from './amounts'

test('a share says 100 % only when all is done', () => {
  expect(percent(0.999)).toBe('99 %')
  expect(percent(1)).toBe('100 %')
  expect(percent(-1)).toBe('0 %')
})

test('amounts have three figures and a unit', () => {
  expect(bytes(0)).toBe('0 B')
  expect(bytes(999)).toBe('999 B')
  expect(bytes(1_204_000_000)).toBe('1.20 GB')
  expect(bytes(999_999)).toBe('1.00 MB')
  expect(rate(12_340_000)).toBe('12.3 MB/s')
  expect(bitrate(4_500_000)).toBe('4.50 Mbit/s')
  expect(bytes(Number.NaN)).toBe('–')
})
