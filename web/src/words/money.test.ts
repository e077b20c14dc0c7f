import { expect, test } from 'vitest'
import { minorOf, money, typed } from './money'

const plain = (text: string): string => text.replace(/[\u00a0\u202f]/g, ' ')

test('money has the digits of its currency and the marks of the language', () => {
  expect(plain(money({ minor: 999, currency: 'EUR' }, 'de'))).toBe('9,99 €')
  expect(money({ minor: 999, currency: 'USD' }, 'en-US')).toBe('$9.99')
  expect(plain(money({ minor: 990, currency: 'JPY' }, 'en'))).toBe('¥990')
  expect(plain(money({ minor: 1234, currency: 'KWD' }, 'en'))).toBe('KWD 1.234')
  expect(plain(money({ minor: -250, currency: 'EUR' }, 'en'))).toBe('-€2.50')
  expect(money({ minor: 999, currency: '??' }, 'en')).toBe('9.99 ??')
  expect(money(null)).toBe('–')
})

test('what is typed becomes whole minor units, or is refused', () => {
  expect(minorOf('9.99', 'EUR')).toBe(999)
  expect(minorOf('9,9', 'EUR')).toBe(990)
  expect(minorOf('990', 'JPY')).toBe(990)
  expect(minorOf('9.999', 'EUR')).toBeNull()
  expect(minorOf('-1', 'EUR')).toBeNull()
  expect(minorOf('free', 'EUR')).toBeNull()
  expect(typed({ minor: 990, currency: 'JPY' })).toBe('990')
  expect(typed({ minor: 990, currency: 'EUR' })).toBe('9.90')
})
